// How large a bus is: limits, the offsets that follow from them, and the layout in C and C++.
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "src/error.hpp"
#include "src/segment/limits.hpp"
#include "tests/unit/layout_c11.h"

namespace swarmbus::core {
namespace {

TEST(Layout, is_the_same_in_C_and_in_CPP) {
    const layout_sizes c = layout_sizes_in_c();
    EXPECT_EQ(c.header, sizeof(swb_l_header));
    EXPECT_EQ(c.participant, sizeof(swb_l_participant));
    EXPECT_EQ(c.writer, sizeof(swb_l_writer));
    EXPECT_EQ(c.type, sizeof(swb_l_type));
    EXPECT_EQ(c.route, sizeof(swb_l_route));
    EXPECT_EQ(c.subscriber, sizeof(swb_l_subscriber));
    EXPECT_EQ(c.inbox, sizeof(swb_l_inbox));
    EXPECT_EQ(c.slot, sizeof(swb_l_slot));
    EXPECT_EQ(c.inbox_room_at, offsetof(swb_l_inbox, room));
    EXPECT_EQ(c.magic, SWB_LAYOUT_MAGIC);
}

TEST(Layout, begins_with_the_name_of_the_program) {
    const std::uint64_t magic = SWB_LAYOUT_MAGIC;
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(&magic), 8), "SWARMBUS");
}

TEST(Layout, keeps_lines_of_different_writers_128_bytes_apart) {
    const auto line = [](std::size_t offset) { return offset / SWB_LINE; };
    const std::set<std::size_t> inbox{line(offsetof(swb_l_inbox, gate)), line(offsetof(swb_l_inbox, hint)),
                                      line(offsetof(swb_l_inbox, dropped)), line(offsetof(swb_l_inbox, head))};
    EXPECT_EQ(inbox.size(), 4u);
    EXPECT_EQ(line(offsetof(swb_l_inbox, gate)), line(offsetof(swb_l_inbox, wake)));
    EXPECT_EQ(line(offsetof(swb_l_inbox, dropped)), line(offsetof(swb_l_inbox, dropped_no_slot)));
    EXPECT_EQ(line(offsetof(swb_l_inbox, head)), line(offsetof(swb_l_inbox, room)));
    EXPECT_NE(line(offsetof(swb_l_header, control)), line(offsetof(swb_l_header, boot_id)));
    EXPECT_NE(line(offsetof(swb_l_header, control)), line(offsetof(swb_l_header, next_writer)));
    EXPECT_EQ(sizeof(swb_l_inbox) % SWB_LINE, 0u);
    EXPECT_EQ(sizeof(swb_l_writer) % SWB_LINE, 0u);
}

TEST(Capacities, are_powers_of_two_from_16_to_65536) {
    for (std::uint32_t slots = 16; slots <= 65536; slots *= 2) EXPECT_TRUE(valid_capacity(slots)) << slots;
    for (const std::uint32_t slots : {0u, 1u, 2u, 8u, 15u, 17u, 24u, 1000u, 1023u, 65535u, 65537u, 131072u, 0x80000000u, 0xffffffffu}) {
        EXPECT_FALSE(valid_capacity(slots)) << slots;
    }
}

TEST(Blocks, hold_the_slots_8_bytes_for_each_and_less_than_8_KiB_more) {
    for (std::uint32_t capacity = 16; capacity <= 65536; capacity *= 2) {
        for (std::uint32_t slot_bytes = 64; slot_bytes <= 65536; slot_bytes += 64) {
            const std::uint64_t slots = std::uint64_t{capacity} * slot_bytes + std::uint64_t{capacity} * 8;
            const std::uint64_t block = block_bytes(capacity, slot_bytes);
            ASSERT_EQ(block % SWB_PAGE, 0u);
            ASSERT_GE(block, slots + SWB_PATTERN_AREA_BYTES);
            ASSERT_LT(block, slots + 8 * 1024);
        }
    }
}

TEST(LimitsOfABus, are_the_documented_defaults_when_nothing_is_asked_for) {
    const Limits limits = complete({});
    EXPECT_EQ(limits.max_participants, 1024u);
    EXPECT_EQ(limits.max_subscribers, 1024u);
    EXPECT_EQ(limits.max_types, 4096u);
    EXPECT_EQ(limits.slot_bytes, 256u);
    EXPECT_EQ(limits.default_capacity, 1024u);
    EXPECT_EQ(limits.ring_bytes, std::uint64_t{4} << 30);
}

TEST(LimitsOfABus, keep_what_was_asked_for) {
    const Limits limits = complete({1, 2, 3, 64, 16, 1'000'000});
    EXPECT_EQ(limits.max_participants, 1u);
    EXPECT_EQ(limits.max_subscribers, 2u);
    EXPECT_EQ(limits.max_types, 3u);
    EXPECT_EQ(limits.slot_bytes, 64u);
    EXPECT_EQ(limits.default_capacity, 16u);
    EXPECT_EQ(limits.ring_bytes, 1'003'520u) << "to whole pages";
}

TEST(LimitsOfABus, out_of_range_are_refused_by_name) {
    struct Case {
        Limits asked;
        const char* name;
    };
    const std::uint64_t ring = std::uint64_t{4} << 30;
    for (const Case& c : {
             Case{{32769, 0, 0, 0, 0, 0}, "max_participants"}, Case{{0, 4097, 0, 0, 0, 0}, "max_subscribers"},
             Case{{0, 0, 65001, 0, 0, 0}, "max_types"}, Case{{0, 0, 0, 32, 0, 0}, "slot_bytes"}, Case{{0, 0, 0, 65600, 0, 0}, "slot_bytes"},
             Case{{0, 0, 0, 100, 0, 0}, "slot_bytes"}, Case{{0, 0, 0, 0, 8, 0}, "default_capacity"},
             Case{{0, 0, 0, 0, 100, 0}, "default_capacity"}, Case{{0, 0, 0, 0, 131072, 0}, "default_capacity"},
             Case{{0, 0, 0, 0, 0, 4096}, "ring_bytes"}, Case{{0, 0, 0, 0, 0, (std::uint64_t{1} << 42) + 1}, "ring_bytes"},
             Case{{0, 0, 0, 65536, 65536, ring}, "ring_bytes"},  // not one inbox of the default capacity would fit
         }) {
        try {
            complete(c.asked);
            ADD_FAILURE() << c.name << " was not refused";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), SWB_ERR_ARGUMENT);
            EXPECT_EQ(std::string(e.what()).substr(0, std::string(c.name).size()), c.name);
        }
    }
}

TEST(LimitsOfABus, at_the_ends_of_their_ranges_are_accepted) {
    EXPECT_NO_THROW(complete({1, 1, 1, 64, 16, block_bytes(16, 64)}));
    EXPECT_NO_THROW(complete({32768, 4096, 65000, 65536, 65536, std::uint64_t{1} << 42}));
    EXPECT_THROW(complete({1, 1, 1, 64, 16, block_bytes(16, 64) - 1}), Error);
}

TEST(Plans, place_the_tables_one_after_the_other_and_the_rings_on_a_page) {
    for (const Limits& asked :
         {Limits{}, Limits{1, 1, 1, 64, 16, 65536}, Limits{3, 65, 7, 128, 32, 1 << 20}, Limits{32768, 4096, 65000, 256, 1024, 0}}) {
        const Limits limits = complete(asked);
        const swb_l_header h = plan(limits);
        EXPECT_EQ(h.magic, SWB_LAYOUT_MAGIC);
        EXPECT_EQ(h.version, SWB_LAYOUT_VERSION);
        EXPECT_GE(h.participants_at, sizeof(swb_l_header));
        EXPECT_GE(h.writers_at, h.participants_at + limits.max_participants * sizeof(swb_l_participant));
        EXPECT_GE(h.types_at, h.writers_at + SWB_WRITERS * sizeof(swb_l_writer));
        EXPECT_GE(h.routes_at, h.types_at + limits.max_types * sizeof(swb_l_type));
        EXPECT_GE(h.subscribers_at, h.routes_at + limits.max_types * h.route_stride);
        EXPECT_GE(h.lines_at, h.subscribers_at + limits.max_subscribers * sizeof(swb_l_subscriber));
        EXPECT_GE(h.rings_at, h.lines_at + limits.max_subscribers * sizeof(swb_l_inbox));
        EXPECT_EQ(h.schemas_at, h.rings_at + limits.ring_bytes);
        EXPECT_GE(h.file_bytes, h.schemas_at + SWB_REGISTRATIONS * sizeof(swb_l_registration) + SWB_SCHEMAS_BYTES);
        for (const std::uint64_t at : {h.participants_at, h.writers_at, h.types_at, h.routes_at, h.subscribers_at, h.lines_at}) {
            EXPECT_EQ(at % SWB_LINE, 0u);
        }
        EXPECT_EQ(h.rings_at % SWB_PAGE, 0u);
        EXPECT_EQ(h.schemas_at % SWB_PAGE, 0u);
        EXPECT_EQ(h.route_stride % 64, 0u);
        EXPECT_GE(h.route_stride, 8 + (limits.max_subscribers + 63) / 64 * 8);
    }
}

TEST(Plans, tell_the_limits_they_were_made_from) {
    const Limits limits = complete({3, 65, 7, 128, 32, 1 << 20});
    const Limits back = limits_of(plan(limits));
    EXPECT_EQ(layout_hash(plan(back)), layout_hash(plan(limits)));
    EXPECT_EQ(back.ring_bytes, 1u << 20);
    EXPECT_EQ(back.default_capacity, 32u);
}

TEST(Plans, of_a_default_bus_take_less_than_4_MiB_without_rings) { EXPECT_LT(plan(complete({})).rings_at, 4u << 20); }

TEST(LayoutHashes, change_with_every_number_two_builds_must_agree_on) {
    const swb_l_header planned = plan(complete({}));
    std::set<std::uint64_t> hashes{layout_hash(planned)};
    const std::vector<std::function<void(swb_l_header&)>> changes = {
        [](auto& h) { ++h.version; },         [](auto& h) { ++h.slot_bytes; },      [](auto& h) { ++h.max_participants; },
        [](auto& h) { ++h.max_subscribers; }, [](auto& h) { ++h.max_types; },       [](auto& h) { ++h.default_capacity; },
        [](auto& h) { ++h.ring_bytes; },      [](auto& h) { ++h.participants_at; }, [](auto& h) { ++h.writers_at; },
        [](auto& h) { ++h.types_at; },        [](auto& h) { ++h.routes_at; },       [](auto& h) { ++h.subscribers_at; },
        [](auto& h) { ++h.lines_at; },        [](auto& h) { ++h.rings_at; },        [](auto& h) { ++h.schemas_at; },
        [](auto& h) { ++h.file_bytes; },      [](auto& h) { ++h.route_stride; },
    };
    for (const auto& change : changes) {
        swb_l_header other = planned;
        change(other);
        EXPECT_TRUE(hashes.insert(layout_hash(other)).second);
    }
    EXPECT_FALSE(hashes.contains(0)) << "0 means not ready";
}

TEST(LayoutHashes, do_not_depend_on_what_differs_between_buses_of_one_layout) {
    swb_l_header one = plan(complete({})), other = one;
    other.created_ns = 1;
    other.boot_id[0] = 1;
    other.layout_hash = 1;
    other.types_used = 1;
    EXPECT_EQ(layout_hash(one), layout_hash(other));
}

}  // namespace
}  // namespace swarmbus::core
