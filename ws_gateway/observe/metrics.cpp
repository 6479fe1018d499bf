#include "ws_gateway/observe/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>

#include "ws_gateway/observe/log.hpp"

namespace swarmbus::gateway {
namespace {

std::uint64_t wall_clock_ns() {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Gauge& gauge(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

Metrics::Metrics(Journal& journal, const Latest& latest, std::function<bool(const std::string&)> has_schema)
    : journal_(journal), latest_(latest), has_schema_(std::move(has_schema)) {
    constexpr std::array<const char*, kRefusals> kReasons = {"origin",  "host",    "token",   "connections",
                                                             "message", "pattern", "publish", "timeout"};
    events_ = &counters(registry_, "swarmbus_gateway_events_total",
                        "Events taken from the bus, by type; those without a schema together as 'other'");
    other_ = &events_->Add({{"type", "other"}});
    auto& lost = counters(registry_, "swarmbus_gateway_bus_lost_events_total", "Events that the bus lost for the gateway, by cause");
    for (std::size_t i = 0; i < lost_.size(); ++i) lost_[i] = &lost.Add({{"cause", std::string(name_of(static_cast<swb_loss_cause>(i)))}});
    reopened_ = &counters(registry_, "swarmbus_gateway_bus_reopened_total", "Times the bus was removed and opened anew").Add({});
    missed_ =
        &counters(registry_, "swarmbus_gateway_missed_events_total", "Events that clients were too slow for, summed over clients").Add({});
    coalesced_ =
        &counters(registry_, "swarmbus_gateway_coalesced_events_total", "Events left out for later ones, where clients asked for that")
             .Add({});
    delivered_ = &counters(registry_, "swarmbus_gateway_delivered_events_total", "Events sent, summed over clients").Add({});
    bytes_ = &counters(registry_, "swarmbus_gateway_sent_bytes_total", "Bytes of messages with events").Add({});
    published_ = &counters(registry_, "swarmbus_gateway_published_events_total", "Events that clients published").Add({});
    publish_errors_ = &counters(registry_, "swarmbus_gateway_publish_errors_total", "Events that clients could not publish").Add({});
    auto& refusals =
        counters(registry_, "swarmbus_gateway_refusals_total", "Connections, messages and requests that were refused, by reason");
    for (std::size_t i = 0; i < refusals_.size(); ++i) refusals_[i] = &refusals.Add({{"reason", kReasons[i]}});
    clients_ = &prometheus::BuildGauge().Name("swarmbus_gateway_clients").Help("Clients, by transport").Register(registry_);
    for (const char* transport : {"websocket", "sse", "poll"}) clients_of(transport);
    journal_events_ = &gauge(registry_, "swarmbus_gateway_journal_events", "Events that clients can come back for");
    journal_bytes_ = &gauge(registry_, "swarmbus_gateway_journal_bytes", "Memory that they take");
    journal_age_ = &gauge(registry_, "swarmbus_gateway_journal_age_seconds", "Age of the oldest of them");
    state_events_ = &gauge(registry_, "swarmbus_gateway_state_events", "Types and subjects whose last event is known");
    delay_ = &prometheus::BuildHistogram()
                  .Name("swarmbus_gateway_delay_seconds")
                  .Help("From publishing the first event of a message to handing the message to the socket")
                  .Register(registry_)
                  .Add({}, prometheus::Histogram::BucketBoundaries{0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
                                                                   0.5, 1, 5});
    journal.add_listener(*this);
}

prometheus::Gauge& Metrics::clients_of(std::string_view transport) { return clients_->Add({{"transport", std::string(transport)}}); }

prometheus::Counter& Metrics::events_of(TypeId type) {
    if (by_type_.size() <= type) by_type_.resize(type + 1);
    prometheus::Counter*& counter = by_type_[type];
    if (counter == nullptr) {
        const std::string& name = journal_.types().name_of(type);
        counter = has_schema_(name) ? &events_->Add({{"type", name}}) : other_;
    }
    return *counter;
}

void Metrics::appended(const Record& record) { events_of(record.type).Increment(); }

void Metrics::loss_appended(const BusLoss& loss) { bus_loss(loss); }

void Metrics::bus_loss(const BusLoss& loss) {
    for (std::size_t i = 0; i < lost_.size(); ++i) lost_[i]->Increment(static_cast<double>(loss.by_cause[i]));
    if (loss.reattached) {
        reopened_->Increment();
        log_warning("bus", "it was removed and made anew; what was published in between is not known");
    }
    // A gateway that is too slow loses some with every look.
    lost_untold_ += loss.events();
    const Clock::time_point now = Clock::now();
    if (lost_untold_ == 0 || now < tell_losses_at_) return;
    log_warning("bus", "events were lost for the gateway", {{"events", std::to_string(std::exchange(lost_untold_, 0))}});
    tell_losses_at_ = now + std::chrono::seconds(1);
}

void Metrics::delivered(const Client&, std::uint64_t events, std::size_t bytes, std::uint64_t oldest_ns) {
    delivered_->Increment(static_cast<double>(events));
    bytes_->Increment(static_cast<double>(bytes));
    const std::uint64_t now = wall_clock_ns();
    delay_->Observe(now > oldest_ns ? static_cast<double>(now - oldest_ns) * 1e-9 : 0);
}

void Metrics::missed(const Client&, std::uint64_t events) { missed_->Increment(static_cast<double>(events)); }

std::string Metrics::text() {
    std::ranges::replace(by_type_, other_, nullptr);  // they may have a schema by now
    journal_events_->Set(static_cast<double>(journal_.events()));
    journal_bytes_->Set(static_cast<double>(journal_.bytes()));
    double age = 0;
    if (journal_.events() > 0 && !journal_.entry(journal_.first()).is_loss()) {
        const std::uint64_t oldest = journal_.record(journal_.first()).time_ns, now = wall_clock_ns();
        age = now > oldest ? static_cast<double>(now - oldest) * 1e-9 : 0;
    }
    journal_age_->Set(age);
    state_events_->Set(static_cast<double>(latest_.size()));
    return prometheus::TextSerializer().Serialize(registry_.Collect());
}

}  // namespace swarmbus::gateway
