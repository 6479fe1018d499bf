#include "src/bus/presence.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "src/clock/clock.hpp"
#include "src/life/cancellation.hpp"
#include "src/words/inbox_words.hpp"

namespace swarmbus::core {
namespace {

constexpr std::string_view kJoined = "bus.participant.joined";
constexpr std::string_view kLeft = "bus.participant.left";
constexpr std::string_view kDied = "bus.participant.died";
constexpr std::string_view kSlow = "bus.subscriber.slow";
constexpr std::string_view kLost = "bus.events.lost";

constexpr const char* kCauseNames[kLossCauses] = {"evicted", "full", "timeout", "self", "no_slot", "damaged"};

// Numbers and fixed words only: names, which would need escaping, travel as the event's subject.
std::string describe(std::uint32_t participant, std::uint32_t pid, std::uint64_t joined_ns) {
    return "{\"participant\":" + std::to_string(participant) + ",\"pid\":" + std::to_string(pid) +
           ",\"joined_ms\":" + std::to_string(joined_ns / 1'000'000);
}

constinit thread_local bool telling = false;

std::string_view text_in(const char (&text)[SWB_SOURCE_BYTES]) noexcept {
    return {text, static_cast<std::size_t>(std::find(text, text + sizeof text, '\0') - text)};
}

}  // namespace

std::unique_ptr<LifeObserver> Presence::of(Attachment& attachment) { return std::unique_ptr<LifeObserver>(new Presence(attachment)); }

Presence::Presence(Attachment& attachment) : attachment_(attachment), not_owned_(std::shared_ptr<void>(), &attachment) {}

void Presence::publish(std::string_view type, std::string_view subject, const std::string& payload) noexcept try {
    const HoldCancellation hold;
    // A signal handler that interrupts this says nothing: it would wait for its own thread.
    if (std::exchange(telling, true)) return;
    struct Told {
        ~Told() { telling = false; }
    } const told;
    const std::lock_guard lock(mutex_);
    // Leased before it is known whether anybody asks: without naming inboxes their patterns can't be read.
    std::unique_ptr<Writer> writer = writer_ ? std::move(writer_) : std::make_unique<Writer>(not_owned_, attachment_.name(), 0);
    const std::vector<std::uint64_t> wanted = writer->matching_inboxes(type);
    if (std::all_of(wanted.begin(), wanted.end(), [](std::uint64_t bits) { return bits == 0; })) return;
    writer_ = std::move(writer);
    Message message;
    message.subject = subject;
    message.payload = std::as_bytes(std::span(payload));
    message.encoding = SWB_JSON;
    Delivery delivery;
    writer_->publish(types_, type, message, delivery);
} catch (const std::exception&) {
    // No writer id, no memory: presence is a service, not a duty.
}

void Presence::joined() noexcept {
    try {
        const swb_l_participant& entry = attachment_.segment().participant(attachment_.participant());
        publish(kJoined, attachment_.name(), describe(attachment_.participant(), entry.pid, entry.joined_ns) + "}");
    } catch (const std::bad_alloc&) {}
}

void Presence::leaving() noexcept {
    try {
        const swb_l_participant& entry = attachment_.segment().participant(attachment_.participant());
        publish(kLeft, attachment_.name(), describe(attachment_.participant(), entry.pid, entry.joined_ns) + "}");
    } catch (const std::bad_alloc&) {}
    const std::lock_guard lock(mutex_);
    writer_.reset();
}

void Presence::departed(const std::vector<Departed>& others) noexcept {
    for (const Departed& other : others) {
        try {
            publish(kDied, other.name,
                    describe(other.participant, other.pid, other.joined_ns) + ",\"lock_lost\":" + (other.expelled ? "true}" : "false}"));
        } catch (const std::bad_alloc&) {}
    }
}

std::string Presence::describe_subscriber(std::uint32_t inbox, std::string& name) const {
    Segment& segment = attachment_.segment();
    const swb_l_subscriber& subscriber = segment.subscriber(inbox);
    const std::uint32_t owner = std::min(subscriber.participant, segment.plan().max_participants - 1);
    const swb_l_participant entry = segment.participant(owner);
    name = text_in(entry.name);
    swb_l_inbox& lines = segment.inbox(inbox);
    return describe(owner, entry.pid, entry.joined_ns) + ",\"inbox\":" + std::to_string(inbox) +
           ",\"dropped\":" + std::to_string(words::load_dropped(lines));
}

void Presence::look_for_slow_subscribers() noexcept {
    Segment& segment = attachment_.segment();
    for (std::uint32_t inbox = 0; inbox < segment.plan().max_subscribers; ++inbox) {
        swb_l_inbox& lines = segment.inbox(inbox);
        if (words::load_gate(lines).status() != SWB_GATE_ACTIVE || !words::take_slow(lines)) continue;
        try {
            std::string name;
            const std::string description = describe_subscriber(inbox, name);
            publish(kSlow, name, description + "}");
        } catch (const std::bad_alloc&) {}
    }
}

void Presence::lost(std::uint32_t inbox, const Losses& losses) noexcept {
    try {
        std::string name;
        std::string payload = describe_subscriber(inbox, name) + ",\"lost\":";
        std::uint64_t sum = 0;
        for (const std::uint64_t count : losses) sum += count;
        payload += std::to_string(sum) + ",\"by\":{";
        const char* separator = "\"";
        for (std::size_t cause = 0; cause < kLossCauses; ++cause) {
            if (losses[cause] == 0) continue;
            payload += separator + std::string(kCauseNames[cause]) + "\":" + std::to_string(losses[cause]);
            separator = ",\"";
        }
        publish(kLost, name, payload + "}}");
    } catch (const std::bad_alloc&) {}
}

}  // namespace swarmbus::core
