// Typed events: tables of generated code, published and read as they are. Needs the headers of FlatBuffers.
//
//     swarmbus::events::AgentStatusChangedT changed;
//     changed.agent_id = "agent-7";
//     bus.publish(changed);                                              // as agent.status.changed
//     ...
//     if (const auto* changed = event.as<swarmbus::events::AgentStatusChanged>()) use(changed->agent_id());
//
// The type of the event comes from the schema: table AgentStatusChanged (event: "agent.status.changed"). <swarmbus/events.hpp>
// has the standard events; `swarmbus codegen` makes such a header of any schema.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <optional>
#include <span>
#include <string>
#include <utility>

#include <swarmbus/bus.hpp>

namespace swarmbus {

// The type under which a table is published, as `name`. Generated code specialises it.
template <typename Table>
struct EventTypeOf;

namespace detail {

// Where an event is built, before it is copied to its subscribers: one builder for each thread, so that its memory is there already, and
// another one for who publishes while the thread builds.
class Scratch {
public:
    Scratch() {
        Shared& shared = shared_of_thread();
        if (shared.in_use) {
            builder_ = &own_.emplace(1024);
            return;
        }
        shared.in_use = true;
        shared.builder.Clear();
        builder_ = &shared.builder;
    }
    ~Scratch() {
        if (!own_) shared_of_thread().in_use = false;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    flatbuffers::FlatBufferBuilder& builder() noexcept { return *builder_; }
    // What was finished; valid as long as this.
    std::span<const std::byte> bytes() const noexcept {
        return std::as_bytes(std::span(builder_->GetBufferPointer(), builder_->GetSize()));
    }

    // An object (T of the object API) as a finished FlatBuffer.
    template <typename Object>
    std::span<const std::byte> pack(const Object& object) {
        builder_->Finish(Object::TableType::Pack(*builder_, &object));
        return bytes();
    }

private:
    struct Shared {
        flatbuffers::FlatBufferBuilder builder{1024};
        bool in_use = false;
    };
    static Shared& shared_of_thread() {
        thread_local Shared shared;
        return shared;
    }

    flatbuffers::FlatBufferBuilder* builder_;
    std::optional<flatbuffers::FlatBufferBuilder> own_;
};

inline Message typed(Message message, std::span<const std::byte> payload) {
    message.payload = payload;
    message.encoding = Encoding::flatbuffers;
    return message;
}

}  // namespace detail

// The fast way to publish tables of one type often. From make_publisher(). Any thread may use it.
template <typename Table>
class TypedPublisher {
public:
    explicit TypedPublisher(Bus& bus) : publisher_(bus.publisher(EventTypeOf<Table>::name)) {}

    // An object of the object API. The payload and encoding of the message are ignored.
    Delivery publish(const typename Table::NativeTableType& object, const Message& message = {}) {
        detail::Scratch scratch;
        return publisher_.publish(detail::typed(message, scratch.pack(object)));
    }
    // What build(FlatBufferBuilder&) returns: the offset of a table.
    template <typename Build>
    requires std::is_invocable_r_v<flatbuffers::Offset<Table>, Build, flatbuffers::FlatBufferBuilder&> Delivery
    publish(Build&& build, const Message& message = {}) {
        detail::Scratch scratch;
        scratch.builder().Finish(build(scratch.builder()));
        return publisher_.publish(detail::typed(message, scratch.bytes()));
    }

private:
    Publisher publisher_;
};

template <typename Object>
requires requires { typename Object::TableType; }
Delivery Bus::publish(const Object& object, const Message& message) {
    detail::Scratch scratch;
    return publish(EventTypeOf<typename Object::TableType>::name, detail::typed(message, scratch.pack(object)));
}

template <typename Table>
const Table* Event::as() const {
    constexpr flatbuffers::uoffset_t kDeepest = 64;
    if (type() != EventTypeOf<Table>::name) return nullptr;
    // As many tables as the bytes can hold: so many may be published.
    const auto most_tables = static_cast<flatbuffers::uoffset_t>(raw_.payload_bytes / sizeof(flatbuffers::uoffset_t));
    flatbuffers::Verifier verifier(static_cast<const std::uint8_t*>(raw_.payload), raw_.payload_bytes, kDeepest, most_tables);
    if (encoding() != Encoding::flatbuffers || !verifier.VerifyBuffer<Table>(nullptr)) {
        throw Error(SWB_ERR_PAYLOAD, "the payload of '" + std::string(type()) + "' is not the FlatBuffer that its type has");
    }
    return flatbuffers::GetRoot<Table>(raw_.payload);
}

}  // namespace swarmbus
