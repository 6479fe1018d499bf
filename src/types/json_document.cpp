#include "src/types/json_document.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "src/error.hpp"

namespace swarmbus::core {

namespace {

constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
// In the place of a number that could not be read exactly; JSON has none like it.
constexpr double kInexact = std::numeric_limits<double>::quiet_NaN();

struct Number {
    enum { kSigned, kUnsigned, kReal } kind;
    std::int64_t as_signed = 0;
    std::uint64_t as_unsigned = 0;
    double as_real = 0;
};

// Of a text that is a number of JSON.
Number number_of(std::string_view digits) {
    const char* const first = digits.data();
    const char* const last = first + digits.size();
    const bool whole = digits.find_first_of(".eE") == std::string_view::npos;
    if (whole && digits != "-0") {
        Number number{Number::kSigned};
        if (std::from_chars(first, last, number.as_signed).ec == std::errc()) return number;
        number.kind = Number::kUnsigned;
        if (std::from_chars(first, last, number.as_unsigned).ec == std::errc()) return number;
    }
    Number number{Number::kReal};
    if (std::from_chars(first, last, number.as_real).ec != std::errc()) {
        // Out of range: too small is zero, as for every other reader.
        static const locale_t kOfC = ::newlocale(LC_ALL_MASK, "C", nullptr);  // whatever the program's says of commas
        const double nearest = ::strtod_l(std::string(digits).c_str(), nullptr, kOfC);
        number.as_real = std::isfinite(nearest) ? nearest : kInexact;
        return number;
    }
    if (whole) {
        char exact[400];
        const auto written = std::to_chars(exact, exact + sizeof exact, number.as_real, std::chars_format::fixed);
        if (std::string_view(exact, static_cast<std::size_t>(written.ptr - exact)) != digits) number.as_real = kInexact;
    }
    return number;
}

// RapidJSON takes "\udc00" for a character; half a pair, it is none, and its UTF-8 is not valid.
bool has_half_a_pair(std::string_view text) {
    for (std::size_t at = text.find('\xed'); at != std::string_view::npos; at = text.find('\xed', at + 1)) {
        if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xa0) return true;
    }
    return false;
}

// Passes events on to the document, numbers read, nesting bounded.
class Builder {
public:
    explicit Builder(rapidjson::Document& document) : document_(document) {}

    bool Null() { return document_.Null(); }
    bool Bool(bool value) { return document_.Bool(value); }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
        const Number number = number_of({text, length});
        switch (number.kind) {
        case Number::kSigned: return document_.Int64(number.as_signed);
        case Number::kUnsigned: return document_.Uint64(number.as_unsigned);
        default: return document_.Double(number.as_real);
        }
    }
    bool String(const char* text, rapidjson::SizeType length, bool) {
        return !has_half_a_pair({text, length}) && document_.String(text, length, true);
    }
    bool Key(const char* text, rapidjson::SizeType length, bool) {
        return !has_half_a_pair({text, length}) && document_.Key(text, length, true);
    }
    bool StartObject() { return ++depth_ <= kMaxJsonDepth && document_.StartObject(); }
    bool EndObject(rapidjson::SizeType members) { return --depth_, document_.EndObject(members); }
    bool StartArray() { return ++depth_ <= kMaxJsonDepth && document_.StartArray(); }
    bool EndArray(rapidjson::SizeType elements) { return --depth_, document_.EndArray(elements); }
    // Never come: numbers come as text.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }

private:
    rapidjson::Document& document_;
    int depth_ = 0;
};

// Remembers which value comes next, to tell where reading failed.
class Tracker : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Tracker> {
public:
    std::string path() const {
        std::string path;
        for (const Level& level : levels_) {
            if (level.list) {
                path += "[" + std::to_string(level.index) + "]";
            } else if (!level.key.empty()) {
                path += (path.empty() ? "" : ".") + level.key;
            }
        }
        return path;
    }
    // Why it was stopped.
    std::string what() const {
        if (levels_.size() <= kMaxJsonDepth) return "a text holds half a surrogate pair, which is no character";
        return "of the JSON, more than " + std::to_string(kMaxJsonDepth) + " lists and objects lie within each other";
    }
    bool Default() { return passed(); }
    bool String(const char* text, rapidjson::SizeType length, bool) { return !has_half_a_pair({text, length}) && passed(); }
    bool Key(const char* text, rapidjson::SizeType length, bool) {
        if (has_half_a_pair({text, length})) return false;
        levels_.back().key.assign(text, length);
        return true;
    }
    bool StartObject() { return enter(false); }
    bool EndObject(rapidjson::SizeType) { return levels_.pop_back(), passed(); }
    bool StartArray() { return enter(true); }
    bool EndArray(rapidjson::SizeType) { return levels_.pop_back(), passed(); }

private:
    struct Level {
        bool list;
        std::size_t index = 0;
        std::string key = {};
    };
    bool enter(bool list) {
        levels_.push_back({list});
        return levels_.size() <= kMaxJsonDepth;
    }
    bool passed() {
        if (!levels_.empty()) ++levels_.back().index;
        return true;
    }
    std::vector<Level> levels_;
};

[[noreturn]] void fail(std::string_view text) {
    Tracker tracker;
    rapidjson::Reader reader;
    rapidjson::MemoryStream stream(text.data(), text.size());
    const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, tracker);
    const std::string path = tracker.path();
    std::string what = path.empty() ? "" : path + ": ";
    if (result.Code() == rapidjson::kParseErrorTermination) {
        what += tracker.what();
    } else if (!result.IsError()) {
        what += "no valid JSON at position " + std::to_string(stream.Tell()) + ": a zero is no part of it";
    } else {
        what += "no valid JSON at position " + std::to_string(result.Offset()) + ": " + rapidjson::GetParseError_En(result.Code());
    }
    throw Error(SWB_ERR_PAYLOAD, what);
}

}  // namespace

bool is_exact(const JsonValue& number) noexcept { return !number.IsDouble() || !std::isnan(number.GetDouble()); }

JsonDocument::JsonDocument() = default;

const JsonValue& JsonDocument::parse(std::string_view text) {
    if (text.empty()) throw Error(SWB_ERR_PAYLOAD, "the text is empty, which is no JSON");
    document_.SetNull();
    allocator_.Clear();
    rapidjson::Reader reader;
    rapidjson::MemoryStream stream(text.data(), text.size());
    bool good = false;
    auto generate = [&](rapidjson::Document& document) {
        Builder builder(document);
        // A zero ends the text for the parser.
        return good = !reader.Parse<kFlags>(stream, builder).IsError() && stream.Tell() == text.size();
    };
    document_.Populate(generate);
    if (!good) fail(text);
    return document_;
}

}  // namespace swarmbus::core
