#include "ws_gateway/delivery/filter.hpp"

#include <swarmbus.h>

#include <algorithm>
#include <utility>

namespace swarmbus::gateway {

Filters::Filters(Journal& journal) : journal_(journal) {
    journal.add_listener(*this);
    learn_types();
}

std::shared_ptr<const Filter> Filters::with(Patterns patterns) {
    std::ranges::sort(patterns);
    patterns.erase(std::ranges::unique(patterns).begin(), patterns.end());
    if (const auto found = filters_.find(patterns); found != filters_.end()) return found->second;
    forget_unused();
    const auto filter = std::make_shared<Filter>(patterns);
    filters_.emplace(std::move(patterns), filter);
    index(*filter);
    return filter;
}

void Filters::index(Filter& filter) {
    for (TypeId type = 0; type < by_type_.size(); ++type) {
        const std::string& name = journal_.types().name_of(type);
        const bool matches =
            std::ranges::any_of(filter.patterns_, [&](const std::string& p) { return swb_match(p.c_str(), name.c_str()) == 1; });
        filter.matches_.push_back(matches);
        if (matches) by_type_[type].push_back(&filter);
    }
    for (std::uint64_t offset = journal_.first(); offset <= journal_.last(); ++offset) {
        if (!filter.matches(journal_.entry(offset))) continue;
        ++filter.appended_;
        filter.last_ = offset;
    }
}

void Filters::learn_types() {
    while (by_type_.size() < journal_.types().size()) learn(static_cast<TypeId>(by_type_.size()));
}

void Filters::learn(TypeId type) {
    const std::string& name = journal_.types().name_of(type);
    auto& matching = by_type_.emplace_back();
    for (const auto& [patterns, filter] : filters_) {
        const bool matches = std::ranges::any_of(patterns, [&](const std::string& p) { return swb_match(p.c_str(), name.c_str()) == 1; });
        filter->matches_.push_back(matches);
        if (matches) matching.push_back(filter.get());
    }
}

void Filters::forget_unused() {
    if (filters_.size() < forget_at_) return;
    std::erase_if(filters_, [](const auto& known) { return known.second.use_count() == 1; });
    for (auto& matching : by_type_) {
        matching.clear();
    }
    for (const auto& [patterns, filter] : filters_) {
        for (TypeId type = 0; type < by_type_.size(); ++type) {
            if (filter->matches(type)) by_type_[type].push_back(filter.get());
        }
    }
    forget_at_ = std::max<std::size_t>(64, 2 * filters_.size());
}

void Filters::appended(const Record& record) {
    learn_types();
    for (Filter* filter : by_type_[record.type]) {
        ++filter->appended_;
        filter->last_ = record.offset;
        filter->bytes_ += record.payload.size() + record.source.size() + record.subject.size();
    }
}

void Filters::loss_appended(const BusLoss&) {
    for (const auto& [patterns, filter] : filters_) {
        ++filter->appended_;
        filter->last_ = journal_.last();
    }
}

void Filters::evicted(TypeId type) {
    for (Filter* filter : by_type_[type]) ++filter->evicted_;
}

void Filters::loss_evicted() {
    for (const auto& [patterns, filter] : filters_) ++filter->evicted_;
}

}  // namespace swarmbus::gateway
