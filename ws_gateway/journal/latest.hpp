// The last event of each type and subject. Bounded in bytes: those that were not renewed for longest make room. One
// thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ws_gateway/journal/journal.hpp"

namespace swarmbus::gateway {

class Latest final : public JournalListener {
public:
    Latest(Journal& journal, std::size_t max_bytes);

    // Walks over them, though they change: those that a walk has not come to yet and that were renewed since it began have
    // a higher offset than it began at, and are left to who follows the journal from there.
    class Walk {
    public:
        // The offset of the journal at which it began.
        std::uint64_t began() const noexcept { return began_; }

    private:
        friend class Latest;
        std::size_t next_ = 0;
        std::uint64_t began_ = 0;
    };
    Walk walk() const noexcept;
    // The next one of that is wanted; false at the end. The record is valid until the journal changes.
    template <typename Wanted>
    bool next(Walk& walk, Wanted&& wanted, Record& record) const {
        while (walk.next_ < places_.size()) {
            const Kept& kept = places_[walk.next_++];
            if (kept.bytes == nullptr || kept.offset > walk.began_ || !wanted(kept.type)) continue;
            record = record_of(kept);
            return true;
        }
        return false;
    }

    // Whether it has the last of all that was published since it was made: none had to make room, and the bus lost none.
    bool is_complete() const noexcept { return is_complete_; }
    std::size_t size() const noexcept { return by_key_.size(); }
    std::size_t bytes() const noexcept { return bytes_; }

    void appended(const Record& record) override;
    void loss_appended(const BusLoss& loss) override;
    void evicted(TypeId) override {}
    void loss_evicted() override {}

private:
    struct Key {
        TypeId type;
        std::string_view subject;  // of what is kept
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept { return std::hash<std::string_view>()(key.subject) * 31 + key.type; }
    };
    using Order = std::list<std::size_t>;
    struct Kept {
        std::unique_ptr<char[]> bytes;  // payload, source, subject, one behind the other
        std::uint64_t offset = 0, time_ns = 0, sequence = 0, payload_bytes = 0, omitted_bytes = 0;
        std::uint32_t writer = 0, encoding = 0;
        std::uint16_t source_bytes = 0, subject_bytes = 0;
        TypeId type = 0;
        std::size_t room = 0;  // of bytes
        Order::iterator age;

        std::string_view subject() const noexcept { return {bytes.get() + payload_bytes + source_bytes, subject_bytes}; }
    };

    Record record_of(const Kept& kept) const;
    void store(Kept& kept, const Record& record);
    void forget(std::size_t place);
    static std::size_t cost_of(const Kept& kept) noexcept { return sizeof(Kept) + kept.room + 100; }  // with the table's entry

    Journal& journal_;
    const std::size_t max_bytes_;
    std::size_t bytes_ = 0;
    bool is_complete_ = true;
    std::vector<Kept> places_;
    std::vector<std::size_t> free_;
    std::unordered_map<Key, std::size_t, KeyHash> by_key_;
    Order by_age_;  // the one that was renewed last, last
};

}  // namespace swarmbus::gateway
