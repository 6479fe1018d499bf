/* The one table of results: name, number, text. The enum swb_result, swb_result_name() and
 * swb_result_text() come from it, and so do the constants of every binding. Numbers never change;
 * the gaps are for later. Zero and above are expected outcomes, below zero are errors. */
#ifndef SWARMBUS_ERRORS_H
#define SWARMBUS_ERRORS_H

#define SWB_RESULT_MAP(X)                                                                             \
    X(SWB_OK, 0, "success")                                                                           \
    X(SWB_TIMED_OUT, 1, "nothing arrived within the time given")                                      \
    X(SWB_LOST, 2, "events were lost and none followed them yet")                                     \
    X(SWB_DROPPED, 3, "at least one matching subscriber did not get the event")                       \
    X(SWB_STOPPED, 4, "stopped by swb_stop()")                                                        \
    X(SWB_REATTACHED, 5, "the bus was opened anew; events in between may be missing")                 \
    X(SWB_ERR_ARGUMENT, -10, "an argument is not valid")                                              \
    X(SWB_ERR_BUS_NAME, -11, "not a valid name for a bus")                                            \
    X(SWB_ERR_TYPE_NAME, -12, "not a valid event type")                                               \
    X(SWB_ERR_PATTERN, -13, "not a valid pattern")                                                    \
    X(SWB_ERR_TOO_LARGE, -14, "the payload is larger than an event can carry")                        \
    X(SWB_ERR_SCHEMA, -15, "the schema is not valid")                                                 \
    X(SWB_ERR_PAYLOAD, -16, "the payload is not what its schema says")                                \
    X(SWB_ERR_INCOMPATIBLE, -17, "the schema can't take the place of the one that is registered")     \
    X(SWB_ERR_NO_SCHEMA, -18, "the type has no schema on this bus")                                   \
    X(SWB_ERR_NO_BUS, -20, "there is no bus of that name")                                            \
    X(SWB_ERR_EXISTS, -21, "a bus of that name exists already")                                       \
    X(SWB_ERR_PERMISSION, -22, "no permission to use the bus")                                        \
    X(SWB_ERR_NO_SPACE, -23, "not enough shared memory")                                              \
    X(SWB_ERR_NOT_A_BUS, -24, "the file is not a SwarmBus bus")                                       \
    X(SWB_ERR_LAYOUT, -25, "the bus was made by a build with another layout")                         \
    X(SWB_ERR_LIMITS, -26, "the bus exists with other limits than those asked for")                   \
    X(SWB_ERR_IN_USE, -27, "the bus is in use")                                                       \
    X(SWB_ERR_PARTICIPANTS_FULL, -30, "the bus has no room for another process")                      \
    X(SWB_ERR_SUBSCRIBERS_FULL, -31, "the bus has no room for another inbox")                         \
    X(SWB_ERR_WRITERS_FULL, -32, "the bus has no writer id left for another publishing thread")       \
    X(SWB_ERR_PATTERNS_FULL, -33, "the patterns of this inbox take more room than there is")          \
    X(SWB_ERR_ARENA_FULL, -34, "the room for large events is full")                                   \
    X(SWB_ERR_SCHEMAS_FULL, -35, "the bus has no room for another schema")                            \
    X(SWB_ERR_BUSY, -40, "the control lock is held by another process for too long")                  \
    X(SWB_ERR_REENTRANT, -41, "called from within a call that does not allow it")                     \
    X(SWB_ERR_FORKED, -42, "the handle was opened before fork(); open the bus again in this process") \
    X(SWB_ERR_CLOSED, -43, "the handle is closed")                                                    \
    X(SWB_ERR_NOT_FOUND, -44, "no such subscription")                                                 \
    X(SWB_ERR_NOT_SUBSCRIBED, -45, "this handle has no subscription to receive from")                 \
    X(SWB_ERR_GONE, -46, "this process is no part of the bus any more")                               \
    X(SWB_ERR_MEMORY, -50, "out of memory")                                                           \
    X(SWB_ERR_SYSTEM, -51, "the operating system refused a call")                                     \
    X(SWB_ERR_INTERNAL, -52, "a fault inside SwarmBus")

#endif
