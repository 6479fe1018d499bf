// Events that carry a publisher, a number and a checksum, and the books of a reader over them:
// exactly once, in order for each publisher, whole, and received + told losses = sent.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>

#include <swarmbus/swarmbus.hpp>

namespace swarmbus::test {

struct Numbered {
    std::uint32_t publisher = 0;
    std::uint64_t number = 0;
};

// A payload of 24 to 160 bytes, or of any other size asked for, whose content follows from what it carries: an
// event that is torn or mixed with another is seen.
class NumberedPayload {
public:
    static constexpr std::size_t kMostBytes = 8192;

    // bytes: 0, or a multiple of 8 from 24 on.
    explicit NumberedPayload(Numbered numbered, std::size_t bytes = 0)
        : count_(bytes == 0 ? words_of(numbered) : std::min(bytes, kMostBytes) / 8) {
        words_[0] = numbered.publisher | std::uint64_t{count_} << 32;
        words_[1] = numbered.number;
        for (std::size_t i = 2; i < count_; ++i) words_[i] = filler(words_[0], words_[1], i);
    }
    std::span<const std::byte> bytes() const noexcept { return std::as_bytes(std::span(words_).first(count_)); }

    // Nothing when it is not a whole payload of this kind.
    static std::optional<Numbered> read(std::span<const std::byte> bytes) {
        const std::size_t count = bytes.size() / 8;
        if (bytes.size() % 8 != 0 || count < 3) return std::nullopt;
        const std::uint64_t first = word(bytes, 0), number = word(bytes, 1);
        if (first >> 32 != count) return std::nullopt;
        for (std::size_t i = 2; i < count; ++i) {
            if (word(bytes, i) != filler(first, number, i)) return std::nullopt;
        }
        return Numbered{static_cast<std::uint32_t>(first), number};
    }

private:
    static std::uint64_t words_of(Numbered n) noexcept { return 3 + (n.number + n.publisher) % 18; }
    static std::uint64_t word(std::span<const std::byte> bytes, std::size_t i) noexcept {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data() + i * 8, 8);
        return value;
    }
    static std::uint64_t filler(std::uint64_t first, std::uint64_t number, std::size_t i) noexcept {
        return (first + 1) * 0x9e3779b97f4a7c15u + (number + i) * 0xc2b2ae3d27d4eb4fu;
    }

    std::size_t count_;
    std::array<std::uint64_t, kMostBytes / 8> words_;  // as many of them as there are bytes
};

// The books of one reader over numbered events of any number of publishers.
class Tally {
public:
    // An event, or losses that nothing followed.
    void take(const Event& event) {
        told_ += event.lost();
        if (!event) return;
        const std::optional<Numbered> numbered = NumberedPayload::read(event.payload());
        if (!numbered) return blame("an event is torn");
        Publisher& publisher = publishers_[numbered->publisher];
        if (publisher.received > 0 && numbered->number <= publisher.last) {
            blame("publisher " + std::to_string(numbered->publisher) + ": " + std::to_string(numbered->number) + " came after " +
                  std::to_string(publisher.last));
        }
        publisher.last = numbered->number;
        ++publisher.received;
        ++received_;
    }

    std::uint64_t received() const noexcept { return received_; }
    std::uint64_t told() const noexcept { return told_; }
    std::uint64_t received_of(std::uint32_t publisher) const {
        const auto found = publishers_.find(publisher);
        return found == publishers_.end() ? 0 : found->second.received;
    }
    std::uint64_t last_of(std::uint32_t publisher) const {
        const auto found = publishers_.find(publisher);
        return found == publishers_.end() ? 0 : found->second.last;
    }
    // The first thing that was wrong; empty if nothing was.
    const std::string& fault() const noexcept { return fault_; }

private:
    struct Publisher {
        std::uint64_t last = 0, received = 0;
    };
    void blame(const std::string& what) {
        if (fault_.empty()) fault_ = what;
    }

    std::map<std::uint32_t, Publisher> publishers_;
    std::uint64_t received_ = 0, told_ = 0;
    std::string fault_;
};

}  // namespace swarmbus::test
