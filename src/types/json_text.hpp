// A JSON text that is being written: UTF-8 without spaces, bounded, its numbers exact.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/types/field_path.hpp"

namespace swarmbus::core {

// Longest text of an event; one whose parts refer to the same text many times could be endless.
inline constexpr std::size_t kMaxJsonBytes = std::size_t{256} << 20;

// Lists and objects within each other: one less than tables, since a value within the innermost may be one more.
inline constexpr int kMaxJsonDepth = 63;

// For one thread; keeps its memory from one text to the next. What JSON does not know throws SWB_ERR_PAYLOAD with the
// path; the text is of no use then.
class JsonText {
public:
    void clear() {
        buffer_.Clear();
        writer_.Reset(buffer_);
    }
    // Ended by a zero. Valid until the next change.
    std::string_view view() const { return {buffer_.GetString(), buffer_.GetSize()}; }

    void null() { writer_.Null(); }
    void boolean(bool value) { writer_.Bool(value); }
    void integer(std::int64_t value) { writer_.Int64(value); }
    void integer(std::uint64_t value) { writer_.Uint64(value); }
    // The fewest digits that read as the same number.
    void real(double value, const FieldPath* path);
    void real(float value, const FieldPath* path);
    // With a fraction or an exponent, so that it is not read as a whole number.
    void marked_real(double value, const FieldPath* path);
    void text(std::string_view value, const FieldPath* path);
    // A value that is JSON already, as it is.
    void json(std::string_view value, const FieldPath* path) {
        check_length(path);
        writer_.RawValue(value.data(), value.size(), rapidjson::kObjectType);
    }
    void key(std::string_view name, const FieldPath* path) { text(name, path); }

    void begin_object(const FieldPath* path) {
        check_length(path);
        writer_.StartObject();
    }
    void end_object() { writer_.EndObject(); }
    void begin_list(const FieldPath* path) {
        check_length(path);
        writer_.StartArray();
    }
    void end_list() { writer_.EndArray(); }

private:
    using Writer = rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::UTF8<>, rapidjson::CrtAllocator,
                                     rapidjson::kWriteValidateEncodingFlag>;

    void check_length(const FieldPath* path) const {
        if (buffer_.GetSize() > kMaxJsonBytes) throw_payload_fault(path, "as JSON the event has more than 256 MiB");
    }
    void number(std::string_view digits) { writer_.RawValue(digits.data(), digits.size(), rapidjson::kNumberType); }

    rapidjson::StringBuffer buffer_;
    Writer writer_{buffer_};
};

}  // namespace swarmbus::core
