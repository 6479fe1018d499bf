// When a client connects, waits and gives up: with a clock and a random source of the test's.
#include <gtest/gtest.h>

#include "ws_gateway/client/connection_state.hpp"

namespace swarmbus::remote {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr Ending kBroken{EndingClass::resume, "broken"};
constexpr Ending kRefused{EndingClass::back_off, "refused"};

class ClientState : public ::testing::Test {
protected:
    Clock::time_point now{1h};
    double random = 0.5;
    ConnectionState state{Timing{}, [this] { return random; }, now};

    void pass(milliseconds time) { now += time; }
    void connect() {
        now = std::max(now, *state.due());
        ASSERT_EQ(state.tick(now), Action::connect);
    }
    void go_live(milliseconds heartbeat = 30s) {
        connect();
        state.became_live(now, heartbeat);
    }
    void live_and_stable() {
        go_live();
        pass(Timing{}.stable_time);
        state.heard(now);
    }
    void fail() {
        connect();
        state.ended(now, kRefused);
    }
    void fail(int times) {
        while (times-- > 0) fail();
    }
    milliseconds left() const { return state.status(now).left; }
};

TEST_F(ClientState, connects_at_once) {
    EXPECT_EQ(state.tick(now), Action::connect);
    EXPECT_EQ(state.phase(), Phase::connecting);
    EXPECT_EQ(state.tick(now), Action::none);
}

TEST_F(ClientState, the_first_wait_is_up_to_a_second) {
    fail();
    EXPECT_EQ(state.phase(), Phase::waiting);
    EXPECT_EQ(left(), 500ms);
    EXPECT_EQ(state.status(now).reason, "refused");
}

TEST_F(ClientState, waits_double) {
    random = 0.999999;
    for (const milliseconds most : {1s, 2s, 4s, 8s}) {
        fail();
        EXPECT_GT(left(), most - 10ms);
        EXPECT_LE(left(), most);
    }
}

TEST_F(ClientState, no_wait_is_longer_than_30_seconds) {
    Timing timing;
    timing.circuit_failures = 1000;
    ConnectionState patient(
        timing, [] { return 0.999999; }, now);
    for (int i = 0; i < 100; ++i) {
        now = *patient.due();
        ASSERT_EQ(patient.tick(now), Action::connect);
        patient.ended(now, kRefused);
        EXPECT_LE(patient.status(now).left, 30s);
    }
    EXPECT_GT(patient.status(now).left, 29s);
}

TEST_F(ClientState, jitter_is_full) {
    random = 0;
    fail(4);
    EXPECT_EQ(left(), 0ms);
}

TEST_F(ClientState, the_time_left_gets_less) {
    fail();
    pass(200ms);
    EXPECT_EQ(left(), 300ms);
    EXPECT_EQ(state.tick(now), Action::none);
    pass(300ms);
    EXPECT_EQ(state.tick(now), Action::connect);
}

TEST_F(ClientState, five_failures_open_the_circuit_for_a_minute) {
    fail(4);
    EXPECT_EQ(state.phase(), Phase::waiting);
    fail();
    EXPECT_EQ(state.phase(), Phase::open_circuit);
    EXPECT_EQ(left(), 60s);
    pass(59'999ms);
    EXPECT_EQ(state.tick(now), Action::none);
}

TEST_F(ClientState, an_open_circuit_lets_one_trial_through) {
    fail(5);
    connect();
    EXPECT_TRUE(state.status(now).is_trial);
    state.ended(now, kRefused);
    EXPECT_EQ(state.phase(), Phase::open_circuit);
    EXPECT_EQ(left(), 60s);
}

TEST_F(ClientState, a_trial_that_stays_closes_the_circuit) {
    fail(5);
    live_and_stable();
    state.ended(now, kBroken);
    EXPECT_EQ(state.phase(), Phase::waiting);
    EXPECT_EQ(left(), 500ms);
    fail();
    EXPECT_EQ(state.phase(), Phase::waiting);
}

TEST_F(ClientState, a_trial_that_breaks_at_once_opens_it_again) {
    fail(5);
    go_live();
    state.ended(now, kBroken);
    EXPECT_EQ(state.phase(), Phase::open_circuit);
}

TEST_F(ClientState, what_was_live_for_long_is_no_failure_when_it_breaks) {
    for (int i = 0; i < 20; ++i) {
        live_and_stable();
        state.ended(now, kBroken);
        EXPECT_EQ(state.phase(), Phase::waiting);
        EXPECT_EQ(state.status(now).failures, 0u);
    }
}

TEST_F(ClientState, who_lets_in_and_hangs_up_each_time_is_backed_off_from) {
    for (int i = 0; i < 5; ++i) {
        go_live();
        state.ended(now, kBroken);
    }
    EXPECT_EQ(state.phase(), Phase::open_circuit);
}

TEST_F(ClientState, a_close_that_asks_to_back_off_counts_also_after_long) {
    live_and_stable();
    state.ended(now, ending_of_close(4100, "the bus is gone"));
    EXPECT_EQ(state.status(now).failures, 1u);
}

TEST_F(ClientState, bye_is_obeyed) {
    go_live();
    state.bye(1234ms);
    state.ended(now, ending_of_close(1012, "the gateway ends"));
    EXPECT_EQ(left(), 1234ms);
    EXPECT_EQ(state.status(now).failures, 0u);
}

TEST_F(ClientState, bye_does_not_make_a_wait_shorter) {
    go_live();
    state.bye(10ms);
    state.ended(now, ending_of_close(1012, ""));
    EXPECT_EQ(left(), 500ms);
}

TEST_F(ClientState, bye_holds_for_its_connection_only) {
    go_live();
    state.bye(20s);
    state.ended(now, kBroken);
    fail();
    EXPECT_EQ(left(), 500ms);
}

TEST_F(ClientState, nobody_can_ask_for_more_than_five_minutes) {
    go_live();
    state.bye(milliseconds(0xffffffff));
    state.ended(now, kBroken);
    EXPECT_EQ(left(), 5min);
}

TEST_F(ClientState, retry_after_is_obeyed) {
    connect();
    state.ended(now, ending_of_status(503, "7"));
    EXPECT_EQ(left(), 7s);
}

TEST_F(ClientState, an_open_circuit_waits_as_long_as_is_asked) {
    fail(4);
    connect();
    state.ended(now, ending_of_status(503, "120"));
    EXPECT_EQ(state.phase(), Phase::open_circuit);
    EXPECT_EQ(left(), 120s);
}

TEST_F(ClientState, an_attempt_takes_ten_seconds_at_most) {
    connect();
    pass(9'999ms);
    EXPECT_EQ(state.tick(now), Action::none);
    pass(1ms);
    EXPECT_EQ(state.tick(now), Action::hang_up);
    EXPECT_EQ(state.phase(), Phase::waiting);
    EXPECT_EQ(state.status(now).failures, 1u);
    EXPECT_EQ(state.status(now).reason, "it was not there within 10 s");
}

TEST_F(ClientState, bytes_do_not_make_an_attempt_last_longer) {
    connect();
    pass(9s);
    state.heard(now);
    pass(1s);
    EXPECT_EQ(state.tick(now), Action::hang_up);
}

TEST_F(ClientState, silence_of_one_and_a_half_heartbeats_ends_a_connection) {
    go_live(30s);
    pass(44'999ms);
    EXPECT_EQ(state.tick(now), Action::none);
    pass(1ms);
    EXPECT_EQ(state.tick(now), Action::hang_up);
    EXPECT_EQ(state.phase(), Phase::waiting);
    EXPECT_EQ(state.status(now).failures, 0u);
}

TEST_F(ClientState, a_heartbeat_may_always_be_a_second_late) {
    go_live(200ms);
    pass(1'199ms);
    EXPECT_EQ(state.tick(now), Action::none);
    pass(1ms);
    EXPECT_EQ(state.tick(now), Action::hang_up);
}

TEST_F(ClientState, whatever_comes_is_a_sign_of_life) {
    go_live(30s);
    for (int i = 0; i < 10; ++i) {
        pass(44s);
        state.heard(now);
        EXPECT_EQ(state.tick(now), Action::none);
    }
}

TEST_F(ClientState, silence_means_nothing_while_nobody_reads) {
    go_live(30s);
    state.reads(false, now);
    pass(1h);
    EXPECT_FALSE(state.due());
    EXPECT_EQ(state.tick(now), Action::none);
    state.reads(true, now);
    EXPECT_EQ(*state.due(), now + 45s);
}

TEST_F(ClientState, a_heartbeat_of_zero_or_of_ages_is_taken_for_a_sane_one) {
    go_live(0ms);
    EXPECT_EQ(*state.due(), now + 1'100ms);
    state.ended(now, kBroken);
    go_live(milliseconds(0xffffffff));
    EXPECT_EQ(*state.due(), now + 15min);
}

TEST_F(ClientState, a_close_code_that_says_never_again_closes_for_good) {
    for (const std::uint16_t code : std::initializer_list<std::uint16_t>{1002, 1003, 1007, 1008, 1009, 4000, 4001, 4099}) {
        ConnectionState fresh(
            Timing{}, [] { return 0.5; }, now);
        fresh.tick(now);
        fresh.ended(now, ending_of_close(code, "because"));
        EXPECT_EQ(fresh.phase(), Phase::closed) << code;
        EXPECT_FALSE(fresh.due());
        EXPECT_EQ(fresh.status(now).reason, "closed with " + std::to_string(code) + ": because");
        EXPECT_EQ(fresh.tick(now + 24h), Action::none);
    }
}

TEST_F(ClientState, nothing_opens_what_is_closed_for_good) {
    go_live();
    state.stop("no more");
    state.became_live(now, 30s);
    state.ended(now, kBroken);
    EXPECT_EQ(state.phase(), Phase::closed);
    EXPECT_EQ(state.status(now).reason, "no more");
}

TEST_F(ClientState, an_end_that_is_told_twice_counts_once) {
    connect();
    state.ended(now, kRefused);
    state.ended(now, kRefused);
    EXPECT_EQ(state.status(now).failures, 1u);
}

TEST(ClientEnding, close_codes_have_the_classes_of_the_protocol) {
    for (const std::uint16_t code : std::initializer_list<std::uint16_t>{1011, 1013, 4100, 4101, 4102, 4199})
        EXPECT_EQ(ending_of_close(code, "").kind, EndingClass::back_off) << code;
    for (const std::uint16_t code : std::initializer_list<std::uint16_t>{0, 1000, 1001, 1005, 1006, 1012, 3000, 3999, 4200, 4999})
        EXPECT_EQ(ending_of_close(code, "").kind, EndingClass::resume) << code;
}

TEST(ClientEnding, refusals_that_pass_are_come_back_from) {
    for (const unsigned status : {408u, 425u, 429u, 500u, 502u, 503u, 504u})
        EXPECT_EQ(ending_of_status(status, "").kind, EndingClass::back_off) << status;
    for (const unsigned status : {200u, 301u, 400u, 401u, 403u, 404u, 426u})
        EXPECT_EQ(ending_of_status(status, "").kind, EndingClass::never) << status;
}

TEST(ClientEnding, a_retry_after_that_is_a_date_is_passed_over) {
    EXPECT_FALSE(ending_of_status(503, "Wed, 21 Oct 2026 07:28:00 GMT").retry_after);
    EXPECT_FALSE(ending_of_status(503, "").retry_after);
    EXPECT_FALSE(ending_of_status(503, "-1").retry_after);
}

TEST(ClientEnding, a_reason_of_the_peer_can_not_change_the_terminal) {
    EXPECT_EQ(ending_of_close(1001, "\x1b[2J").reason, "closed with 1001: \\x1b[2J");
}

}  // namespace
}  // namespace swarmbus::remote
