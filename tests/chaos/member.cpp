#include "tests/chaos/member.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <random>

#include <swarmbus/swarmbus.hpp>

#include "tests/chaos/books.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_numbered.hpp"

namespace swarmbus::chaos {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kToAll = "all.tick";
constexpr auto kStallTimeout = 20ms;
constexpr auto kBlockTimeout = 3ms;
// For what ends soon unless somebody hangs: longer than anybody is stopped, or waits for the control lock.
constexpr auto kPatience = 10s;
// Large events: from fewer bytes than a slot has to two pages, in arenas of sixteen.
constexpr std::size_t kLargestWords = 1000;
constexpr std::uint64_t kArenaBytes = 1 << 16;

// Numbers of one publisher grow; one that comes again carries the next serial.
std::uint64_t number_of(std::uint32_t serial, std::uint64_t count) { return std::uint64_t{serial} << 32 | count; }

Options options_of(std::mt19937_64& random) {
    constexpr Overflow policies[] = {Overflow::drop_oldest, Overflow::drop_newest, Overflow::block};
    Options options;
    options.overflow = policies[random() % 3];
    options.capacity_slots = 16u << random() % 3;
    options.stall_timeout = kStallTimeout;
    options.block_timeout = kBlockTimeout;
    options.arena_bytes = kArenaBytes;
    return options;
}

// Losses that nothing follows are a result of their own, which the C++ call gives as an empty event.
bool receive(Bus& bus, Books& books, std::chrono::nanoseconds timeout) {
    bool any = false;
    for (const Event& event : bus.next_batch(8, timeout)) {
        books.take(event);
        any = true;
    }
    return any;
}

class Member {
public:
    Member(World& world, std::uint32_t place, const std::string& bus, std::uint64_t seed)
        : world_(world), place_(place), name_(bus), random_(seed), serial_(world.next_serial++) {}

    void live() {
        const bool stays = place_ < kLongLived;
        join();
        world_.places[place_].ready = 1;
        while (world_.phase == Phase::run) {
            switch (random_() % 32) {
            case 0:
                if (!stays && random_() % 8 == 0) {
                    leave();
                    join();
                }
                break;
            case 1:
                if (random_() % 8 == 0) fork_child();
                break;
            case 2:
            case 3: publish_to_all(); break;
            case 4: wait_on_descriptor(); break;
            case 5: receive_both(1ms); break;
            case 6:
            case 7:
            case 8:
            case 9:
            case 10: receive_both(0ns); break;
            default: publish_some(); break;
            }
        }
        while (stays && world_.phase == Phase::quiet) wait_on_descriptor();
        leave();
    }

private:
    Inbox& inbox() noexcept { return world_.places[place_].inbox; }
    std::uint32_t publisher(std::uint32_t which) const noexcept { return place_ * kPublishersEach + which; }

    bool anybody_publishes_here() const noexcept {
        for (const Place& other : world_.places) {
            if (other.publishing == place_ + 1) return true;
        }
        return false;
    }

    void join() {
        const auto deadline = Clock::now() + kPatience;
        while (anybody_publishes_here()) {  // to the inbox that was here before
            test::require(Clock::now() < deadline, "a publisher does not come back");
            ::usleep(200);
        }
        const Options options = options_of(random_);
        policy_ = options.overflow;
        bus_.emplace(name_, options);
        bus_->subscribe("to." + std::to_string(place_));
        for (Count* count : {&inbox().attempted, &inbox().delivered, &inbox().dropped, &inbox().odd}) *count = 0;
        books_.emplace(world_);
        second_.emplace(bus_->separate(options_of(random_)));
        if (place_ < kLongLived || random_() % 2 == 0) second_->subscribe(place_ == 0 ? "all.*, bus.*" : "all.*"), reads_all_ = true;
        second_books_.emplace(world_);
        if (place_ < kLongLived || random_() % 2 == 0) test::require(swb_descriptor(bus_->raw(), &descriptor_) == SWB_OK, swb_last_error());
        publish_to_all(kLargestWords * 8);  // it has an arena from now on
        inbox().open = Open::yes;
        ++world_.joined;
    }

    // In order: what was published to it has arrived, or is counted as lost.
    void leave() {
        inbox().open = Open::closing;
        const auto deadline = Clock::now() + kPatience;
        while (anybody_publishes_here()) {
            receive_both(0ns);
            if (Clock::now() > deadline) break;
        }
        const std::uint64_t attempted = inbox().attempted, delivered = inbox().delivered, dropped = inbox().dropped;
        const std::uint64_t doubtful = attempted - delivered - dropped;  // whose publisher was killed
        while (books_->known() < delivered + dropped && Clock::now() < deadline) receive(*bus_, *books_, 1ms);
        // What those left unfinished holds up others until it counts as stalled.
        const auto settled = Clock::now() + 2 * kStallTimeout;
        while (receive(*bus_, *books_, 1ms) || (doubtful > 0 && Clock::now() < settled)) {}
        check("received and evicted", books_->received() + books_->evicted(), delivered, delivered + doubtful);
        check("dropped", books_->not_delivered(), dropped, dropped + doubtful);
        check("in all", books_->known(), delivered + dropped, attempted);
        check("damaged", books_->damaged(), 0, 0);
        check("that reached another number of inboxes than one", inbox().odd, 0, 0);
        world_.doubtful += doubtful;
        ++world_.checked;
        bus_.reset();
        second_.reset();
        descriptor_ = -1;
        reads_all_ = false;
        inbox().open = Open::no;
        ++world_.left;
    }

    void check(const char* what, std::uint64_t is, std::uint64_t least, std::uint64_t most) {
        if (is >= least && is <= most) return;
        world_.blame("inbox of place " + std::to_string(place_) +
                     (policy_ == Overflow::block         ? " (block"
                      : policy_ == Overflow::drop_newest ? " (drop_newest"
                                                         : " (drop_oldest") +
                     ", evicted " + std::to_string(books_->evicted()) + "), events " + what + ": " + std::to_string(is) + ", not from " +
                     std::to_string(least) + " to " + std::to_string(most));
    }

    void publish_some() {
        Bus& by = random_() % 4 == 0 ? *second_ : *bus_;
        for (std::uint64_t count = 1 + random_() % 24, to = random_() % kPlaces; count > 0; --count)
            publish(by, static_cast<std::uint32_t>(to));
    }

    void publish(Bus& by, std::uint32_t to) {
        Place& mine = world_.places[place_];
        Inbox& theirs = world_.places[to].inbox;
        mine.publishing = to + 1;
        if (theirs.open == Open::yes) {
            const std::uint32_t which = &by == &*bus_ ? 0 : 1;
            const test::NumberedPayload payload({publisher(which), number_of(serial_, ++count_)}, some_size());
            Message message;
            message.payload = payload.bytes();
            ++theirs.attempted;
            if (const auto delivery = unless_full([&] { return by.publish("to." + std::to_string(to), message); })) {
                if (delivery->delivered + delivery->dropped != 1) ++theirs.odd;
                if (delivery->dropped != 0) ++theirs.dropped, ++world_.dropped;
                else ++theirs.delivered;
                ++world_.published;
            } else {
                --theirs.attempted;
            }
        }
        mine.publishing = 0;
    }

    void publish_to_all(std::size_t bytes = 0) {
        const test::NumberedPayload payload({publisher(0), number_of(serial_, ++count_)}, bytes);
        Message message;
        message.payload = payload.bytes();
        if (unless_full([&] { return bus_->publish(kToAll, message); })) ++world_.to_all;
    }

    // One in 32 of another size than usual; most of those are large.
    std::size_t some_size() { return random_() % 32 != 0 ? 0 : (3 + random_() % (kLargestWords - 2)) * 8; }

    // Nothing if the arena was full: then nothing was published.
    template <typename Publish>
    std::optional<Delivery> unless_full(Publish&& publish) try {
        return publish();
    } catch (const Error& e) {
        if (e.code() != SWB_ERR_ARENA_FULL) throw;
        ++world_.arena_full;
        return std::nullopt;
    }

    void receive_both(std::chrono::nanoseconds timeout) {
        receive(*bus_, *books_, timeout);
        if (reads_all_) receive(*second_, *second_books_, 0ns);
    }

    void wait_on_descriptor() {
        if (descriptor_ >= 0) {
            pollfd readable{descriptor_, POLLIN, 0};
            ::poll(&readable, 1, 2);
        }
        receive_both(descriptor_ >= 0 ? 0ns : 2ms);
    }

    // The child's copies of handles are of no use to it; it opens its own.
    void fork_child() {
        const test::Process child([this] {
            Bus parents = std::move(*bus_);
            test::require(swb_publish(parents.raw(), kToAll, "", 0) == SWB_ERR_FORKED, "a child can use its parent's handle");
            swb_event event{};
            event.size = sizeof event;
            test::require(swb_next(parents.raw(), 0, &event) == SWB_ERR_FORKED, "a child can receive by its parent's handle");
            Bus own(name_, options_of(random_));
            if (random_() % 2 == 0) own.subscribe("all.*");
            for (std::uint32_t i = 0; i < 4; ++i) {
                const test::NumberedPayload payload({publisher(2), number_of(world_.next_serial++, 1)});
                own.publish(kToAll, payload.bytes());
            }
        });
        int status = 0;
        const auto deadline = Clock::now() + kPatience;
        while (::waitpid(child.pid(), &status, WNOHANG) == 0) {
            receive_both(1ms);
            test::require(Clock::now() < deadline, "a forked child does not end");
        }
        const_cast<test::Process&>(child).note_end(status);
        if (status != 0) world_.blame("a forked child did not end well");
        ++world_.forked;
    }

    World& world_;
    const std::uint32_t place_;
    const std::string name_;
    std::mt19937_64 random_;
    const std::uint32_t serial_;
    std::uint64_t count_ = 0;
    std::optional<Bus> bus_, second_;
    std::optional<Books> books_, second_books_;
    Overflow policy_{};
    int descriptor_ = -1;
    bool reads_all_ = false;
};

}  // namespace

void live(World& world, std::uint32_t place, const std::string& bus, std::uint64_t seed) {
    const auto member = std::make_unique<Member>(world, place, bus, seed);
    try {
        member->live();
    } catch (const std::exception& e) {
        world.blame("place " + std::to_string(place) + ": " + e.what());
        throw;
    }
}

}  // namespace swarmbus::chaos
