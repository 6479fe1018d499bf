// Threads of one handle, handles of one process, and processes behave alike.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_numbered.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

constexpr std::uint32_t kPublishers = 8;
const std::uint64_t kEvents = static_cast<std::uint64_t>(rounds(20'000, 1'500));

enum class Where { threads_of_one_handle, handles_of_one_process, processes };

Options patient(Overflow overflow = Overflow::drop_oldest) {
    Options options;
    options.block_timeout = kPatience;
    options.overflow = overflow;
    options.capacity_slots = 256;
    return options;
}

void publish_numbered(Bus& bus, std::uint32_t publisher) {
    Publisher bound = bus.publisher("load.tick");
    for (std::uint64_t n = 1; n <= kEvents; ++n) {
        if (n % 2 == 0) {
            bound.publish(NumberedPayload({publisher, n}).bytes());
        } else {
            bus.publish("load.tock", NumberedPayload({publisher, n}).bytes());
        }
    }
}

// Eight publishers, wherever they run, for as long as this object lives.
class Publishers {
public:
    Publishers(Where where, const BusName& name, Bus& shared_handle) {
        for (std::uint32_t p = 0; p < kPublishers; ++p) {
            switch (where) {
            case Where::threads_of_one_handle: threads_.emplace_back([&shared_handle, p] { publish_numbered(shared_handle, p); }); break;
            case Where::handles_of_one_process:
                threads_.emplace_back([&name, p] {
                    Bus own(name, patient());
                    publish_numbered(own, p);
                });
                break;
            case Where::processes:
                processes_.push_back(std::make_unique<Process>([&name, p] {
                    Bus own(name, patient());
                    publish_numbered(own, p);
                }));
                break;
            }
        }
    }
    ~Publishers() {
        for (std::thread& thread : threads_) thread.join();
    }
    bool all_ended_well() {
        for (auto& process : processes_) {
            if (!process->ended_well()) return false;
        }
        return true;
    }

private:
    std::vector<std::thread> threads_;
    std::vector<std::unique_ptr<Process>> processes_;
};

class Alike : public testing::TestWithParam<Where> {};

TEST_P(Alike, eight_publishers_reach_a_reader_exactly_once_and_in_order_of_each) {
    const BusName name;
    Bus bus(name, patient(Overflow::block));
    bus.subscribe("load.*");
    Publishers publishers(GetParam(), name, bus);
    Tally tally;
    std::map<std::uint32_t, std::uint64_t> sequences;
    while (tally.received() < kPublishers * kEvents) {
        const auto batch = bus.next_batch(64, kPatience);
        if (batch.empty()) break;
        for (const Event& event : batch) {
            tally.take(event);
            const std::uint64_t before = std::exchange(sequences[event.writer()], event.sequence());
            ASSERT_EQ(event.sequence(), before + 1) << "sequence numbers count per writer without gaps";
        }
    }
    EXPECT_EQ(tally.fault(), "");
    EXPECT_EQ(tally.told(), 0u);
    EXPECT_EQ(tally.received(), kPublishers * kEvents);
    EXPECT_EQ(sequences.size(), kPublishers) << "each publishing thread is a writer of its own";
    EXPECT_FALSE(bus.next(0ns)) << "nothing comes twice";
    EXPECT_TRUE(publishers.all_ended_well());
}

// The readers of all three policies see the same publishers; received + told losses = sent, each.
TEST_P(Alike, eight_publishers_reach_readers_of_every_policy) {
    if (kThreadSanitizer)
        GTEST_SKIP() << "what readers in other processes order among publishers of this one, ThreadSanitizer does not see";
    const BusName name;
    Bus blocking(name, patient(Overflow::block));
    blocking.subscribe("load.*");
    std::vector<std::unique_ptr<Process>> readers;
    Channel<int> subscribed;
    for (const Overflow policy : {Overflow::drop_oldest, Overflow::drop_newest}) {
        readers.push_back(std::make_unique<Process>([&, policy] {
            Bus own(name, patient(policy));
            own.subscribe("load.*");
            subscribed.send(1);
            Tally tally;
            while (tally.received() + tally.told() < kPublishers * kEvents) {
                const auto event = own.next(kPatience);
                require(event.has_value(), "events stop before all are received or told lost");
                tally.take(*event);
            }
            require(tally.fault().empty(), tally.fault());
            require(tally.received() + tally.told() == kPublishers * kEvents, "more than was sent");
        }));
        ASSERT_TRUE(subscribed.receive());
    }
    Publishers publishers(GetParam(), name, blocking);
    Tally tally;
    while (tally.received() < kPublishers * kEvents) {
        const auto event = blocking.next(kPatience);
        if (!event) break;
        tally.take(*event);
    }
    EXPECT_EQ(tally.fault(), "");
    EXPECT_EQ(tally.received(), kPublishers * kEvents);
    for (auto& reader : readers) EXPECT_TRUE(reader->ended_well());
    EXPECT_TRUE(publishers.all_ended_well());
}

std::string name_of(const testing::TestParamInfo<Where>& where) {
    switch (where.param) {
    case Where::threads_of_one_handle: return "threads_of_one_handle";
    case Where::handles_of_one_process: return "handles_of_one_process";
    case Where::processes: return "processes";
    }
    return {};
}

INSTANTIATE_TEST_SUITE_P(Publishers, Alike, testing::Values(Where::threads_of_one_handle, Where::handles_of_one_process, Where::processes),
                         name_of);

}  // namespace
}  // namespace swarmbus::test
