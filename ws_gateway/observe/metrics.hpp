// What the gateway counts, for Prometheus.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ws_gateway/delivery/hub.hpp"
#include "ws_gateway/journal/journal.hpp"
#include "ws_gateway/journal/latest.hpp"

namespace swarmbus::gateway {

// Why somebody was turned away.
enum class Refusal : std::uint8_t { origin, host, token, connections, message, pattern, publish, timeout };
inline constexpr std::size_t kRefusals = 8;

class Metrics final : public JournalListener, public DeliveryListener {
public:
    // Types for which `has_schema` is true have a series each; the others have one together, so that nobody can make endlessly many.
    Metrics(Journal& journal, const Latest& latest, std::function<bool(const std::string&)> has_schema);

    void refused(Refusal reason) { refusals_[static_cast<std::size_t>(reason)]->Increment(); }
    // `transport`: "websocket", "sse", "poll".
    void connected(std::string_view transport) { clients_of(transport).Increment(); }
    void disconnected(std::string_view transport) { clients_of(transport).Decrement(); }
    void published(bool refused) { (refused ? publish_errors_ : published_)->Increment(); }

    // The text that Prometheus reads.
    std::string text();

    void appended(const Record& record) override;
    void loss_appended(const BusLoss& loss) override;
    void evicted(TypeId) override {}
    void loss_evicted() override {}
    void delivered(const Client& client, std::uint64_t events, std::size_t bytes, std::uint64_t oldest_ns) override;
    void coalesced(std::uint64_t events) override { coalesced_->Increment(static_cast<double>(events)); }
    void missed(const Client& client, std::uint64_t events) override;

private:
    prometheus::Gauge& clients_of(std::string_view transport);
    prometheus::Counter& events_of(TypeId type);
    void bus_loss(const BusLoss& loss);

    Journal& journal_;
    const Latest& latest_;
    prometheus::Registry registry_;
    prometheus::Family<prometheus::Counter>* events_;
    prometheus::Family<prometheus::Gauge>* clients_;
    std::array<prometheus::Counter*, SWB_LOSS_CAUSES> lost_{};
    std::array<prometheus::Counter*, kRefusals> refusals_{};
    prometheus::Counter *missed_, *coalesced_, *delivered_, *bytes_, *published_, *publish_errors_, *reopened_;
    prometheus::Gauge *journal_events_, *journal_bytes_, *journal_age_, *state_events_;
    prometheus::Histogram* delay_;
    const std::function<bool(const std::string&)> has_schema_;
    prometheus::Counter* other_;
    std::vector<prometheus::Counter*> by_type_;  // by number
    std::uint64_t lost_untold_ = 0;              // that the log does not tell yet
    Clock::time_point tell_losses_at_{};
};

}  // namespace swarmbus::gateway
