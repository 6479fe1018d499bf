// Events from and to CloudEvents.
#include <memory>
#include <string_view>

#include "capi/guard.hpp"
#include "capi/objects.hpp"
#include "capi/of_thread.hpp"
#include "src/types/cloud_event_reader.hpp"
#include "src/types/cloud_event_writer.hpp"
#include "src/types/json_document.hpp"
#include "src/types/payload_from_json.hpp"
#include "src/types/registry.hpp"

using namespace swarmbus;
using capi::fail;
using capi::guarded;
using capi::of_thread;

namespace {

// What a thread keeps from one event to the next. The writer is apart: what it gave is valid while others are published.
struct Reading {
    core::CloudEventReader reader;
    core::PayloadFromJson from_json;
    core::JsonDocument document;
};

// Nothing also for a schema that was damaged: the payload is then given as bytes.
std::shared_ptr<const core::RegisteredType> schema_of(core::Handle& handle, const swb_event& event) {
    if (event.encoding != SWB_FLATBUFFERS) return nullptr;
    try {
        return handle.attachment().registry().find(event.type);
    } catch (const core::Error& e) {
        if (e.code() != SWB_ERR_SCHEMA) throw;
        return nullptr;
    }
}

// Puts payload and encoding into the message; they are valid until this thread reads the next.
void put_payload(core::Handle& handle, const core::CloudEvent& event, Reading& with, swb_message& message) {
    using Data = core::CloudEvent::Data;
    std::string_view payload = event.data;
    message.encoding = event.kind == Data::text ? SWB_TEXT : event.kind == Data::json ? SWB_JSON : SWB_BYTES;
    if (event.kind == Data::json || event.kind == Data::none) {
        if (const auto type = handle.attachment().registry().find(event.type)) {
            // Readers of such a type expect its table, also from who has nothing to say.
            const auto built = with.from_json.convert(type->schema, event.kind == Data::none ? "{}" : payload);
            payload = {reinterpret_cast<const char*>(built.data()), built.size()};
            message.encoding = SWB_FLATBUFFERS;
        } else if (event.kind == Data::json) {
            with.document.parse(payload);
        }
    }
    message.payload = payload.data();
    message.payload_bytes = payload.size();
}

}  // namespace

swb_result swb_event_to_cloudevent(swb_bus* bus, const swb_event* event, const char** json, size_t* json_bytes) {
    if (bus == nullptr || event == nullptr || json == nullptr)
        return fail(SWB_ERR_ARGUMENT, "swb_event_to_cloudevent() needs a bus, an event and a place for the text");
    if (event->type == nullptr || *event->type == '\0')
        return fail(SWB_ERR_ARGUMENT, "the event has no type: it tells only losses, which are no CloudEvent");
    return guarded([&] {
        return bus->call([&](core::Handle& handle) {
            handle.check_usable();
            const auto text = of_thread<core::CloudEventWriter>().write(*event, schema_of(handle, *event).get());
            *json = text.data();
            if (json_bytes != nullptr) *json_bytes = text.size();
            return SWB_OK;
        });
    });
}

swb_result swb_publish_cloudevent(swb_bus* bus, const char* json, size_t json_bytes, swb_delivery* delivery) {
    if (bus == nullptr || json == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_publish_cloudevent() needs a bus and a text");
    return guarded([&] {
        return bus->call([&](core::Handle& handle) {
            handle.check_usable();
            Reading& with = of_thread<Reading>();
            const core::CloudEvent& event = with.reader.read({json, json_bytes});
            swb_message message{};
            message.size = sizeof message;
            message.source = event.source.c_str();
            message.subject = event.subject.c_str();
            put_payload(handle, event, with, message);
            return swb_publish_message(bus, event.type.c_str(), &message, delivery);
        });
    });
}
