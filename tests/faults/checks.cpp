#include "tests/faults/checks.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <filesystem>

#include "tests/faults/tables.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::faults {
namespace {

constexpr auto kPatience = 5s;

bool own_shm = false;

std::string numbers(std::uint64_t is, std::uint64_t least, std::uint64_t most) {
    return std::to_string(is) + ", not from " + std::to_string(least) + " to " + std::to_string(most);
}

std::string wrong_with(const Board& board, std::uint32_t id) {
    const ReaderPage& page = board.readers[id];
    if (page.fault[0] != '\0') return page.fault.data();
    if (page.told[SWB_LOSS_DAMAGED] != 0) return "was told of damaged events";
    std::uint64_t attempted = 0, returned = 0;
    for (std::uint32_t p = 0; p < kPublishers; ++p) {
        const PublisherPage& publisher = board.publishers[p];
        attempted += publisher.attempted[id];
        returned += publisher.returned[id];
        if (page.last[p] > publisher.events) return "has an event that publisher " + std::to_string(p) + " never sent";
    }
    const std::uint64_t known = page.known;
    if (known >= returned && known <= attempted) return {};
    return "received and was told lost " + numbers(known, returned, attempted);
}

// What a fault may leave in /dev/shm beside the bus: half a bus, which the next creator removes when it
// is older than ten seconds.
void make_abandoned_files_old() {
    const timespec now_and_then[2] = {{::time(nullptr) - 60, 0}, {::time(nullptr) - 60, 0}};
    for (const std::string& name : test::files_in_shm()) {
        if (name.starts_with("swarmbus-new.")) ::utimensat(AT_FDCWD, ("/dev/shm/" + name).c_str(), now_and_then, 0);
    }
}

// Beside the bus there may be its directory, with so many sockets and arenas.
std::string files_beside(const std::string& bus, std::size_t sockets, std::size_t arenas) {
    if (!own_shm) return {};
    std::size_t found = 0, others = 0;
    for (const std::string& name : test::files_in_shm()) {
        if (name == bus) continue;
        if (!name.starts_with("swarmbus-with.")) return "/dev/shm/" + name + " is left";
        for (const auto& entry : std::filesystem::directory_iterator("/dev/shm/" + name)) {
            if (entry.is_socket()) ++found;
            else if (++others > arenas) return entry.path().string() + " is left";
        }
    }
    return found == sockets ? "" : "wake sockets: " + std::to_string(found) + ", not " + std::to_string(sockets);
}

}  // namespace

void enter_own_shm() {
    static const bool allowed = test::private_shm_is_allowed();
    if (!allowed) return;
    test::enter_private_shm("tmpfs", "size=64m");
    own_shm = true;
}

std::string wrong_in_the_books(const Board& board, const Operation& operation, bool victim_lived) {
    std::uint64_t delivered = 0, uncertain = 0, arrived = 0;
    for (std::uint32_t p = 0; p < kPublishers; ++p) {
        const PublisherPage& page = board.publishers[p];
        if (page.silent != 0) return "publisher " + std::to_string(p) + " was not told what became of an event";
        const bool lived = p == kVictimPublisher ? victim_lived : p != kHelperPublisher;  // how that one ended is known already
        if (page.events != page.events_returned && lived) {
            return "publisher " + std::to_string(p) + " did not come back from a publish";
        }
        delivered += page.delivered;
        for (std::uint32_t r = 0; r < kReaders; ++r) uncertain += page.attempted[r] - page.returned[r];
    }
    const bool victim_counts = victim_lived && operation.victim_reads() && !operation.victim_may_miss();
    for (std::uint32_t r = 0; r < kReaders; ++r) {
        if (r == kVictimReader) {
            if (board.readers[r].fault[0] != '\0') return std::string("the victim: ") + board.readers[r].fault.data();
            if (!victim_counts) continue;
        }
        if (std::string fault = wrong_with(board, r); !fault.empty()) return "reader " + std::to_string(r) + " " + fault;
        arrived += board.readers[r].told[SWB_LOSS_EVICTED];
        for (const auto& received : board.readers[r].received) arrived += received;
    }
    // What went to an inbox whose books don't count may or may not be among the delivered.
    std::uint64_t untold = 0;
    if (!victim_counts) {
        for (const PublisherPage& page : board.publishers) untold += page.returned[kVictimReader];
    }
    if (arrived + untold >= delivered && arrived <= delivered + uncertain) return {};
    return "delivered and then received or evicted: " + numbers(arrived, delivered - std::min(untold, delivered), delivered + uncertain);
}

std::string what_is_left_by_the_dead(Stage& stage) {
    make_abandoned_files_old();
    const std::string other = stage.bus() + kOtherBus, third = stage.bus() + kThirdBus;
    test::Process comes_and_goes([&] {
        Bus bus(stage.bus(), options_of(Overflow::drop_oldest));
        const SubscriptionId id = bus.subscribe("nothing");  // nobody holds the control lock
        bus.unsubscribe(id);
        stage.operation().visit(bus);
        const Bus opens_or_creates(other, options_of(Overflow::drop_oldest));
        const Bus creates(third, options_of(Overflow::drop_oldest));
    });
    if (!comes_and_goes.ended_well(kPatience)) return "one more process could not come, work and go";
    swb_remove(other.c_str(), 1);
    swb_remove(third.c_str(), 1);
    const std::uint32_t inboxes = kSurvivingReaders + (stage.operation().with_extra_inboxes() ? kReaders - kExtraReaders : 0);
    const std::size_t sockets = stage.operation().with_descriptor() ? 1 : 0;
    std::string file;
    const auto only_theirs = [&] {
        file = files_beside("swarmbus." + stage.bus(), sockets, stage.operation().with_arena() ? 1 : 0);
        return file.empty();
    };
    // An arena of the dead that a survivor had an event of in its hands just then goes a moment later.
    if (!test::eventually(only_theirs, 3s)) return file;
    const swb_info info = stage.bus_name().look();
    if (info.participants != stage.survivors()) {
        return "participants alive: " + std::to_string(info.participants) + ", not " + std::to_string(stage.survivors());
    }
    if (info.subscribers != inboxes) return "inboxes: " + std::to_string(info.subscribers) + ", not " + std::to_string(inboxes);
    if (info.writers != 2) return "writers: " + std::to_string(info.writers) + ", not 2";
    if (std::string found = stage.bus_name().doctors_findings(); !found.empty()) return "the doctor finds " + found;
    return wrong_in_the_tables(stage.bus(), {stage.survivors(), inboxes, 2});
}

std::string what_is_left_at_the_end(Stage& stage) {
    if (std::string file = files_beside("swarmbus." + stage.bus(), 0, 0); !file.empty()) return file;
    const std::string wrong = wrong_in_the_tables(stage.bus(), {});
    return wrong.empty() ? "" : "when all have gone, " + wrong;
}

}  // namespace swarmbus::faults
