#include "src/bus/subscription.hpp"

#include "src/error.hpp"

namespace swarmbus::core {

std::vector<Pattern> parse_patterns(std::string_view text) {
    constexpr std::string_view kSeparators = " ,\t\n";
    std::vector<Pattern> patterns;
    for (std::size_t at = text.find_first_not_of(kSeparators); at != std::string_view::npos;) {
        const std::size_t end = std::min(text.find_first_of(kSeparators, at), text.size());
        patterns.emplace_back(text.substr(at, end - at));
        at = text.find_first_not_of(kSeparators, end);
    }
    if (patterns.empty()) throw Error(SWB_ERR_PATTERN, "there is no pattern to subscribe to; '*' asks for every event");
    return patterns;
}

std::vector<Pattern> union_of(const Subscriptions& subscriptions) {
    std::vector<Pattern> all;
    for (const auto& subscription : subscriptions) {
        for (const Pattern& pattern : subscription->patterns) {
            const bool known = std::any_of(all.begin(), all.end(), [&](const Pattern& p) { return p.text() == pattern.text(); });
            if (!known) all.push_back(pattern);
        }
    }
    return all;
}

std::vector<std::string> texts_of(const std::vector<Pattern>& patterns) {
    std::vector<std::string> texts;
    texts.reserve(patterns.size());
    for (const Pattern& pattern : patterns) texts.push_back(pattern.text());
    return texts;
}

}  // namespace swarmbus::core
