#include "src/routing/routes.hpp"

#include <algorithm>
#include <cstring>

#include "src/error.hpp"
#include "src/life/inbox_table.hpp"
#include "src/routing/name.hpp"
#include "src/routing/type_table.hpp"
#include "src/words/inbox_words.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {
namespace {

using PatternWords = std::uint64_t[SWB_PATTERN_COPY_BYTES / 8];

PatternWords& pattern_copy(std::byte* block, std::uint32_t version) noexcept {
    return *reinterpret_cast<PatternWords*>(block + (version & 1) * SWB_PATTERN_COPY_BYTES);
}

std::size_t route_words(const Segment& segment) noexcept { return (segment.plan().max_subscribers + 63) / 64; }

// A word first, then its summary; or the summary last when it becomes empty. A publisher that reads
// in between finds a bit too many, never one too few.
void store_route_word(swb_l_route& route, std::size_t word, std::uint64_t bits) noexcept {
    const std::uint64_t summary = words::load_route(route.summary);
    const std::uint64_t mine = std::uint64_t{1} << word;
    words::store_route((&route.words[0])[word], bits);
    const std::uint64_t wanted = bits != 0 ? summary | mine : summary & ~mine;
    if (wanted != summary) words::store_route(route.summary, wanted);
}

struct Inside {
    InboxVisit& visit;
    Inside(InboxVisit& v, std::uint32_t inbox) noexcept : visit(v) { visit.enter(inbox); }
    ~Inside() { visit.leave(); }
};

void set_bit(Segment& segment, std::uint32_t type, std::uint32_t inbox, bool on) noexcept {
    swb_l_route& route = segment.route(type);
    const std::size_t word = inbox / 64;
    const std::uint64_t bit = std::uint64_t{1} << (inbox % 64);
    const std::uint64_t before = words::load_route((&route.words[0])[word]);
    const std::uint64_t after = on ? before | bit : before & ~bit;
    if (after != before) store_route_word(route, word, after);
}

}  // namespace

std::size_t stored_bytes(const std::vector<std::string>& patterns) noexcept {
    std::size_t bytes = 0;
    for (const std::string& pattern : patterns) bytes += pattern.size() + 1;
    return bytes;
}

void write_patterns(Segment& segment, std::uint32_t inbox, const std::vector<std::string>& patterns) {
    const std::size_t bytes = stored_bytes(patterns);
    if (bytes > SWB_PATTERN_COPY_BYTES) {
        throw Error(SWB_ERR_PATTERNS_FULL, "the patterns of this inbox take " + std::to_string(bytes) + " bytes, there is room for " +
                                               std::to_string(SWB_PATTERN_COPY_BYTES) +
                                               "; use wider patterns, or a second inbox (swb_separate)");
    }
    swb_l_subscriber& entry = segment.subscriber(inbox);
    std::byte* block = segment.open_block(entry.block_at, entry.block_bytes);
    if (block == nullptr) throw Error(SWB_ERR_INTERNAL, "the entry of inbox " + std::to_string(inbox) + " is damaged");
    std::string packed;
    packed.reserve(bytes);
    for (const std::string& pattern : patterns) packed.append(pattern).push_back('\0');
    const std::uint32_t next = words::load_published(entry.patterns_version) + 1;
    words::store_text(pattern_copy(block, next), packed);
    words::store_plain(entry.pattern_bytes[next & 1], static_cast<std::uint32_t>(bytes));
    words::store_published(entry.patterns_version, next);
}

std::vector<std::string> read_patterns(Segment& segment, std::uint32_t inbox) {
    constexpr int kAttempts = 64;
    swb_l_subscriber& entry = segment.subscriber(inbox);
    std::vector<std::string> patterns;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const Gate gate = words::load_gate(segment.inbox(inbox));
        if (gate.status() != SWB_GATE_ACTIVE) return {};
        std::byte* block = segment.open_block(words::load_plain(entry.block_at), words::load_plain(entry.block_bytes));
        if (block == nullptr) return {};
        const std::uint32_t version = words::load_published(entry.patterns_version);
        const std::uint32_t bytes = std::min<std::uint32_t>(words::load_plain(entry.pattern_bytes[version & 1]), SWB_PATTERN_COPY_BYTES);
        char text[SWB_PATTERN_COPY_BYTES];
        words::load_text(pattern_copy(block, version), text);
        if (words::load_published(entry.patterns_version) != version || !(words::load_gate(segment.inbox(inbox)) == gate)) continue;
        for (std::uint32_t at = 0; at < bytes;) {
            const std::size_t length = ::strnlen(text + at, bytes - at);
            patterns.emplace_back(text + at, length);
            at += static_cast<std::uint32_t>(length) + 1;
        }
        return patterns;
    }
    return patterns;
}

void route_inbox(Segment& segment, std::uint32_t inbox, const std::vector<Pattern>& patterns) noexcept {
    const std::uint32_t types = types_in_use(segment);
    for (std::uint32_t type = 0; type < types; ++type) {
        const std::string_view name = type_name(segment, type);
        const bool wanted = std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& p) { return p.matches(name); });
        set_bit(segment, type, inbox, wanted);
    }
}

void unroute_inbox(Segment& segment, std::uint32_t inbox) noexcept {
    const std::uint32_t types = types_in_use(segment);
    for (std::uint32_t type = 0; type < types; ++type) set_bit(segment, type, inbox, false);
}

InboxVisit& InboxVisit::under_the_lock() noexcept {
    static class : public InboxVisit {
    } nothing;
    return nothing;
}

std::vector<std::uint64_t> match_inboxes(Segment& segment, std::string_view type, InboxVisit& visit) {
    std::vector<std::uint64_t> bits(route_words(segment));
    for (std::uint32_t inbox = 0; inbox < segment.plan().max_subscribers; ++inbox) {
        if (words::load_gate(segment.inbox(inbox)).status() != SWB_GATE_ACTIVE) continue;
        const Inside inside(visit, inbox);
        for (const std::string& text : read_patterns(segment, inbox)) {
            if (find_fault_in_pattern(text)) continue;  // a damaged entry matches nothing
            if (Pattern(text).matches(type)) {
                bits[inbox / 64] |= std::uint64_t{1} << (inbox % 64);
                break;
            }
        }
    }
    return bits;
}

void store_type_route(Segment& segment, std::uint32_t type, const std::vector<std::uint64_t>& bits) noexcept {
    swb_l_route& route = segment.route(type);
    for (std::size_t word = 0; word < bits.size(); ++word) store_route_word(route, word, bits[word]);
}

std::uint64_t control_generation(Segment& segment) noexcept { return words::load_published(segment.header().control); }

void rebuild_control_data(Segment& segment) {
    finish_inbox_table(segment);
    const std::uint32_t types = finish_type_table(segment);
    for (std::uint32_t type = 0; type < types; ++type) {
        store_type_route(segment, type, match_inboxes(segment, type_name(segment, type)));
    }
}

}  // namespace swarmbus::core
