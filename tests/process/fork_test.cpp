// fork() with an open bus: the child's handles answer "forked", and the parent is unharmed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_numbered.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

Options lossless() {
    Options options;
    options.overflow = Overflow::block;
    options.block_timeout = kPatience;
    return options;
}

void ignore_event(const swb_event*, void*) {}

// Everything that can be asked of a handle and a publisher.
void expect_every_call_to_say(swb_result expected, swb_bus* bus, swb_publisher* publisher, std::uint64_t subscription) {
    const auto is = [&](swb_result result, const char* call) {
        require(result == expected, std::string(call) + " says " + swb_result_name(result));
    };
    swb_event event{};
    event.size = sizeof event;
    swb_message message{};
    message.size = sizeof message;
    std::size_t count = 0;
    std::uint64_t id = 0, lost_by[SWB_LOSS_CAUSES];
    swb_publisher* made = nullptr;
    swb_bus* second = nullptr;
    is(swb_publish(bus, "a.b", "x", 1), "swb_publish");
    is(swb_publish_message(bus, "a.b", &message, nullptr), "swb_publish_message");
    is(swb_publisher_open(bus, "a.b", &made), "swb_publisher_open");
    is(swb_publisher_publish(publisher, "x", 1), "swb_publisher_publish");
    is(swb_publisher_publish_message(publisher, &message, nullptr), "swb_publisher_publish_message");
    is(swb_subscribe(bus, "a.b", ignore_event, nullptr, &id), "swb_subscribe");
    is(swb_unsubscribe(bus, subscription), "swb_unsubscribe");
    is(swb_next(bus, 0, &event), "swb_next");
    is(swb_next(bus, SWB_FOREVER, &event), "swb_next for ever");
    is(swb_next_batch(bus, 0, &event, 1, &count), "swb_next_batch");
    is(swb_release(bus), "swb_release");
    is(swb_run_once(bus, 0, &count), "swb_run_once");
    is(swb_run(bus), "swb_run");
    is(swb_stop(bus), "swb_stop");
    is(swb_losses(bus, lost_by), "swb_losses");
    is(swb_separate(bus, nullptr, &second), "swb_separate");
    require(made == nullptr && second == nullptr, "a refused call makes nothing");
}

// What a bus's owner has in the parent when the child is made.
struct Used {
    explicit Used(const BusName& name) : options(lossless().raw()) {
        detail::check(swb_open(name.c_str(), &options, &bus));
        detail::check(swb_subscribe(bus, "a.*", nullptr, nullptr, &subscription));
        detail::check(swb_publisher_open(bus, "a.b", &publisher));
        for (int i = 0; i < 3; ++i) detail::check(swb_publisher_publish(publisher, "x", 1));
        swb_event event{};
        event.size = sizeof event;
        detail::check(swb_next(bus, 0, &event));  // a view is out
    }
    ~Used() {
        swb_publisher_close(publisher);
        swb_close(bus);
    }
    swb_options options;
    swb_bus* bus = nullptr;
    swb_publisher* publisher = nullptr;
    std::uint64_t subscription = 0;
};

// peers 17
TEST(Fork, every_call_on_a_handle_of_the_parent_says_forked) {
    const BusName name;
    Used parent(name);
    Process child([&] { expect_every_call_to_say(SWB_ERR_FORKED, parent.bus, parent.publisher, parent.subscription); });
    EXPECT_TRUE(child.ended_well());
    EXPECT_EQ(swb_publisher_publish(parent.publisher, "x", 1), SWB_OK);
}

// A child made by clone() itself runs no fork handlers.
TEST(Fork, a_raw_clone_is_told_as_well) {
    const BusName name;
    Used parent(name);
    const pid_t pid = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    if (pid == 0) ::_exit(swb_publish(parent.bus, "a.b", "x", 1) == SWB_ERR_FORKED ? 0 : 1);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(name.look().participants, 1u) << "the parent is still there";
    EXPECT_EQ(swb_publish(parent.bus, "a.b", "x", 1), SWB_OK);
}

TEST(Fork, the_child_opens_the_bus_anew_and_both_go_on_exactly) {
    const auto sent = static_cast<std::uint64_t>(rounds(10'000, 1'000));
    const BusName name;
    Bus bus(name, lossless());
    bus.subscribe("load.*");
    Publisher mine = bus.publisher("load.tick");
    std::thread parent_publishes;
    Channel<int> go;
    Process child([&] {
        require(go.receive().has_value(), "the parent goes on");
        Bus fresh(name, lossless());
        fresh.subscribe("load.*");
        std::thread child_publishes([&] {
            for (std::uint64_t n = 1; n <= sent; ++n) require(fresh.publish("load.tick", NumberedPayload({1, n}).bytes()), "delivered");
        });
        Tally own;
        while (own.received_of(1) < sent) own.take(fresh.next(kPatience).value());
        child_publishes.join();
        require(own.fault().empty() && own.told() == 0, "the child receives exactly too");
        require(swb_publish(bus.raw(), "a.b", nullptr, 0) == SWB_ERR_FORKED, "the old handle stays what it is");
        fresh.stop();
    });
    EXPECT_EQ(name.look().participants, 1u);
    go.send(1);
    parent_publishes = std::thread([&] {
        for (std::uint64_t n = 1; n <= sent; ++n) mine.publish(NumberedPayload({0, n}).bytes());
    });
    Tally tally;
    while (tally.received() < 2 * sent) {
        const auto event = bus.next(kPatience);
        if (!event) break;
        tally.take(*event);
    }
    parent_publishes.join();
    EXPECT_EQ(tally.fault(), "");
    EXPECT_EQ(tally.received_of(0), sent);
    EXPECT_EQ(tally.received_of(1), sent);
    EXPECT_EQ(tally.told(), 0u);
    EXPECT_TRUE(child.ended_well());
}

// ipc-02: children that never use the bus, but end with it in their hands.
enum class Ending { destroys_it_at_exit, closes_it, leaves_it_alone };

std::optional<Bus> static_bus;

class ForkedChild : public testing::TestWithParam<Ending> {
protected:
    ~ForkedChild() override { static_bus.reset(); }
};

TEST_P(ForkedChild, merely_ending_does_its_parent_no_harm) {
    const auto sent = static_cast<std::uint64_t>(rounds(10'000, 1'000));
    const BusName name;
    static_bus.emplace(name, lossless());
    Bus& bus = *static_bus;
    bus.subscribe("load.*");
    Publisher mine = bus.publisher("load.tick");
    mine.publish(NumberedPayload({0, 1}).bytes());
    for (int i = 0; i < 3; ++i) {
        Process child([&] {
            if (GetParam() == Ending::closes_it) static_bus.reset();
            if (GetParam() == Ending::leaves_it_alone) ::_exit(0);
            // exit() follows and destroys statics
        });
        ASSERT_TRUE(child.ended_well());
    }
    EXPECT_EQ(name.look().participants, 1u) << "its lock still proves that the parent lives";
    EXPECT_EQ(name.look().subscribers, 1u);
    EXPECT_EQ(name.look().writers, 1u);
    Process other([&] {
        Bus own(name, lossless());
        for (std::uint64_t n = 1; n <= sent; ++n) require(own.publish("load.tick", NumberedPayload({1, n}).bytes()), "delivered");
    });
    std::thread publishing([&] {
        for (std::uint64_t n = 1; n <= sent; ++n) bus.publish("load.tock", NumberedPayload({2, n}).bytes());
    });
    Tally tally;
    while (tally.received() < 2 * sent + 1) {
        const auto event = bus.next(kPatience);
        if (!event) break;
        tally.take(*event);
    }
    publishing.join();
    EXPECT_EQ(tally.fault(), "");
    EXPECT_EQ(tally.received(), 2 * sent + 1);
    EXPECT_EQ(tally.told(), 0u);
    EXPECT_TRUE(other.ended_well());
}

std::string name_of(const testing::TestParamInfo<Ending>& ending) {
    switch (ending.param) {
    case Ending::destroys_it_at_exit: return "destroys_it_at_exit";
    case Ending::closes_it: return "closes_it";
    case Ending::leaves_it_alone: return "leaves_it_alone";
    }
    return {};
}

INSTANTIATE_TEST_SUITE_P(Fork, ForkedChild, testing::Values(Ending::destroys_it_at_exit, Ending::closes_it, Ending::leaves_it_alone),
                         name_of);

// ipc-02: the child is made while other threads of its parent are in the middle of publishing.
TEST(Fork, children_made_while_threads_publish_end_and_harm_nobody) {
    if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not support fork() in a process with threads";
    const int forks = rounds(100, 20);
    const BusName name;
    Bus bus(name, lossless());
    bus.subscribe("load.*");
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> published{0};
    std::vector<std::thread> threads;
    for (std::uint32_t p = 0; p < 3; ++p) {
        threads.emplace_back([&, p] {
            for (std::uint64_t n = 1; !stop; ++n) {
                bus.publish("load.tick", NumberedPayload({p, n}).bytes());
                ++published;
            }
        });
    }
    Tally tally;
    std::thread receiver([&] {
        while (const auto event = bus.next(kPatience)) tally.take(*event);
    });
    for (int i = 0; i < forks; ++i) {
        Process child([&] {
            require(swb_publish(bus.raw(), "load.tick", nullptr, 0) == SWB_ERR_FORKED, "forked");
            swb_close(bus.raw());
            Bus fresh(name);
            fresh.publish("other.event", "");
        });
        EXPECT_TRUE(child.ended_well());
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(eventually([&] { return name.look().participants == 1; }));
    EXPECT_TRUE(eventually([&] { return swb_stop(bus.raw()) == SWB_OK; }));
    receiver.join();
    while (const auto event = bus.next(0ns)) tally.take(*event);
    EXPECT_EQ(tally.fault(), "");
    EXPECT_EQ(tally.received(), published);
    EXPECT_EQ(tally.told(), 0u);
}

TEST(Fork, a_child_that_outlives_its_parent_does_not_keep_it_on_the_bus) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // the orphan comes to the test
    const BusName name;
    const Bus keeps_it(name);
    Channel<pid_t> orphan;
    Process parent([&] {
        Bus own(name);
        own.subscribe("*");
        if (::fork() == 0) orphan.send(::getpid());
        for (;;) ::pause();
    });
    const auto pid = orphan.receive();
    ASSERT_TRUE(pid);
    EXPECT_EQ(name.look().participants, 2u);
    parent.kill();
    EXPECT_EQ(name.look().participants, 1u);
    EXPECT_EQ(::kill(*pid, SIGKILL), 0) << "it still ran";
    ::waitpid(*pid, nullptr, 0);
}

// A handler may fork a worker that looks at the event; what the worker does with its copy of the
// handle must not give the event back under its parent.
TEST(Fork, a_child_made_within_a_handler_reads_the_event_and_leaves_it_to_its_parent) {
    const BusName name;
    Options options;
    options.capacity_slots = 16;
    Bus bus(name, options);
    bool in_child = false;
    bus.subscribe("*", [&](const Event& event) {
        if (event.text() != "looked at") return;
        const pid_t pid = ::fork();
        if (pid == 0) {
            in_child = true;
            if (event.text() != "looked at") ::_exit(1);
            return;  // to run_once(), which gives back what was received
        }
        int status = -1;
        EXPECT_EQ(::waitpid(pid, &status, 0), pid);
        EXPECT_EQ(status, 0);
        Process publisher([&] {
            Bus other(name);
            for (int n = 0; n < 100; ++n) other.publish("a.b", "overwrites what nobody holds");
        });
        EXPECT_TRUE(publisher.ended_well());
        EXPECT_EQ(event.text(), "looked at");
    });
    bus.publish("a.b", "looked at");
    try {
        bus.run_once(0ns);
    } catch (const Error& e) {
        if (in_child) ::_exit(e.code() == SWB_ERR_FORKED ? 0 : 2);
        throw;
    }
    if (in_child) ::_exit(0);
}

}  // namespace
}  // namespace swarmbus::test
