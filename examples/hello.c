/* A first program in C: it publishes an event and receives it itself. Every call answers with a
 * result: zero and above are expected outcomes, below zero are errors. */
#include <stdio.h>
#include <string.h>

#include <swarmbus.h>

static int failed(const char *what) {
    fprintf(stderr, "hello: %s: %s\n", what, swb_last_error());
    return 1;
}

int main(int argc, char **argv) {
    const char *const name = argc > 1 ? argv[1] : "demo";
    const char created[] = "{\"agent_id\":\"agent-7\"}", *json = NULL;
    swb_event event = {.size = sizeof event}; /* the library fills the rest */
    swb_bus *bus = NULL;
    int status = 0;

    /* NULL options: everything has a default. The bus is created if there is none. */
    if (swb_open(name, NULL, &bus) < 0) return failed("open");

    /* No handler: this program asks for its events with swb_next(). */
    if (swb_subscribe(bus, "agent.*", NULL, NULL, NULL) < 0) {
        status = failed("subscribe");
    } else if (swb_publish_json(bus, "agent.created", created, strlen(created), NULL, NULL) < 0) {
        status = failed("publish");
    } else {
        /* What the event points to stays valid until the next receiving call. Its payload is the table that the bus's
         * schema of agent.created has; here it is asked for as JSON. */
        const swb_result result = swb_next(bus, SWB_FOREVER, &event);
        if (result != SWB_OK) {
            status = failed(swb_result_name(result));
        } else if (swb_event_to_json(bus, &event, &json, NULL) < 0) {
            status = failed("to JSON");
        } else {
            printf("%s from %s: %s\n", event.type, event.source, json);
        }
    }
    swb_close(bus);
    return status;
}
