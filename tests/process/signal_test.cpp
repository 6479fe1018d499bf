// Signal handlers that publish, at whatever instruction of a publish they come.
#include <gtest/gtest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>
#include <thread>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_numbered.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_step.hpp"

namespace swarmbus::test {
namespace {

Options roomy() {
    Options options;
    options.capacity_slots = 4096;
    options.overflow = Overflow::drop_newest;
    return options;
}

// What a publishing function has had back.
struct Results {
    std::atomic<std::uint64_t> ok{0}, reentrant{0}, other{0};
};

// Publishes the next number of its own; a refused number is used again. Fit for a signal handler.
struct NumberedPublisher {
    swb_publisher* publisher = nullptr;
    std::uint32_t id = 0;
    Results* results = nullptr;
    NumberedPayload next() const { return NumberedPayload({id, results->ok + 1}); }
    void publish() { publish(next()); }
    void publish(const NumberedPayload& payload) {
        const swb_result result = swb_publisher_publish(publisher, payload.bytes().data(), payload.bytes().size());
        ++(result == SWB_OK ? results->ok : result == SWB_ERR_REENTRANT ? results->reentrant : results->other);
    }
};

NumberedPublisher in_handler_here, in_handler_elsewhere;

void publish_from_handler(int) {
    const int saved = errno;
    in_handler_here.publish();
    in_handler_elsewhere.publish();
    errno = saved;
}

swb_publisher* publisher_on(const Bus& bus, const char* type) {
    swb_publisher* made = nullptr;
    detail::check(swb_publisher_open(bus.raw(), type, &made));
    return made;
}

// Two buses, a publisher on each for the handler and one on the first for the code it interrupts.
struct Stage {
    BusName name, other_name;
    Shared<std::array<Results, 3>> results;
    Bus reader{name, roomy()}, other_reader{other_name, roomy()};
    Tally tally, other_tally;

    Stage() {
        reader.subscribe("here.*");
        other_reader.subscribe("elsewhere.*");
    }
    // Runs in the child. Every publisher has published once, so that all is resolved.
    NumberedPublisher set_up(Bus& bus, Bus& other) {
        const NumberedPublisher interrupted{publisher_on(bus, "here.body"), 0, &(*results)[0]};
        in_handler_here = {publisher_on(bus, "here.handler"), 1, &(*results)[1]};
        in_handler_elsewhere = {publisher_on(other, "elsewhere.handler"), 2, &(*results)[2]};
        NumberedPublisher first = interrupted;
        first.publish();
        publish_from_handler(0);
        struct sigaction action {};
        action.sa_handler = publish_from_handler;
        action.sa_flags = SA_RESTART;
        ::sigaction(SIGALRM, &action, nullptr);
        return interrupted;
    }
    void drain() {
        while (const auto event = reader.next(0ns)) tally.take(*event);
        while (const auto event = other_reader.next(0ns)) other_tally.take(*event);
    }
    // Each event that was accepted arrived once, in order, on the bus it was meant for.
    void expect_exact() {
        drain();
        EXPECT_EQ(tally.fault() + other_tally.fault(), "");
        EXPECT_EQ(tally.received_of(0), (*results)[0].ok);
        EXPECT_EQ(tally.received_of(1), (*results)[1].ok);
        EXPECT_EQ(other_tally.received_of(2), (*results)[2].ok);
        EXPECT_EQ(tally.received(), (*results)[0].ok + (*results)[1].ok);
        EXPECT_EQ(other_tally.received(), (*results)[2].ok);
        EXPECT_EQ((*results)[0].reentrant, 0u) << "what is interrupted goes on";
        EXPECT_EQ((*results)[2].reentrant, 0u) << "another bus is another writer";
        for (const Results& result : *results) EXPECT_EQ(result.other, 0u);
    }
};

// One publish for each instruction it has, interrupted there.
TEST(Signals, a_handler_may_publish_at_every_instruction_of_a_publish) {
    if (kSanitized) GTEST_SKIP() << "sanitizers make a publish far too long to be stepped through";
    Stage stage;
    SteppedProcess child([&] {
        Bus bus(stage.name), other(stage.other_name);
        NumberedPublisher interrupted = stage.set_up(bus, other);
        for (;;) {
            const NumberedPayload payload = interrupted.next();
            SteppedProcess::mark();
            interrupted.publish(payload);
            SteppedProcess::mark();
        }
    });
    int length = 0;
    ASSERT_NO_THROW(length = interrupt_at_every_instruction(child, SIGALRM, [&] { stage.drain(); }));
    child.process().kill();
    stage.expect_exact();
    EXPECT_GT((*stage.results)[1].reentrant, 0u) << "in the middle of a publish";
    EXPECT_GT((*stage.results)[1].ok, 1u) << "before and after it";
    RecordProperty("instructions", length);
}

TEST(Signals, a_timer_that_publishes_beside_a_busy_publisher_corrupts_nothing) {
    if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer delays signals to where they interrupt nothing";
    const auto handled_goal = static_cast<std::uint64_t>(rounds(3'000, 300));
    Stage stage;
    Process child([&] {
        Bus bus(stage.name), other(stage.other_name);
        NumberedPublisher interrupted = stage.set_up(bus, other);
        const itimerval every{{0, 100}, {0, 100}}, never{};
        ::setitimer(ITIMER_REAL, &every, nullptr);
        while ((*stage.results)[2].ok < handled_goal) {
            interrupted.publish();
        }
        ::setitimer(ITIMER_REAL, &never, nullptr);
    });
    ASSERT_TRUE(eventually([&] {
        stage.drain();
        return child.wait(0ns).has_value();
    }));
    EXPECT_TRUE(child.ended_well());
    stage.drain();
    EXPECT_EQ(stage.tally.fault() + stage.other_tally.fault(), "");
    EXPECT_EQ((*stage.results)[0].reentrant, 0u);
    EXPECT_EQ(stage.other_tally.received_of(2) + stage.other_tally.told(), (*stage.results)[2].ok);
}

// Whether a thread of this process sleeps in a system call.
bool sleeps(pid_t thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string stat;
    std::getline(file, stat);
    const std::size_t name_end = stat.rfind(')');
    return name_end != std::string::npos && stat.compare(name_end, 3, ") S") == 0;
}

sigjmp_buf out_of_publish;

// Some hosts leave a call by a long jump out of a signal handler. The thread's writer is then in
// the middle of an event for ever; nobody else may get its id.
TEST(Signals, a_publish_that_was_left_by_a_long_jump_keeps_its_writer_and_harms_nobody) {
    if (kSanitized) GTEST_SKIP() << "sanitizers do not follow a long jump out of a handler";
    const BusName name;
    Options options;
    options.capacity_slots = 16;
    options.overflow = Overflow::block;
    options.block_timeout = 10 * kPatience;
    Bus reader(name, options);
    reader.subscribe("full.*");
    Process host([&] {
        Bus bus(name, options);
        for (int n = 0; n < 16; ++n) bus.publish("full.inbox", "");
        std::atomic<bool> waits{false};
        std::atomic<pid_t> thread_id{0};
        std::thread left([&] {
            struct sigaction action {};
            action.sa_handler = [](int) { ::siglongjmp(out_of_publish, 1); };
            ::sigaction(SIGUSR1, &action, nullptr);
            thread_id = ::gettid();
            if (::sigsetjmp(out_of_publish, 1) == 0) {
                waits = true;
                swb_publish(bus.raw(), "full.inbox", "", 0);
            }
            require(swb_publish(bus.raw(), "full.inbox", "", 0) == SWB_ERR_REENTRANT, "this thread is still inside publish");
        });
        require(eventually([&] { return waits.load(); }), "the thread publishes");
        // Between here and there it sleeps nowhere else.
        require(eventually([&] { return sleeps(thread_id); }), "the thread waits for room");
        ::pthread_kill(left.native_handle(), SIGUSR1);
        left.join();
        // Every other id once around: none of them is the one that is left inside.
        for (int n = 0; n < 4'200; ++n) {
            std::thread([&] { require(swb_publish(bus.raw(), "other.event", "", 0) == SWB_OK, "another thread's writer"); }).join();
        }
        swb_stop(bus.raw());
    });
    EXPECT_TRUE(host.ended_well());
}

}  // namespace
}  // namespace swarmbus::test
