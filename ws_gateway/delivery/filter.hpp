// Which events a client asked for. Clients that asked for the same share a filter.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ws_gateway/journal/journal.hpp"

namespace swarmbus::gateway {

using Patterns = std::vector<std::string>;  // sorted, each once

class Filter {
public:
    explicit Filter(Patterns patterns) : patterns_(std::move(patterns)) {}

    const Patterns& patterns() const noexcept { return patterns_; }
    // Of losses, too: they are everybody's.
    bool matches(const Journal::Entry& entry) const noexcept { return entry.is_loss() || (entry.is_event() && matches_[entry.type] != 0); }
    bool matches(TypeId type) const noexcept { return matches_[type] != 0; }

    // The offset of the last entry that matches; 0 if there is none.
    std::uint64_t last() const noexcept { return last_; }
    // How many entries that match were appended so far, and how many of these are gone. Both count from the same, arbitrary
    // start: differences are what counts.
    std::uint64_t appended() const noexcept { return appended_; }
    std::uint64_t evicted() const noexcept { return evicted_; }
    // Bytes of the events that match, as they are kept, of all that were appended since the filter was made.
    std::uint64_t bytes() const noexcept { return bytes_; }

private:
    friend class Filters;

    const Patterns patterns_;
    std::vector<std::uint8_t> matches_;  // by type
    std::uint64_t last_ = 0, appended_ = 0, evicted_ = 0, bytes_ = 0;
};

// The filters that clients have, kept up to date with the journal.
class Filters final : public JournalListener {
public:
    explicit Filters(Journal& journal);

    // Patterns must be valid. The filter lives as long as somebody holds it.
    std::shared_ptr<const Filter> with(Patterns patterns);

    void appended(const Record& record) override;
    void loss_appended(const BusLoss& loss) override;
    void evicted(TypeId type) override;
    void loss_evicted() override;

private:
    void learn_types();
    void learn(TypeId type);
    void forget_unused();
    void index(Filter& filter);

    Journal& journal_;
    std::map<Patterns, std::shared_ptr<Filter>> filters_;
    std::vector<std::vector<Filter*>> by_type_;  // those that match it
    std::size_t forget_at_ = 64;                 // so many filters: time to look for unused ones
};

}  // namespace swarmbus::gateway
