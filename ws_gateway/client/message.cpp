#include "ws_gateway/client/message.hpp"

#include <cstring>

namespace swarmbus::remote {
namespace {

// A frame is a table with one within.
constexpr flatbuffers::uoffset_t kDeepest = 8, kMostTables = 16;
constexpr std::size_t kPrefix = sizeof(flatbuffers::uoffset_t);
constexpr std::size_t kSmallestFrame = 16;

}  // namespace

void MessageBytes::append(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    words_.resize((bytes_ + bytes.size() + 7) / 8);
    std::memcpy(reinterpret_cast<std::byte*>(words_.data()) + bytes_, bytes.data(), bytes.size());
    bytes_ += bytes.size();
}

const wire::Frame* Frames::next() {
    if (rest_.size() < kSmallestFrame) return nullptr;
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(rest_.data());
    const std::size_t length = std::size_t{flatbuffers::ReadScalar<flatbuffers::uoffset_t>(bytes)} + kPrefix;
    if (length < kSmallestFrame || length % 8 != 0 || length > rest_.size()) return nullptr;
    flatbuffers::Verifier verifier(bytes, length, kDeepest, kMostTables);
    if (!wire::VerifySizePrefixedFrameBuffer(verifier)) return nullptr;
    const wire::Frame* const frame = wire::GetSizePrefixedFrame(bytes);
    // An event, or something of a kind that later gateways may have and this client passes over.
    rest_ = rest_.subspan(length);
    return frame;
}

}  // namespace swarmbus::remote
