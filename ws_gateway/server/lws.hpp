// What is needed of libwebsockets in more than one place.
#pragma once

#include <libwebsockets.h>

#include <string>
#include <string_view>

namespace swarmbus::gateway {

// Hangs up as soon as control is back in the event loop; from anywhere.
inline void hang_up(lws* wsi) noexcept { lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC); }

inline std::string header_of(lws* wsi, lws_token_indexes header) {
    std::string value(static_cast<std::size_t>(lws_hdr_total_length(wsi, header)) + 1, '\0');
    const int bytes = lws_hdr_copy(wsi, value.data(), static_cast<int>(value.size()), header);
    value.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    return value;
}

// Of a header that libwebsockets has no number for: "last-event-id:".
inline std::string header_of(lws* wsi, std::string_view name) {
    const int length = lws_hdr_custom_length(wsi, name.data(), static_cast<int>(name.size()));
    if (length <= 0) return {};
    std::string value(static_cast<std::size_t>(length) + 1, '\0');
    lws_hdr_custom_copy(wsi, value.data(), static_cast<int>(value.size()), name.data(), static_cast<int>(name.size()));
    value.resize(static_cast<std::size_t>(length));
    return value;
}

// Hands bytes to the socket; what it does not take is kept, and sent before anything else. False if the connection is broken.
inline bool write(lws* wsi, char* bytes, std::size_t count, lws_write_protocol protocol) noexcept {
    return lws_write(wsi, reinterpret_cast<unsigned char*>(bytes), count, protocol) >= 0;
}

}  // namespace swarmbus::gateway
