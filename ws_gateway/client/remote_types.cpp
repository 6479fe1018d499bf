#include "ws_gateway/client/remote_types.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "src/error.hpp"
#include "src/types/flex_json.hpp"
#include "src/types/payload_to_json.hpp"
#include "src/types/verify.hpp"

namespace swarmbus::remote {
namespace {

// A type that is not in the list may be new.
constexpr std::chrono::seconds kFreshForNew{1};

std::string as_path_segment(const std::string& text) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string path;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || c == '.' || c == '_' ||
            c == '-') {
            path += c;
        } else {
            path += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
        }
    }
    return path;
}

std::uint64_t number_of(const std::string& hexadecimal) noexcept {
    std::uint64_t number = 0;
    std::from_chars(hexadecimal.data(), hexadecimal.data() + hexadecimal.size(), number, 16);
    return number;
}

}  // namespace

bool RemoteTypes::has(const std::string& type) { return find(type) != nullptr; }

std::optional<std::string> RemoteTypes::to_json(const swb_event& event) {
    const std::span<const std::byte> payload = copy_({static_cast<const std::byte*>(event.payload), event.payload_bytes});
    try {
        core::JsonText json;
        if (event.encoding == SWB_FLEXBUFFERS) {
            core::append_flexbuffer(json, payload, nullptr);
        } else {
            const core::RegisteredType* const type = registered_for(event);
            if (type == nullptr) return std::nullopt;
            core::check_payload(type->schema, payload);
            core::append_json(json, type->schema, payload);
        }
        return std::string(json.view());
    } catch (const core::Error& e) {
        if (e.code() == SWB_ERR_PAYLOAD) return std::nullopt;
        throw;
    }
}

std::string RemoteTypes::to_cloudevent(const swb_event& event) { return std::string(cloud_events_.write(event, registered_for(event))); }

RemoteTypes::Type* RemoteTypes::find(const std::string& type) {
    const auto age = asked_at_ ? Clock::now() - *asked_at_ : Clock::duration::max();
    if (age >= kFresh || (age >= kFreshForNew && !types_.contains(type))) refresh();
    const auto found = types_.find(type);
    return found == types_.end() ? nullptr : &found->second;
}

const core::RegisteredType* RemoteTypes::registered_for(const swb_event& event) {
    Type* const found = event.encoding == SWB_FLATBUFFERS ? find(event.type) : nullptr;
    if (found == nullptr) return nullptr;
    if (found->registered == nullptr) {
        const std::optional<std::string> binary = fetch_("/v1/schemas/" + as_path_segment(event.type) + "?format=bfbs");
        if (!binary) return nullptr;
        try {
            found->registered = std::make_shared<const core::RegisteredType>(found->registration, std::as_bytes(std::span(*binary)));
        } catch (const core::Error& e) {
            if (e.code() != SWB_ERR_SCHEMA) throw;
            return nullptr;
        }
    }
    return found->registered.get();
}

void RemoteTypes::refresh() {
    const std::optional<std::string> body = fetch_("/v1/types");
    asked_at_ = Clock::now();
    const nlohmann::json list = nlohmann::json::parse(body.value_or(""), nullptr, false);
    const auto types = list.is_object() ? list.find("types") : list.end();
    std::map<std::string, Type> now;
    if (types != list.end() && types->is_array()) {
        for (const nlohmann::json& entry : *types) {
            const auto text = [&](const char* key) {
                const auto member = entry.is_object() ? entry.find(key) : entry.end();
                return member != entry.end() && member->is_string() ? member->get<std::string>() : std::string();
            };
            const std::string name = text("type");
            Type type;
            type.registration.type = name;
            type.registration.root = text("table");
            type.registration.hash = number_of(text("hash"));
            const auto known = types_.find(name);
            if (known != types_.end() && known->second.registration.hash == type.registration.hash)
                type.registered = known->second.registered;
            now.emplace(name, std::move(type));
        }
    }
    types_ = std::move(now);
}

}  // namespace swarmbus::remote
