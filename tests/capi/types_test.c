/* Types with schemas, and JSON in and out, over the C interface. */
#define _POSIX_C_SOURCE 200809L

#include <stdint.h>
#include <unistd.h>

#include "tap.h"

static char name[64];

static const char schema[] =
    "namespace shop; attribute \"event\";"
    "table OrderPlaced (event: \"shop.order.placed\") { order_id:string; total:double; items:[string]; }"
    "table OrderCancelled (event: \"shop.order.cancelled\") { order_id:string; }"
    "table Plain { n:int; }";
static const char grown[] =
    "namespace shop; table OrderPlaced { order_id:string; total:double; items:[string]; note:string; } root_type OrderPlaced;";
static const char changed[] = "namespace shop; table OrderPlaced { order_id:string; total:float; } root_type OrderPlaced;";

struct types {
    int count, standard, sorted;
    char last[128], root[128];
    unsigned char binary[4096];
    size_t bytes;
    uint64_t hash;
    uint32_t version;
};

static void collect(const swb_type *type, void *user) {
    struct types *types = user;
    if (types->count++ > 0 && strcmp(types->last, type->name) >= 0) types->sorted = 0;
    if (tap_equal(type->name, "task.completed") && tap_equal(type->root, "swarmbus.events.TaskCompleted")) types->standard = 1;
    snprintf(types->last, sizeof types->last, "%s", type->name);
    snprintf(types->root, sizeof types->root, "%s", type->root);
    if (type->schema_bytes <= sizeof types->binary) memcpy(types->binary, type->schema, types->bytes = type->schema_bytes);
    types->hash = type->hash;
    types->version = type->version;
}

static struct types types_of(swb_bus *bus, const char *type) {
    struct types types = {.sorted = 1};
    CHECK_RESULT(swb_types(bus, type, collect, &types), SWB_OK, "types are told");
    return types;
}

static void registering(swb_bus *bus) {
    const struct types before = types_of(bus, NULL);
    CHECK(before.count == 14 && before.standard && before.sorted, "a bus knows the standard events from the start, in order");
    CHECK_RESULT(swb_register_type(bus, NULL, schema, sizeof schema - 1, NULL), SWB_OK, "all tables that name their type");
    CHECK(types_of(bus, NULL).count == 16, "are registered, the others not");
    const struct types placed = types_of(bus, "shop.order.placed");
    CHECK(placed.count == 1 && placed.version == 1 && placed.hash != 0 && tap_equal(placed.root, "shop.OrderPlaced"),
          "with root and version");
    CHECK_RESULT(swb_register_type(bus, "shop.order.placed", placed.binary, placed.bytes, "shop.OrderPlaced"), SWB_OK,
                 "the same, as binary schema");
    CHECK(types_of(bus, "shop.order.placed").version == 1, "changes nothing");
    CHECK_RESULT(swb_register_type(bus, "shop.order.placed", grown, sizeof grown - 1, NULL), SWB_OK, "one with a field more");
    CHECK(types_of(bus, "shop.order.placed").version == 2, "takes its place");
    CHECK_RESULT(swb_register_type(bus, "shop.order.placed", changed, sizeof changed - 1, NULL), SWB_ERR_INCOMPATIBLE,
                 "one that changes a field is refused");
    CHECK(strstr(swb_last_error(), "shop.OrderPlaced.total is of type float, it was double") != NULL, "with the field");
    CHECK(types_of(bus, "shop.order.placed").version == 2, "and changes nothing");
    CHECK_RESULT(swb_register_type(bus, "shop.plain.event", schema, sizeof schema - 1, "shop.Plain"), SWB_OK,
                 "a type for a table that names none");
}

static void refusing(swb_bus *bus) {
    CHECK_RESULT(swb_register_type(NULL, "a.b", schema, sizeof schema - 1, NULL), SWB_ERR_ARGUMENT, "no bus");
    CHECK_RESULT(swb_register_type(bus, "a.b", NULL, 0, NULL), SWB_ERR_ARGUMENT, "no schema");
    CHECK_RESULT(swb_register_type(bus, NULL, schema, sizeof schema - 1, "shop.Plain"), SWB_ERR_ARGUMENT, "a root without a type");
    CHECK_RESULT(swb_register_type(bus, "A.B", grown, sizeof grown - 1, NULL), SWB_ERR_TYPE_NAME, "a type that is none");
    CHECK_RESULT(swb_register_type(bus, "a.b", schema, sizeof schema - 1, NULL), SWB_ERR_SCHEMA, "no root table");
    CHECK_RESULT(swb_register_type(bus, "a.b", "table {", 7, NULL), SWB_ERR_SCHEMA, "a text that is no schema");
    CHECK_RESULT(swb_register_type(bus, NULL, grown, sizeof grown - 1, NULL), SWB_ERR_SCHEMA, "no table that names a type");
    CHECK_RESULT(swb_types(bus, "a.b", collect, NULL), SWB_ERR_NO_SCHEMA, "a type without a schema");
    CHECK_RESULT(swb_types(bus, NULL, NULL, NULL), SWB_ERR_ARGUMENT, "nobody to tell");
    CHECK_RESULT(swb_publish_json(bus, "a.b", NULL, 0, NULL, NULL), SWB_ERR_ARGUMENT, "no text");
    CHECK_RESULT(swb_publish_json(bus, "a.b", "{", 1, NULL, NULL), SWB_ERR_PAYLOAD, "a text that is no JSON, of a type without a schema");
    CHECK_RESULT(swb_publish_json(bus, "A.B", "{}", 2, NULL, NULL), SWB_ERR_TYPE_NAME, "a type that is none");
    CHECK_RESULT(swb_publish_json(bus, "task.failed", "{\"attempt\":-1}", 14, NULL, NULL), SWB_ERR_PAYLOAD,
                 "a field that is not as its schema says");
    CHECK(strstr(swb_last_error(), "attempt: expected a whole number from 0 to 4294967295, found -1") != NULL,
          "with its name and what was expected");
    CHECK_RESULT(swb_verify(bus, "a.b", "", 0), SWB_ERR_NO_SCHEMA, "nothing to verify by");
    CHECK_RESULT(swb_verify(bus, "task.failed", "xxxxxxxx", 8), SWB_ERR_PAYLOAD, "a payload that is none");
    CHECK_RESULT(swb_event_to_json(bus, NULL, NULL, NULL), SWB_ERR_ARGUMENT, "no event");
}

static const char *json_of(swb_bus *bus, swb_event *event) {
    const char *json = NULL;
    size_t bytes = 0;
    CHECK_RESULT(swb_next(bus, 0, event), SWB_OK, "an event");
    CHECK_RESULT(swb_event_to_json(bus, event, &json, &bytes), SWB_OK, "has JSON");
    CHECK(json != NULL && strlen(json) == bytes, "of its length");
    return json;
}

static void publish_text(swb_bus *bus, const char *payload, size_t bytes, uint32_t encoding) {
    swb_message message = {.size = sizeof message, .payload = payload, .payload_bytes = bytes, .encoding = encoding};
    CHECK_RESULT(swb_publish_message(bus, "raw.event", &message, NULL), SWB_OK, "a payload of another encoding");
}

static void json(swb_bus *bus) {
    static const char completed[] = "{\"duration_ms\":12.5,\"task_id\":\"t-1\",\"metadata\":{\"tries\":[1,null,\"x\"]}}";
    swb_event event = {.size = sizeof event};
    swb_message message = {.size = sizeof message, .subject = "t-1", .source = "planner"};
    swb_delivery delivery = {.size = sizeof delivery};
    const char *out = NULL;
    swb_subscribe(bus, "task.* shop.* raw.*", NULL, NULL, NULL);
    CHECK_RESULT(swb_publish_json(bus, "task.completed", completed, sizeof completed - 1, &message, &delivery), SWB_OK,
                 "JSON is published");
    CHECK(delivery.delivered == 1, "to whom it concerns");
    CHECK(tap_equal(json_of(bus, &event), "{\"task_id\":\"t-1\",\"duration_ms\":12.5,\"metadata\":{\"tries\":[1,null,\"x\"]}}"),
          "and is the same again");
    CHECK(event.encoding == SWB_FLATBUFFERS && tap_equal(event.subject, "t-1") && tap_equal(event.source, "planner"),
          "as a FlatBuffer, with its other fields");
    CHECK_RESULT(swb_verify(bus, "task.completed", event.payload, event.payload_bytes), SWB_OK, "that is verified");
    CHECK_RESULT(swb_publish_json(bus, "shop.order.placed", "{\"note\":\"fast\"}", 15, NULL, NULL), SWB_OK, "by the newest schema");
    CHECK(tap_equal(json_of(bus, &event), "{\"note\":\"fast\"}"), "with its new field");
    CHECK_RESULT(swb_publish_json(bus, "raw.event", "{\"n\": 1}", 8, NULL, NULL), SWB_OK, "a type without a schema");
    CHECK(tap_equal(json_of(bus, &event), "{\"n\": 1}") && event.encoding == SWB_JSON, "is the JSON it was");
    publish_text(bus, "say \"hi\"", 8, SWB_TEXT);
    CHECK(tap_equal(json_of(bus, &event), "\"say \\\"hi\\\"\""), "texts are JSON strings");
    publish_text(bus, "\x07\x05\x01", 3, SWB_FLEXBUFFERS);
    CHECK(tap_equal(json_of(bus, &event), "7"), "FlexBuffers are what they hold");
    publish_text(bus, "\x00\xff", 2, SWB_BYTES);
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_OK, "bytes of no encoding");
    CHECK_RESULT(swb_event_to_json(bus, &event, &out, NULL), SWB_ERR_PAYLOAD, "have none");
    publish_text(bus, "xxxxxxxxxxxx", 12, SWB_FLATBUFFERS);
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_OK, "a FlatBuffer");
    CHECK_RESULT(swb_event_to_json(bus, &event, &out, NULL), SWB_ERR_NO_SCHEMA, "of a type without a schema");
    message.payload = "xxxxxxxxxxxx";
    message.payload_bytes = 12;
    message.encoding = SWB_FLATBUFFERS;
    CHECK_RESULT(swb_publish_message(bus, "task.failed", &message, NULL), SWB_OK, "rubbish that says it is one");
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_OK, "arrives");
    CHECK_RESULT(swb_event_to_json(bus, &event, &out, NULL), SWB_ERR_PAYLOAD, "and is refused");
}

int main(void) {
    swb_bus *bus = NULL, *other = NULL;
    snprintf(name, sizeof name, "test-capi-types-%ld", (long)getpid());
    CHECK_RESULT(swb_open(name, NULL, &bus), SWB_OK, "a bus");
    registering(bus);
    refusing(bus);
    json(bus);
    CHECK_RESULT(swb_open(name, NULL, &other), SWB_OK, "another handle");
    CHECK(types_of(other, "shop.order.placed").version == 2, "knows the same types");
    swb_close(other);
    swb_close(bus);
    swb_remove(name, 1);
    return tap_end();
}
