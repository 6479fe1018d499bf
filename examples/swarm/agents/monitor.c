/* The monitor: measures the machine and the bus once a second, and warns when many tasks fail. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "life.h"
#include "payload.h"

enum { HIGH_PERCENT = 80, WARN_FAILED_PERCENT = 12 };

static const char *self;
static unsigned completed, failed; /* since the last look */

static void count_task(const swb_event *event, void *user) {
    (void)user;
    if (strcmp(event->type, "task.completed") == 0) ++completed;
    else ++failed;
}

/* Used memory of this machine in percent; -1 if it can't be told. */
static int memory_percent(void) {
    FILE *const file = fopen("/proc/meminfo", "re");
    char line[128];
    unsigned long long total = 0, available = 0;
    if (file == NULL) return -1;
    while (fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "MemTotal: %llu", &total);
        (void)sscanf(line, "MemAvailable: %llu", &available);
    }
    fclose(file);
    return total == 0 ? -1 : (int)((total - available) * 100 / total);
}

/* Processes that want to run, in percent of the processors; -1 if it can't be told. */
static int load_percent(void) {
    FILE *const file = fopen("/proc/loadavg", "re");
    double load = -1;
    if (file == NULL) return -1;
    if (fscanf(file, "%lf", &load) != 1) load = -1;
    fclose(file);
    return load < 0 ? -1 : (int)(load * 100 / (double)sysconf(_SC_NPROCESSORS_ONLN));
}

static void publish_resource(swb_bus *bus, const char *resource, int percent) {
    if (percent < 0) return;
    publish_json(bus, "system.resource.alert", resource,
                 "{\"resource\":\"%s\",\"component\":\"%s\",\"severity\":\"%s\",\"value\":%d,\"threshold\":%d,\"unit\":\"percent\"}",
                 resource, self, percent >= HIGH_PERCENT ? "warning" : "normal", percent, HIGH_PERCENT);
}

static void publish_bus(swb_bus *bus, const char *name) {
    swb_info info = {.size = sizeof info};
    if (swb_look(name, &info) < 0) return;
    publish_json(bus, "system.resource.alert", "bus",
                 "{\"resource\":\"bus\",\"component\":\"%s\",\"severity\":\"normal\",\"value\":%llu,\"unit\":\"KiB\","
                 "\"metadata\":{\"inboxes\":%u}}",
                 self, (unsigned long long)(info.resident_bytes / 1024), info.subscribers);
}

static void publish_failures(swb_bus *bus) {
    const unsigned all = completed + failed;
    if (all > 0 && failed * 100 / all >= WARN_FAILED_PERCENT) {
        publish_json(bus, "system.warning", self, "{\"component\":\"%s\",\"code\":\"tasks_fail\",\"message\":\"%u of %u tasks failed\"}",
                     self, failed, all);
    }
    completed = failed = 0;
}

static int run(swb_bus *bus, const char *name) {
    time_t last = time(NULL);
    while (!agent_ending()) {
        const swb_result result = swb_run_once(bus, 200000000, NULL);
        if (result < 0) {
            fprintf(stderr, "receiving: %s\n", swb_last_error());
            return 1;
        }
        if (time(NULL) == last) continue;
        last = time(NULL);
        publish_resource(bus, "memory", memory_percent());
        publish_resource(bus, "cpu", load_percent());
        publish_bus(bus, name);
        publish_failures(bus);
    }
    return 0;
}

int main(int argc, char **argv) {
    struct agent_start start;
    swb_options options = {.size = sizeof options, .open_mode = SWB_OPEN_ONLY};
    swb_bus *bus = NULL;
    int status = 1;

    if (agent_begin(argc, argv, &start) != 0) return 2;
    self = options.source = start.id;
    if (swb_open(start.bus, &options, &bus) < 0 || swb_subscribe(bus, "task.completed task.failed", count_task, NULL, NULL) < 0) {
        fprintf(stderr, "%s\n", swb_last_error());
    } else {
        agent_stop_receiving_at_end(bus);
        publish_json(bus, "agent.created", self, "{\"agent_id\":\"%s\"}", self);
        publish_json(bus, "agent.status.changed", self,
                     "{\"agent_id\":\"%s\",\"previous_status\":\"created\",\"new_status\":\"watching\",\"reason\":\"once a second\"}",
                     self);
        status = run(bus, start.bus);
        publish_json(bus, "agent.status.changed", self,
                     "{\"agent_id\":\"%s\",\"previous_status\":\"watching\",\"new_status\":\"ended\",\"reason\":\"the demo ends\"}", self);
        agent_stop_receiving_at_end(NULL);
    }
    swb_close(bus);
    agent_end(&start);
    return status;
}
