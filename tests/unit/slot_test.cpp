// An event in a slot: written, read, and refused when it is damaged.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "src/inbox/slot.hpp"

namespace swarmbus::core {
namespace {

constexpr std::size_t kSlotBytes = 256;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
std::string_view text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

class Slot : public testing::Test {
protected:
    Slot() {
        bytes.fill(std::byte{0xee});  // what an event of a lap before may have left
        event.type = 3;
        event.writer = 4095;
        event.lease = 0xabcd;
        event.encoding = 2;
        event.sequence = 0x123456789abc;
        event.time_ns = 1'700'000'000'123'456'789;
    }
    swb_l_slot& header() { return *reinterpret_cast<swb_l_slot*>(bytes.data()); }
    std::byte& after_header(std::size_t i) { return bytes[sizeof(swb_l_slot) + i]; }
    bool read(IncomingEvent& into) const { return decode(bytes.data(), kSlotBytes, into); }
    IncomingEvent read() const {
        IncomingEvent incoming;
        EXPECT_TRUE(read(incoming));
        return incoming;
    }
    bool damaged() const {
        IncomingEvent incoming;
        return !read(incoming);
    }
    void put(std::uint64_t dropped = 0) { encode(bytes.data(), event, dropped); }

    alignas(64) std::array<std::byte, kSlotBytes> bytes;
    OutgoingEvent event;
};

TEST_F(Slot, carries_the_fixed_fields) {
    put();
    const IncomingEvent got = read();
    EXPECT_EQ(got.type, 3u);
    EXPECT_EQ(got.writer, 4095u);
    EXPECT_EQ(got.lease, 0xabcdu);
    EXPECT_EQ(got.encoding, 2u);
    EXPECT_EQ(got.sequence, 0x123456789abcu);
    EXPECT_EQ(got.time_ns, 1'700'000'000'123'456'789u);
    EXPECT_EQ(got.dropped, 0u);
    EXPECT_TRUE(got.inline_type.empty());
    EXPECT_TRUE(got.source.empty());
    EXPECT_TRUE(got.subject.empty());
    EXPECT_TRUE(got.payload.empty());
    EXPECT_EQ(header().flags, 0u);
}

TEST_F(Slot, leaves_the_state_word_to_the_commit) {
    header().state = 0x1234;
    put(7);
    EXPECT_EQ(header().state, 0x1234u);
}

TEST_F(Slot, carries_a_plain_event_of_32_bytes_in_one_cache_line) {
    event.payload = bytes_of("exactly thirty-two bytes of text");
    put();
    const IncomingEvent got = read();
    EXPECT_EQ(text_of(got.payload), "exactly thirty-two bytes of text");
    EXPECT_EQ(got.payload.data() + got.payload.size(), bytes.data() + 64);
}

TEST_F(Slot, carries_every_optional_field_in_every_combination) {
    for (unsigned flags = 0; flags < 16; ++flags) {
        bytes.fill(std::byte{0xee});
        event.inline_type = (flags & SWB_SLOT_TYPE) != 0 ? std::string_view("agent.created") : "";
        event.source = (flags & SWB_SLOT_SOURCE) != 0 ? std::string_view("planner-12") : "";
        event.subject = (flags & SWB_SLOT_SUBJECT) != 0 ? std::string_view("agent-7") : "";
        event.payload = bytes_of("payload");
        put((flags & SWB_SLOT_DROPPED) != 0 ? 0x1122334455667788u : 0);
        const IncomingEvent got = read();
        EXPECT_EQ(header().flags, flags);
        EXPECT_EQ(got.dropped, (flags & SWB_SLOT_DROPPED) != 0 ? 0x1122334455667788u : 0);
        EXPECT_EQ(got.inline_type, event.inline_type);
        EXPECT_EQ(got.source, event.source);
        EXPECT_EQ(got.subject, event.subject);
        EXPECT_EQ(text_of(got.payload), "payload");
    }
}

TEST_F(Slot, aligns_the_payload_to_8_bytes_and_ends_texts_with_NUL_whatever_their_length) {
    for (std::size_t length = 1; length <= 127; ++length) {
        const std::string text(length, 'x');
        bytes.fill(std::byte{0xee});
        event.subject = text;
        event.payload = bytes_of("payload");
        put();
        const IncomingEvent got = read();
        ASSERT_EQ(got.subject, text);
        ASSERT_EQ(std::strlen(got.subject.data()), length);
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(got.payload.data()) % 8, 0u) << length;
        ASSERT_EQ(text_of(got.payload), "payload");
    }
}

TEST_F(Slot, takes_the_largest_payload_that_fits_beside_a_drop_count) {
    const std::string payload(kSlotBytes - sizeof(swb_l_slot) - 8, 'p');
    event.payload = bytes_of(payload);
    EXPECT_EQ(slot_bytes_of(event), kSlotBytes);
    put(1);
    const IncomingEvent got = read();
    EXPECT_EQ(got.dropped, 1u);
    EXPECT_EQ(text_of(got.payload), payload);
    EXPECT_EQ(got.payload.data() + got.payload.size(), bytes.data() + kSlotBytes);
    put();
    EXPECT_EQ(text_of(read().payload), payload);
}

TEST_F(Slot, is_measured_with_the_drop_count_whether_it_will_be_there_or_not) {
    EXPECT_EQ(slot_bytes_of(event), 32u + 8u);
    event.payload = bytes_of("12345");
    EXPECT_EQ(slot_bytes_of(event), 32u + 8u + 5u);
    event.subject = "123456";  // length byte, text, NUL: 8 bytes
    EXPECT_EQ(slot_bytes_of(event), 32u + 8u + 8u + 5u);
    event.subject = "1234567";
    EXPECT_EQ(slot_bytes_of(event), 32u + 8u + 16u + 5u);
    event.source = "s";
    event.inline_type = "a.b";
    EXPECT_EQ(slot_bytes_of(event), 32u + 8u + 8u + 8u + 16u + 5u);
}

TEST_F(Slot, keeps_sequence_and_lease_apart) {
    event.sequence = (std::uint64_t{1} << 48) + 5;
    event.lease = 1;
    put();
    EXPECT_EQ(read().sequence, 5u);
    EXPECT_EQ(read().lease, 1u);
    event.sequence = (std::uint64_t{1} << 48) - 1;
    event.lease = 0xffff;
    put();
    EXPECT_EQ(read().sequence, (std::uint64_t{1} << 48) - 1);
    EXPECT_EQ(read().lease, 0xffffu);
}

TEST_F(Slot, is_damaged_when_it_has_a_flag_nobody_knows) {
    for (const unsigned flag : {unsigned{SWB_SLOT_CORRELATION}, unsigned{SWB_SLOT_TRACE}, 128u}) {
        put();
        header().flags = static_cast<std::uint8_t>(flag);
        EXPECT_TRUE(damaged()) << flag;
    }
}

TEST_F(Slot, is_damaged_when_its_payload_leads_out_of_it) {
    put();
    header().payload_bytes = kSlotBytes - sizeof(swb_l_slot);
    EXPECT_FALSE(damaged());
    header().payload_bytes = kSlotBytes - sizeof(swb_l_slot) + 1;
    EXPECT_TRUE(damaged());
    header().payload_bytes = 0xffff;
    EXPECT_TRUE(damaged());
    put(1);  // a drop count takes its room
    header().payload_bytes = kSlotBytes - sizeof(swb_l_slot) - 8 + 1;
    EXPECT_TRUE(damaged());
}

TEST_F(Slot, is_damaged_when_a_text_leads_out_of_it) {
    // 224 bytes follow the header: a length byte, a text, its NUL.
    for (const unsigned flag : {unsigned{SWB_SLOT_TYPE}, unsigned{SWB_SLOT_SOURCE}, unsigned{SWB_SLOT_SUBJECT}}) {
        bytes.fill(std::byte{0});
        put();
        header().flags = static_cast<std::uint8_t>(flag);
        after_header(0) = std::byte{222};
        EXPECT_FALSE(damaged());
        after_header(0) = std::byte{223};
        EXPECT_TRUE(damaged());
        after_header(0) = std::byte{255};
        EXPECT_TRUE(damaged());
    }
}

TEST_F(Slot, is_damaged_when_a_text_is_empty_or_lacks_its_NUL) {
    event.subject = "agent-7";
    put();
    after_header(8) = std::byte{'x'};
    EXPECT_TRUE(damaged());
    put();
    after_header(0) = std::byte{0};
    EXPECT_TRUE(damaged());
}

TEST_F(Slot, is_damaged_when_nothing_is_left_for_an_announced_text) {
    event.inline_type = "a";
    put();
    header().flags = SWB_SLOT_TYPE | SWB_SLOT_SOURCE | SWB_SLOT_SUBJECT;
    bytes.back() = std::byte{0};
    after_header(0) = std::byte{222};  // the type takes all there is
    std::memset(&after_header(1), 'x', 222);
    after_header(223) = std::byte{0};
    EXPECT_TRUE(damaged());
}

TEST_F(Slot, of_any_bytes_is_read_within_its_bounds) {
    std::uint64_t random = 88172645463325252u;
    const auto in_slot = [this](const void* at, std::size_t size) {
        const auto* first = static_cast<const std::byte*>(at);
        return first >= bytes.data() && first + size <= bytes.data() + kSlotBytes;
    };
    int whole = 0;
    for (int round = 0; round < 20'000; ++round) {
        for (std::byte& b : bytes) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            b = static_cast<std::byte>(random % 3 == 0 ? random >> 8 : 0);
        }
        header().flags &= 15;
        header().payload_bytes %= 300;
        IncomingEvent got;
        if (!read(got)) continue;
        ++whole;
        for (const std::string_view text : {got.inline_type, got.source, got.subject}) {
            if (text.empty()) continue;
            ASSERT_TRUE(in_slot(text.data(), text.size() + 1));
            ASSERT_EQ(text.data()[text.size()], '\0');
        }
        ASSERT_TRUE(in_slot(got.payload.data(), got.payload.size()));
    }
    EXPECT_GT(whole, 1000) << "the bytes are not so random that all are refused";
}

}  // namespace
}  // namespace swarmbus::core
