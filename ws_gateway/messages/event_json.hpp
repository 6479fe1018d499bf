// Events as JSON objects, and as Server-Sent Events that hold them.
#pragma once

#include <ctime>
#include <functional>
#include <string>

#include "ws_gateway/journal/lane.hpp"

namespace swarmbus::gateway {

// Appends the payload of an event as JSON; false, and nothing appended, if it can't be read.
using PayloadToJson = std::function<bool(const swb_event& event, std::string& out)>;

// ,{"type":…}
class JsonEvents final : public EventEncoder {
public:
    explicit JsonEvents(PayloadToJson to_json) : to_json_(std::move(to_json)) {}
    void encode(const Record& record, std::string& out) override;

private:
    void append_time(std::uint64_t unix_ns, std::string& out);
    void append_payload(const Record& record, std::string& out);

    PayloadToJson to_json_;
    std::uint64_t second_ = ~std::uint64_t{0};  // since 1970, of which second_text_ is the date and time
    std::string second_text_;
};

// id: EPOCH-OFFSET\ndata: {"type":…}\n\n
class SseEvents final : public EventEncoder {
public:
    SseEvents(std::uint64_t epoch, PayloadToJson to_json) : epoch_(epoch), json_(std::move(to_json)) {}
    void encode(const Record& record, std::string& out) override;
    std::uint64_t epoch() const noexcept { return epoch_; }

private:
    const std::uint64_t epoch_;
    JsonEvents json_;
};

}  // namespace swarmbus::gateway
