// Schemas of types, and payloads from and to JSON.
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "capi/guard.hpp"
#include "capi/objects.hpp"
#include "capi/of_thread.hpp"
#include "src/types/flex_json.hpp"
#include "src/types/json_document.hpp"
#include "src/types/payload_from_json.hpp"
#include "src/types/payload_to_json.hpp"
#include "src/types/private_copy.hpp"
#include "src/types/registry.hpp"
#include "src/types/schema_text.hpp"
#include "src/types/verify.hpp"

using namespace swarmbus;
using capi::fail;
using capi::guarded;

namespace {

using Bytes = std::span<const std::byte>;

std::shared_ptr<const core::RegisteredType> registered(core::Handle& handle, std::string_view type) {
    auto found = handle.attachment().registry().find(type);
    if (!found)
        throw core::Error(SWB_ERR_NO_SCHEMA, "no schema is registered for type '" + std::string(type) + "' on bus '" +
                                                 handle.attachment().segment().name() + "'");
    return found;
}

// What a thread keeps from one event to the next.
struct Converter {
    core::PayloadFromJson from_json;
    core::JsonDocument document;
    core::JsonText json;
    core::PrivateCopy copy;
    std::string text;  // what swb_event_to_json() gave
};

void event_to_json(core::Handle& handle, const swb_event& event, Converter& with) {
    const Bytes payload = with.copy({static_cast<const std::byte*>(event.payload), event.payload_bytes});
    const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
    with.json.clear();
    switch (event.encoding) {
    case SWB_FLATBUFFERS: {
        const auto type = registered(handle, event.type);
        core::check_payload(type->schema, payload);
        core::append_json(with.json, type->schema, payload);
        break;
    }
    case SWB_FLEXBUFFERS: core::append_flexbuffer(with.json, payload, nullptr); break;
    case SWB_JSON:
        with.document.parse(text);
        with.text.assign(text);
        return;
    case SWB_TEXT: with.json.text(text, nullptr); break;
    default:
        throw core::Error(SWB_ERR_PAYLOAD, "the payload of '" + std::string(event.type) + "' is bytes of no encoding, which have no JSON");
    }
    with.text.assign(with.json.view());
}

}  // namespace

swb_result swb_register_type(swb_bus* bus, const char* type, const void* schema, size_t schema_bytes, const char* root) {
    if (bus == nullptr || schema == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_register_type() needs a bus and a schema");
    if (type == nullptr && root != nullptr) return fail(SWB_ERR_ARGUMENT, "a root table without a type: give the type, or neither");
    return guarded([&] {
        return bus->call([&](core::Handle& handle) {
            handle.check_usable();
            Bytes binary(static_cast<const std::byte*>(schema), schema_bytes);
            std::vector<std::byte> compiled;
            if (!core::is_binary_schema(binary)) binary = compiled = core::binary_of_text({static_cast<const char*>(schema), schema_bytes});
            core::Registry& registry = handle.attachment().registry();
            if (type != nullptr) {
                registry.add(type, binary, root != nullptr ? root : "");
            } else {
                registry.add_all(binary);
            }
            return SWB_OK;
        });
    });
}

swb_result swb_types(swb_bus* bus, const char* type, void (*each)(const swb_type* type, void* user), void* user) {
    if (bus == nullptr || each == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_types() needs a bus and a function to call");
    return guarded([&] {
        return bus->call([&](core::Handle& handle) {
            handle.check_usable();
            const auto tell = [&](const core::RegisteredType& registered) {
                const core::Registration& from = registered.registration;
                const Bytes binary = registered.schema.binary();
                const swb_type told{sizeof told,        from.type.c_str(), from.root.c_str(),
                                    binary.data(),      binary.size(),     from.hash,
                                    from.registered_ns, from.version,      0};
                each(&told, user);
            };
            core::Registry& registry = handle.attachment().registry();
            if (type != nullptr) {
                tell(*registered(handle, type));
            } else {
                for (const core::Registration& registration : registry.list()) {
                    if (const auto found = registry.find(registration.type)) tell(*found);
                }
            }
            return SWB_OK;
        });
    });
}

swb_result swb_publish_json(swb_bus* bus, const char* type, const char* json, size_t json_bytes, const swb_message* message,
                            swb_delivery* delivery) {
    if (bus == nullptr || type == nullptr || json == nullptr)
        return fail(SWB_ERR_ARGUMENT, "swb_publish_json() needs a bus, a type and a text");
    if (message != nullptr && message->size < sizeof(swb_message)) {
        return fail(SWB_ERR_ARGUMENT, "swb_message.size is not set; set it to sizeof(swb_message)");
    }
    return guarded([&] {
        return bus->call([&](core::Handle& handle) {
            handle.check_usable();
            swb_message typed = message != nullptr ? *message : swb_message{};
            typed.size = sizeof typed;
            if ((typed.flags & SWB_LOANED) != 0) return fail(SWB_ERR_ARGUMENT, "JSON is not published from a loan");
            Converter& with = capi::of_thread<Converter>();
            Bytes payload(reinterpret_cast<const std::byte*>(json), json_bytes);
            typed.encoding = SWB_JSON;
            if (const auto registered = handle.attachment().registry().find(type)) {
                payload = with.from_json.convert(registered->schema, std::string_view(json, json_bytes));
                typed.encoding = SWB_FLATBUFFERS;
            } else {
                with.document.parse({json, json_bytes});
            }
            typed.payload = payload.data();
            typed.payload_bytes = payload.size();
            return swb_publish_message(bus, type, &typed, delivery);
        });
    });
}

swb_result swb_event_to_json(swb_bus* bus, const swb_event* event, const char** json, size_t* json_bytes) {
    if (bus == nullptr || event == nullptr || json == nullptr)
        return fail(SWB_ERR_ARGUMENT, "swb_event_to_json() needs a bus, an event and a place for the text");
    if (event->type == nullptr || *event->type == '\0')
        return fail(SWB_ERR_ARGUMENT, "the event has no type: it tells only losses, which have no JSON");
    return guarded([&] {
        return bus->call([&](core::Handle& handle) {
            handle.check_usable();
            Converter& with = capi::of_thread<Converter>();
            event_to_json(handle, *event, with);
            *json = with.text.c_str();
            if (json_bytes != nullptr) *json_bytes = with.text.size();
            return SWB_OK;
        });
    });
}

swb_result swb_verify(swb_bus* bus, const char* type, const void* payload, size_t payload_bytes) {
    if (bus == nullptr || type == nullptr || (payload == nullptr && payload_bytes > 0)) {
        return fail(SWB_ERR_ARGUMENT, "swb_verify() needs a bus, a type and a payload");
    }
    return guarded([&] {
        return bus->call([&](core::Handle& handle) {
            handle.check_usable();
            core::check_payload(registered(handle, type)->schema, {static_cast<const std::byte*>(payload), payload_bytes});
            return SWB_OK;
        });
    });
}
