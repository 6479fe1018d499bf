// Payloads that are not what their schema says: an error, and the same verdict as generated code has. Nothing is read
// beyond a payload; the sanitizers watch.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "tests/types/everything_generated.h"
#include "tests/types/schemas.hpp"

namespace swarmbus::core {
namespace {

Bytes sample(const std::string& more = {}) {
    return payload_of(everything(), "{" + more + R"("int8":-5,"perhaps":0,"colour":"Red","text":"some text","leaf":{"name":"leaf"},
        "branch":{"name":"b","left":{"left":{"name":"inner"}},"leaves":[{"number":1},{"name":"x"}]},"point":{"x":1,"y":2},
        "mark":{"colour":"Blue","at":{"x":1,"y":2},"weights":[1,-2,3],"corners":[{"x":5,"y":6},{"x":7,"y":8}]},
        "shape_type":"Branch","shape":{"leaves":[{}]},"shapes_type":["Text","Point","Leaf"],"shapes":["t",{"x":1,"y":2},{}],
        "longs":[1,2],"texts":["a","bc"],"leaves":[{"name":"y"}],"points":[{"x":3,"y":4}],"bytes":[1,2,3],
        "any":{"k":[18446744073709551615,{"t":"text"}]}})");
}

// At the very end of its memory, so that the address sanitizer sees the first byte beyond.
class Exact {
public:
    explicit Exact(const Bytes& bytes) : words_(new std::uint64_t[(bytes.size() + 7) / 8]), size_(bytes.size()) {
        if (!bytes.empty()) std::memcpy(words_.get(), bytes.data(), bytes.size());
    }
    std::span<const std::byte> bytes() const { return {reinterpret_cast<const std::byte*>(words_.get()), size_}; }

private:
    std::unique_ptr<std::uint64_t[]> words_;
    std::size_t size_;
};

bool generated_code_accepts(std::span<const std::byte> payload) {
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size(), 64, 1'000'000);
    return verifier.VerifyBuffer<everything::Event>(nullptr);
}

// Which generated code looks into; here that is left to who reads it.
bool holds_a_flexbuffer(std::span<const std::byte> payload) {
    return flatbuffers::GetRoot<everything::Event>(payload.data())->flex() != nullptr;
}

TEST(Verify, accepts_what_json_and_generated_code_build) {
    EXPECT_EQ(find_payload_fault(everything(), sample()), std::nullopt);
    EXPECT_TRUE(generated_code_accepts(sample()));
}

TEST(Verify, accepts_lists_without_elements_wherever_they_stand) {
    for (std::size_t bytes = 0; bytes < 16; ++bytes) {
        const std::string text(bytes, 'x');
        EXPECT_EQ(there_and_back(R"({"text":")" + text + R"(","longs":[],"reals":[],"points":[]})"),
                  R"({"text":")" + text + R"(","longs":[],"reals":[],"points":[]})")
            << bytes;
    }
}

TEST(Verify, every_truncated_payload_is_refused_or_reads_within_itself) {
    const Bytes whole = sample();
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
        const Exact payload(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes)));
        if (find_payload_fault(everything(), payload.bytes())) continue;
        EXPECT_TRUE(generated_code_accepts(payload.bytes()) || holds_a_flexbuffer(payload.bytes())) << bytes;
    }
}

// peers 14: a verifier that reads out of bounds.
TEST(Verify, a_hundred_thousand_mutated_payloads_give_errors_or_json_and_the_verdict_of_generated_code) {
    const Bytes samples[] = {sample(), sample(R"("flex":{"a":[1,"b"],"c":{"d":0.5}},)")};
    std::mt19937 random(20260);
    int accepted = 0, refused = 0;
    for (int i = 0; i < 100'000; ++i) {
        Bytes mutant = samples[i % 2];
        for (int changes = 1 + static_cast<int>(random() % 4); changes > 0; --changes) {
            const std::size_t at = random() % mutant.size();
            switch (random() % 4) {
            case 0: mutant[at] = static_cast<std::byte>(random()); break;
            case 1: mutant[at] ^= static_cast<std::byte>(1u << random() % 8); break;
            case 2: mutant.resize(std::max<std::size_t>(8, at)); break;
            default: {
                const std::uint32_t word =
                    random() % 3 == 0 ? static_cast<std::uint32_t>(random() % mutant.size()) : static_cast<std::uint32_t>(random());
                std::memcpy(mutant.data() + (at & ~std::size_t{3}) % (mutant.size() - 3), &word, sizeof word);
            }
            }
        }
        const Exact payload(mutant);
        const auto fault = find_payload_fault(everything(), payload.bytes());
        ++(fault ? refused : accepted);
        if (fault) continue;  // more than generated code refuses: ours bounds shared parts too
        EXPECT_TRUE(generated_code_accepts(payload.bytes()) || holds_a_flexbuffer(payload.bytes()));
        try {
            json_of(everything(), payload.bytes());
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), SWB_ERR_PAYLOAD);
        }
    }
    EXPECT_GT(accepted, 1000);
    EXPECT_GT(refused, 1000);
}

TEST(Verify, a_bomb_of_shared_parts_is_refused_soon) {
    // Each level has a hundred references to the one below: 100^9 in all.
    flatbuffers::FlatBufferBuilder builder;
    auto leaf = everything::CreateBranch(builder, builder.CreateString("leaf"));
    std::vector<flatbuffers::Offset<swarmbus::Value>> hundred;
    auto value = swarmbus::CreateValue(builder, swarmbus::ValueKind::Null);
    for (int level = 0; level < 9; ++level) {
        hundred.assign(100, value);
        const auto items = builder.CreateVector(hundred);
        swarmbus::ValueBuilder list(builder);
        list.add_kind(swarmbus::ValueKind::List);
        list.add_items(items);
        value = list.Finish();
    }
    everything::EventBuilder event(builder);
    event.add_branch(leaf);
    event.add_any(value);
    builder.Finish(event.Finish());
    const auto payload = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
    const auto fault = find_payload_fault(everything(), payload);
    ASSERT_TRUE(fault.has_value());
    EXPECT_NE(fault->find("it refers to the same parts too often"), std::string::npos) << *fault;
}

TEST(Verify, tables_within_tables_are_bounded) {
    flatbuffers::FlatBufferBuilder builder;
    flatbuffers::Offset<everything::Branch> branch;
    for (int i = 0; i < kMaxPayloadDepth; ++i) {
        everything::BranchBuilder next(builder);
        if (i > 0) next.add_left(branch);
        branch = next.Finish();
    }
    everything::EventBuilder event(builder);
    event.add_branch(branch);
    builder.Finish(event.Finish());
    const auto payload = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
    const auto fault = find_payload_fault(everything(), payload);
    ASSERT_TRUE(fault.has_value());
    EXPECT_NE(fault->find("more than 64 tables lie within each other"), std::string::npos) << *fault;
}

TEST(Verify, the_fault_names_the_field) {
    Bytes payload = payload_of(everything(), R"({"leaves":[{},{"name":"abcdefgh"}]})");
    const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
    const std::size_t at = text.find("abcdefgh") - 4;
    const std::uint32_t length = 1'000'000;
    std::memcpy(payload.data() + at, &length, sizeof length);
    EXPECT_EQ(find_payload_fault(everything(), payload), "leaves[1].name: it is longer than the payload");
}

TEST(Verify, a_required_field_that_is_missing_is_a_fault) {
    const Schema demanding(everything_binary(), "everything.Demanding");
    const Schema leaf(everything_binary(), "everything.Leaf");
    EXPECT_EQ(find_payload_fault(demanding, payload_of(leaf, "{}")), "must: it is missing");
}

}  // namespace
}  // namespace swarmbus::core
