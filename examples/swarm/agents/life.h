/* How an agent of the demo begins and ends, for agents in C and C++.
 *
 * An agent is started with the arguments BUS AGENT_ID [temporary]. The demo ends it with SIGTERM; the
 * kernel sends the same signal when the demo itself was killed. "temporary" says that the demo made
 * the bus: agents that outlive the demo then remove it, since nobody else will. */
#ifndef SWARM_LIFE_H
#define SWARM_LIFE_H

#include <swarmbus.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The id of the task queue. Its agent.created says that it begins with nothing: workers announce
 * themselves to it again, the planner gives it its tasks again. */
#define AGENT_QUEUE_ID "queue"

struct agent_start {
    const char *bus;
    const char *id;
    int temporary_bus;
    int demo_pid;
};

/* Reads the arguments and catches signals. Returns 0, or -1 after a message if the arguments are wrong. */
int agent_begin(int argc, char **argv, struct agent_start *start);

/* From now on SIGTERM makes receiving calls on this bus return. NULL: no longer. */
void agent_stop_receiving_at_end(swb_bus *bus);

/* Whether SIGTERM has come. */
int agent_ending(void);

/* The last thing an agent does, when its bus is closed. */
void agent_end(const struct agent_start *start);

#ifdef __cplusplus
}
#endif

#endif
