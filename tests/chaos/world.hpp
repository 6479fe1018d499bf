// What all processes of a chaos run share beside the bus: who is there, and the ledger. It survives
// whoever is killed.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>

#include <swarmbus.h>

namespace swarmbus::chaos {

constexpr std::uint32_t kPlaces = 30;         // processes at a time, each with its inbox for the type "to.PLACE"
constexpr std::uint32_t kLongLived = 2;       // the first places: stopped now and then, never killed
constexpr std::uint32_t kPublishersEach = 3;  // two handles of a process, and its forked child
constexpr std::uint32_t kPublishers = kPlaces * kPublishersEach;

enum class Phase : std::uint32_t { run, quiet, end };
enum class Open : std::uint32_t { no, yes, closing };

using Count = std::atomic<std::uint64_t>;

// The present inbox of a place. Publishers look at `open` and say in their own place that they are
// `publishing` to it; between two inboxes nobody is.
struct Inbox {
    std::atomic<Open> open{Open::no};
    Count attempted{0}, delivered{0}, dropped{0};
    Count odd{0};  // publishes that reached another number of inboxes than one
};

struct Place {
    Inbox inbox;
    std::atomic<std::uint32_t> publishing{0};  // 1 + the place it publishes to
    std::atomic<std::uint32_t> ready{0};
};

struct World {
    std::array<Place, kPlaces> places;
    std::atomic<Phase> phase{Phase::run};
    std::atomic<std::uint32_t> next_serial{1};
    // What was done.
    Count published{0}, to_all{0}, received{0}, dropped{0}, joined{0}, left{0}, checked{0}, forked{0}, doubtful{0}, lives_told{0};
    Count large{0}, arena_full{0};  // large events received; refused, because their publisher's arena was full
    std::array<Count, SWB_LOSS_CAUSES> told{};
    std::atomic<std::uint32_t> faults{0};
    std::array<std::array<char, 200>, 16> fault{};

    void blame(const std::string& what) noexcept {
        const std::uint32_t number = faults++;
        if (number < fault.size()) what.copy(fault[number].data(), fault[number].size() - 1);
    }
};

}  // namespace swarmbus::chaos
