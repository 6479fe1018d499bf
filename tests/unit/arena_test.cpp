// The arenas of a process: who has a chunk, and which files readers open.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "src/arena/arena_views.hpp"
#include "src/arena/arenas.hpp"
#include "src/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_step.hpp"
#include "tests/unit/private_segment.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

class ArenasTest : public testing::Test {
protected:
    ArenasTest() { arenas_.set_size(kMiB); }

    Result found(const void* loan) {
        try {
            in_hand_ = arenas_.find(loan, 1);
        } catch (const Error& e) {
            return e.code();
        }
        return SWB_OK;
    }
    std::size_t files() const { return list_arenas(*segment_).size(); }

    const PrivateSegment segment_;
    Arenas arenas_{*segment_, 0, 1};
    LoanedChunk in_hand_;
};

TEST_F(ArenasTest, give_a_loan_to_the_first_who_publishes_or_returns_it) {
    const LoanedChunk chunk = arenas_.take(100);
    EXPECT_EQ(found(chunk.memory()), SWB_ERR_ARGUMENT) << "it was taken for a copy, nobody has the address";
    arenas_.lend(chunk);
    EXPECT_EQ(found(chunk.memory()), SWB_OK);
    EXPECT_EQ(found(chunk.memory()), SWB_ERR_ARGUMENT) << "another thread has it in hand";
    arenas_.lend(in_hand_);
    EXPECT_EQ(found(chunk.memory()), SWB_OK) << "a publish that failed leaves it the program's";
    arenas_.give_back(in_hand_);
    EXPECT_EQ(found(chunk.memory()), SWB_ERR_ARGUMENT);
}

Arenas* in_handler = nullptr;
LoanedChunk of_handler;

// By what takes a turn and allocates nothing: a handler may come in the middle of malloc() only if it doesn't.
TEST_F(ArenasTest, answer_a_signal_handler_at_every_instruction_of_a_turn_instead_of_waiting_for_ever) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make it far too long to be stepped through";
    SteppedProcess child([&] {
        Arenas arenas(*segment_, 0, 1);
        arenas.set_size(kMiB);
        in_handler = &arenas;
        of_handler = arenas.take(100);
        ::signal(SIGUSR1, [](int) { in_handler->may_pin(of_handler, 0); });
        ::raise(SIGUSR1);
        for (;;) {
            ::alarm(static_cast<unsigned>(kPatience.count()));  // ends a handler that waits for ever
            SteppedProcess::mark();
            arenas.lend(of_handler);
            SteppedProcess::mark();
        }
    });
    ASSERT_NO_THROW(interrupt_at_every_instruction(child, SIGUSR1, [] {}));
}

TEST_F(ArenasTest, forget_one_whose_file_was_removed_when_its_last_chunk_is_free) {
    const LoanedChunk old = arenas_.take(100);
    std::filesystem::remove(arena_path(*segment_, old.arena->name()));
    const LoanedChunk fresh = arenas_.take(100);
    EXPECT_NE(fresh.arena, old.arena);
    EXPECT_EQ(arenas_.count(), 2u) << "a chunk of the old one is in hand";
    arenas_.give_back(old);
    arenas_.give_back(arenas_.take(100));
    EXPECT_EQ(arenas_.count(), 1u);
    arenas_.give_back(fresh);
    arenas_.give_back(arenas_.take(100));
    EXPECT_EQ(arenas_.count(), 1u) << "the last one stays";
    EXPECT_EQ(files(), 1u);
}

TEST_F(ArenasTest, remove_the_file_of_one_that_became_too_small_when_its_last_chunk_is_free) {
    const LoanedChunk small = arenas_.take(100);
    arenas_.set_size(2 * kMiB);
    const LoanedChunk large = arenas_.take(2 * kMiB);
    EXPECT_EQ(files(), 2u);
    arenas_.give_back(small);
    arenas_.give_back(large);
    arenas_.give_back(arenas_.take(100));
    EXPECT_EQ(files(), 1u);
}

TEST_F(ArenasTest, are_found_by_readers_only_where_payloads_may_lie) {
    const LoanedChunk chunk = arenas_.take(100);
    const ArenaName& name = chunk.arena->name();
    ArenaViews views(*segment_);
    swb_l_large place{name.participant, name.serial, name.generation, chunk.offset, 100};
    EXPECT_NE(views.find(place), nullptr);
    place.offset += 4;
    EXPECT_EQ(views.find(place), nullptr) << "payloads are 8-byte aligned";
    place.offset = kMiB - 8;
    EXPECT_EQ(views.find(place), nullptr) << "its end lies outside";
}

TEST_F(ArenasTest, that_are_pipes_do_not_hold_a_reader_up) {
    make_companion_directory(*segment_);
    const ArenaName name{1, 0, 7};
    ASSERT_EQ(::mkfifo(arena_path(*segment_, name).c_str(), 0600), 0);
    ArenaViews views(*segment_);
    EXPECT_EQ(views.find({name.participant, name.serial, name.generation, 0, 100}), nullptr);
}

}  // namespace
}  // namespace swarmbus::test
