// Life and death as events: bus.participant.joined, left and died, bus.subscriber.slow,
// bus.events.lost. Published only if somebody subscribes to them, at most once each.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "src/bus/event_type.hpp"
#include "src/bus/writer.hpp"
#include "src/life/attachment.hpp"

namespace swarmbus::core {

class Presence final : public LifeObserver {
public:
    static std::unique_ptr<LifeObserver> of(Attachment& attachment);

    void joined() noexcept override;
    void leaving() noexcept override;
    void departed(const std::vector<Departed>& others) noexcept override;
    void look_for_slow_subscribers() noexcept override;
    void lost(std::uint32_t inbox, const Losses& losses) noexcept override;

private:
    explicit Presence(Attachment& attachment);
    // payload: JSON. Does nothing when it can't be done: presence is told on the way of other work.
    void publish(std::string_view type, std::string_view subject, const std::string& payload) noexcept;
    std::string describe_subscriber(std::uint32_t inbox, std::string& name) const;

    Attachment& attachment_;
    std::shared_ptr<Attachment> not_owned_;  // for what keeps one: the attachment owns us
    std::mutex mutex_;
    EventTypes types_{EventTypes::Of::the_bus};
    std::unique_ptr<Writer> writer_;  // kept while what it tells has subscribers
};

}  // namespace swarmbus::core
