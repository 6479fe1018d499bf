#include "tests/faults/stage.hpp"

#include <signal.h>
#include <sys/wait.h>

#include "tests/faults/orders.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::faults {
namespace {

constexpr auto kSetupPatience = 5s;  // for what no fault can have delayed yet

// What a reader must have heard of by now: all that was published to it by calls that returned.
std::uint64_t due(const Board& board, std::uint32_t reader) noexcept {
    std::uint64_t due = 0;
    for (const PublisherPage& page : board.publishers) due += page.returned[reader];
    return due;
}

}  // namespace

Stage::Stage(Board& board, Operation& operation) : board_(board), operation_(operation) {
    bus().copy(board.bus.data(), board.bus.size() - 1);
    ::signal(kStopReceiving, SIG_IGN);  // until a reader serves: before, the order alone is enough
    const auto add_publisher = [&](std::uint32_t id) { publishers_.emplace_back([&, id] { surviving_publisher(board_, id, bus()); }); };
    publishers_.reserve(2);
    readers_.reserve(kSurvivingReaders);
    add_publisher(kPublisher0);
    enter_types(0);  // it has created the bus
    add_publisher(kPublisher1);
    publish(kPublisher1, kVictimOnly, 0);
    // One after the other: each has the same entries and the same memory in every trial.
    for (std::uint32_t id = 0; id < kSurvivingReaders; ++id) {
        const bool first = id == kOldest0;
        const ReaderTraits traits{first && operation.with_extra_inboxes(), first && operation.with_descriptor()};
        readers_.emplace_back([&, id, traits] { surviving_reader(board_, id, bus(), traits); });
        order(board_.reader_orders[id], {Order::drain});
        test::require(wait_done(board_.reader_orders[id], kSetupPatience), "a reader does not start");
    }
    publish(kPublisher0, kTick, 1);
    publish(kPublisher1, kTick, 1);
    drain_all();
}

void Stage::order(Orders& orders, const Task& task) {
    test::require(wait_done(orders, kSetupPatience), "an actor has not carried out its last order");
    post(orders, task);
}

void Stage::order_reader(std::uint32_t reader, const Task& task) {
    order(board_.reader_orders[reader], task);
    if (reader < readers_.size()) readers_[reader].signal(kStopReceiving);
    else if (reader == kVictimReader && victim_) victim_->process().signal(kStopReceiving);
}

void Stage::publish(PublisherId publisher, Type type, std::uint32_t count, std::size_t bytes) {
    order(board_.publisher_orders[publisher], {Order::publish, type, count, 0, bytes});
    test::require(wait_done(board_.publisher_orders[publisher], kSetupPatience), "a publisher does not get on");
}

void Stage::start_publishing(PublisherId publisher, Type type, std::uint32_t count, std::chrono::nanoseconds block_timeout) {
    order(board_.publisher_orders[publisher], {Order::publish, type, count, block_timeout.count()});
}

void Stage::enter_types(std::uint32_t count) {
    order(board_.publisher_orders[kPublisher0], {Order::enter, 0, count});
    test::require(wait_done(board_.publisher_orders[kPublisher0], kSetupPatience), "a publisher does not get on");
}

void Stage::take(ReaderId reader, std::uint32_t count) {
    order_reader(reader, {Order::take, 0, count});
    test::require(wait_done(board_.reader_orders[reader], kSetupPatience), "a reader does not get on");
}

void Stage::release(ReaderId reader) {
    order_reader(reader, {Order::release});
    test::require(wait_done(board_.reader_orders[reader], kSetupPatience), "a reader does not get on");
}

void Stage::start_running(std::uint32_t reader) { order_reader(reader, {Order::run}); }

void Stage::drain_all() {
    for (std::uint32_t id = 0; id < kSurvivingReaders; ++id) order(board_.reader_orders[id], {Order::drain});
    for (std::uint32_t id = 0; id < kSurvivingReaders; ++id) {
        test::require(wait_done(board_.reader_orders[id], kSetupPatience), "a reader does not get on");
    }
}

void Stage::stall_a_publisher(Type type) {
    helper_.emplace([this, type] {
        Bus bus(this->bus(), options_of(Overflow::drop_oldest));
        Publisher publisher = bus.publisher(kTypeRows[type].name);
        Books books(board_, kHelperPublisher);
        bus.publish("filler.0", "");  // it has its writer id: the next CAS is a claim
        PointStepper::mark();
        books.publish(type, 0ns, [&](const Message& message) { return publisher.publish(message); });
        PointStepper::mark();
    });
    test::require(helper_->run_to_mark(), "the publisher that is to stall did not start");
    const bool claimed = helper_->run_to_claim();
    test::require(claimed, "the publisher that is to stall claimed nothing: " + helper_->how_it_stands());
    helper_->leave_stopped();
}

void Stage::leave_a_dead_participant(Overflow policy) {
    helper_.emplace([this, policy] {
        Bus bus(this->bus(), options_of(policy));
        Books books(board_, kHelperPublisher);
        bus.subscribe("victim");
        int descriptor = -1;
        test::require(swb_descriptor(bus.raw(), &descriptor) == SWB_OK, swb_last_error());
        Bus second = bus.separate(options_of(Overflow::drop_oldest)), third = bus.separate(options_of(Overflow::drop_newest));
        second.subscribe("unheard");
        for (Bus* by : {&bus, &second, &third}) by->publish("filler.0", "");
        const auto publish = [&](Type type, std::size_t bytes = 0) {
            books.publish(
                type, 0ns, [&](const Message& message) { return third.publish(kTypeRows[type].name, message); }, bytes);
        };
        publish(kVictimOnly, kLargeBytes);  // in an arena that nobody else has anything to read in
        for (std::uint32_t i = 1; i < kCapacity; ++i) publish(kVictimOnly);
        publish(kThree);
        PointStepper::mark();
        publish(kThree);
        PointStepper::mark();
    });
    test::require(helper_->run_to_mark(), "the participant that is to die did not start");
    // One event committed and not looked at again, one claimed.
    const bool claimed = helper_->run_to_claim() && helper_->run_to_claim();
    test::require(claimed, "the participant that is to die claimed too little: " + helper_->how_it_stands() + ", and delivered " +
                               std::to_string(board_.publishers[kHelperPublisher].delivered) + " events in all");
    helper_->kill();
}

PointStepper& Stage::victim() { return *victim_; }

void Stage::start_victim() {
    victim_.emplace([this] {
        Victim victim{board_, bus(), Books(board_, kVictimPublisher)};
        operation_.prepare(victim);
        PointStepper::mark();
        operation_.run(victim);
        PointStepper::mark();
        operation_.after(victim);
        if (Reader* reader = operation_.reader()) serve_as_reader(*reader, board_.reader_orders[kVictimReader]);
        operation_.leave();
    });
    test::require(victim_->run_to_mark(), "the victim did not start");
    victim_->when_it_waits([this] { operation_.wake(*this); });
}

std::string Stage::who_is_late(std::chrono::steady_clock::time_point deadline) {
    const auto left = [&] { return deadline - std::chrono::steady_clock::now(); };
    for (std::uint32_t id = 0; id < publishers_.size(); ++id) {
        if (!wait_done(board_.publisher_orders[id], left())) return "publisher " + std::to_string(id) + " is held up";
    }
    for (std::uint32_t id = 0; id < readers_.size(); ++id) {
        const ReaderPage& page = board_.readers[id];
        if (!test::eventually([&] { return page.known >= due(board_, id); }, left())) {
            return "reader " + std::to_string(id) + " knows of " + std::to_string(page.known) + " events of " +
                   std::to_string(due(board_, id));
        }
    }
    return {};
}

std::string Stage::go_on(std::uint32_t events, std::chrono::nanoseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (std::uint32_t id = 0; id < readers_.size(); ++id) {
        if (!wait_done(board_.reader_orders[id], deadline - std::chrono::steady_clock::now())) return "a reader is held up";
        start_running(id);
    }
    for (std::uint32_t id = 0; id < publishers_.size(); ++id) {
        Orders& orders = board_.publisher_orders[id];
        if (!wait_done(orders, deadline - std::chrono::steady_clock::now())) return "a publisher is held up";
        post(orders, {Order::publish, kTick, events});
    }
    return who_is_late(deadline);
}

std::string Stage::resume_the_stalled() {
    if (!helper_) return {};
    helper_->process().resume();
    const auto status = helper_->process().wait(kSetupPatience);
    if (!status) return "the stalled publisher does not end";
    const bool as_it_should = WIFSIGNALED(*status) ? WTERMSIG(*status) == SIGKILL : WEXITSTATUS(*status) == 0;
    return as_it_should ? "" : "the stalled publisher did not end well";
}

std::string Stage::end_victim() {
    if (operation_.victim_reads()) {
        order_reader(kVictimReader, {Order::drain});
        order_reader(kVictimReader, {Order::quit});
    }
    return victim_->process().ended_well(kSetupPatience) ? "" : "the victim did not end well";
}

std::string Stage::end_survivors() {
    for (std::uint32_t id = 0; id < readers_.size(); ++id) {
        order_reader(id, {Order::drain});
        order_reader(id, {Order::quit});
    }
    for (std::uint32_t id = 0; id < publishers_.size(); ++id) order(board_.publisher_orders[id], {Order::quit});
    for (std::vector<test::Process>* all : {&publishers_, &readers_}) {
        for (test::Process& process : *all) {
            if (!process.ended_well(kSetupPatience)) return "a survivor did not end well";
        }
    }
    return {};
}

}  // namespace swarmbus::faults
