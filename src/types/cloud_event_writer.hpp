// Events of a bus as CloudEvents 1.0 in their JSON form. What becomes of what: docs/cloudevents.md.
#pragma once

#include <string>
#include <string_view>

#include "capi/swarmbus.h"
#include "src/types/json_document.hpp"
#include "src/types/json_text.hpp"
#include "src/types/private_copy.hpp"
#include "src/types/registry.hpp"

namespace swarmbus::core {

// Stands for a source that could not be told any more: CloudEvents must have one.
inline constexpr const char* kUnknownSource = "urn:swarmbus:unknown";

// For one thread; keeps its memory from one event to the next.
class CloudEventWriter {
public:
    // Of an event with a type, and what is registered for that, or nullptr. A payload that is not what its encoding says
    // is given as bytes. One line, ended by a zero; valid until the next call.
    std::string_view write(const swb_event& event, const RegisteredType* type);

private:
    enum class Data { none, json, text, bytes };
    Data read_payload(const swb_event& event, const RegisteredType* type);

    PrivateCopy copy_;
    JsonDocument document_;
    JsonText data_;          // what a FlatBuffer or a FlexBuffer holds
    std::string_view json_;  // in data_ or the payload
    std::string_view payload_;
    std::string line_, base64_;
    JsonText text_;
};

}  // namespace swarmbus::core
