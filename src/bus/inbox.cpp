#include "src/bus/inbox.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/life/inbox_table.hpp"
#include "src/life/process.hpp"
#include "src/life/writer_lease.hpp"
#include "src/routing/name.hpp"
#include "src/routing/type_table.hpp"
#include "src/waking/futex.hpp"
#include "src/words/waking_words.hpp"

namespace swarmbus::core {
namespace {

// How many slots ahead a batch asks for the payloads.
constexpr std::uint32_t kSlotsAhead = 4;
constexpr std::size_t kMostInlineTypes = 4096;
constexpr std::uint64_t kReportEveryNs = 1'000'000'000;

Ring sound_ring_of(Segment& segment, std::uint32_t index) {
    if (const auto ring = ring_of(segment, index)) return *ring;
    throw Error(SWB_ERR_INTERNAL, "the entry of inbox " + std::to_string(index) + " is damaged");
}

swb_event* at_stride(swb_event* events, std::size_t stride, std::size_t i) noexcept {
    return reinterpret_cast<swb_event*>(reinterpret_cast<std::byte*>(events) + i * stride);
}

}  // namespace

Inbox::Inbox(std::shared_ptr<Attachment> attachment, const SubscriptionList& subscriptions, std::uint32_t index, Overflow policy,
             std::uint64_t stall_timeout_ns)
    : attachment_(std::move(attachment)),
      index_(index),
      policy_(policy),
      reader_(sound_ring_of(attachment_->segment(), index), policy, stall_timeout_ns),
      subscriptions_(subscriptions),
      arenas_(attachment_->segment()),
      types_(attachment_->segment().plan().max_types),
      sources_(SWB_WRITERS) {}

std::size_t Inbox::receive(swb_event* events, std::size_t capacity) {
    const Ring& ring = reader_.ring();
    const auto max = static_cast<std::uint32_t>(std::min<std::size_t>(capacity, ring.capacity / 2));
    const std::size_t size = events->size;
    // What pointed to these was given back.
    if (inline_types_.size() > kMostInlineTypes) inline_types_.clear();
    arenas_.forget_old();
    for (;;) {
        const InboxReader::Taken taken = reader_.take(max);
        if (!replaced_sources_.empty()) replaced_sources_.clear();
        for (std::uint32_t damaged = reader_.damaged_positions(); damaged > 0; --damaged) ledger_.add_damaged();
        if (taken.count == 0) {
            if (policy_ == Overflow::block) attachment_->set_view_holder(index_, 0);
            return 0;
        }
        if (policy_ == Overflow::block) attachment_->set_view_holder(index_, this_thread());
        subscriptions_.refresh();
        unready_since_ns_ = 0;
        events_since_empty_ += taken.count;
        if (const std::uint64_t evicted = ledger_.evicted_before(reader_.evictions_before_taken())) [[unlikely]] {
            pending_[static_cast<std::size_t>(LossCause::evicted)] += evicted;
            any_pending_ = true;
        }
        std::size_t filled = 0;
        for (std::uint32_t i = 0; i < taken.count; ++i) {
            const std::byte* slot = ring.slot(position(taken.first + i));
            swb_event& out = *at_stride(events, size, filled);
            out.size = size;
            IncomingEvent event;
            const bool wanted = decode_plain(slot, ring.slot_bytes, event) ? fill(out, event) : fill_with_optional_fields(out, slot);
            if (wanted) [[likely]]
                ++filled;
            if (i + kSlotsAhead < taken.count) {
                const std::byte* ahead = ring.slot(position(taken.first + i + kSlotsAhead));
                for (std::size_t line = 64; line < sizeof(swb_l_slot) + event.payload.size(); line += 64) prefetch_for_read(ahead + line);
            }
        }
        if (any_unreported_) [[unlikely]]
            report_losses(monotonic_ns());
        if (filled > 0) return filled;
    }
}

void Inbox::release() noexcept {
    reader_.release();
    replaced_sources_.clear();
    if (policy_ == Overflow::block) attachment_->set_view_holder(index_, 0);
}

bool Inbox::fill_with_optional_fields(swb_event& out, const std::byte* slot) {
    IncomingEvent event;
    bool readable = decode(slot, reader_.ring().slot_bytes, event);
    if (readable && event.large != nullptr) {
        const swb_l_large place = place_of_large(event);
        const std::byte* payload = arenas_.find(place);
        readable = payload != nullptr;
        event.payload = {payload, place.bytes};
    }
    if (readable) return fill(out, event);
    ledger_.add_damaged();
    return false;
}

inline bool Inbox::fill(swb_event& out, const IncomingEvent& event) {
    reader_.made_progress(event.writer);
    if (ledger_.has_news(event.dropped)) [[unlikely]] {
        const Losses before = ledger_.before_event(reader_, event.dropped);
        for (std::size_t cause = 0; cause < kLossCauses; ++cause) pending_[cause] += before[cause];
        any_pending_ = true;
    }
    KnownType* type = known_type(event);
    if (type == nullptr) {
        ledger_.add_damaged();
        return false;
    }
    if (type->concerned.empty()) return false;  // in flight when its subscription ended
    out.type = type->name;
    out.source = event.source.empty() ? known_source(event) : event.source.data();
    out.subject = event.subject.empty() ? "" : event.subject.data();
    out.sequence = event.sequence;
    out.time_ns = event.time_ns;
    out.payload = event.payload.data();
    out.payload_bytes = event.payload.size();
    out.encoding = event.encoding;
    out.writer = event.writer;
    out.lost = 0;
    std::memset(out.lost_by, 0, sizeof out.lost_by);
    if (any_pending_) [[unlikely]] {
        tell(out, pending_);
        pending_ = {};
        any_pending_ = false;
    }
    return true;
}

inline Inbox::KnownType* Inbox::known_type(const IncomingEvent& event) {
    if (event.type < types_.size()) [[likely]] {
        KnownType* const known = types_[event.type].get();
        if (known != nullptr && known->version == subscriptions_.version()) [[likely]]
            return known;
    }
    try {
        return learn_type(event.type, event.inline_type);
    } catch (const std::bad_alloc&) {
        return nullptr;  // counted like an event that can't be read
    }
}

Inbox::KnownType* Inbox::learn_type(std::uint16_t index, std::string_view inline_name) {
    KnownType* type = nullptr;
    if (index < types_.size()) {
        auto& known = types_[index];
        if (!known) {
            const std::string_view name = type_name(attachment_->segment(), index);
            if (find_fault_in_type(name)) return nullptr;
            known = std::make_unique<KnownType>();
            name.copy(known->name, SWB_NAME_BYTES - 1);
        }
        type = known.get();
    } else {
        if (index != SWB_TYPE_INLINE || find_fault_in_type(inline_name)) return nullptr;
        auto& known = inline_types_[std::string(inline_name)];
        if (!known) {
            known = std::make_unique<KnownType>();
            inline_name.copy(known->name, SWB_NAME_BYTES - 1);
        }
        type = known.get();
    }
    if (type->version != subscriptions_.version()) {
        type->concerned.clear();
        for (const auto& subscription : subscriptions_.subscriptions()) {
            if (subscription->matches(type->name)) type->concerned.push_back(subscription);
        }
        type->version = subscriptions_.version();
    }
    return type;
}

const Subscriptions& Inbox::concerned(const swb_event& event) noexcept { return reinterpret_cast<const KnownType*>(event.type)->concerned; }

inline const char* Inbox::known_source(const IncomingEvent& event) {
    if (event.writer >= sources_.size()) [[unlikely]]
        return "";
    const KnownSource* known = sources_[event.writer].get();
    return known != nullptr && known->lease == event.lease ? known->text : learn_source(event.writer, event.lease);
}

const char* Inbox::learn_source(std::uint16_t writer, std::uint16_t lease) try {
    auto& known = sources_[writer];
    replaced_sources_.reserve(replaced_sources_.size() + 1);
    auto fresh = std::make_unique<KnownSource>();
    fresh->lease = lease;
    if (!read_source(attachment_->segment(), writer, lease, fresh->text)) return "";
    if (known) replaced_sources_.push_back(std::move(known));
    known = std::move(fresh);
    return known->text;
} catch (const std::bad_alloc&) {
    return "";
}

bool Inbox::tell_losses(swb_event& event) noexcept {
    dropped_when_looked_ = words::load_dropped(words());
    Losses losses = ledger_.untold(reader_);
    for (std::size_t cause = 0; cause < kLossCauses; ++cause) losses[cause] += pending_[cause];
    if (total(losses) == 0) return false;
    pending_ = {};
    any_pending_ = false;
    const std::size_t size = event.size;
    event = swb_event{};
    event.size = size;
    event.type = event.source = event.subject = "";
    tell(event, losses);
    report_losses(monotonic_ns());  // now: the caller may be long in coming back
    return true;
}

void Inbox::tell(swb_event& event, const Losses& losses) noexcept {
    event.lost = total(losses);
    std::copy(losses.begin(), losses.end(), event.lost_by);
    for (std::size_t cause = 0; cause < kLossCauses; ++cause) unreported_[cause] += losses[cause];
    any_unreported_ = true;
}

// As an event of the bus, for others than the caller: once a second at most.
void Inbox::report_losses(std::uint64_t now_ns) noexcept {
    if (reported_ns_ != 0 && now_ns - reported_ns_ < kReportEveryNs) return;
    reported_ns_ = now_ns;
    const Losses losses = std::exchange(unreported_, Losses{});
    any_unreported_ = false;
    if (LifeObserver* observer = attachment_->observer()) observer->lost(index_, losses);
}

}  // namespace swarmbus::core
