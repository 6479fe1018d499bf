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

#include <string>
#include <utility>

#include <swarmbus/bus.hpp>

namespace swarmbus {

// The type under which a table is published, as `name`. Generated code specialises it.
template <typename Table>
struct EventTypeOf;

namespace detail {

// Where events of this thread are built, before they are copied to their subscribers.
inline flatbuffers::FlatBufferBuilder& scratch() {
    thread_local flatbuffers::FlatBufferBuilder builder(1024);
    builder.Clear();
    return builder;
}

inline std::span<const std::byte> bytes_of(flatbuffers::FlatBufferBuilder& builder) {
    return std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
}

// An object (T of the object API) as a finished FlatBuffer, valid until this thread builds the next.
template <typename Object>
std::span<const std::byte> pack(const Object& object) {
    flatbuffers::FlatBufferBuilder& builder = scratch();
    builder.Finish(Object::TableType::Pack(builder, &object));
    return bytes_of(builder);
}

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
        return publisher_.publish(detail::typed(message, detail::pack(object)));
    }
    // What build(FlatBufferBuilder&) returns: the offset of a table.
    template <typename Build>
    requires std::is_invocable_r_v<flatbuffers::Offset<Table>, Build, flatbuffers::FlatBufferBuilder&> Delivery
    publish(Build&& build, const Message& message = {}) {
        flatbuffers::FlatBufferBuilder& builder = detail::scratch();
        builder.Finish(build(builder));
        return publisher_.publish(detail::typed(message, detail::bytes_of(builder)));
    }

private:
    Publisher publisher_;
};

template <typename Object>
requires requires { typename Object::TableType; }
Delivery Bus::publish(const Object& object, const Message& message) {
    return publish(EventTypeOf<typename Object::TableType>::name, detail::typed(message, detail::pack(object)));
}

template <typename Table>
const Table* Event::as() const {
    if (type() != EventTypeOf<Table>::name) return nullptr;
    flatbuffers::Verifier verifier(static_cast<const std::uint8_t*>(raw_.payload), raw_.payload_bytes);
    if (encoding() != Encoding::flatbuffers || !verifier.VerifyBuffer<Table>(nullptr)) {
        throw Error(SWB_ERR_PAYLOAD, "the payload of '" + std::string(type()) + "' is not the FlatBuffer that its type has");
    }
    return flatbuffers::GetRoot<Table>(raw_.payload);
}

}  // namespace swarmbus
