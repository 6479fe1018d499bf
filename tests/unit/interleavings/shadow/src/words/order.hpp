// Found instead of src/words/order.hpp when the interleavings are built: the same, but every access
// to a shared word is a step at which the explorer may let another thread go on.
#pragma once

#define Shared64 PlainShared64
#define Shared32 PlainShared32
#include "../../../../../../src/words/order.hpp"
#undef Shared64
#undef Shared32

namespace swarmbus::test {
void step() noexcept;
}  // namespace swarmbus::test

namespace swarmbus::core {

template <typename Word>
class SteppingWord {
public:
    explicit SteppingWord(Word& word) noexcept : word_(word) {}

    Word load(std::memory_order) const noexcept {
        test::step();
        return word_;
    }
    void store(Word value, std::memory_order) const noexcept {
        test::step();
        word_ = value;
    }
    bool compare_exchange_strong(Word& expected, Word desired, std::memory_order, std::memory_order) const noexcept {
        test::step();
        if (word_ == expected) {
            word_ = desired;
            return true;
        }
        expected = word_;
        return false;
    }
    bool compare_exchange_weak(Word& expected, Word desired, std::memory_order success, std::memory_order failure) const noexcept {
        return compare_exchange_strong(expected, desired, success, failure);
    }
    Word fetch_add(Word value, std::memory_order) const noexcept {
        test::step();
        const Word before = word_;
        word_ += value;
        return before;
    }
    Word fetch_or(Word value, std::memory_order) const noexcept {
        test::step();
        const Word before = word_;
        word_ |= value;
        return before;
    }
    Word fetch_and(Word value, std::memory_order) const noexcept {
        test::step();
        const Word before = word_;
        word_ &= value;
        return before;
    }

private:
    Word& word_;
};

using Shared64 = SteppingWord<std::uint64_t>;
using Shared32 = SteppingWord<std::uint32_t>;

}  // namespace swarmbus::core
