// RFC 6455 as far as a load needs it, both ends: the opening handshake, frames of a client, and a reader of frames that a server sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace swarmbus::bench {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// Connects to HOST:PORT and opens a WebSocket; the descriptor blocks. Bytes that came right behind the answer are in `rest`. Throws
// std::runtime_error.
int open_web_socket(const std::string& address, std::string_view subprotocol, std::string& rest);

// A whole message of a client: masked, with a mask of zeros, so that it can be read as it is.
std::string client_frame(Opcode opcode, std::string_view payload);

// Appends the header of a message of a server.
void append_server_header(std::string& out, Opcode opcode, std::size_t payload_bytes);

// The state between two receives.
class FrameReader {
public:
    // Deals with bytes that lie where the last call's leftovers are followed by what came since; says how many need not be shown
    // again. `take(opcode, part, is_begin, is_end)` gets the next part of a frame's payload and says how much of it it has dealt with;
    // all, if the frame ends with it. Throws std::runtime_error on what no server may send.
    template <typename Take>
    std::size_t read(std::string_view bytes, Take&& take) {
        std::size_t at = 0;
        while (true) {
            if (is_header_) {
                const std::size_t header = parse_header(bytes.substr(at));
                if (header == 0) break;
                at += header;
                is_header_ = false;
                is_begin_ = true;
            }
            const std::string_view part = bytes.substr(at, left_);
            const bool is_end = part.size() == left_;
            const std::size_t taken = take(opcode_, part, is_begin_, is_end);
            at += taken;
            left_ -= taken;
            if (taken > 0) is_begin_ = false;
            if (left_ > 0) break;
            is_header_ = true;
        }
        return at;
    }

private:
    // Bytes of the header; 0 if it is not there whole.
    std::size_t parse_header(std::string_view bytes);

    std::uint64_t left_ = 0;  // of the payload
    Opcode opcode_{};
    bool is_header_ = true;  // comes next
    bool is_begin_ = false;  // nothing of the payload was taken yet
};

}  // namespace swarmbus::bench
