#include "ws_gateway/transports/snapshot_answer.hpp"

#include <array>
#include <charconv>

namespace swarmbus::gateway {
namespace {

// Before others have their turn.
constexpr int kPartsATurn = 8;
constexpr std::string_view kNoSize = "00000000\r\n";  // room for a chunk's, in hexadecimal digits

}  // namespace

SnapshotAnswer::SnapshotAnswer(Hub& hub, lws* wsi, Parts parts, std::string_view headers) : hub_(hub), wsi_(wsi), parts_(std::move(parts)) {
    // To HTTP/1.0 the end of the connection is the end of the answer.
    is_chunked_ = header_of(wsi, WSI_TOKEN_HTTP) != "HTTP/1.0";
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    lws_rx_flow_control(wsi, 0);
    outgoing_.clear();
    outgoing_.bytes() += "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n";
    if (is_chunked_) outgoing_.bytes() += "Transfer-Encoding: chunked\r\n";
    outgoing_.bytes() += headers;
    outgoing_.bytes() += "\r\n";
    begin_chunk();
    outgoing_.bytes() += parts_.before;
    parts_.before = {};
}

void SnapshotAnswer::begin_chunk() {
    if (is_chunked_) outgoing_.bytes() += kNoSize;
    chunk_begin_ = outgoing_.bytes().size();
}

bool SnapshotAnswer::end_chunk() {
    if (is_chunked_) {
        std::string& bytes = outgoing_.bytes();
        std::array<char, 8> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size() - chunk_begin_, 16).ptr;
        const auto count = static_cast<std::size_t>(end - digits.data());
        bytes.replace(chunk_begin_ - 2 - count, count, digits.data(), count);  // in front of it zeros stay
        bytes += is_all_made_ ? "\r\n0\r\n\r\n" : "\r\n";
    }
    return write(wsi_, outgoing_.data(), outgoing_.size(), LWS_WRITE_HTTP);
}

bool SnapshotAnswer::send() {
    for (int part = 0; !lws_partial_buffered(wsi_); ++part) {
        if (is_all_made_) {
            lws_rx_flow_control(wsi_, 1);  // closing waits for the other side to close, too
            return false;
        }
        if (part == kPartsATurn) break;
        std::vector<std::string> events;
        is_all_made_ = !hub_.snapshot_part(parts_.walk, *parts_.filter, Format::json, events);
        for (const std::string& event : events) {
            // Each begins with a comma.
            outgoing_.bytes() += std::string_view(event).substr(is_first_ ? 1 : 0);
            is_first_ = false;
        }
        if (is_all_made_) outgoing_.bytes() += parts_.after;
        if (outgoing_.bytes().size() > chunk_begin_ && !end_chunk()) return false;
        outgoing_.clear();
        begin_chunk();
    }
    lws_callback_on_writable(wsi_);
    return true;
}

}  // namespace swarmbus::gateway
