// What is said with a gateway, over all connections to it: subscribes, resumes by cursor, publishes, and puts what comes into a
// queue. Pure: bytes in, bytes and facts out. When to connect is ConnectionState's.
//
// Ownership: the queue's events own the bytes they show.  Threads: one at a time.  Errors: what the gateway says wrong ends the
// connection (Outcome::ending); nothing it says throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "ws_gateway/client/ending.hpp"
#include "ws_gateway/client/received.hpp"

namespace swarmbus::remote {

struct Publication {
    std::string type, source, subject;
    std::span<const std::byte> payload;
    std::uint32_t encoding = SWB_BYTES;  // SWB_JSON: by the schema of the type, if it has one
};

class Conversation {
public:
    // What a message means for the connection.
    struct Outcome {
        std::optional<std::chrono::milliseconds> live = {};  // it is live from now on; how often the gateway says something
        std::optional<std::chrono::milliseconds> bye = {};   // it will be closed; come back no sooner than that
        std::optional<Ending> ending = {};                   // hang up, for this reason
    };

    // `patterns`: none: publishes only. `snapshot`: begins with the last event of each type and subject.
    Conversation(std::vector<std::string> patterns, bool snapshot);

    // A new connection is there. What to say is in to_send().
    void opened();
    // It has ended.
    void closed();
    // A message of the connection, whole.
    Outcome message(std::shared_ptr<const MessageBytes> bytes);

    // Publishes, as soon as what it returns is sent; the connection must be live. The answer comes through the queue under this number.
    // Throws std::length_error if it is more than the gateway takes in a message.
    std::int64_t publish(const Publication& publication);

    // Messages to be sent, in order; the caller takes them away.
    std::deque<std::string>& to_send() noexcept { return to_send_; }
    std::deque<Received>& queue() noexcept { return queue_; }
    // Bytes of the messages whose events are in the queue, about: of those that were put there since it was empty.
    std::size_t queued_bytes() const noexcept { return queue_.empty() ? 0 : queued_bytes_; }

    // Where to resume; nothing until the gateway has said so first.
    std::optional<Cursor> cursor() const noexcept { return cursor_; }

private:
    void say_subscribe();
    void event(const wire::Frame& frame, const std::shared_ptr<const MessageBytes>& bytes, Outcome& outcome);
    void control(const wire::Frame& frame, Outcome& outcome);
    void hello(const wire::Hello& hello, Outcome& outcome);
    void subscribed(const wire::Subscribed& subscribed, Outcome& outcome);
    void error(const wire::Error& error, Outcome& outcome);
    void advance(const wire::Cursor* cursor);
    void look_whether_caught_up();

    const std::vector<std::string> patterns_;
    const bool wants_snapshot_;
    std::deque<std::string> to_send_;
    std::deque<Received> queue_;
    std::size_t queued_bytes_ = 0;
    std::optional<Cursor> cursor_;
    std::int64_t next_id_ = 2;           // 1 is subscribing
    std::set<std::int64_t> unanswered_;  // ids of what was published

    // Of the connection:
    bool is_greeted_ = false, is_subscribed_ = false;
    std::chrono::milliseconds heartbeat_{0};
    std::size_t most_message_bytes_ = 0;  // that the gateway takes
    Cursor journal_end_;                  // when the connection was made
    std::optional<Cursor> behind_;        // resuming: journal_end_, until that is reached
    std::uint64_t resumed_ = 0;           // events up to there
    std::uint32_t snapshot_events_ = 0;   // that are about to come
};

}  // namespace swarmbus::remote
