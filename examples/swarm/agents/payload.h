/* Payloads for the agents in C, which write and read them as JSON: on the bus they are the tables that the
 * standard events have. */
#ifndef SWARM_PAYLOAD_H
#define SWARM_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include <swarmbus.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Publishes an event whose fields are given as JSON, as for printf(). Returns 0, or -1 after a message. */
int publish_json(swb_bus *bus, const char *type, const char *subject, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* An event's payload as JSON, "" if it is not what its type has: anybody may publish anything. Valid until this thread's
 * next call. */
const char *event_json(swb_bus *bus, const swb_event *event);

/* Copies the value of a field of the outermost object: a string without its quotes, anything else as
 * written, objects included. Escapes stay as they are, so that a value can be written again.
 * Returns 1; 0 and "" if there is no such field, or it does not fit in `size` bytes. */
int json_field(const char *json, const char *name, char *value, size_t size);

#ifdef __cplusplus
}
#endif

#endif
