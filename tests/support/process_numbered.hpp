// Events that carry a publisher, a number and a checksum, and the books of a reader over them:
// exactly once, in order for each publisher, whole, and received + told losses = sent.
#pragma once

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

// A payload of 24 to 160 bytes, a length and content that follow from what it carries: an event
// that is torn or mixed with another is seen.
class NumberedPayload {
public:
    explicit NumberedPayload(Numbered numbered) {
        words_[0] = numbered.publisher;
        words_[1] = numbered.number;
        count_ = words_of(numbered);
        for (std::size_t i = 2; i < count_; ++i) words_[i] = filler(words_, i);
    }
    std::span<const std::byte> bytes() const noexcept { return std::as_bytes(std::span(words_).first(count_)); }

    // Nothing when it is not a whole payload of this kind.
    static std::optional<Numbered> read(std::span<const std::byte> bytes) {
        std::array<std::uint64_t, kMaxWords> words{};
        const std::size_t count = bytes.size() / 8;
        if (bytes.size() % 8 != 0 || count < 3 || count > kMaxWords) return std::nullopt;
        std::memcpy(words.data(), bytes.data(), bytes.size());
        const Numbered numbered{static_cast<std::uint32_t>(words[0]), words[1]};
        if (count != words_of(numbered)) return std::nullopt;
        for (std::size_t i = 2; i < count; ++i) {
            if (words[i] != filler(words, i)) return std::nullopt;
        }
        return numbered;
    }

private:
    static constexpr std::size_t kMaxWords = 20;
    static std::size_t words_of(Numbered n) noexcept { return 3 + (n.number + n.publisher) % (kMaxWords - 2); }
    static std::uint64_t filler(const std::array<std::uint64_t, kMaxWords>& words, std::size_t i) noexcept {
        return (words[0] + 1) * 0x9e3779b97f4a7c15u + (words[1] + i) * 0xc2b2ae3d27d4eb4fu;
    }

    std::array<std::uint64_t, kMaxWords> words_{};
    std::size_t count_ = 0;
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
