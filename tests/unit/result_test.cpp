// The table of results: numbers and names that programs and bindings rely on.
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <set>
#include <string>

#include "capi/swarmbus.h"
#include "src/error.hpp"

namespace {

// Never change a line here; add new ones.
const std::map<int, std::string> kPinned = {
    {0, "SWB_OK"},
    {1, "SWB_TIMED_OUT"},
    {2, "SWB_LOST"},
    {3, "SWB_DROPPED"},
    {4, "SWB_STOPPED"},
    {5, "SWB_REATTACHED"},
    {-10, "SWB_ERR_ARGUMENT"},
    {-11, "SWB_ERR_BUS_NAME"},
    {-12, "SWB_ERR_TYPE_NAME"},
    {-13, "SWB_ERR_PATTERN"},
    {-14, "SWB_ERR_TOO_LARGE"},
    {-15, "SWB_ERR_SCHEMA"},
    {-16, "SWB_ERR_PAYLOAD"},
    {-17, "SWB_ERR_INCOMPATIBLE"},
    {-18, "SWB_ERR_NO_SCHEMA"},
    {-20, "SWB_ERR_NO_BUS"},
    {-21, "SWB_ERR_EXISTS"},
    {-22, "SWB_ERR_PERMISSION"},
    {-23, "SWB_ERR_NO_SPACE"},
    {-24, "SWB_ERR_NOT_A_BUS"},
    {-25, "SWB_ERR_LAYOUT"},
    {-26, "SWB_ERR_LIMITS"},
    {-27, "SWB_ERR_IN_USE"},
    {-30, "SWB_ERR_PARTICIPANTS_FULL"},
    {-31, "SWB_ERR_SUBSCRIBERS_FULL"},
    {-32, "SWB_ERR_WRITERS_FULL"},
    {-33, "SWB_ERR_PATTERNS_FULL"},
    {-34, "SWB_ERR_ARENA_FULL"},
    {-35, "SWB_ERR_SCHEMAS_FULL"},
    {-40, "SWB_ERR_BUSY"},
    {-41, "SWB_ERR_REENTRANT"},
    {-42, "SWB_ERR_FORKED"},
    {-43, "SWB_ERR_CLOSED"},
    {-44, "SWB_ERR_NOT_FOUND"},
    {-45, "SWB_ERR_NOT_SUBSCRIBED"},
    {-46, "SWB_ERR_GONE"},
    {-50, "SWB_ERR_MEMORY"},
    {-51, "SWB_ERR_SYSTEM"},
    {-52, "SWB_ERR_INTERNAL"},
};

TEST(Results, keep_their_numbers_for_ever) {
    std::map<int, std::string> table;
#define COLLECT(name, number, text) EXPECT_TRUE(table.emplace(number, #name).second) << #name;
    SWB_RESULT_MAP(COLLECT)
#undef COLLECT
    EXPECT_EQ(table, kPinned);
}

TEST(Results, have_a_name_and_a_text_each) {
    std::set<std::string> texts;
    for (const auto& [number, name] : kPinned) {
        const auto result = static_cast<swb_result>(number);
        EXPECT_EQ(swb_result_name(result), name);
        EXPECT_NE(swb_result_text(result), std::string("unknown result")) << name;
        EXPECT_TRUE(texts.insert(swb_result_text(result)).second) << name;
    }
}

TEST(Results, that_nobody_knows_have_a_name_and_a_text_too) {
    for (const int number : {6, -1, -9, -53, 1000, -1000}) {
        EXPECT_STREQ(swb_result_name(static_cast<swb_result>(number)), "SWB_UNKNOWN");
        EXPECT_STREQ(swb_result_text(static_cast<swb_result>(number)), "unknown result");
    }
}

TEST(Results, below_zero_are_the_errors_and_no_others) {
    for (const auto& [number, name] : kPinned) EXPECT_EQ(number < 0, name.starts_with("SWB_ERR_")) << name;
}

TEST(Errors, of_the_system_end_with_what_it_said) {
    const swarmbus::core::Error error = swarmbus::core::system_error(SWB_ERR_SYSTEM, "sizing the bus (ftruncate)", ENOENT);
    EXPECT_EQ(error.code(), SWB_ERR_SYSTEM);
    EXPECT_STREQ(error.what(), "sizing the bus (ftruncate): No such file or directory");
}

}  // namespace
