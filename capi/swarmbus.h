/* SwarmBus: typed events between the processes of one machine, through shared memory.
 *
 * This header is the manual of the C interface. Read from the top and stop when you have enough:
 *   1. results            how calls answer
 *   2. first steps        open, publish, subscribe, next, close
 *   3. receiving          handlers, batches, losses
 *   4. publishing         bound publishers, all fields, who got it
 *   5. types              schemas, JSON and CloudEvents in and out
 *   6. more               separate inboxes, limits, names and patterns, looking at buses
 *
 * A first subscriber takes three calls:
 *
 *     swb_bus *bus;
 *     swb_event event = {.size = sizeof event};
 *     if (swb_open("demo", NULL, &bus) != SWB_OK) return 1;
 *     if (swb_subscribe(bus, "agent.*", NULL, NULL, NULL) != SWB_OK) return 1;
 *     while (swb_next(bus, SWB_FOREVER, &event) >= 0) puts(event.type);  // "" tells only losses
 *
 * Rules for all calls:
 *   - Text is UTF-8 and ends with NUL. Times are nanoseconds. A `size` field is set by the caller to
 *     the size of the structure it was compiled with.
 *   - A handle may be used by several threads at once, except where a call says otherwise. Handles
 *     may be closed in any order; closing NULL does nothing.
 *   - When the bus is removed, or the program closes the library's descriptors, every call on the
 *     handle but swb_close() answers SWB_ERR_GONE, within a second.
 *   - After fork() the child's copies of handles answer SWB_ERR_FORKED; the parent is unharmed. Open
 *     the bus again in the child.
 *   - No call throws, exits, prints, installs signal handlers or starts threads.
 */
#ifndef SWARMBUS_H
#define SWARMBUS_H

#include <stddef.h>
#include <stdint.h>

#include "swarmbus_errors.h"

#if defined(__GNUC__)
#define SWB_API __attribute__((visibility("default")))
#else
#define SWB_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ 1. results */

/* Zero and above: expected outcomes. Below zero: errors; swb_last_error() says what to do. */
typedef enum swb_result {
#define SWB_RESULT_ENUM(name, number, text) name = number,
    SWB_RESULT_MAP(SWB_RESULT_ENUM)
#undef SWB_RESULT_ENUM
} swb_result;

/* The name of a result, such as "SWB_ERR_NO_BUS".
 * Ownership: static text.  Threads: any.  Blocks: no.  Returns: "SWB_UNKNOWN" for other numbers.  Since: 0.1 */
SWB_API const char *swb_result_name(swb_result result);

/* What a result means, in a few words.
 * Ownership: static text.  Threads: any.  Blocks: no.  Returns: "unknown result" for other numbers.  Since: 0.1 */
SWB_API const char *swb_result_text(swb_result result);

/* What went wrong in the last call of this thread that returned an error: which thing, what was
 * wrong with it, what to do.
 * Ownership: the library's.  Valid: until the next failing call of this thread.  Threads: any, each
 * has its own.  Blocks: no.  Returns: "" if no call failed yet.  Since: 0.1 */
SWB_API const char *swb_last_error(void);

/* The library's version, "0.1.0".
 * Ownership: static text.  Threads: any.  Blocks: no.  Since: 0.1 */
SWB_API const char *swb_version(void);

/* ------------------------------------------------------------------ 2. first steps */

/* This process on a bus: publishes, and receives through one inbox. */
typedef struct swb_bus swb_bus;

/* What an inbox does when it is full. The subscriber chooses. */
typedef enum swb_overflow {
    SWB_DROP_OLDEST = 0, /* the oldest event makes room */
    SWB_DROP_NEWEST = 1, /* the new event is dropped */
    SWB_BLOCK = 2        /* publishers wait for room, up to their block_timeout_ns; then it is dropped */
} swb_overflow;

/* What a payload is. The bus carries it unread. */
typedef enum swb_encoding {
    SWB_BYTES = 0,
    SWB_TEXT = 1, /* UTF-8 */
    SWB_JSON = 2,
    SWB_FLATBUFFERS = 3,
    SWB_FLEXBUFFERS = 4
} swb_encoding;

/* Why events were lost: places in swb_event.lost_by and swb_delivery.dropped_by. */
typedef enum swb_loss_cause {
    SWB_LOSS_EVICTED = 0, /* the oldest event made room (SWB_DROP_OLDEST) */
    SWB_LOSS_FULL = 1,    /* no room (SWB_DROP_NEWEST, or an unfinished oldest event) */
    SWB_LOSS_TIMEOUT = 2, /* no room within the publisher's deadline (SWB_BLOCK) */
    SWB_LOSS_SELF = 3,    /* the publishing thread itself held the full inbox up (SWB_BLOCK) */
    SWB_LOSS_NO_SLOT = 4, /* every slot was held by the reader or set aside */
    SWB_LOSS_DAMAGED = 5, /* the slot could not be read */
    SWB_LOSS_CAUSES = 6
} swb_loss_cause;

#define SWB_FOREVER INT64_C(-1) /* a timeout that never passes */
#define SWB_NO_WAIT INT64_C(-2) /* block_timeout_ns: publish without ever waiting; a timeout_ns: look once */

/* How to open a bus. Zero in any field means its default; start with
 * swb_options options = {.size = sizeof options}. */
typedef struct swb_options {
    size_t size;
    const char *source;        /* who publishes: up to 63 bytes; default: "program-pid" */
    uint32_t open_mode;        /* 0: open or create; SWB_OPEN_ONLY; SWB_CREATE_ONLY */
    uint32_t permissions;      /* of a bus that is created; default 0600 */
    uint32_t capacity_slots;   /* of this handle's inbox: a power of two, 16 to 65,536; default: the bus's */
    uint32_t overflow;         /* swb_overflow of this handle's inbox */
    int64_t block_timeout_ns;  /* publishers: longest wait for SWB_BLOCK inboxes in one publish;
                                  default 100 ms; SWB_NO_WAIT: never wait */
    uint64_t spin_ns;          /* receivers: how long to look before sleeping; default 5 µs;
                                  UINT64_MAX: never sleep */
    uint64_t stall_timeout_ns; /* receivers: how long an unfinished event of a stopped publisher
                                  holds up those behind it; default 50 ms */
    /* Limits of a bus that is created; opening an existing one with other limits than it has is
     * SWB_ERR_LIMITS. 0: the default when creating, whatever it has when opening. */
    uint32_t max_participants; /* processes: default 1,024 */
    uint32_t max_subscribers;  /* inboxes: default 1,024, at most 4,096 */
    uint32_t max_types;        /* event types: default 4,096 */
    uint32_t slot_bytes;       /* a slot: default 256, a multiple of 64 up to 65,536; a payload of 40 bytes
                                  less (and less than that with subject or source of its own) lies in the
                                  slot, a larger one in its publisher's arena */
    uint32_t default_capacity; /* slots of an inbox that does not ask: default 1,024 */
    uint32_t reattach;         /* 1: when the bus was removed, or this process taken for dead, the handle opens
                                  the bus anew, and unless open_mode is SWB_OPEN_ONLY makes one like it; a
                                  receiving call says SWB_REATTACHED then, once, but swb_run() goes on */
    uint64_t ring_bytes;       /* room for all inboxes (sparse, taken as they are made): default 4 GiB */
    uint64_t arena_bytes;      /* publishers: room for large events that are not received yet, for the whole
                                  process (sparse): default 256 MiB */
    uint32_t strict;           /* 1, of a bus that is created: only types with a schema can be published, others are
                                  SWB_ERR_NO_SCHEMA; one of the limits */
    uint32_t verify;           /* publishers, 1: payloads that say they are FlatBuffers are verified by the schema of their
                                  type before they are published: SWB_ERR_PAYLOAD if they are not as it says,
                                  SWB_ERR_NO_SCHEMA if there is none */
} swb_options;
#define SWB_OPEN_ONLY 1u
#define SWB_CREATE_ONLY 2u

/* An event as received. Set `size` once; the library fills the rest. */
typedef struct swb_event {
    size_t size;
    const char *type;    /* "agent.status.changed" */
    const char *source;  /* who published it; "" if that can't be told any more */
    const char *subject; /* what it is about; "" if none */
    uint64_t sequence;   /* counts the events of its writer: one publishing thread with one handle */
    uint64_t time_ns;    /* wall clock, since 1970 */
    const void *payload; /* 8-byte aligned */
    size_t payload_bytes;
    uint32_t encoding; /* swb_encoding */
    uint32_t writer;   /* id of the writer: with `sequence` unique on the bus */
    uint64_t lost;     /* events lost to this inbox since the one before */
    uint64_t lost_by[SWB_LOSS_CAUSES];
} swb_event;

/* Opens the bus of that name, or creates it.
 * Ownership: *bus is the caller's, closed by swb_close().  Threads: any.  Blocks: up to 2 s for the
 * control lock.  Returns: SWB_OK; SWB_ERR_BUS_NAME, SWB_ERR_ARGUMENT, SWB_ERR_NO_BUS (SWB_OPEN_ONLY),
 * SWB_ERR_EXISTS (SWB_CREATE_ONLY), SWB_ERR_PERMISSION, SWB_ERR_NO_SPACE, SWB_ERR_NOT_A_BUS,
 * SWB_ERR_LAYOUT, SWB_ERR_LIMITS, SWB_ERR_PARTICIPANTS_FULL, SWB_ERR_BUSY, SWB_ERR_MEMORY,
 * SWB_ERR_SYSTEM.  Since: 0.1 */
SWB_API swb_result swb_open(const char *name, const swb_options *options, swb_bus **bus);

/* Publishes bytes to every inbox whose patterns match, in the order of this thread's calls.
 * Types that begin with "bus." are the bus's own and refused (SWB_ERR_TYPE_NAME).
 * Payloads have up to 64 MiB. One that does not fit in a slot of the bus lies in this process's arena,
 * one copy for all subscribers, until the last of them has received it; also when this process ends.
 * Ownership: the payload is copied.  Threads: any, also from handlers; not from a signal handler
 * that interrupts a publish.  Blocks: only for full SWB_BLOCK inboxes, up to the handle's
 * block_timeout_ns.  Returns: SWB_OK, also when nobody subscribes; SWB_DROPPED if a matching inbox
 * did not get it (its reader is told); SWB_ERR_TYPE_NAME, SWB_ERR_WRITERS_FULL,
 * SWB_ERR_REENTRANT, SWB_ERR_FORKED, SWB_ERR_CLOSED, SWB_ERR_GONE; for large payloads also SWB_ERR_TOO_LARGE,
 * SWB_ERR_ARENA_FULL (nothing was published), SWB_ERR_NO_SPACE.  Since: 0.1 */
SWB_API swb_result swb_publish(swb_bus *bus, const char *type, const void *payload, size_t payload_bytes);

/* A function that takes events. The event and all it points to are valid during the call. */
typedef void swb_handler(const swb_event *event, void *user);

/* Subscribes to the patterns in `patterns`, separated by spaces or commas ("agent.* task.failed").
 * When it returns, every event published from then on that matches will reach this handle's inbox.
 * `*` stands for one or more characters, dots included; `+` for one whole segment; `>` as the last
 * segment for one or more segments. Types that begin with "bus.", which the bus publishes about itself,
 * are matched only by patterns that begin so, too ("bus.*"). All subscriptions of a handle share one inbox; an event that
 * several match is received once, and given to each handler that matches.
 * handler: for swb_run() and swb_run_once(); NULL for those who call swb_next().
 * id: may be NULL; for swb_unsubscribe().
 * Ownership: texts are copied; `user` stays the caller's.  Threads: any, also from handlers.  Blocks:
 * up to 2 s for the control lock.  Returns: SWB_OK; SWB_ERR_PATTERN, SWB_ERR_PATTERNS_FULL,
 * SWB_ERR_SUBSCRIBERS_FULL, SWB_ERR_NO_SPACE, SWB_ERR_BUSY, SWB_ERR_FORKED, SWB_ERR_CLOSED,
 * SWB_ERR_MEMORY.  Since: 0.1 */
SWB_API swb_result swb_subscribe(swb_bus *bus, const char *patterns, swb_handler *handler, void *user, uint64_t *id);

/* Waits for the next event.
 * timeout_ns: 0 looks once; SWB_FOREVER waits; else from 0.
 * Ownership: what the event points to is the library's.  Valid: until the next receiving call on
 * this handle, swb_release() or swb_close().  Threads: one receiver at a time; a second waits its
 * turn, but not from within a handler of this handle.  Blocks: up to timeout_ns.  Returns: SWB_OK with an
 * event; SWB_LOST with only `lost` and `lost_by` set and all texts empty: events were lost and none
 * followed yet;
 * SWB_TIMED_OUT; SWB_STOPPED after swb_stop(); with the option `reattach` SWB_REATTACHED after the bus was
 * opened anew: events may be missing;
 * SWB_ERR_NOT_SUBSCRIBED, SWB_ERR_REENTRANT,
 * SWB_ERR_ARGUMENT, SWB_ERR_FORKED, SWB_ERR_CLOSED, SWB_ERR_GONE.  Since: 0.1 */
SWB_API swb_result swb_next(swb_bus *bus, int64_t timeout_ns, swb_event *event);

/* Closes a handle; a thread that waits in it gets SWB_ERR_CLOSED. Its inbox and memory are given
 * back. No call may begin on it any more.
 * Threads: any; waits for calls of other threads that are under way.  Blocks: up to 2 s for the
 * control lock; never on NULL.  Since: 0.1 */
SWB_API void swb_close(swb_bus *bus);

/* ------------------------------------------------------------------ 3. receiving */

/* A descriptor for poll(), epoll and the event loops built on them. It is readable when there may be
 * something to receive, and stays so until a receiving call with timeout 0 has answered
 * SWB_TIMED_OUT: taking one event for each time it is readable is as right as taking all. About
 * once a second it becomes readable without an event, so that the library can look after itself.
 * Subscribe first. Don't read, write or close it.
 * descriptor: the same for every call on this handle, also after the bus was opened anew (`reattach`).
 * Ownership: the handle's, until it is closed.  Threads: the receiver's.  Blocks: no.  Returns: SWB_OK;
 * SWB_ERR_NOT_SUBSCRIBED, SWB_ERR_REENTRANT, SWB_ERR_ARGUMENT, SWB_ERR_FORKED, SWB_ERR_CLOSED, SWB_ERR_GONE,
 * SWB_ERR_SYSTEM.  Since: 0.1 */
SWB_API swb_result swb_descriptor(swb_bus *bus, int *descriptor);

/* Ends one subscription. When it returns, its handler is not running and never will again (unless
 * it is the caller).
 * Threads: any, also from handlers.  Blocks: until the handler returns; up to 2 s for the control
 * lock.  Returns: SWB_OK; SWB_ERR_NOT_FOUND, SWB_ERR_BUSY, SWB_ERR_FORKED, SWB_ERR_CLOSED.  Since: 0.1 */
SWB_API swb_result swb_unsubscribe(swb_bus *bus, uint64_t id);

/* Waits like swb_next(), then takes all that is there, up to `capacity` events and half the inbox.
 * events: an array of the caller's; set the `size` of its first element only.
 * count: how many were filled. With SWB_LOST: 0, and events[0] tells the losses.
 * Valid, Threads, Blocks, Returns: as swb_next().  Since: 0.1 */
SWB_API swb_result swb_next_batch(swb_bus *bus, int64_t timeout_ns, swb_event *events, size_t capacity, size_t *count);

/* Gives back what the last receiving call returned, before the next one does. Publishers that wait
 * for room in a SWB_BLOCK inbox go on.
 * Threads: the receiver's.  Blocks: no.  Returns: SWB_OK; SWB_ERR_REENTRANT, SWB_ERR_FORKED, SWB_ERR_CLOSED.  Since: 0.1 */
SWB_API swb_result swb_release(swb_bus *bus);

/* Waits like swb_next(), then gives what is there to the handlers that match.
 * handled: may be NULL; how many events were taken.
 * Threads: one receiver at a time.  Blocks: up to timeout_ns, and as long as the handlers do.  Returns: SWB_OK;
 * SWB_TIMED_OUT, also if nothing but losses came: the next event tells them, and swb_losses() has them
 * at once; SWB_STOPPED after swb_stop(), also by a handler: the events behind it are for the next
 * receiving call; errors as swb_next().  Since: 0.1 */
SWB_API swb_result swb_run_once(swb_bus *bus, int64_t timeout_ns, size_t *handled);

/* Gives events to handlers until swb_stop() or swb_close().
 * Threads: one receiver at a time.  Blocks: yes.  Returns: SWB_STOPPED; errors as swb_next().  Since: 0.1 */
SWB_API swb_result swb_run(swb_bus *bus);

/* Makes the receiving call that is under way, or else the next one, return SWB_STOPPED; events that
 * wait in the inbox stay there.
 * Threads: any, also from handlers and signal handlers.  Blocks: no.  Returns: SWB_OK; SWB_ERR_FORKED, SWB_ERR_CLOSED.  Since: 0.1 */
SWB_API swb_result swb_stop(swb_bus *bus);

/* How many events this handle's inbox has lost so far, in all and by cause, told or not.
 * Threads: any.  Blocks: no.  Returns: SWB_OK; SWB_ERR_NOT_SUBSCRIBED, SWB_ERR_FORKED,
 * SWB_ERR_CLOSED.  Since: 0.1 */
SWB_API swb_result swb_losses(swb_bus *bus, uint64_t lost_by[SWB_LOSS_CAUSES]);

/* A copy of an event that stays valid when its inbox goes on.
 * Ownership: *copy is the caller's, freed by swb_event_free().  Threads: any.  Blocks: no.  Returns: SWB_OK;
 * SWB_ERR_MEMORY, SWB_ERR_ARGUMENT.  Since: 0.1 */
SWB_API swb_result swb_event_copy(const swb_event *event, swb_event **copy);

/* Frees a copy. NULL is fine.  Threads: any.  Blocks: no.  Since: 0.1 */
SWB_API void swb_event_free(swb_event *copy);

/* ------------------------------------------------------------------ 4. publishing */

/* A message with all its fields. Zero in any field means its default. */
typedef struct swb_message {
    size_t size;
    const void *payload;
    size_t payload_bytes;
    const char *subject;      /* up to 127 bytes */
    const char *source;       /* instead of the handle's; up to 63 bytes */
    uint32_t encoding;        /* swb_encoding */
    uint32_t flags;           /* SWB_LOANED or 0 */
    int64_t block_timeout_ns; /* instead of the handle's, if not 0; SWB_NO_WAIT: never wait */
} swb_message;

#define SWB_LOANED                                                                               \
    1u /* payload is what swb_loan() gave: it goes with the event, uncopied, and is the caller's \
          no more if the call returns SWB_OK or SWB_DROPPED */

/* What became of one event. */
typedef struct swb_delivery {
    size_t size;
    uint64_t sequence;  /* given to the event */
    uint32_t delivered; /* inboxes that have it */
    uint32_t dropped;   /* matching inboxes that have not; their readers are told */
    uint32_t dropped_by[SWB_LOSS_CAUSES];
    uint32_t writer; /* as the event has it: with `sequence`, what it is known by to who publishes and receives */
    uint32_t reserved;
} swb_delivery;

/* Publishes a message.
 * delivery: may be NULL.
 * Ownership: all is copied.  Threads, Blocks, Returns: as swb_publish(); SWB_ERR_ARGUMENT for texts
 * that are too long.  Since: 0.1 */
SWB_API swb_result swb_publish_message(swb_bus *bus, const char *type, const swb_message *message, swb_delivery *delivery);

/* Memory for a payload, where subscribers will read it: for large ones, or to build one without a copy.
 * Publish it with SWB_LOANED, from any handle of this process on this bus, or give it back. A process's
 * loans and its events that are not received yet share arena_bytes.
 * bytes: up to 64 MiB; as many or fewer may be published.
 * Ownership: *memory is the caller's until published or given back; page-aligned, its content undefined.
 * Threads: any.  Blocks: no.  Returns: SWB_OK; SWB_ERR_TOO_LARGE, SWB_ERR_ARENA_FULL, SWB_ERR_NO_SPACE,
 * SWB_ERR_ARGUMENT, SWB_ERR_REENTRANT, SWB_ERR_FORKED, SWB_ERR_CLOSED, SWB_ERR_GONE, SWB_ERR_SYSTEM, SWB_ERR_MEMORY.  Since: 0.1 */
SWB_API swb_result swb_loan(swb_bus *bus, size_t bytes, void **memory);

/* Gives a loan back that was not published.
 * Threads: any.  Blocks: no.  Returns: SWB_OK; SWB_ERR_ARGUMENT if it is none, SWB_ERR_REENTRANT, SWB_ERR_FORKED,
 * SWB_ERR_CLOSED, SWB_ERR_GONE.  Since: 0.1 */
SWB_API swb_result swb_loan_return(swb_bus *bus, void *memory);

/* A publisher bound to one type: the fast way to publish often. */
typedef struct swb_publisher swb_publisher;

/* Makes a publisher for a type.
 * Ownership: *publisher is the caller's, closed by swb_publisher_close(), before or after the bus.
 * Threads: any.  Blocks: up to 5 ms for the control lock.  Returns: SWB_OK; SWB_ERR_TYPE_NAME,
 * SWB_ERR_FORKED, SWB_ERR_CLOSED, SWB_ERR_MEMORY.  Since: 0.1 */
SWB_API swb_result swb_publisher_open(swb_bus *bus, const char *type, swb_publisher **publisher);

/* Publishes bytes with the publisher's type.
 * Ownership, Threads, Blocks, Returns: as swb_publish().  Since: 0.1 */
SWB_API swb_result swb_publisher_publish(swb_publisher *publisher, const void *payload, size_t payload_bytes);

/* Publishes a message with the publisher's type.
 * Ownership, Threads, Blocks, Returns: as swb_publish_message().  Since: 0.1 */
SWB_API swb_result swb_publisher_publish_message(swb_publisher *publisher, const swb_message *message, swb_delivery *delivery);

/* Closes a publisher. NULL is fine.  Threads: any; no call may be under way.  Blocks: no.  Since: 0.1 */
SWB_API void swb_publisher_close(swb_publisher *publisher);

/* ------------------------------------------------------------------ 5. types */

/* A bus carries the schemas of its event types (FlatBuffers), so that every program can read and write their
 * payloads. The standard events (agent.*, task.*, system.*) are there from the start. Types without a schema
 * may be published all the same, with any payload. */

/* A schema that is registered for a type. */
typedef struct swb_type {
    size_t size;
    const char *name;   /* of the type: "agent.status.changed" */
    const char *root;   /* of the table that is the payload, with its namespaces */
    const void *schema; /* a binary schema (.bfbs); 8-byte aligned */
    size_t schema_bytes;
    uint64_t hash;          /* of schema and root: the same content, the same hash */
    uint64_t registered_ns; /* wall clock, since 1970 */
    uint32_t version;       /* 1 for the first schema of this type, one more for each that took its place */
    uint32_t reserved;
} swb_type;

/* Registers a schema for a type. One that says the same as the schema that is registered changes nothing; one that only
 * adds (fields at the end of tables, values of enums) takes its place; every other is refused.
 * type: NULL registers every table of the schema that names its type: table T (event: "domain.entity.action").
 * schema: a binary schema (.bfbs) or its text (.fbs), in which swarmbus.Value is any JSON value.
 * root: the table that is the payload, with its namespaces; NULL: the schema's root_type.
 * Ownership: all is copied.  Threads: any.  Blocks: up to 2 s for the control lock.  Returns: SWB_OK; SWB_ERR_TYPE_NAME,
 * SWB_ERR_SCHEMA, SWB_ERR_INCOMPATIBLE (swb_last_error() names the field), SWB_ERR_SCHEMAS_FULL, SWB_ERR_NO_SPACE,
 * SWB_ERR_BUSY, SWB_ERR_ARGUMENT, SWB_ERR_FORKED, SWB_ERR_CLOSED, SWB_ERR_GONE, SWB_ERR_SYSTEM, SWB_ERR_MEMORY.  Since: 0.1 */
SWB_API swb_result swb_register_type(swb_bus *bus, const char *type, const void *schema, size_t schema_bytes, const char *root);

/* Calls `each` with every registered type, by name.
 * type: only this one; NULL: all.
 * Valid: during the call.  Threads: any.  Blocks: no.  Returns: SWB_OK; SWB_ERR_NO_SCHEMA if `type` has none;
 * SWB_ERR_SCHEMA if what is registered is damaged, SWB_ERR_NOT_A_BUS, SWB_ERR_FORKED, SWB_ERR_CLOSED, SWB_ERR_GONE,
 * SWB_ERR_SYSTEM, SWB_ERR_MEMORY.  Since: 0.1 */
SWB_API swb_result swb_types(swb_bus *bus, const char *type, void (*each)(const swb_type *type, void *user), void *user);

/* Publishes an event that is given as JSON (UTF-8): as a FlatBuffer, if its type has a schema; else as the JSON it is.
 * Members are the fields of the schema's root table; null is an absent field; 64-bit numbers may be texts.
 * message: NULL, or the other fields of the message; its payload and encoding are ignored.
 * delivery: may be NULL.
 * Ownership, Threads, Blocks, Returns: as swb_publish_message(); SWB_ERR_PAYLOAD if it is no JSON, or not what the schema
 * says (swb_last_error() names the field and what was expected).  Since: 0.1 */
SWB_API swb_result swb_publish_json(swb_bus *bus, const char *type, const char *json, size_t json_bytes, const swb_message *message,
                                    swb_delivery *delivery);

/* The payload of an event as JSON (UTF-8), whatever its encoding: of FlatBuffers by the schema of its type, of
 * FlexBuffers and JSON what they hold, of texts a JSON string. A payload is verified before it is read.
 * Ownership: *json is the library's, ended by NUL.  Valid: until this thread calls it again.  Threads: any.  Blocks: no.
 * Returns: SWB_OK; SWB_ERR_PAYLOAD if it can't be read (swb_last_error() names the field), also for bytes of no encoding;
 * SWB_ERR_NO_SCHEMA for a FlatBuffer of a type without one; SWB_ERR_ARGUMENT, and as swb_types().  Since: 0.1 */
SWB_API swb_result swb_event_to_json(swb_bus *bus, const swb_event *event, const char **json, size_t *json_bytes);

/* An event as a CloudEvent 1.0 in its JSON form (UTF-8, one line): all its fields and its payload. docs/cloudevents.md
 * has the mapping. A payload that can't be read as its encoding says is given as bytes (data_base64).
 * event: one with a type.
 * Ownership: *json is the library's, ended by NUL.  Valid: until this thread calls it again.  Threads: any.  Blocks: no.
 * Returns: SWB_OK; SWB_ERR_ARGUMENT, also for an event that tells only losses; else as swb_types(), but a payload is
 * never the reason of an error.  Since: 0.1 */
SWB_API swb_result swb_event_to_cloudevent(swb_bus *bus, const swb_event *event, const char **json, size_t *json_bytes);

/* Publishes an event that is given as a CloudEvent 1.0 in its JSON form (UTF-8): under its type, with its source and
 * subject. JSON data becomes a FlatBuffer, if the type has a schema, else it stays JSON; texts stay texts, data_base64
 * becomes bytes. The event gets its id and time from the bus; what else the CloudEvent has is left out.
 * json: one CloudEvent, not a batch.
 * delivery: may be NULL.
 * Ownership, Threads, Blocks, Returns: as swb_publish_message(); SWB_ERR_PAYLOAD if it is no CloudEvent, or its data not
 * what the schema says (swb_last_error() names the attribute or the field and what was expected); SWB_ERR_ARGUMENT for a
 * source of more than 63 bytes or a subject of more than 127.  Since: 0.1 */
SWB_API swb_result swb_publish_cloudevent(swb_bus *bus, const char *json, size_t json_bytes, swb_delivery *delivery);

/* Whether a payload is a FlatBuffer of the schema of a type: what reads it then stays within it.
 * Threads: any.  Blocks: no.  Returns: SWB_OK; SWB_ERR_PAYLOAD with the fault, SWB_ERR_NO_SCHEMA, SWB_ERR_ARGUMENT, and as
 * swb_types().  Since: 0.1 */
SWB_API swb_result swb_verify(swb_bus *bus, const char *type, const void *payload, size_t payload_bytes);

/* ------------------------------------------------------------------ 6. more */

/* A second handle on the same bus with an inbox of its own: for a part of the program that must
 * not share its capacity, policy or receiving thread with another.
 * options: NULL takes over those of `bus`; limits and open_mode are ignored.
 * Ownership: *separate is the caller's, closed by swb_close(), before or after `bus`.  Threads: any.
 * Blocks: no.  Returns: SWB_OK; SWB_ERR_ARGUMENT, SWB_ERR_FORKED, SWB_ERR_CLOSED, SWB_ERR_MEMORY.  Since: 0.1 */
SWB_API swb_result swb_separate(swb_bus *bus, const swb_options *options, swb_bus **separate);

/* What a bus is like. */
typedef struct swb_info {
    size_t size;
    uint32_t layout_version;
    uint32_t max_participants, max_subscribers, max_types, slot_bytes, default_capacity;
    uint32_t participants; /* processes attached that are alive */
    uint32_t subscribers;  /* inboxes in use */
    uint32_t types;        /* event types seen so far */
    uint32_t writers;      /* publishing threads */
    uint32_t reserved;
    uint64_t ring_bytes;
    uint64_t file_bytes;     /* apparent size: the file is sparse */
    uint64_t resident_bytes; /* memory taken, that of large events included */
    uint64_t created_ns;     /* wall clock, since 1970 */
} swb_info;

/* Looks at a bus by its name, without taking part in it or changing anything.
 * Threads: any.  Blocks: no.  Returns: SWB_OK; SWB_ERR_BUS_NAME, SWB_ERR_NO_BUS, SWB_ERR_PERMISSION,
 * SWB_ERR_NOT_A_BUS, SWB_ERR_LAYOUT, SWB_ERR_SYSTEM.  Since: 0.1 */
SWB_API swb_result swb_look(const char *name, swb_info *info);

/* Calls `each` with the name of every bus on this machine, in alphabetical order.
 * Threads: any.  Blocks: no.  Returns: SWB_OK; SWB_ERR_SYSTEM, SWB_ERR_MEMORY.  Since: 0.1 */
SWB_API swb_result swb_list(void (*each)(const char *name, void *user), void *user);

/* How a participant is. */
typedef enum swb_condition {
    SWB_ALIVE = 0,
    SWB_STANDS_STILL = 1, /* alive, but stopped by a signal or a debugger */
    SWB_LOCK_LOST = 2,    /* its program closed the library's descriptors; it answers SWB_ERR_GONE */
    SWB_DEAD = 3          /* what it left is freed by whoever joins next */
} swb_condition;

/* A process on a bus. */
typedef struct swb_participant {
    size_t size;
    const char *name;     /* the `source` it was opened with */
    const char *patterns; /* of all its inboxes, each once, separated by spaces; "" if it only publishes */
    uint32_t id;
    uint32_t pid;       /* in its own PID namespace */
    uint32_t condition; /* swb_condition */
    uint32_t inboxes;
    uint32_t writers; /* publishing threads */
    uint32_t reserved;
    uint64_t joined_ns;                /* wall clock, since 1970 */
    uint64_t waiting;                  /* events it has not received */
    uint64_t lost_by[SWB_LOSS_CAUSES]; /* by its inboxes; of damaged slots only the reader knows */
} swb_participant;

/* Calls `each` with every process on the bus of that name, without taking part in it or changing anything.
 * Valid: during the call.  Threads: any.  Blocks: 0.1 s for a second look if somebody does not seem to be alive.
 * Returns: as swb_look(); SWB_ERR_MEMORY.  Since: 0.1 */
SWB_API swb_result swb_participants(const char *name, void (*each)(const swb_participant *participant, void *user), void *user);

/* Something that is not as it should be. */
typedef struct swb_finding {
    size_t size;
    const char *what;   /* "dead participant" */
    const char *who;    /* "agent-7 (pid 123)", or a path */
    const char *detail; /* what it holds or keeps from going on */
    const char *advice; /* what to do */
    uint32_t pid;       /* 0: no process */
    uint32_t repaired;  /* 1: mended by this call */
    uint32_t other_bus; /* 1: left by another bus; nothing is wrong with this one */
    uint32_t reserved;
} swb_finding;

/* Examines a bus: dead participants, stuck claims, orphaned arenas, stopped processes that hold something,
 * processes that use a bus of that name which was removed, what other buses left. Calls `each` with every finding.
 * repair: 0 reads only; 1 mends what can be mended, by joining the bus once.
 * Valid: during the call.  Threads: any.  Blocks: 0.1 s for a second look if something
 * is found; with `repair` up to 2 s for the control lock.  Returns: as
 * swb_look(), with `repair` also as swb_open(); findings come before an error, too.  Since: 0.1 */
SWB_API swb_result swb_doctor(const char *name, int repair, void (*each)(const swb_finding *finding, void *user), void *user);

/* Removes a bus. Processes that use it keep what they have; new ones won't find it.
 * force: 0 refuses while a process is attached (SWB_ERR_IN_USE); 1 removes whatever has the name.
 * Threads: any.  Blocks: no.  Returns: SWB_OK; SWB_ERR_BUS_NAME, SWB_ERR_NO_BUS, SWB_ERR_IN_USE,
 * SWB_ERR_PERMISSION, SWB_ERR_NOT_A_BUS, SWB_ERR_SYSTEM.  Since: 0.1 */
SWB_API swb_result swb_remove(const char *name, int force);

/* Checks an event type or a pattern.
 * position: may be NULL; of the first byte that is wrong.
 * Threads: any.  Blocks: no.  Returns: SWB_OK; SWB_ERR_TYPE_NAME or SWB_ERR_PATTERN.  Since: 0.1 */
SWB_API swb_result swb_check_type(const char *type, size_t *position);
SWB_API swb_result swb_check_pattern(const char *pattern, size_t *position);

/* Whether a pattern matches a type: 1 or 0.
 * Threads: any.  Blocks: no.  Returns: 1, 0; SWB_ERR_PATTERN, SWB_ERR_TYPE_NAME (below zero).  Since: 0.1 */
SWB_API int swb_match(const char *pattern, const char *type);

#ifdef __cplusplus
}
#endif

#endif
