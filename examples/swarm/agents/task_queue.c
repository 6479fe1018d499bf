/* The task queue: takes every task.created, keeps it until an agent with the right capability is
 * idle, and assigns it. An agent that does not finish in time, or begins anew, loses the task to the
 * next one. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "life.h"
#include "payload.h"

enum { MOST_TASKS = 256, MOST_WORKERS = 16, PATIENCE_MS = 1500, CHECK_EVERY_MS = 100 };

struct task {
    char id[16];
    char kind[16];
    char metadata[112]; /* a JSON object, handed on as it came */
};

struct worker {
    char id[32];
    char capability[16];
    int busy, absent;
    long long assigned_ms;
    struct task task;
};

static swb_bus *bus;
static const char *self;
static struct task waiting[MOST_TASKS]; /* the oldest first */
static int waiting_count;
static struct worker workers[MOST_WORKERS];
static int worker_count;

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct worker *find_worker(const char *id) {
    for (int i = 0; i < worker_count; ++i) {
        if (strcmp(workers[i].id, id) == 0) return &workers[i];
    }
    return NULL;
}

static struct worker *find_idle(const char *capability) {
    for (int i = 0; i < worker_count; ++i) {
        struct worker *const worker = &workers[i];
        if (!worker->busy && !worker->absent && strcmp(worker->capability, capability) == 0) return worker;
    }
    return NULL;
}

static void remove_waiting(int place) {
    --waiting_count;
    memmove(&waiting[place], &waiting[place + 1], (size_t)(waiting_count - place) * sizeof waiting[0]);
}

static void assign_what_is_possible(void) {
    for (int i = 0; i < waiting_count;) {
        struct worker *const worker = find_idle(waiting[i].kind);
        if (worker == NULL) {
            ++i;
            continue;
        }
        worker->task = waiting[i];
        worker->busy = 1;
        worker->assigned_ms = now_ms();
        remove_waiting(i);
        publish_json(bus, "agent.task.assigned", worker->id,
                     "{\"agent_id\":\"%s\",\"task_id\":\"%s\",\"assigned_by\":\"%s\",\"metadata\":%s}", worker->id, worker->task.id, self,
                     worker->task.metadata);
    }
}

static void enqueue(const struct task *task) {
    if (waiting_count == MOST_TASKS) {
        publish_json(bus, "task.failed", task->id,
                     "{\"task_id\":\"%s\",\"status\":\"failed\",\"error\":\"the queue is full\",\"metadata\":%s}", task->id,
                     task->metadata);
        return;
    }
    publish_json(bus, "task.queued", task->id,
                 "{\"task_id\":\"%s\",\"status\":\"queued\",\"queue\":\"%s\",\"position\":%d,\"metadata\":%s}", task->id, self,
                 waiting_count, task->metadata);
    waiting[waiting_count++] = *task;
}

static void on_task_created(const char *json) {
    struct task task;
    if (json_field(json, "task_id", task.id, sizeof task.id) && json_field(json, "metadata", task.metadata, sizeof task.metadata) &&
        json_field(task.metadata, "kind", task.kind, sizeof task.kind)) {
        enqueue(&task);
    }
}

static void on_capability_announced(const char *json) {
    struct worker worker = {.busy = 0}, *known;
    if (!json_field(json, "agent_id", worker.id, sizeof worker.id) ||
        !json_field(json, "capability", worker.capability, sizeof worker.capability)) {
        return;
    }
    known = find_worker(worker.id);
    if (known != NULL) {
        /* It begins anew, and knows nothing of a task that it had. */
        if (known->busy) enqueue(&known->task);
        *known = worker;
    } else if (worker_count < MOST_WORKERS) {
        workers[worker_count++] = worker;
    }
}

static void on_task_ended(const char *json) {
    char id[32];
    struct worker *worker;
    json_field(json, "agent_id", id, sizeof id);
    worker = find_worker(id);
    if (worker == NULL) return;
    worker->busy = 0;
    worker->absent = 0;
}

static void on_event(const swb_event *event) {
    if (strcmp(event->type, "task.created") == 0) on_task_created(event_json(bus, event));
    else if (strcmp(event->type, "agent.capability.announced") == 0) on_capability_announced(event_json(bus, event));
    else if (strcmp(event->type, "agent.task.completed") == 0) on_task_ended(event_json(bus, event));
}

static void take_back_from_the_absent(void) {
    for (int i = 0; i < worker_count; ++i) {
        struct worker *const worker = &workers[i];
        if (!worker->busy || now_ms() - worker->assigned_ms < PATIENCE_MS) continue;
        worker->busy = 0;
        worker->absent = 1; /* until it is heard of again */
        publish_json(
            bus, "system.warning", worker->id,
            "{\"component\":\"%s\",\"code\":\"agent_absent\",\"message\":\"%s does not answer\",\"metadata\":{\"task_id\":\"%s\"}}", self,
            worker->id, worker->task.id);
        enqueue(&worker->task);
    }
}

static int run(void) {
    static swb_event events[64];
    long long next_check_ms = 0;
    events[0].size = sizeof events[0];
    while (!agent_ending()) {
        size_t count = 0;
        const swb_result result = swb_next_batch(bus, CHECK_EVERY_MS * 1000000LL, events, 64, &count);
        if (result < 0) {
            fprintf(stderr, "receiving: %s\n", swb_last_error());
            return 1;
        }
        for (size_t i = 0; i < count; ++i) on_event(&events[i]);
        if (now_ms() >= next_check_ms) {
            take_back_from_the_absent();
            next_check_ms = now_ms() + CHECK_EVERY_MS;
        }
        assign_what_is_possible();
    }
    return 0;
}

int main(int argc, char **argv) {
    struct agent_start start;
    swb_options options = {.size = sizeof options, .open_mode = SWB_OPEN_ONLY};
    int status = 1;

    if (agent_begin(argc, argv, &start) != 0) return 2;
    self = options.source = start.id;
    if (swb_open(start.bus, &options, &bus) < 0 ||
        swb_subscribe(bus, "task.created agent.capability.announced agent.task.completed", NULL, NULL, NULL) < 0) {
        fprintf(stderr, "%s\n", swb_last_error());
    } else {
        agent_stop_receiving_at_end(bus);
        publish_json(bus, "agent.created", self, "{\"agent_id\":\"%s\"}", self);
        publish_json(bus, "agent.status.changed", self,
                     "{\"agent_id\":\"%s\",\"previous_status\":\"created\",\"new_status\":\"ready\",\"reason\":\"waiting for tasks\"}",
                     self);
        status = run();
        publish_json(bus, "agent.status.changed", self,
                     "{\"agent_id\":\"%s\",\"previous_status\":\"ready\",\"new_status\":\"ended\",\"reason\":\"the demo ends\"}", self);
        agent_stop_receiving_at_end(NULL);
    }
    swb_close(bus);
    agent_end(&start);
    return status;
}
