/* JSON payloads for the agents in C: objects of a few short fields. */
#ifndef SWARM_PAYLOAD_H
#define SWARM_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include <swarmbus.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Publishes a JSON payload given as for printf(). Returns 0, or -1 after a message. */
int publish_json(swb_bus *bus, const char *type, const char *subject, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Copies the value of a field of the outermost object: a string without its quotes, anything else as
 * written, objects included. Escapes stay as they are, so that a value can be written again.
 * Returns 1; 0 and "" if there is no such field, or it does not fit in `size` bytes. */
int json_field(const char *json, size_t bytes, const char *name, char *value, size_t size);

/* The same, of an event's payload. */
int event_field(const swb_event *event, const char *name, char *value, size_t size);

#ifdef __cplusplus
}
#endif

#endif
