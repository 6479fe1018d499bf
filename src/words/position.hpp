// Positions in an inbox, and the words that carry them.
//
// A position counts up for ever from the inbox's capacity; position p lives in slot p mod capacity.
// 48 bits travel in a word; positions compare by signed difference. A claim or a state word lies at
// a place that already tells the low bits, so it stores the *lap*: the position with those bits
// cleared. Memory full of zeros is therefore an empty inbox whose first lap has never been written,
// and a ring that was cut from a hole in the file needs no initialising.
#pragma once

#include <cstdint>

namespace swarmbus::core {

inline constexpr std::uint64_t kPositionMask = (std::uint64_t{1} << 48) - 1;

using Position = std::uint64_t;  // only the low 48 bits count

inline constexpr Position position(std::uint64_t n) noexcept { return n & kPositionMask; }

// a - b as a signed number.
inline constexpr std::int64_t distance(Position a, Position b) noexcept { return static_cast<std::int64_t>((a - b) << 16) >> 16; }

enum class Mark : std::uint8_t {
    owned = 0,    // the writer may write the position
    doubt = 1,    // the reader suspects the writer
    revoked = 2,  // taken away: the position is passed, the slot stays set aside
};

// Who may write a position: lap:48 | writer:12 | mark:4.
struct Claim {
    std::uint64_t raw = 0;

    static constexpr Claim of(Position lap, std::uint64_t writer, Mark mark) noexcept {
        return {lap << 16 | (writer & 0xfffu) << 4 | static_cast<std::uint64_t>(mark)};
    }
    constexpr Position lap() const noexcept { return raw >> 16; }
    constexpr std::uint32_t writer() const noexcept { return (raw >> 4) & 0xfffu; }
    constexpr Mark mark() const noexcept { return static_cast<Mark>(raw & 0xfu); }
    constexpr bool is(Position lap_, std::uint64_t writer_, Mark mark_) const noexcept { return raw == of(lap_, writer_, mark_).raw; }
    friend constexpr bool operator==(Claim, Claim) = default;
};

enum class Status : std::uint16_t {
    ready = 0,  // an event
    skip = 1,   // nothing to see: pass
};

// What the reader sees of a slot: lap:48 | status:16.
struct State {
    std::uint64_t raw = 0;

    static constexpr State of(Position lap, Status status) noexcept { return {lap << 16 | static_cast<std::uint64_t>(status)}; }
    constexpr Position lap() const noexcept { return raw >> 16; }
    constexpr Status status() const noexcept { return static_cast<Status>(raw & 0xffffu); }
    constexpr bool ready_at(Position lap_) const noexcept { return raw == of(lap_, Status::ready).raw; }
    constexpr bool skip_at(Position lap_) const noexcept { return raw == of(lap_, Status::skip).raw; }
    friend constexpr bool operator==(State, State) = default;
};

// Where the reader is, and how many events were evicted: position:48 | evictions:16.
struct Head {
    std::uint64_t raw = 0;

    static constexpr Head of(Position position_, std::uint16_t evicted) noexcept { return {position_ << 16 | evicted}; }
    constexpr Position at() const noexcept { return raw >> 16; }
    constexpr std::uint16_t evicted() const noexcept { return static_cast<std::uint16_t>(raw); }
    constexpr Head passed(std::uint64_t count) const noexcept { return of(position(at() + count), evicted()); }
    constexpr Head evicted_one() const noexcept { return of(position(at() + 1), static_cast<std::uint16_t>(evicted() + 1)); }
    friend constexpr bool operator==(Head, Head) = default;
};

// What the reader still looks at although head has passed it: first:48 | count:16.
struct Holding {
    std::uint64_t raw = 0;

    static constexpr Holding of(Position first, std::uint16_t count) noexcept { return {first << 16 | count}; }
    constexpr Position first() const noexcept { return raw >> 16; }
    constexpr std::uint16_t count() const noexcept { return static_cast<std::uint16_t>(raw); }
    // Compares slots, not positions: a publisher a lap later must not write there either.
    constexpr bool covers(Position p, std::uint32_t capacity) const noexcept { return ((p - first()) & (capacity - 1)) < count(); }
    friend constexpr bool operator==(Holding, Holding) = default;
};

// Who may use an inbox: generation:48 | status:16 (swb_l_gate_status).
struct Gate {
    std::uint64_t raw = 0;

    static constexpr Gate of(std::uint64_t generation, std::uint32_t status) noexcept { return {generation << 16 | status}; }
    constexpr std::uint64_t generation() const noexcept { return raw >> 16; }
    constexpr std::uint32_t status() const noexcept { return raw & 0xffffu; }
    constexpr Gate with(std::uint32_t status) const noexcept { return of(generation(), status); }
    friend constexpr bool operator==(Gate, Gate) = default;
};

// Whose a writer id is: lease:16 | participant + 1:16 | participant generation:32.
struct Lease {
    std::uint64_t raw = 0;

    static constexpr Lease of(std::uint16_t lease, std::uint32_t participant_plus_1, std::uint32_t generation) noexcept {
        return {std::uint64_t{lease} << 48 | std::uint64_t{participant_plus_1 & 0xffffu} << 32 | generation};
    }
    constexpr std::uint16_t number() const noexcept { return static_cast<std::uint16_t>(raw >> 48); }
    constexpr bool free() const noexcept { return ((raw >> 32) & 0xffffu) == 0; }
    constexpr std::uint32_t participant() const noexcept { return static_cast<std::uint32_t>((raw >> 32) & 0xffffu) - 1; }
    constexpr std::uint32_t participant_generation() const noexcept { return static_cast<std::uint32_t>(raw); }
    friend constexpr bool operator==(Lease, Lease) = default;
};

}  // namespace swarmbus::core
