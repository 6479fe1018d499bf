#include "life.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t ending;
static swb_bus *volatile receiving;

static void on_sigterm(int signal_number) {
    const int error = errno;
    swb_bus *const bus = receiving;
    (void)signal_number;
    ending = 1;
    if (bus != NULL) swb_stop(bus);
    errno = error;
}

int agent_begin(int argc, char **argv, struct agent_start *start) {
    struct sigaction action;
    if (argc < 3) {
        fprintf(stderr, "usage: %s BUS AGENT_ID [temporary]\nAn agent of the demo; swarm-demo starts it.\n", argv[0]);
        return -1;
    }
    start->bus = argv[1];
    start->id = argv[2];
    start->temporary_bus = argc > 3 && strcmp(argv[3], "temporary") == 0;
    start->demo_pid = (int)getppid();

    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_sigterm; /* no SA_RESTART: sleeping calls return */
    sigaction(SIGTERM, &action, NULL);
    /* Ctrl-C reaches every process of the terminal's job; the demo alone decides what it means. */
    signal(SIGINT, SIG_IGN);
    return 0;
}

void agent_stop_receiving_at_end(swb_bus *bus) {
    receiving = bus;
    if (bus != NULL && ending) swb_stop(bus);
}

int agent_ending(void) { return ending; }

void agent_end(const struct agent_start *start) {
    const int orphaned = (int)getppid() != start->demo_pid;
    /* Refused while others are attached: the last agent to go succeeds. */
    if (orphaned && start->temporary_bus) swb_remove(start->bus, 0);
}
