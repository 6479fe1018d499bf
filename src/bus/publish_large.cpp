// What a large event adds to a publish: a chunk of this process's arena, and who holds it.
#include <cstring>

#include "src/bus/writer.hpp"

namespace swarmbus::core {

// The payload goes to this process's arena, unless it lies there already; the slots say where.
Result Writer::place_in_arena(Message& message) {
    Arenas& arenas = attachment_->arenas();
    const std::span<const std::byte> payload = message.payload;
    chunk_holders_.clear();
    chunk_holders_.reserve(targets_.size());
    message.payload = {};
    message.large = payload.empty() ? nullptr : &large_;
    if (slot_bytes_of(message) > attachment_->segment().plan().slot_bytes) return SWB_ERR_TOO_LARGE;
    chunk_ = message.loaned ? arenas.find(payload.data(), payload.size()) : arenas.take(payload.size());
    if (!message.loaned) std::memcpy(chunk_.memory(), payload.data(), payload.size());
    const ArenaName& arena = chunk_.arena->name();
    large_ = {arena.participant, arena.serial, arena.generation, chunk_.offset, payload.size()};
    return SWB_OK;
}

// Whether this inbox may hold one more large event; in a drop_oldest inbox others make room for it, if
// that is of use.
bool Writer::may_pin(Target& target) noexcept {
    const auto inbox = static_cast<std::uint32_t>(&target - targets_.data());
    for (std::uint32_t left = target.ring.capacity;; --left) {
        const Pin pin = attachment_->arenas().may_pin(chunk_, inbox);
        if (pin != Pin::after_eviction) return pin == Pin::allowed;
        if (left == 0 || target.policy != Overflow::drop_oldest || !evict(target, *attachment_)) return false;
    }
}

void Writer::remember_holder(const Committed& committed) noexcept {  // allocates nothing: reserved
    chunk_holders_.push_back({committed.inbox, committed.target->gate.generation(), committed.at});
}

}  // namespace swarmbus::core
