#include "src/types/json_parts.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <cstddef>

#include "src/error.hpp"
#include "src/types/json_text.hpp"

namespace swarmbus::core {

namespace {

constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
// A list of events, an event, and what lies within its data.
constexpr int kMostLevels = kMaxJsonDepth + 2;

// Cuts the text where the outermost object or list has its parts.
class Cutter : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Cutter> {
public:
    Cutter(std::string_view text, const rapidjson::MemoryStream& stream) : text_(text), stream_(stream) {}

    bool Default() { return value_ended(); }
    bool Key(const char* name, rapidjson::SizeType length, bool) {
        if (depth_ != 1) return true;
        cut_.parts.push_back({std::string(name, length), {}});
        before_ = stream_.Tell();
        return true;
    }
    bool StartObject() { return enter(JsonParts::object); }
    bool EndObject(rapidjson::SizeType) { return leave(); }
    bool StartArray() { return enter(JsonParts::list); }
    bool EndArray(rapidjson::SizeType) { return leave(); }

    JsonParts take() { return std::move(cut_); }

private:
    bool enter(decltype(JsonParts::shape) shape) {
        if (depth_ == 0) {
            cut_.shape = shape;
            before_ = stream_.Tell();
        }
        return ++depth_ <= kMostLevels;
    }
    bool leave() { return --depth_, value_ended(); }
    bool value_ended() {
        if (depth_ != 1) return true;
        if (cut_.shape == JsonParts::list) cut_.parts.emplace_back();
        const std::size_t end = stream_.Tell();
        // Between the last part and this one lie spaces, a comma or a colon.
        const std::size_t start = text_.find_first_not_of(" \t\r\n,:", before_);
        cut_.parts.back().text = text_.substr(start, end - start);
        before_ = end;
        return true;
    }

    const std::string_view text_;
    const rapidjson::MemoryStream& stream_;
    JsonParts cut_;
    int depth_ = 0;
    std::size_t before_ = 0;  // where the part that comes next has not begun yet
};

}  // namespace

JsonParts json_parts_of(std::string_view text) {
    rapidjson::MemoryStream stream(text.data(), text.size());
    Cutter cutter(text, stream);
    rapidjson::Reader reader;
    const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, cutter);
    if (result.Code() == rapidjson::kParseErrorTermination)
        throw Error(SWB_ERR_PAYLOAD, "of the JSON, more than " + std::to_string(kMostLevels) + " lists and objects lie within each other");
    // A zero ends the text for the parser.
    if (result.IsError() || stream.Tell() != text.size()) {
        const std::size_t at = result.IsError() ? result.Offset() : stream.Tell();
        const char* const what = result.IsError() ? rapidjson::GetParseError_En(result.Code()) : "a zero is no part of it";
        throw Error(SWB_ERR_PAYLOAD, "no valid JSON at position " + std::to_string(at) + ": " + what);
    }
    return cutter.take();
}

}  // namespace swarmbus::core
