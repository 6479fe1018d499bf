#include "src/types/schema_text.hpp"

#include <flatbuffers/idl.h>

#include <algorithm>
#include <span>

#include "schemas/value_text.hpp"
#include "src/error.hpp"

namespace swarmbus::core {

namespace {

flatbuffers::IDLOptions options() {
    flatbuffers::IDLOptions options;
    options.binary_schema_comments = true;
    options.binary_schema_builtins = true;                     // bit_flags and flexbuffer among them
    options.lang_to_generate = flatbuffers::IDLOptions::kCpp;  // which has unions of structs and texts
    return options;
}

void parse(flatbuffers::Parser& parser, const std::string& text) {
    if (parser.Parse(text.c_str())) return;
    std::string what = parser.error_;
    if (what.rfind(": ", 0) == 0) what.erase(0, 2);  // the name of no file
    throw Error(SWB_ERR_SCHEMA, "schema: " + what);
}

// Includes stand before everything else. flatc would look for their files; here there is one, and that is known already.
class Includes {
public:
    explicit Includes(std::string& text) : text_(text) {}

    void remove() {
        for (skip(); starts_with("include") || starts_with("native_include"); skip()) {
            const std::size_t end = std::min(text_.find(';', at_), text_.size() - 1);
            const std::string statement = text_.substr(at_, end + 1 - at_);
            if (statement.find("\"value.fbs\"") == std::string::npos) {
                throw Error(SWB_ERR_SCHEMA,
                            "schema: a text can include \"value.fbs\" and no other file; compile it with flatc (--schema -b) and register "
                            "what that makes: " +
                                statement.substr(0, 80));
            }
            std::replace_if(
                text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.begin() + static_cast<std::ptrdiff_t>(end) + 1,
                [](char c) { return c != '\n'; }, ' ');
        }
    }

private:
    bool starts_with(std::string_view word) const { return std::string_view(text_).substr(at_).starts_with(word); }
    // Space, comments, a mark of the byte order.
    void skip() {
        for (;;) {
            const std::size_t before = at_;
            at_ = std::min(text_.find_first_not_of(" \t\r\n\v\f\xef\xbb\xbf", at_), text_.size());
            if (starts_with("//")) at_ = std::min(text_.find('\n', at_), text_.size());
            if (starts_with("/*")) at_ = std::min(text_.find("*/", at_ + 2), text_.size() - 2) + 2;
            if (at_ == before) return;
        }
    }

    std::string& text_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<std::byte> binary_of_text(const std::string& text) {
    if (text.size() > kMaxSchemaBytes)
        throw Error(SWB_ERR_SCHEMA, "schema: the text has " + std::to_string(text.size()) + " bytes; at most " +
                                        std::to_string(kMaxSchemaBytes) + " are allowed");
    if (text.find('\0') != std::string::npos) throw Error(SWB_ERR_SCHEMA, "schema: this is no text");
    flatbuffers::Parser parser(options());
    parser.known_attributes_["event"] = true;
    std::string own = text;
    Includes(own).remove();
    if (text.find("swarmbus.Value") != std::string::npos) parse(parser, kValueSchemaText);
    parse(parser, own);
    parser.Serialize();
    const auto bytes = std::as_bytes(std::span(parser.builder_.GetBufferPointer(), parser.builder_.GetSize()));
    return {bytes.begin(), bytes.end()};
}

}  // namespace swarmbus::core
