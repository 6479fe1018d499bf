/* Every function of the C interface, used as the header says, in its order. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static char name[64];

static swb_bus *open_bus(const swb_options *options) {
    swb_bus *bus = NULL;
    CHECK_RESULT(swb_open(name, options, &bus), SWB_OK, "swb_open opens or creates a bus");
    return bus;
}

static void results(void) {
    CHECK(tap_equal(swb_result_name(SWB_ERR_NO_BUS), "SWB_ERR_NO_BUS"), "a result has a name");
    CHECK(tap_equal(swb_result_name((swb_result)99), "SWB_UNKNOWN"), "other numbers have none");
    CHECK(tap_equal(swb_result_text(SWB_OK), "success"), "a result has a text");
    CHECK(tap_equal(swb_result_text((swb_result)99), "unknown result"), "other numbers have none");
    CHECK(tap_equal(swb_last_error(), ""), "no call has failed yet");
    CHECK(tap_equal(swb_version(), SWARMBUS_VERSION), "the version is the project's");
}

static void first_steps(void) {
    swb_bus *bus = open_bus(NULL);
    swb_event event = {.size = sizeof event};
    CHECK_RESULT(swb_subscribe(bus, "agent.*", NULL, NULL, NULL), SWB_OK, "a subscription needs no handler and no id");
    CHECK_RESULT(swb_publish(bus, "agent.created", "seven", 5), SWB_OK, "bytes are published");
    CHECK_RESULT(swb_publish(bus, "task.created", NULL, 0), SWB_OK, "also when nobody subscribes, and without a payload");
    CHECK_RESULT(swb_next(bus, SWB_FOREVER, &event), SWB_OK, "the next event");
    CHECK(tap_equal(event.type, "agent.created"), "its type");
    CHECK(event.payload_bytes == 5 && memcmp(event.payload, "seven", 5) == 0, "its payload");
    CHECK((uintptr_t)event.payload % 8 == 0, "is aligned to 8 bytes");
    CHECK(event.source != NULL && *event.source != '\0' && tap_equal(event.subject, ""), "its source, and no subject");
    CHECK(event.sequence == 1 && event.time_ns > UINT64_C(1500000000000000000), "its sequence and time");
    CHECK(event.encoding == SWB_BYTES && event.lost == 0, "its encoding, and that nothing was lost");
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_TIMED_OUT, "nothing that was not asked for");
    CHECK_RESULT(swb_next(bus, 1000000, &event), SWB_TIMED_OUT, "a wait ends");
    CHECK_RESULT(swb_next(bus, SWB_NO_WAIT, &event), SWB_TIMED_OUT, "no wait is one look");
    CHECK_RESULT(swb_next(bus, -5, &event), SWB_ERR_ARGUMENT, "other negative times are mistakes");
    CHECK_RESULT(swb_publish(bus, "agent.created", "x", SIZE_MAX), SWB_ERR_TOO_LARGE, "a length that is none");
    CHECK_RESULT(swb_publish(bus, "agent.created", "x", SIZE_MAX - 64), SWB_ERR_TOO_LARGE, "or nearly none");
    swb_close(bus);
}

struct seen {
    swb_bus *bus;
    int events;
    uint64_t payload_bytes;
};

static void see(const swb_event *event, void *user) {
    struct seen *seen = user;
    ++seen->events;
    seen->payload_bytes += event->payload_bytes;
}

static void see_and_stop(const swb_event *event, void *user) {
    see(event, user);
    swb_stop(((struct seen *)user)->bus);
}

static void receiving(void) {
    swb_bus *bus = open_bus(NULL);
    struct seen seen = {0};
    uint64_t id = 0, stopping = 0;
    size_t handled = 0;
    CHECK_RESULT(swb_subscribe(bus, "a.b, a.c", see, &seen, &id), SWB_OK, "several patterns, a handler and an id");
    swb_publish(bus, "a.b", "12", 2);
    swb_publish(bus, "a.c", "345", 3);
    swb_publish(bus, "a.d", "unwanted", 8);
    CHECK_RESULT(swb_run_once(bus, SWB_FOREVER, &handled), SWB_OK, "swb_run_once gives events to handlers");
    CHECK(handled == 2 && seen.events == 2 && seen.payload_bytes == 5, "those that were asked for");
    CHECK_RESULT(swb_run_once(bus, 0, NULL), SWB_TIMED_OUT, "until there are none; the count may be left out");
    CHECK_RESULT(swb_unsubscribe(bus, id), SWB_OK, "a subscription ends");
    CHECK_RESULT(swb_unsubscribe(bus, id), SWB_ERR_NOT_FOUND, "once");

    seen.bus = bus;
    CHECK_RESULT(swb_subscribe(bus, "*", see_and_stop, &seen, &stopping), SWB_OK, "a handler that stops");
    swb_publish(bus, "a.b", NULL, 0);
    CHECK_RESULT(swb_run(bus), SWB_STOPPED, "swb_run runs until it is stopped");
    CHECK_RESULT(swb_stop(bus), SWB_OK, "a stop before its time");
    swb_event event = {.size = sizeof event};
    CHECK_RESULT(swb_next(bus, SWB_FOREVER, &event), SWB_STOPPED, "ends the next wait");
    swb_close(bus);
}

static void batches(void) {
    /* An array of structures larger than ours, as a later version would have it. */
    struct {
        swb_event event;
        char more[40];
    } events[8];
    const swb_options options = {.size = sizeof options, .capacity_slots = 16, .overflow = SWB_DROP_NEWEST};
    uint64_t lost_by[SWB_LOSS_CAUSES];
    size_t count = 0;
    swb_bus *bus = open_bus(&options);
    swb_subscribe(bus, "*", NULL, NULL, NULL);
    for (int i = 0; i < 20; ++i) swb_publish(bus, "a.b", &i, sizeof i);
    memset(events, 0x7e, sizeof events);
    events[0].event.size = sizeof events[0];
    CHECK_RESULT(swb_next_batch(bus, 0, &events[0].event, 8, &count), SWB_OK, "a batch fills the caller's array");
    int in_order = count == 8;
    for (int i = 0; i < (int)count; ++i) {
        in_order = in_order && events[i].event.size == sizeof events[0] && *(const int *)events[i].event.payload == i;
        in_order = in_order && events[i].more[0] == 0x7e;
    }
    CHECK(in_order, "in order, and touches only what it knows");
    CHECK_RESULT(swb_release(bus), SWB_OK, "a batch is given back");
    CHECK_RESULT(swb_publish(bus, "a.b", NULL, 0), SWB_OK, "which makes room");
    CHECK_RESULT(swb_losses(bus, lost_by), SWB_OK, "losses are counted");
    CHECK(lost_by[SWB_LOSS_FULL] == 4 && lost_by[SWB_LOSS_EVICTED] == 0, "by cause");
    uint64_t told = 0;
    while (swb_next_batch(bus, 0, &events[0].event, 8, &count) == SWB_OK) {
        for (size_t i = 0; i < count; ++i) told += events[i].event.lost_by[SWB_LOSS_FULL];
    }
    CHECK(told == 4, "and told with the event behind them");
    for (int i = 0; i < 17; ++i) swb_publish(bus, "a.b", NULL, 0);
    for (int i = 0; i < 2; ++i) swb_next_batch(bus, 0, &events[0].event, 8, &count);
    CHECK_RESULT(swb_next_batch(bus, 0, &events[0].event, 8, &count), SWB_LOST, "or on their own");
    CHECK(count == 0 && events[0].event.lost == 1 && tap_equal(events[0].event.type, ""), "without an event");
    swb_close(bus);
}

static void copies(void) {
    swb_bus *bus = open_bus(NULL);
    swb_event event = {.size = sizeof event}, *copy = NULL;
    swb_subscribe(bus, "*", NULL, NULL, NULL);
    swb_publish(bus, "a.b", "kept", 4);
    swb_next(bus, 0, &event);
    CHECK_RESULT(swb_event_copy(&event, &copy), SWB_OK, "an event is copied");
    swb_close(bus);
    CHECK(tap_equal(copy->type, "a.b") && memcmp(copy->payload, "kept", 4) == 0, "and outlives its bus");
    CHECK((uintptr_t)copy->payload % 8 == 0, "aligned as well");
    swb_event_free(copy);
}

static void publishing(void) {
    swb_bus *bus = open_bus(NULL);
    swb_publisher *publisher = NULL;
    swb_event event = {.size = sizeof event};
    swb_delivery delivery = {.size = sizeof delivery};
    const swb_message message = {.size = sizeof message,
                                 .payload = "{}",
                                 .payload_bytes = 2,
                                 .subject = "agent-7",
                                 .source = "somebody",
                                 .encoding = SWB_JSON,
                                 .block_timeout_ns = SWB_NO_WAIT};
    swb_subscribe(bus, "*", NULL, NULL, NULL);
    CHECK_RESULT(swb_publish_message(bus, "a.b", &message, &delivery), SWB_OK, "a message with all its fields");
    CHECK(delivery.delivered == 1 && delivery.dropped == 0 && delivery.sequence == 1, "is delivered");
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_OK, "and received");
    CHECK(tap_equal(event.subject, "agent-7") && tap_equal(event.source, "somebody") && event.encoding == SWB_JSON, "with all of them");
    CHECK(event.writer == delivery.writer && event.sequence == delivery.sequence, "by what the publisher knows it");
    CHECK_RESULT(swb_publisher_open(bus, "a.c", &publisher), SWB_OK, "a publisher is bound to a type");
    CHECK_RESULT(swb_publisher_publish(publisher, "x", 1), SWB_OK, "publishes bytes");
    CHECK_RESULT(swb_publisher_publish_message(publisher, &message, NULL), SWB_OK, "and messages");
    CHECK(swb_next(bus, 0, &event) == SWB_OK && tap_equal(event.type, "a.c") && event.sequence == 2, "of its type, in sequence");
    CHECK(swb_next(bus, 0, &event) == SWB_OK && tap_equal(event.subject, "agent-7"), "both");
    swb_close(bus);
    CHECK_RESULT(swb_publisher_publish(publisher, "x", 1), SWB_ERR_CLOSED, "until its bus is closed");
    swb_publisher_close(publisher);
}

static void separate_inboxes(void) {
    swb_bus *bus = open_bus(NULL), *alike = NULL, *small = NULL;
    const swb_options options = {.size = sizeof options, .capacity_slots = 16};
    swb_event event = {.size = sizeof event};
    CHECK_RESULT(swb_separate(bus, NULL, &alike), SWB_OK, "a second inbox with the same options");
    CHECK_RESULT(swb_separate(bus, &options, &small), SWB_OK, "one with its own");
    swb_subscribe(alike, "a.*", NULL, NULL, NULL);
    swb_subscribe(small, "b.*", NULL, NULL, NULL);
    swb_close(bus);
    CHECK_RESULT(swb_publish(alike, "b.c", NULL, 0), SWB_OK, "they live on when the first is closed");
    CHECK_RESULT(swb_next(small, 0, &event), SWB_OK, "each gets what it asked for");
    CHECK_RESULT(swb_next(alike, 0, &event), SWB_TIMED_OUT, "and nothing else");
    swb_close(small);
    swb_close(alike);
}

static void loans(void) {
    swb_bus *bus = open_bus(NULL);
    swb_event event = {.size = sizeof event};
    swb_message message = {.size = sizeof message, .flags = SWB_LOANED, .payload_bytes = 100000};
    void *memory = NULL, *other = NULL;
    swb_subscribe(bus, "l.*", NULL, NULL, NULL);
    CHECK_RESULT(swb_loan(bus, 100000, &memory), SWB_OK, "memory is lent");
    CHECK_RESULT(swb_loan(bus, 1, &other), SWB_OK, "more of it");
    memset(memory, 'x', 100000);
    message.payload = memory;
    CHECK_RESULT(swb_publish_message(bus, "l.a", &message, NULL), SWB_OK, "it is published");
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_OK, "and received");
    CHECK(event.payload_bytes == 100000 && ((const char *)event.payload)[99999] == 'x', "as it was built");
    CHECK_RESULT(swb_loan_return(bus, other), SWB_OK, "what is not needed is given back");
    CHECK_RESULT(swb_loan_return(bus, other), SWB_ERR_ARGUMENT, "once");
    CHECK_RESULT(swb_loan(bus, SIZE_MAX, &memory), SWB_ERR_TOO_LARGE, "a loan has its limit");
    swb_close(bus);
}

static int readable(int descriptor) {
    struct pollfd look = {.fd = descriptor, .events = POLLIN};
    return poll(&look, 1, 0);
}

static void descriptors(void) {
    swb_bus *bus = open_bus(NULL);
    swb_event event = {.size = sizeof event};
    int descriptor = 77, again = 78;
    CHECK_RESULT(swb_descriptor(bus, &descriptor), SWB_ERR_NOT_SUBSCRIBED, "a descriptor needs a subscription");
    swb_subscribe(bus, "d.*", NULL, NULL, NULL);
    CHECK_RESULT(swb_descriptor(bus, &descriptor), SWB_OK, "then there is one");
    CHECK_RESULT(swb_descriptor(bus, &again), SWB_OK, "asked again");
    CHECK(again == descriptor && descriptor > 2, "it is the same");
    CHECK(readable(descriptor) == 1, "it is readable until somebody has looked");
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_TIMED_OUT, "a look finds nothing");
    CHECK(readable(descriptor) == 0, "and silences it");
    swb_publish(bus, "d.a", NULL, 0);
    swb_publish(bus, "d.b", NULL, 0);
    CHECK(readable(descriptor) == 1, "an event makes it readable");
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_OK, "one is taken");
    CHECK(readable(descriptor) == 1, "it stays readable");
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_OK, "so that the other is taken, too");
    CHECK_RESULT(swb_next(bus, 0, &event), SWB_TIMED_OUT, "nothing is left");
    CHECK(readable(descriptor) == 0, "and it is silent again");
    swb_close(bus);
}

static void remember_own(const char *found, void *user) {
    if (tap_equal(found, name)) ++*(int *)user;
}

static void remember_participant(const swb_participant *participant, void *user) {
    swb_participant *seen = user;
    *seen = *participant;
    CHECK(tap_equal(participant->patterns, "*"), "a participant has its patterns");
}

static void count_finding(const swb_finding *finding, void *user) {
    CHECK(finding->what[0] != 0 && finding->who[0] != 0 && finding->advice[0] != 0, "a finding has its texts");
    if (!finding->other_bus) ++*(int *)user;
}

static void looking(void) {
    swb_bus *bus = open_bus(NULL);
    swb_participant seen = {0};
    int findings = 0;
    swb_info info = {.size = sizeof info};
    int listed = 0;
    size_t position = 77;
    swb_subscribe(bus, "*", NULL, NULL, NULL);
    swb_publish(bus, "a.b", NULL, 0);
    CHECK_RESULT(swb_look(name, &info), SWB_OK, "a bus is looked at");
    CHECK(info.participants == 1 && info.subscribers == 1 && info.writers == 1 && info.types >= 1, "who is on it");
    CHECK(info.slot_bytes == 256 && info.default_capacity == 1024 && info.max_participants == 1024, "its limits");
    CHECK(info.max_subscribers == 1024 && info.max_types == 4096 && info.layout_version == 3, "all of them");
    CHECK(info.file_bytes > info.resident_bytes && info.resident_bytes > 0 && info.created_ns > 0, "and what it takes");
    CHECK_RESULT(swb_participants(name, remember_participant, &seen), SWB_OK, "who takes part is listed");
    CHECK(seen.pid == (uint32_t)getpid() && seen.condition == SWB_ALIVE && seen.inboxes == 1 && seen.writers == 1, "that is this process");
    CHECK_RESULT(swb_doctor(name, 0, count_finding, &findings), SWB_OK, "the bus is examined");
    CHECK(findings == 0, "and well");
    CHECK_RESULT(swb_list(remember_own, &listed), SWB_OK, "buses are listed");
    CHECK(listed == 1, "this one, once");
    CHECK_RESULT(swb_remove(name, 0), SWB_ERR_IN_USE, "a bus in use is not removed");
    swb_close(bus);
    CHECK_RESULT(swb_remove(name, 0), SWB_OK, "but one that nobody uses");
    CHECK_RESULT(swb_remove(name, 1), SWB_ERR_NO_BUS, "and then it is gone");
    CHECK_RESULT(swb_check_type("agent.created", NULL), SWB_OK, "a type is checked");
    CHECK_RESULT(swb_check_type("agent..created", &position), SWB_ERR_TYPE_NAME, "one that is none");
    CHECK(position == 6, "has a position where it is wrong");
    CHECK_RESULT(swb_check_pattern("agent.+.changed", NULL), SWB_OK, "a pattern is checked");
    CHECK_RESULT(swb_check_pattern("agent.>.changed", &position), SWB_ERR_PATTERN, "one that is none");
    CHECK(position == 6, "has a position as well");
    CHECK(swb_match("agent.*", "agent.status.changed") == 1, "a pattern matches");
    CHECK(swb_match("agent.*", "agent") == 0, "or does not");
}

int main(void) {
    snprintf(name, sizeof name, "test-capi-calls-%ld", (long)getpid());
    results();
    first_steps();
    receiving();
    batches();
    copies();
    publishing();
    separate_inboxes();
    loans();
    descriptors();
    looking();
    swb_remove(name, 1);
    return tap_end();
}
