#include "tests/chaos/run.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <swarmbus.h>

#include "tests/chaos/member.hpp"
#include "tests/chaos/world.hpp"
#include "tests/faults/tables.hpp"
#include "tests/support/process.hpp"
#include "tests/support/process_bus.hpp"
#include "tests/support/process_shared.hpp"
#include "tests/support/process_shm.hpp"

namespace swarmbus::chaos {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kTick = 2ms;
constexpr auto kQuietPatience = 20s;
constexpr auto kShortestStop = 25ms;            // beyond the members' stall timeout, more often than not
constexpr std::uint64_t kMostGrowth = 1 << 20;  // private memory of a long-lived process

// What a long-lived process has.
struct Holdings {
    std::uint64_t private_bytes = 0, descriptors = 0;
};

Holdings holdings_of(pid_t pid) {
    Holdings found;
    const std::string process = "/proc/" + std::to_string(pid);
    std::ifstream status(process + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssAnon:")) found.private_bytes = std::stoull(line.substr(8)) * 1024;
    }
    std::error_code ended;
    found.descriptors = static_cast<std::uint64_t>(std::distance(std::filesystem::directory_iterator(process + "/fd", ended), {}));
    return found;
}

std::size_t files() { return static_cast<std::size_t>(std::distance(std::filesystem::recursive_directory_iterator("/dev/shm"), {})); }

struct Figures {
    swb_info bus{};
    std::uint64_t bus_bytes = 0;  // of its file; arenas keep theirs for the next large events
    std::size_t files = 0;
    std::array<Holdings, kLongLived> long_lived{};
};

class Run {
public:
    explicit Run(const Settings& settings) : settings_(settings), random_(settings.seed), members_(kPlaces) {}

    void carry_out() {
        // Children that outlive their parents come to us.
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        for (std::uint32_t place = 0; place < kLongLived; ++place) start(place);
        for (std::uint32_t place = 0; place < kLongLived; ++place) {
            if (!test::eventually([&] { return world_->places[place].ready != 0; }, kQuietPatience))
                throw std::runtime_error("a process does not start");
        }
        before_ = look();
        const auto start_time = Clock::now(), end = start_time + settings_.duration;
        const auto warm = start_time + settings_.duration / 3;
        while (Clock::now() < end && world_->faults == 0) {
            disturb();
            look_after_members();
            ::usleep(std::chrono::microseconds(kTick).count());
            if (!warmed_up_ && Clock::now() > warm) note_warm();
        }
        seconds_ = std::chrono::duration<double>(Clock::now() - start_time).count();
        calm_down();
    }

    void report() const {
        const World& w = *world_;
        const auto n = [](const Count& count) { return static_cast<unsigned long long>(count.load()); };
        std::printf("# %.0f s: %llu published to one inbox, %llu to all; %llu received, %llu dropped, %llu evicted\n", seconds_,
                    n(w.published), n(w.to_all), n(w.received), n(w.dropped), n(w.told[SWB_LOSS_EVICTED]));
        std::printf("# %llu large ones received, %llu refused for want of room in the arena\n", n(w.large), n(w.arena_full));
        std::printf("# told lost: %llu full, %llu timeout, %llu self, %llu no_slot, %llu damaged\n", n(w.told[SWB_LOSS_FULL]),
                    n(w.told[SWB_LOSS_TIMEOUT]), n(w.told[SWB_LOSS_SELF]), n(w.told[SWB_LOSS_NO_SLOT]), n(w.told[SWB_LOSS_DAMAGED]));
        std::printf("# %llu joined, %llu left, %llu killed, %llu stopped and continued, %llu forked; %llu events of the bus about itself\n",
                    n(w.joined), n(w.left), kills_, stops_, n(w.forked), n(w.lives_told));
        std::printf("# %llu inboxes checked, %llu events in doubt (their publishers were killed)\n", n(w.checked), n(w.doubtful));
        std::printf("# bus: %llu bytes before, %llu after; files in /dev/shm: %zu, %zu\n",
                    static_cast<unsigned long long>(before_.bus_bytes), static_cast<unsigned long long>(after_.bus_bytes), before_.files,
                    after_.files);
        for (std::uint32_t place = 0; place < kLongLived; ++place) {
            std::printf("# long-lived %u: %llu descriptors, then %llu; private memory %llu KiB when warm, then %llu\n", place,
                        static_cast<unsigned long long>(before_.long_lived[place].descriptors),
                        static_cast<unsigned long long>(after_.long_lived[place].descriptors),
                        static_cast<unsigned long long>(warm_[place].private_bytes >> 10),
                        static_cast<unsigned long long>(after_.long_lived[place].private_bytes >> 10));
        }
        const double operations =
            static_cast<double>(w.published + w.to_all + w.received + w.joined + w.left + w.forked) + static_cast<double>(kills_ + stops_);
        std::printf("# %.0f operations; leaks for each million: %.3f (%llu in all)\n", operations,
                    static_cast<double>(leaks_) / operations * 1e6, leaks_);
    }
    std::vector<std::string> faults() const {
        std::vector<std::string> told;
        for (std::size_t i = 0; i < std::min<std::size_t>(world_->faults, world_->fault.size()); ++i)
            told.emplace_back(world_->fault[i].data());
        return told;
    }
    const std::vector<std::string>& left_behind() const noexcept { return left_behind_; }
    bool good() const noexcept { return world_->faults == 0 && left_behind_.empty(); }

private:
    struct Member {
        std::optional<test::Process> process;
        Clock::time_point continues{};  // when it is stopped
        bool stopped = false, killed = false;
    };

    void start(std::uint32_t place) {
        const std::uint64_t seed = random_();
        Member& member = members_[place];
        member.stopped = member.killed = false;
        member.process.emplace([this, place, seed] { live(*world_, place, bus_, seed); });
    }

    void disturb() {
        const auto place = static_cast<std::uint32_t>(random_() % kPlaces);
        Member& member = members_[place];
        if (!member.process) return start(place);
        if (member.killed) return;
        const std::uint64_t choice = random_() % 16;
        if (choice < 2 && place >= kLongLived) {
            ::kill(member.process->pid(), SIGKILL);
            member.killed = true;
            ++kills_;
        } else if (choice < 4 && !member.stopped) {
            ::kill(member.process->pid(), SIGSTOP);
            member.stopped = true;
            member.continues = Clock::now() + kShortestStop + std::chrono::milliseconds(random_() % 60);
            ++stops_;
        }
    }

    void go_on(Member& member) {
        ::kill(member.process->pid(), SIGCONT);
        member.stopped = false;
    }

    // Continues those that stood still long enough, and takes note of who has ended.
    void look_after_members() {
        for (Member& member : members_) {
            if (member.stopped && Clock::now() > member.continues) go_on(member);
        }
        int status = 0;
        for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            for (std::uint32_t place = 0; place < kPlaces; ++place) {
                Member& member = members_[place];
                if (!member.process || member.process->pid() != pid) continue;
                member.process->note_end(status);
                if (WIFSIGNALED(status) && !member.killed)
                    world_->blame("place " + std::to_string(place) + " died of signal " + std::to_string(WTERMSIG(status)));
                if (WIFEXITED(status) && WEXITSTATUS(status) != 0) world_->blame("place " + std::to_string(place) + " did not end well");
                // It publishes no more, and its inbox does not count from its death on.
                world_->places[place].inbox.open = Open::no;
                world_->places[place].publishing = 0;
                member.process.reset();
                member.stopped = false;
            }
        }
    }

    bool ended(std::uint32_t from) {
        look_after_members();
        return std::none_of(members_.begin() + from, members_.end(), [](const Member& member) { return member.process.has_value(); });
    }

    void let_all_go_on() {
        for (Member& member : members_) {
            if (member.process && member.stopped) go_on(member);
        }
    }

    void calm_down() {
        let_all_go_on();
        world_->phase = Phase::quiet;
        if (!test::eventually([&] { return ended(kLongLived); }, kQuietPatience)) return give_up("a process does not come to its end");
        // Who comes now looks after the last of the dead.
        test::Process comes_and_goes([&] {
            swb_bus* bus = nullptr;
            test::require(
                swb_open(bus_.c_str(), nullptr, &bus) == SWB_OK && swb_subscribe(bus, "nothing", nullptr, nullptr, nullptr) == SWB_OK,
                swb_last_error());
            swb_close(bus);
        });
        if (!comes_and_goes.ended_well(kQuietPatience)) return give_up("nobody can come any more");
        // What was unread still in an arena of the dead then, the long-lived look after once it is read.
        test::eventually([&] { return bus_.doctors_findings().empty(); }, kQuietPatience);
        after_ = look();
        compare();
        world_->phase = Phase::end;
        if (!test::eventually([&] { return ended(0); }, kQuietPatience)) return give_up("a long-lived process does not come to its end");
        if (std::string wrong = faults::wrong_in_the_tables(bus_, {}); !wrong.empty()) leak("when all have gone, " + wrong);
    }

    void give_up(const std::string& what) {
        world_->blame(what);
        for (Member& member : members_) {
            if (member.process) member.process->kill();
        }
    }

    void leak(const std::string& what, std::uint64_t count = 1) {
        left_behind_.push_back(what);
        leaks_ += count;
    }

    void compare() {
        const auto same = [&](const std::string& what, std::uint64_t before, std::uint64_t after) {
            if (after > before) leak(what + ": " + std::to_string(before) + ", and then " + std::to_string(after), after - before);
        };
        same("participants", kLongLived, after_.bus.participants);
        same("inboxes", before_.bus.subscribers, after_.bus.subscribers);
        // Each long-lived process may have one more writer, for what it tells of others.
        same("writers", 3 * kLongLived, after_.bus.writers);
        same("files in /dev/shm", before_.files, after_.files);
        if (after_.bus_bytes > before_.bus_bytes) same("bytes of the bus", before_.bus_bytes, after_.bus_bytes);
        if (std::string found = bus_.doctors_findings(); !found.empty()) leak("the doctor finds " + found);
        if (std::string wrong = faults::wrong_in_the_tables(bus_, {kLongLived, before_.bus.subscribers, after_.bus.writers});
            !wrong.empty())
            leak(wrong);
        for (std::uint32_t place = 0; place < kLongLived; ++place) {
            const std::string who = "long-lived process " + std::to_string(place);
            same(who + ", descriptors", before_.long_lived[place].descriptors, after_.long_lived[place].descriptors);
            if (warmed_up_)
                same(who + ", bytes of private memory", warm_[place].private_bytes + kMostGrowth, after_.long_lived[place].private_bytes);
        }
    }

    void note_warm() {
        warmed_up_ = true;
        for (std::uint32_t place = 0; place < kLongLived; ++place) warm_[place] = holdings_of(members_[place].process->pid());
    }

    // While the long-lived are alone.
    Figures look() {
        Figures figures;
        figures.bus = bus_.look();
        struct stat st {};
        if (::stat(bus_.path().c_str(), &st) == 0) figures.bus_bytes = static_cast<std::uint64_t>(st.st_blocks) * 512;
        figures.files = files();
        for (std::uint32_t place = 0; place < kLongLived; ++place) {
            if (!members_[place].process) continue;
            // Ringing a doorbell takes a descriptor for a moment.
            figures.long_lived[place] = holdings_of(members_[place].process->pid());
            for (int i = 0; i < 20; ++i) {
                const Holdings again = holdings_of(members_[place].process->pid());
                figures.long_lived[place].descriptors = std::min(figures.long_lived[place].descriptors, again.descriptors);
                ::usleep(500);
            }
        }
        return figures;
    }

    const Settings settings_;
    const test::BusName bus_;
    const test::Shared<World> world_;
    std::mt19937_64 random_;
    std::vector<Member> members_;
    Figures before_, after_;
    std::array<Holdings, kLongLived> warm_{};
    bool warmed_up_ = false;
    unsigned long long kills_ = 0, stops_ = 0, leaks_ = 0;
    double seconds_ = 0;
    std::vector<std::string> left_behind_;
};

}  // namespace

bool carry_out(const Settings& settings) {
    std::printf("# seed %llu\n", static_cast<unsigned long long>(settings.seed));
    std::fflush(stdout);
    Run chaos(settings);
    chaos.carry_out();
    chaos.report();
    if (settings.tap) std::puts("1..2");
    if (settings.tap) std::printf("%s 1 - every_event_arrives_once_or_is_counted_as_lost\n", chaos.faults().empty() ? "ok" : "not ok");
    for (const std::string& fault : chaos.faults()) std::printf("#   %s\n", fault.c_str());
    if (settings.tap) std::printf("%s 2 - the_dead_leave_nothing_behind\n", chaos.left_behind().empty() ? "ok" : "not ok");
    for (const std::string& what : chaos.left_behind()) std::printf("#   left behind: %s\n", what.c_str());
    return chaos.good();
}

}  // namespace swarmbus::chaos
