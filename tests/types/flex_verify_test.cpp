// FlexBuffers from anywhere: printed as JSON, or refused, and soon.
#include <flatbuffers/flexbuffers.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/error.hpp"
#include "src/types/flex_json.hpp"
#include "src/types/flex_verify.hpp"

namespace swarmbus::core {
namespace {

template <typename Fill>
std::vector<std::uint8_t> flexbuffer(Fill&& fill) {
    flexbuffers::Builder builder(256, flexbuffers::BUILDER_FLAG_SHARE_ALL);
    fill(builder);
    builder.Finish();
    return builder.GetBuffer();
}

// Or what refuses it.
std::string json_of(std::span<const std::uint8_t> flexbuffer) {
    JsonText json;
    try {
        append_flexbuffer(json, std::as_bytes(flexbuffer), nullptr);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), SWB_ERR_PAYLOAD);
        return e.what();
    }
    return std::string(json.view());
}

std::vector<std::uint8_t> of_every_type() {
    return flexbuffer([](flexbuffers::Builder& builder) {
        const int numbers[] = {1, -2, 70'000};
        const float reals[] = {0.5f, 1.5f};
        builder.Map([&] {
            builder.Null("null");
            builder.Bool("bool", true);
            builder.Int("int", -1);
            builder.UInt("uint", 18446744073709551615u);
            builder.Double("real", 0.1);
            builder.Key("key");
            builder.Key("a key");
            builder.String("text", "text");
            builder.IndirectInt("indirect", 5);
            builder.IndirectDouble("indirect_real", 0.1);
            builder.Key("blob");
            builder.Blob("ab", 2);
            builder.Vector("typed", numbers, 3);
            builder.FixedTypedVector("fixed", reals, 2);
            builder.TypedVector("keys", [&] { builder.Key("k"); });
            builder.Vector("list", [&] { builder.Vector([&] { builder.Map([&] { builder.Int("n", 1); }); }); });
        });
    });
}

TEST(FlexBuffers, of_every_type_are_printed) {
    EXPECT_EQ(json_of(of_every_type()),
              R"({"blob":[97,98],"bool":true,"fixed":[0.5,1.5],"indirect":5,"indirect_real":0.1,"int":-1,"key":"a key","keys":["k"],)"
              R"("list":[[{"n":1}]],"null":null,"real":0.1,"text":"text","typed":[1,-2,70000],"uint":18446744073709551615})");
}

TEST(FlexBuffers, that_are_cut_short_or_changed_are_refused_or_read_within_themselves) {
    const std::vector<std::uint8_t> whole = of_every_type();
    for (std::size_t begin = 0; begin < whole.size(); ++begin) json_of(std::span(whole).subspan(begin));
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::vector<std::uint8_t> changed = whole;
            changed[at] = static_cast<std::uint8_t>(value);
            json_of(changed);
        }
    }
}

TEST(FlexBuffers, may_share_names_and_texts) {
    const std::size_t count = 1000;
    const auto shared = flexbuffer([&](flexbuffers::Builder& builder) {
        builder.Vector([&] {
            for (std::size_t i = 0; i < count; ++i) builder.Map([&] { builder.String("name", "the same"); });
        });
    });
    const std::string json = json_of(shared);
    EXPECT_EQ(json.size(), count * std::string_view(R"({"name":"the same"},)").size() + 1) << json.substr(0, 80);
}

TEST(FlexBuffers, whose_parts_are_one_part_many_times_are_refused_soon) {
    const auto bomb = flexbuffer([&](flexbuffers::Builder& builder) {
        builder.Vector([&] {
            builder.Vector([&] {
                for (int i = 0; i < 100'000; ++i) builder.Null();
            });
            const flexbuffers::Builder::Value shared = builder.LastValue();
            for (int i = 0; i < 100'000; ++i) builder.ReuseValue(shared);
        });
    });
    EXPECT_EQ(json_of(bomb), "it is no FlexBuffer");
}

TEST(FlexBuffers, are_nested_to_the_bound_and_refused_beyond) {
    const auto nested = [](int depth) {
        return flexbuffer([&](flexbuffers::Builder& builder) {
            std::vector<std::size_t> starts;
            for (int i = 0; i < depth; ++i) starts.push_back(builder.StartVector());
            for (int i = 0; i < depth; ++i, starts.pop_back()) builder.EndVector(starts.back(), false, false);
        });
    };
    EXPECT_EQ(json_of(nested(3)), "[[[]]]");
    EXPECT_EQ(json_of(nested(kMaxJsonDepth)).size(), std::size_t{2 * kMaxJsonDepth});
    EXPECT_EQ(json_of(nested(kMaxJsonDepth + 1)), "it is no FlexBuffer");
}

}  // namespace
}  // namespace swarmbus::core
