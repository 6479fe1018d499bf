// A writer's life, and the rare ends of a publish: an inbox seen for the first time, no slot, a drop.
#include "src/bus/writer.hpp"

#include "src/life/process.hpp"
#include "src/waking/wake.hpp"

namespace swarmbus::core {

Writer::Writer(std::shared_ptr<Attachment> attachment, std::string_view source, std::uint64_t handle)
    : attachment_(std::move(attachment)),
      handle_(handle),
      lease_(lease_writer(attachment_->segment(), attachment_->participant(), attachment_->generation(), source)),
      line_(&attachment_->segment().writer(lease_.id)),
      fences_itself_(!attachment_->barrier_registered()),
      thread_id_(this_thread()),
      next_sequence_(words::load_plain(line_->next_sequence)),
      targets_(attachment_->segment().plan().max_subscribers) {
    full_.reserve(targets_.size());  // publishing allocates nothing once an inbox is named
}

Writer::~Writer() { give_back(); }

void Writer::close() noexcept { closed_.store(true, kStoreBeforeFence); }

void Writer::give_back() noexcept {
    if (attachment_ && attachment_->same_process()) release_writer(attachment_->segment(), lease_);
    attachment_.reset();  // the thread keeps this object until it ends, the bus must not stay open for it
}

// What this writer keeps about an inbox. False: its entry is damaged, or the kernel refuses its memory.
bool Writer::open_target(Target& target, std::uint32_t inbox, Gate gate) noexcept {
    target = Target{};
    Segment& segment = attachment_->segment();
    swb_l_inbox& lines = segment.inbox(inbox);
    const swb_l_subscriber entry = segment.subscriber(inbox);  // a copy: what is checked is what is used
    const std::uint32_t slot_bytes = segment.plan().slot_bytes;
    if (!valid_capacity(entry.capacity) || entry.policy > SWB_BLOCK || entry.block_bytes != block_bytes(entry.capacity, slot_bytes))
        return false;
    try {
        std::byte* block = segment.open_block(entry.block_at, entry.block_bytes);
        if (block == nullptr) return false;
        target.ring = Ring::in_block(lines, block, entry.capacity, slot_bytes);
    } catch (const std::exception&) {
        return false;
    }
    target.policy = static_cast<Overflow>(entry.policy);
    target.gate = gate;
    target.head = words::load_head(lines);
    target.holding = words::load_holding(lines);
    return true;
}

// No slot: a block inbox is waited for, else the event is dropped.
void Writer::refused(const Target& target, std::uint32_t inbox, ClaimResult result, Delivery& delivery) noexcept {
    if (target.policy == Overflow::block && full_.size() < full_.capacity()) {  // never beyond what was reserved
        full_.push_back(inbox);
    } else {
        drop(inbox, result == ClaimResult::full ? LossCause::full : LossCause::no_slot, delivery);
    }
}

void Writer::drop(std::uint32_t inbox, LossCause cause, Delivery& delivery) noexcept {
    Segment& segment = attachment_->segment();
    swb_l_inbox& lines = segment.inbox(inbox);
    std::uint64_t& counter = cause == LossCause::full      ? lines.dropped_full
                             : cause == LossCause::timeout ? lines.dropped_timeout
                             : cause == LossCause::self    ? lines.dropped_self
                                                           : lines.dropped_no_slot;
    words::count_drop(counter, lines);
    full_fence();
    wake_reader(segment, inbox, lines);  // one that has caught up meanwhile is told at once, not with its next event
    ++delivery.dropped;
    ++delivery.dropped_by[static_cast<std::size_t>(cause)];
}

}  // namespace swarmbus::core
