// The inbox of a handle: receives, filters, tells losses, sleeps. Used by one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "capi/swarmbus.h"
#include "src/arena/arena_views.hpp"
#include "src/bus/subscription.hpp"
#include "src/inbox/loss.hpp"
#include "src/inbox/reader.hpp"
#include "src/inbox/slot.hpp"
#include "src/life/attachment.hpp"
#include "src/waking/doorbell.hpp"

namespace swarmbus::core {

class Inbox {
public:
    Inbox(std::shared_ptr<Attachment> attachment, const SubscriptionList& subscriptions, std::uint32_t index, Overflow policy,
          std::uint64_t stall_timeout_ns);

    std::uint32_t index() const noexcept { return index_; }
    swb_l_inbox& words() const noexcept { return *reader_.ring().words; }

    // What is ready and wanted, at most `capacity` events; gives back what it gave before. 0: nothing.
    // `events` lie events->size bytes apart.
    std::size_t receive(swb_event* events, std::size_t capacity);
    void release() noexcept;

    // Fills `lost` and `lost_by` if losses are untold; everything else empty.
    bool tell_losses(swb_event& event) noexcept;
    // All so far, told or not. By any thread.
    Losses losses() const noexcept {
        Losses live = live_losses(reader_);
        live[static_cast<std::size_t>(LossCause::damaged)] = ledger_.damaged();
        return live;
    }

    // For readers that only poll: passes the position of a dead or stalled writer once head has been
    // unready for a few microseconds. True when something may be ready now.
    bool look_behind() noexcept;
    // Looks for at most spin_ns; true when something may be ready or `interrupted` is not 0.
    bool spin(std::uint64_t spin_ns, const std::atomic<std::uint32_t>& interrupted) noexcept;
    // Sleeps until something may be ready, `interrupted` is set and the wake word bumped, a second
    // has passed or deadline_ns (monotonic) is reached.
    void sleep(std::uint64_t deadline_ns, const std::atomic<std::uint32_t>& interrupted, bool tell_losses) noexcept;

    // The subscriptions that an event of this type concerns, in order of subscribing. For an event
    // just received.
    static const Subscriptions& concerned(const swb_event& event) noexcept;

    // A descriptor that is readable when something may be ready, made when first asked for. Throws SWB_ERR_SYSTEM.
    int descriptor();
    // Before the inbox is freed: whoever finds its owner dead then looks for no socket any more.
    void remove_descriptor() noexcept { doorbell_.reset(); }
    // After a look that found nothing: the descriptor, if there is one, is silent from now on, until
    // something comes. False: something has come, look again.
    [[gnu::noinline]] bool rest_on_descriptor(const std::atomic<std::uint32_t>& interrupted, bool tell_losses) noexcept;

private:
    // A type as the reader knows it: its name, and what of `subscriptions` it concerns.
    // Events point at `name`, its first member.
    struct KnownType {
        char name[SWB_NAME_BYTES] = {};
        std::uint64_t version = 0;
        Subscriptions concerned;
    };
    struct KnownSource {
        std::uint16_t lease = 0;
        char text[SWB_SOURCE_BYTES];
    };

    // nullptr: the slot is damaged.
    KnownType* known_type(const IncomingEvent& event);
    [[gnu::noinline]] KnownType* learn_type(std::uint16_t index, std::string_view inline_name);
    const char* known_source(const IncomingEvent& event);
    [[gnu::noinline]] const char* learn_source(std::uint16_t writer, std::uint16_t lease);
    // False: nothing of it is wanted any more, or it is damaged.
    [[gnu::always_inline]] bool fill(swb_event& out, const IncomingEvent& event);
    [[gnu::noinline]] bool fill_with_optional_fields(swb_event& out, const std::byte* slot);
    bool anything_at_head() const noexcept;
    bool may_rest(const std::atomic<std::uint32_t>& interrupted, bool tell_losses) const noexcept;
    [[gnu::noinline]] void look_around(std::uint64_t now_ns) noexcept;
    [[gnu::cold]] void tell(swb_event& event, const Losses& losses) noexcept;
    [[gnu::cold]] void report_losses(std::uint64_t now_ns) noexcept;
    void back_off_from_stream() noexcept;

    std::shared_ptr<Attachment> attachment_;
    std::uint32_t index_;
    Overflow policy_;
    InboxReader reader_;
    SubscriptionList::View subscriptions_;
    LossLedger ledger_;
    Losses pending_{};  // told by events that were filtered out: the next event tells them
    bool any_pending_ = false;
    Losses unreported_{};  // told to the caller, not yet to the bus
    bool any_unreported_ = false;
    std::uint64_t reported_ns_ = 0;
    std::uint64_t dropped_when_looked_ = 0;
    std::unique_ptr<Doorbell> doorbell_;
    ArenaViews arenas_;
    std::uint64_t unready_since_ns_ = 0;  // of polls; 0: the last one found something
    std::uint32_t short_waits_ = 0;       // in a row, in which something came after few looks
    std::uint32_t events_since_empty_ = 0;
    bool backed_off_ = false;
    static constexpr std::uint32_t kFewestShortWaits = 8;
    std::uint32_t waits_before_back_off_ = kFewestShortWaits;
    std::vector<std::unique_ptr<KnownType>> types_;  // by index
    std::unordered_map<std::string, std::unique_ptr<KnownType>> inline_types_;
    std::vector<std::unique_ptr<KnownSource>> sources_;           // by writer id
    std::vector<std::unique_ptr<KnownSource>> replaced_sources_;  // may still be pointed to
};

}  // namespace swarmbus::core
