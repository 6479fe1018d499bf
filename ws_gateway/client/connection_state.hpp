// When to connect, when to hang up, and when to give up: a state machine without sockets and clock.
//
// docs/gateway-client.md draws it, and has its table and numbers; clients in other languages follow it. It decides, its owner
// does: what happens on the socket is told to it, and tick() says what to do.
//
// Ownership: owns nothing but copies.  Threads: one at a time.  Errors: none; every input is allowed in every state, and what does
// not belong there changes nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "ws_gateway/client/ending.hpp"

namespace swarmbus::remote {

using Clock = std::chrono::steady_clock;

enum class Phase : std::uint8_t {
    connecting,    // until the gateway has answered what this client has to say first
    live,          // events come
    waiting,       // for the next attempt
    open_circuit,  // after too many failures: for a long time, then one attempt is made
    closed,        // for good
};

// The numbers. They are part of the manual.
struct Timing {
    std::chrono::milliseconds first_delay{1'000};      // the longest wait in front of the first attempt; then twice that, ...
    std::chrono::milliseconds longest_delay{30'000};   // ... at most this
    std::chrono::milliseconds circuit_time{60'000};    // an open circuit lasts so long
    std::uint32_t circuit_failures = 5;                // in a row open it
    std::chrono::milliseconds connect_time{10'000};    // an attempt may take so long until it is live
    std::chrono::milliseconds stable_time{5'000};      // live for so long: failures before that are forgotten
    std::chrono::milliseconds longest_asked{300'000};  // nobody is obeyed who asks for a longer wait
    std::chrono::milliseconds heartbeat_grace{1'000};  // a heartbeat may be late by half its time, and at least by this

    // All but the grace `times` shorter: for tests.
    Timing divided_by(double times) const;
};

struct Status {
    Phase phase = Phase::closed;
    bool is_trial = false;              // connecting: the one attempt after an open circuit
    std::chrono::milliseconds left{0};  // waiting, open_circuit: until the next attempt
    std::uint32_t failures = 0;         // in a row
    std::string reason;                 // why the last connection or attempt ended; "" if none has
};

enum class Action : std::uint8_t {
    none,
    connect,  // make a connection
    hang_up,  // drop the connection, or the attempt; its end is known already and not to be told
};

class ConnectionState {
public:
    // From 0 to below 1, evenly.
    using Random = std::function<double()>;

    // Connects with the first tick().
    ConnectionState(const Timing& timing, Random random, Clock::time_point now);

    // ------------------------------------------------------------ what has happened

    // What came last is the answer that makes the connection live; the gateway says something every `heartbeat`.
    void became_live(Clock::time_point now, std::chrono::milliseconds heartbeat);
    // Something came, whatever it is.
    void heard(Clock::time_point now) noexcept;
    // Reading stops because the owner has no room: silence means nothing then. Or goes on.
    void reads(bool reading, Clock::time_point now) noexcept;
    // The gateway will close, and asks not to come back sooner than that.
    void bye(std::chrono::milliseconds retry_after) noexcept;
    // The connection, or the attempt, has ended.
    void ended(Clock::time_point now, const Ending& ending);
    // The owner wants no more.
    void stop(std::string reason);

    // ------------------------------------------------------------ what to do

    // To be called after every input, and when due() has come.
    Action tick(Clock::time_point now);
    // When tick() has something to say if nothing else happens.
    std::optional<Clock::time_point> due() const noexcept;

    Phase phase() const noexcept { return phase_; }
    Status status(Clock::time_point now) const;

private:
    void begin_attempt(Clock::time_point now);
    std::chrono::milliseconds jittered_delay();

    const Timing timing_;
    const Random random_;
    Phase phase_ = Phase::waiting;
    bool is_trial_ = false;
    bool is_reading_ = true;
    std::uint32_t failures_ = 0;
    std::string reason_;
    Clock::time_point until_;       // waiting, open_circuit: the next attempt; connecting: its end
    Clock::time_point live_since_;  // live
    Clock::time_point heard_at_;
    std::chrono::milliseconds patience_{0};                  // live: longest silence
    std::optional<std::chrono::milliseconds> asked_by_bye_;  // on this connection
};

}  // namespace swarmbus::remote
