/* A tester: runs the tests of what was written and reviewed. An agent in C with a handler. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "life.h"
#include "payload.h"

struct tester {
    swb_bus *bus;
    const char *id;
    unsigned chance; /* state of rand_r() */
};

static void set_status(const struct tester *tester, const char *previous, const char *next, const char *reason) {
    publish_json(tester->bus, "agent.status.changed", tester->id,
                 "{\"agent_id\":\"%s\",\"previous_status\":\"%s\",\"new_status\":\"%s\",\"reason\":\"%s\"}", tester->id, previous, next,
                 reason);
}

static void announce(const struct tester *tester) {
    publish_json(tester->bus, "agent.capability.announced", tester->id, "{\"agent_id\":\"%s\",\"capability\":\"test\"}", tester->id);
}

static void on_created(const swb_event *event, void *user) {
    if (strcmp(event->subject, AGENT_QUEUE_ID) == 0) announce(user);
}

/* Sleeps as long as the tests would run. */
static void run_the_tests(struct tester *tester) {
    const struct timespec duration = {0, (5 + rand_r(&tester->chance) % 11) * 1000000L};
    nanosleep(&duration, NULL);
}

static void say_started(const struct tester *tester, const char *task, const char *metadata) {
    publish_json(tester->bus, "task.started", task, "{\"task_id\":\"%s\",\"agent_id\":\"%s\",\"status\":\"started\",\"metadata\":%s}", task,
                 tester->id, metadata);
}

/* Twice: what became of the task, and that its agent is free. */
static void say_ended(const struct tester *tester, const char *task, const char *metadata, int passed, const char *result) {
    publish_json(tester->bus, passed ? "task.completed" : "task.failed", task,
                 "{\"task_id\":\"%s\",\"agent_id\":\"%s\",\"status\":\"%s\",\"%s\":\"%s\",\"metadata\":%s}", task, tester->id,
                 passed ? "completed" : "failed", passed ? "result" : "error", result, metadata);
    publish_json(tester->bus, "agent.task.completed", tester->id,
                 "{\"agent_id\":\"%s\",\"task_id\":\"%s\",\"success\":%s,\"result\":\"%s\"}", tester->id, task, passed ? "true" : "false",
                 result);
}

static void on_assigned(const swb_event *event, void *user) {
    struct tester *const tester = user;
    const char *json, *result;
    char task[16], metadata[112];
    int passed;

    if (strcmp(event->subject, tester->id) != 0) return; /* another agent's */
    json = event_json(tester->bus, event);
    if (!json_field(json, "task_id", task, sizeof task) || !json_field(json, "metadata", metadata, sizeof metadata)) return;

    set_status(tester, "idle", "busy", task);
    say_started(tester, task, metadata);
    run_the_tests(tester);
    passed = rand_r(&tester->chance) % 100 >= 10;
    result = passed ? "all tests passed" : "a test failed";
    say_ended(tester, task, metadata, passed, result);
    set_status(tester, "busy", "idle", result);
}

int main(int argc, char **argv) {
    struct agent_start start;
    struct tester tester = {NULL, NULL, 1};
    swb_options options = {.size = sizeof options, .open_mode = SWB_OPEN_ONLY};
    int status = 1;

    if (agent_begin(argc, argv, &start) != 0) return 2;
    tester.id = options.source = start.id;
    for (const char *c = start.id; *c != '\0'; ++c) tester.chance = tester.chance * 31 + (unsigned char)*c;

    if (swb_open(start.bus, &options, &tester.bus) < 0 ||
        swb_subscribe(tester.bus, "agent.task.assigned", on_assigned, &tester, NULL) < 0 ||
        swb_subscribe(tester.bus, "agent.created", on_created, &tester, NULL) < 0) {
        fprintf(stderr, "%s\n", swb_last_error());
    } else {
        agent_stop_receiving_at_end(tester.bus);
        publish_json(tester.bus, "agent.created", tester.id, "{\"agent_id\":\"%s\"}", tester.id);
        set_status(&tester, "created", "idle", "ready");
        announce(&tester);
        status = swb_run(tester.bus) == SWB_STOPPED ? 0 : 1;
        if (status == 0) set_status(&tester, "idle", "ended", "the demo ends");
        else fprintf(stderr, "receiving: %s\n", swb_last_error());
        agent_stop_receiving_at_end(NULL);
    }
    swb_close(tester.bus);
    agent_end(&start);
    return status;
}
