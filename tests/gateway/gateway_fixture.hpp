// A journal with encoders that make it easy to see which events are there.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "ws_gateway/delivery/batch.hpp"
#include "ws_gateway/delivery/filter.hpp"
#include "ws_gateway/journal/journal.hpp"

namespace swarmbus::gateway {

// "[3 a.b]", and counts how often it was asked.
class VisibleEvents final : public EventEncoder {
public:
    void encode(const Record& record, std::string& out) override {
        ++encoded;
        out += "[" + std::to_string(record.offset) + " " + std::string(record.type_name) + "]";
    }
    int encoded = 0;
};

class JournalTest : public testing::Test {
protected:
    static constexpr std::uint64_t kEpoch = 0x9f86d081884c7d65;

    explicit JournalTest(std::size_t max_bytes = std::size_t{64} << 20) : journal_(kEpoch, max_bytes, {&json_, &sse_, &flat_}) {}

    void append(const char* type, const char* subject = "", std::string_view payload = "x") {
        Record record;
        record.type_name = type;
        record.subject = subject;
        record.payload = payload;
        record.time_ns = 1000 + journal_.last();
        journal_.append(record);
    }
    void append_loss(std::uint64_t evicted) {
        BusLoss loss;
        loss.by_cause[SWB_LOSS_EVICTED] = evicted;
        journal_.append(loss);
    }
    static std::string joined(const std::vector<std::string_view>& pieces) {
        std::string text;
        for (const std::string_view piece : pieces) text += piece;
        return text;
    }

    VisibleEvents json_, sse_, flat_;
    Journal journal_;
};

}  // namespace swarmbus::gateway
