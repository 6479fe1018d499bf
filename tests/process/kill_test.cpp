// Publishers are killed and stopped at random moments, most of them in the middle of a publish,
// while others publish and readers of every policy keep exact books.
#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <swarmbus/swarmbus.hpp>

#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_ledger.hpp"
#include "tests/support/process_numbered.hpp"
#include "tests/support/process_shared.hpp"

namespace swarmbus::test {
namespace {

constexpr std::size_t kPublishersAtOnce = 3;
constexpr std::size_t kMostPublishers = 32;  // the killed ones are replaced
constexpr std::uint32_t kReaders = 4;
constexpr auto kStallTimeout = 3ms;

// Where no inbox blocks, publishers run at full rate; where one does, they wait a lot.
enum class Pace { full, blocked };

Options of_reader(std::uint32_t reader, Pace pace) {
    constexpr std::array policies = {Overflow::block, Overflow::drop_oldest, Overflow::drop_newest, Overflow::drop_oldest};
    Options options;
    options.overflow = reader == 0 && pace == Pace::full ? Overflow::drop_oldest : policies[reader];
    options.capacity_slots = reader == 3 ? 1024 : 64;
    options.stall_timeout = kStallTimeout;
    return options;
}

// A fresh bus with its readers and publishers. What the dead leave stays on it until it is removed.
class Round {
public:
    explicit Round(Pace pace) : pace_(pace), keeps_it_(name_) {
        for (std::uint32_t r = 0; r < kReaders; ++r) readers_.push_back(std::make_unique<Process>([this, r] { read(r); }));
        for (std::uint32_t r = 0; r < kReaders; ++r) require(subscribed_.receive().has_value(), "a reader did not start");
        for (std::size_t p = 0; p < kPublishersAtOnce; ++p) publishers_.push_back(start_publisher());
    }

    // Kills a publisher and starts another in its place. Whether it was in mid publish.
    bool kill(std::size_t which, std::chrono::nanoseconds after) {
        wait_a_moment(which, after);
        publishers_[which].process->kill();
        const bool inside = in_mid_publish(which);
        publishers_[which] = start_publisher();
        return inside;
    }

    // Stops a publisher, for longer than the stall timeout; all others must go on meanwhile.
    // Whether it was in mid publish.
    bool stop(std::size_t which, std::chrono::nanoseconds after) {
        wait_a_moment(which, after);
        publishers_[which].process->stop();
        const bool inside = in_mid_publish(which);
        const auto begin = std::chrono::steady_clock::now();
        for (std::size_t p = 0; p < publishers_.size(); ++p) {
            if (p != which) require(goes_on(books(publishers_[p].id).returned, 50), "a publisher is held up by a stopped one");
        }
        for (auto& received : *received_) require(goes_on(received, 50), "a reader is held up by a stopped publisher");
        std::this_thread::sleep_until(begin + kStallTimeout);
        publishers_[which].process->resume();
        require(goes_on(books(publishers_[which].id).returned, 1), "a publisher does not go on after SIGCONT");
        return inside;
    }

    // Lets all come to their end; what is wrong with the books, or nothing.
    std::string settle() {
        *stop_publishing_ = true;
        for (auto& publisher : publishers_) {
            if (!publisher.process->ended_well()) return "a publisher did not end well";
        }
        *stop_reading_ = true;
        for (auto& reader : readers_) {
            if (!reader->ended_well()) return "a reader's books are wrong";
        }
        return {};
    }

private:
    struct Running {
        std::uint32_t id;
        std::unique_ptr<Process> process;
    };

    PublisherBooks& books(std::uint32_t id) const { return (*ledger_)[id]; }

    // For one that stands still.
    bool in_mid_publish(std::size_t which) const {
        const PublisherBooks& its = books(publishers_[which].id);
        return its.attempted != its.returned;
    }

    static bool goes_on(const std::atomic<std::uint64_t>& counter, std::uint64_t by) {
        const std::uint64_t goal = counter + by;
        return eventually([&] { return counter >= goal; });
    }

    // Until it is publishing, and a random moment more.
    void wait_a_moment(std::size_t which, std::chrono::nanoseconds after) {
        require(goes_on(books(publishers_[which].id).returned, 1), "a publisher does not publish");
        const auto until = std::chrono::steady_clock::now() + after;
        while (std::chrono::steady_clock::now() < until) {}
    }

    Running start_publisher() {
        const std::uint32_t id = next_++;
        require(id < kMostPublishers, "more publishers than the ledger has pages");
        return {id, std::make_unique<Process>([this, id] {
                    Options options;
                    options.block_timeout = kPatience;
                    Bus bus(name_, options);
                    Publisher publisher = bus.publisher("load.tick");
                    while (!*stop_publishing_) publish_next(publisher, books(id), id, kReaders);
                })};
    }

    void read(std::uint32_t r) {
        Bus bus(name_, of_reader(r, pace_));
        bus.subscribe("load.*");
        subscribed_.send(1);
        Tally tally;
        // The last wait finds nothing, and passes what the dead left behind.
        for (;;) {
            const bool last = *stop_reading_;
            const auto batch = bus.next_batch(r == 0 ? 1 : 16, 50ms);
            for (const Event& event : batch) tally.take(event);
            (*received_)[r] = tally.received();
            if (last && batch.empty()) break;
        }
        const std::string fault = compare(*ledger_, tally);
        require(fault.empty(), "reader " + std::to_string(r) + ": " + fault);
        require(of_reader(r, pace_).overflow != Overflow::block || tally.told() == 0, "a block inbox lost " + std::to_string(tally.told()));
    }

    const Pace pace_;
    const BusName name_;
    const Bus keeps_it_;
    Ledger<kMostPublishers> ledger_;
    Shared<std::array<std::atomic<std::uint64_t>, kReaders>> received_;
    Shared<std::atomic<bool>> stop_publishing_, stop_reading_;
    Channel<int> subscribed_;
    std::uint32_t next_ = 0;
    std::vector<std::unique_ptr<Process>> readers_;
    std::vector<Running> publishers_;
};

TEST(Kill, a_thousand_kills_and_stops_in_mid_publish_leave_every_readers_books_exact) {
    const int wanted = rounds(1'000, 80);
    constexpr int kActionsPerRound = 40, kMostKillsPerRound = 24;
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    int in_mid_publish = 0, done = 0;
    for (int r = 0; in_mid_publish < wanted && done < 5 * wanted; ++r) {
        Round round(r % 2 == 0 ? Pace::full : Pace::blocked);
        for (int kills = 0, i = 0; i < kActionsPerRound; ++i, ++done) {
            const std::size_t which = random() % kPublishersAtOnce;
            const std::chrono::nanoseconds after(random() % 100'000);
            bool inside = false;
            if (random() % 2 == 0 && kills < kMostKillsPerRound) {
                ++kills;
                ASSERT_NO_THROW(inside = round.kill(which, after)) << "action " << done;
            } else {
                ASSERT_NO_THROW(inside = round.stop(which, after)) << "action " << done;
            }
            if (inside) ++in_mid_publish;
        }
        ASSERT_EQ(round.settle(), "") << "after " << done << " kills and stops";
    }
    EXPECT_GE(in_mid_publish, wanted) << "of " << done;
    RecordProperty("kills_and_stops", done);
    RecordProperty("in_mid_publish", in_mid_publish);
}

}  // namespace
}  // namespace swarmbus::test
