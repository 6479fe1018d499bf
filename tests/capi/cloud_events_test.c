/* CloudEvents over the C interface. */
#define _POSIX_C_SOURCE 200809L

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static swb_result publish(swb_bus *bus, const char *json, swb_delivery *delivery) {
    return swb_publish_cloudevent(bus, json, strlen(json), delivery);
}

static const char *next_as_cloudevent(swb_bus *bus, swb_event *event) {
    const char *json = NULL;
    size_t bytes = 0;
    CHECK_RESULT(swb_next(bus, 0, event), SWB_OK, "an event");
    CHECK_RESULT(swb_event_to_cloudevent(bus, event, &json, &bytes), SWB_OK, "is a CloudEvent");
    CHECK(json != NULL && strlen(json) == bytes, "of its length");
    return json;
}

static void typed_and_back(swb_bus *bus) {
    swb_event event = {.size = sizeof event};
    swb_delivery delivery = {.size = sizeof delivery};
    CHECK_RESULT(publish(bus,
                         "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"/plan%20ner\",\"type\":\"task.completed\","
                         "\"subject\":\"t-1\",\"time\":\"1999-01-01T00:00:00Z\",\"data\":{\"task_id\":\"t-1\"}}",
                         &delivery),
                 SWB_OK, "a CloudEvent is published");
    CHECK(delivery.delivered == 1, "to whom it concerns");
    const char *json = next_as_cloudevent(bus, &event);
    CHECK(event.encoding == SWB_FLATBUFFERS && tap_equal(event.type, "task.completed"), "as what the schema says");
    CHECK(tap_equal(event.source, "/plan ner") && tap_equal(event.subject, "t-1"), "with its source and subject");
    CHECK(strstr(json, "\"dataschema\":\"urn:swarmbus:schema:task.completed:") != NULL, "whose schema is named");
    CHECK(strstr(json, "\"source\":\"/plan%20ner\"") != NULL && strstr(json, "\"data\":{\"task_id\":\"t-1\"}}") != NULL,
          "and which is the same again");
    char *copy = malloc(strlen(json) + 1);
    strcpy(copy, json);
    CHECK_RESULT(publish(bus, json, NULL), SWB_OK, "the text is published where it stands");
    CHECK(tap_equal(copy, json), "and stays valid meanwhile");
    CHECK(!tap_equal(copy, next_as_cloudevent(bus, &event)), "the bus gives it an id of its own");
    free(copy);
}

static void untyped(swb_bus *bus) {
    swb_event event = {.size = sizeof event};
    CHECK_RESULT(publish(bus, "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"s\",\"type\":\"raw.event\",\"data\":{ \"n\":1.0}}", NULL),
                 SWB_OK, "JSON of a type without a schema");
    CHECK(strstr(next_as_cloudevent(bus, &event), "\"data\":{ \"n\":1.0}}") != NULL && event.encoding == SWB_JSON, "stays the JSON it was");
    CHECK_RESULT(publish(bus, "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"s\",\"type\":\"raw.event\"}", NULL), SWB_OK, "no data");
    next_as_cloudevent(bus, &event);
    CHECK(event.encoding == SWB_BYTES && event.payload_bytes == 0, "is no payload");
    CHECK_RESULT(publish(bus, "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"s\",\"type\":\"task.failed\"}", NULL), SWB_OK,
                 "no data, of a type with a schema");
    CHECK(strstr(next_as_cloudevent(bus, &event), "\"data\":{}}") != NULL && event.encoding == SWB_FLATBUFFERS,
          "is a table without a field");
    swb_message message = {.size = sizeof message, .payload = "xxxxxxxxxxxx", .payload_bytes = 12, .encoding = SWB_FLATBUFFERS};
    CHECK_RESULT(swb_publish_message(bus, "task.failed", &message, NULL), SWB_OK, "rubbish that says it is a FlatBuffer");
    CHECK(strstr(next_as_cloudevent(bus, &event), "\"data_base64\":\"eHh4eHh4eHh4eHh4\"") != NULL, "is bytes");
}

static void refusing(swb_bus *bus) {
    static const char long_source[] =
        "{\"specversion\":\"1.0\",\"id\":\"x\",\"type\":\"a.b\",\"source\":"
        "\"0123456789012345678901234567890123456789012345678901234567890123\"}";
    swb_event event = {.size = sizeof event};
    const char *json = NULL;
    CHECK_RESULT(swb_event_to_cloudevent(NULL, &event, &json, NULL), SWB_ERR_ARGUMENT, "no bus");
    CHECK_RESULT(swb_event_to_cloudevent(bus, &event, &json, NULL), SWB_ERR_ARGUMENT, "no event, but losses");
    CHECK_RESULT(swb_publish_cloudevent(bus, NULL, 0, NULL), SWB_ERR_ARGUMENT, "no text");
    CHECK_RESULT(publish(bus, "", NULL), SWB_ERR_PAYLOAD, "an empty text");
    CHECK_RESULT(publish(bus, "[]", NULL), SWB_ERR_PAYLOAD, "a batch");
    CHECK_RESULT(publish(bus, "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"s\"}", NULL), SWB_ERR_PAYLOAD, "no type");
    CHECK(strstr(swb_last_error(), "type: it is missing") != NULL, "which is named");
    CHECK_RESULT(publish(bus, "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"s\",\"type\":\"Com\"}", NULL), SWB_ERR_TYPE_NAME,
                 "a type that no event can have");
    CHECK(strstr(swb_last_error(), "is not one of a-z 0-9 _ - .") != NULL, "with what is allowed");
    CHECK_RESULT(
        publish(bus, "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"s\",\"type\":\"task.failed\",\"data\":{\"attempt\":-1}}", NULL),
        SWB_ERR_PAYLOAD, "data that is not as its schema says");
    CHECK(strstr(swb_last_error(), "attempt: expected a whole number") != NULL, "with the field");
    CHECK_RESULT(publish(bus, long_source, NULL), SWB_ERR_ARGUMENT, "a source that is too long");
    CHECK_RESULT(publish(bus, "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"s\",\"type\":\"bus.x\"}", NULL), SWB_ERR_TYPE_NAME,
                 "a type of the bus itself");
}

int main(void) {
    swb_bus *bus = NULL;
    char name[64];
    snprintf(name, sizeof name, "test-capi-cloudevents-%ld", (long)getpid());
    CHECK_RESULT(swb_open(name, NULL, &bus), SWB_OK, "a bus");
    CHECK_RESULT(swb_subscribe(bus, "task.* raw.*", NULL, NULL, NULL), SWB_OK, "a subscriber");
    typed_and_back(bus);
    untyped(bus);
    refusing(bus);
    swb_close(bus);
    swb_remove(name, 1);
    return tap_end();
}
