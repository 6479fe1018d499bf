/* What is refused, by every function that can be called wrongly: a result and a text, no crash. */
#define _POSIX_C_SOURCE 200809L

#include <stdint.h>
#include <unistd.h>

#include "tap.h"

static char name[64];
static char too_long[200];

static void opening(void) {
    swb_bus *bus = NULL;
    swb_options options = {.size = sizeof options};
    CHECK_RESULT(swb_open(NULL, NULL, &bus), SWB_ERR_ARGUMENT, "no name");
    CHECK_RESULT(swb_open(name, NULL, NULL), SWB_ERR_ARGUMENT, "no place for the bus");
    CHECK_RESULT(swb_open("", NULL, &bus), SWB_ERR_BUS_NAME, "an empty name");
    CHECK_RESULT(swb_open("a/b", NULL, &bus), SWB_ERR_BUS_NAME, "a name with a slash");
    options.size = 0;
    CHECK_RESULT(swb_open(name, &options, &bus), SWB_ERR_ARGUMENT, "options without their size");
    options.size = sizeof options - 1;
    CHECK_RESULT(swb_open(name, &options, &bus), SWB_ERR_ARGUMENT, "options that are too small");

#define CHECK_OPTION(field, value, what)                                          \
    do {                                                                          \
        const swb_options wrong = {.size = sizeof wrong, .field = (value)};       \
        CHECK_RESULT(swb_open(name, &wrong, &bus), SWB_ERR_ARGUMENT, what);       \
        CHECK(strstr(swb_last_error(), #field) != NULL, "and the text names it"); \
    } while (0)
    CHECK_OPTION(source, too_long, "a source that is too long");
    CHECK_OPTION(open_mode, 3, "an unknown mode");
    CHECK_OPTION(permissions, 0700, "permissions to execute");
    CHECK_OPTION(capacity_slots, 17, "a capacity that is no power of two");
    CHECK_OPTION(capacity_slots, 8, "a capacity that is too small");
    CHECK_OPTION(capacity_slots, 131072, "a capacity that is too large");
    CHECK_OPTION(overflow, 3, "an unknown policy");
    CHECK_OPTION(block_timeout_ns, -7, "a negative timeout");
    CHECK_OPTION(strict, 2, "strict in between");
    CHECK_OPTION(verify, 2, "verify in between");
    CHECK_OPTION(max_participants, 100000, "too many participants");
    CHECK_OPTION(max_subscribers, 4097, "too many inboxes");
    CHECK_OPTION(max_types, 70000, "too many types");
    CHECK_OPTION(slot_bytes, 32, "slots that are too small");
    CHECK_OPTION(slot_bytes, 300, "slots that are no multiple of 64");
    CHECK_OPTION(default_capacity, 100, "a default capacity that is no power of two");
    CHECK_OPTION(ring_bytes, 4096, "rings that no inbox fits in");
#undef CHECK_OPTION
    CHECK(bus == NULL, "none of them made a handle");
    CHECK_RESULT(swb_look(name, &(swb_info){.size = sizeof(swb_info)}), SWB_ERR_NO_BUS, "nor a bus");
}

static void handler(const swb_event *event, void *user) {
    (void)event;
    (void)user;
}

static void without_a_handle(void) {
    swb_event event = {.size = sizeof event};
    swb_message message = {.size = sizeof message};
    swb_bus *separate = NULL;
    swb_publisher *publisher = NULL;
    uint64_t lost_by[SWB_LOSS_CAUSES];
    size_t count = 9;
    CHECK_RESULT(swb_publish(NULL, "a.b", NULL, 0), SWB_ERR_ARGUMENT, "swb_publish");
    CHECK_RESULT(swb_publish_message(NULL, "a.b", &message, NULL), SWB_ERR_ARGUMENT, "swb_publish_message");
    CHECK_RESULT(swb_publisher_open(NULL, "a.b", &publisher), SWB_ERR_ARGUMENT, "swb_publisher_open");
    CHECK_RESULT(swb_publisher_publish(NULL, NULL, 0), SWB_ERR_ARGUMENT, "swb_publisher_publish");
    CHECK_RESULT(swb_publisher_publish_message(NULL, &message, NULL), SWB_ERR_ARGUMENT, "swb_publisher_publish_message");
    CHECK_RESULT(swb_subscribe(NULL, "*", handler, NULL, NULL), SWB_ERR_ARGUMENT, "swb_subscribe");
    CHECK_RESULT(swb_unsubscribe(NULL, 1), SWB_ERR_ARGUMENT, "swb_unsubscribe");
    CHECK_RESULT(swb_next(NULL, 0, &event), SWB_ERR_ARGUMENT, "swb_next");
    CHECK_RESULT(swb_next_batch(NULL, 0, &event, 1, &count), SWB_ERR_ARGUMENT, "swb_next_batch");
    CHECK_RESULT(swb_release(NULL), SWB_ERR_ARGUMENT, "swb_release");
    CHECK_RESULT(swb_run_once(NULL, 0, &count), SWB_ERR_ARGUMENT, "swb_run_once");
    CHECK(count == 0, "which handled nothing");
    CHECK_RESULT(swb_run(NULL), SWB_ERR_ARGUMENT, "swb_run");
    CHECK_RESULT(swb_stop(NULL), SWB_ERR_ARGUMENT, "swb_stop");
    CHECK_RESULT(swb_losses(NULL, lost_by), SWB_ERR_ARGUMENT, "swb_losses");
    CHECK_RESULT(swb_separate(NULL, NULL, &separate), SWB_ERR_ARGUMENT, "swb_separate");
    swb_close(NULL);
    swb_publisher_close(NULL);
    swb_event_free(NULL);
    CHECK(1, "closing and freeing nothing is harmless");
}

static void receiving(swb_bus *bus) {
    swb_event event = {.size = sizeof event};
    uint64_t lost_by[SWB_LOSS_CAUSES];
    size_t count = 0;
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_ERR_NOT_SUBSCRIBED, "receiving without a subscription");
    CHECK_RESULT(swb_run_once(bus, 0, NULL), SWB_ERR_NOT_SUBSCRIBED, "in either way");
    CHECK_RESULT(swb_losses(bus, lost_by), SWB_ERR_NOT_SUBSCRIBED, "so are its losses");
    CHECK_RESULT(swb_release(bus), SWB_OK, "giving nothing back is fine");
    CHECK_RESULT(swb_subscribe(bus, NULL, NULL, NULL, NULL), SWB_ERR_ARGUMENT, "no patterns");
    CHECK_RESULT(swb_subscribe(bus, " , ", NULL, NULL, NULL), SWB_ERR_PATTERN, "none in the text");
    CHECK_RESULT(swb_subscribe(bus, "a.* b..c", NULL, NULL, NULL), SWB_ERR_PATTERN, "one of two that is none");
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_ERR_NOT_SUBSCRIBED, "nothing was subscribed");
    CHECK_RESULT(swb_subscribe(bus, "*", NULL, NULL, NULL), SWB_OK, "a good one");
    CHECK_RESULT(swb_unsubscribe(bus, 12345), SWB_ERR_NOT_FOUND, "ending one that never was");
    CHECK_RESULT(swb_next(bus, 0, NULL), SWB_ERR_ARGUMENT, "no event to fill");
    event.size = 8;
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_ERR_ARGUMENT, "one that is too small");
    CHECK_RESULT(swb_next_batch(bus, 0, &event, 1, &count), SWB_ERR_ARGUMENT, "in a batch as well");
    event.size = sizeof event;
    CHECK_RESULT(swb_next_batch(bus, 0, &event, 0, &count), SWB_ERR_ARGUMENT, "a batch of none");
    CHECK_RESULT(swb_next_batch(bus, 0, NULL, 1, &count), SWB_ERR_ARGUMENT, "a batch without an array");
    CHECK_RESULT(swb_next_batch(bus, 0, &event, 1, NULL), SWB_ERR_ARGUMENT, "a batch without a count");
    CHECK_RESULT(swb_losses(bus, NULL), SWB_ERR_ARGUMENT, "no place for the losses");
}

static void copying(void) {
    swb_event event = {.size = sizeof event}, *copy = NULL;
    CHECK_RESULT(swb_event_copy(NULL, &copy), SWB_ERR_ARGUMENT, "no event to copy");
    CHECK_RESULT(swb_event_copy(&event, &copy), SWB_ERR_ARGUMENT, "one that was never received");
    event.size = 4;
    event.type = event.source = event.subject = "";
    CHECK_RESULT(swb_event_copy(&event, &copy), SWB_ERR_ARGUMENT, "one without its size");
    event.size = sizeof event;
    CHECK_RESULT(swb_event_copy(&event, NULL), SWB_ERR_ARGUMENT, "no place for the copy");
    CHECK(copy == NULL, "nothing was copied");
    CHECK(tap_equal(swb_result_name(SWB_ERR_ARGUMENT), "SWB_ERR_ARGUMENT"), "what they all said");
}

static void publishing(swb_bus *bus) {
    static const char large[(64 << 20) + 1];
    swb_publisher *publisher = NULL;
    swb_delivery delivery = {.size = 3};
    swb_message message = {.size = sizeof message};
    CHECK_RESULT(swb_publish(bus, NULL, NULL, 0), SWB_ERR_ARGUMENT, "no type");
    CHECK_RESULT(swb_publish(bus, "a.b", NULL, 5), SWB_ERR_ARGUMENT, "a length without a payload");
    CHECK_RESULT(swb_publish(bus, "", NULL, 0), SWB_ERR_TYPE_NAME, "an empty type");
    CHECK_RESULT(swb_publish(bus, "Agent.created", NULL, 0), SWB_ERR_TYPE_NAME, "a capital letter");
    CHECK(strstr(swb_last_error(), "position 0") != NULL, "and the text says where");
    CHECK_RESULT(swb_publish(bus, "agent.*", NULL, 0), SWB_ERR_TYPE_NAME, "a pattern");
    CHECK_RESULT(swb_publish(bus, too_long, NULL, 0), SWB_ERR_TYPE_NAME, "a type that is too long");
    CHECK_RESULT(swb_publish(bus, "a.b", large, sizeof large), SWB_ERR_TOO_LARGE, "a payload that is too large");
    CHECK_RESULT(swb_publisher_open(bus, NULL, &publisher), SWB_ERR_ARGUMENT, "a publisher without a type");
    CHECK_RESULT(swb_publisher_open(bus, "a.b", NULL), SWB_ERR_ARGUMENT, "no place for it");
    CHECK_RESULT(swb_publisher_open(bus, "a b", &publisher), SWB_ERR_TYPE_NAME, "one of a type that is none");
    CHECK(publisher == NULL, "none was made");
    CHECK_RESULT(swb_publisher_open(bus, "a.b", &publisher), SWB_OK, "a good one");
    CHECK_RESULT(swb_publisher_publish(publisher, NULL, 5), SWB_ERR_ARGUMENT, "a length without a payload");
    CHECK_RESULT(swb_publisher_publish(publisher, large, sizeof large), SWB_ERR_TOO_LARGE, "a payload that is too large");
    CHECK_RESULT(swb_publisher_publish_message(publisher, NULL, NULL), SWB_ERR_ARGUMENT, "no message");
    CHECK_RESULT(swb_publish_message(bus, "a.b", NULL, NULL), SWB_ERR_ARGUMENT, "in either way");
    CHECK_RESULT(swb_publish_message(bus, "a.b", &message, &delivery), SWB_ERR_ARGUMENT, "a delivery without its size");
    CHECK_RESULT(swb_publisher_publish_message(publisher, &message, &delivery), SWB_ERR_ARGUMENT, "in either way");

#define CHECK_MESSAGE(field, value, expected, what)                                           \
    do {                                                                                      \
        swb_message wrong = {.size = sizeof wrong};                                           \
        wrong.field = (value);                                                                \
        CHECK_RESULT(swb_publish_message(bus, "a.b", &wrong, NULL), expected, what);          \
        CHECK_RESULT(swb_publisher_publish_message(publisher, &wrong, NULL), expected, what); \
    } while (0)
    CHECK_MESSAGE(size, 1, SWB_ERR_ARGUMENT, "a message without its size");
    CHECK_MESSAGE(payload_bytes, 1, SWB_ERR_ARGUMENT, "a length without a payload");
    CHECK_MESSAGE(encoding, 9, SWB_ERR_ARGUMENT, "an unknown encoding");
    CHECK_MESSAGE(subject, too_long, SWB_ERR_ARGUMENT, "a subject that is too long");
    CHECK_MESSAGE(source, too_long, SWB_ERR_ARGUMENT, "a source that is too long");
    CHECK_MESSAGE(block_timeout_ns, -9, SWB_ERR_ARGUMENT, "a negative timeout");
#undef CHECK_MESSAGE
    swb_publisher_close(publisher);
}

static void looking(void) {
    swb_info info = {.size = 2};
    size_t position = 0;
    CHECK_RESULT(swb_look(NULL, &info), SWB_ERR_ARGUMENT, "no name to look at");
    CHECK_RESULT(swb_look(name, NULL), SWB_ERR_ARGUMENT, "no place for the answer");
    CHECK_RESULT(swb_look(name, &info), SWB_ERR_ARGUMENT, "an answer without its size");
    info.size = sizeof info;
    CHECK_RESULT(swb_look("no/name", &info), SWB_ERR_BUS_NAME, "a name that is none");
    CHECK_RESULT(swb_list(NULL, NULL), SWB_ERR_ARGUMENT, "nobody to tell the names");
    CHECK_RESULT(swb_remove(NULL, 0), SWB_ERR_ARGUMENT, "no name to remove");
    CHECK_RESULT(swb_remove("../x", 1), SWB_ERR_BUS_NAME, "a name that leads elsewhere");
    CHECK_RESULT(swb_check_type(NULL, &position), SWB_ERR_ARGUMENT, "no type");
    CHECK_RESULT(swb_check_pattern(NULL, &position), SWB_ERR_ARGUMENT, "no pattern");
    CHECK_RESULT(swb_check_type(too_long, NULL), SWB_ERR_TYPE_NAME, "one that is too long, position unasked");
    CHECK_RESULT(swb_check_pattern(too_long, NULL), SWB_ERR_PATTERN, "one that is too long, position unasked");
    CHECK_RESULT(swb_match(NULL, "a.b"), SWB_ERR_ARGUMENT, "matching nothing");
    CHECK_RESULT(swb_match("*", NULL), SWB_ERR_ARGUMENT, "with nothing");
    CHECK_RESULT(swb_match("a..b", "a.b"), SWB_ERR_PATTERN, "a pattern that is none");
    CHECK_RESULT(swb_match("a.b", "a.*"), SWB_ERR_TYPE_NAME, "a type that is none");
}

int main(void) {
    swb_bus *bus = NULL;
    snprintf(name, sizeof name, "test-capi-errors-%ld", (long)getpid());
    memset(too_long, 'x', sizeof too_long - 1);
    opening();
    without_a_handle();
    CHECK_RESULT(swb_open(name, NULL, &bus), SWB_OK, "a bus");
    receiving(bus);
    publishing(bus);
    CHECK_RESULT(swb_separate(bus, NULL, NULL), SWB_ERR_ARGUMENT, "no place for a second handle");
    copying();
    looking();
    swb_close(bus);
    swb_remove(name, 1);
    return tap_end();
}
