/* Receiving in an event loop of one's own: a bus beside a timer in one epoll set. */
#define _POSIX_C_SOURCE 200809L

#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <swarmbus.h>

static int failed(const char *what) {
    fprintf(stderr, "event_loop: %s: %s\n", what, swb_last_error());
    return 1;
}

static int watch(int set, int descriptor) {
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = descriptor};
    return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &wanted);
}

/* Takes all there is. Only when nothing is left does the descriptor wait for more. */
static int receive(swb_bus *bus, int *received) {
    swb_event event = {.size = sizeof event};
    swb_result result;
    while ((result = swb_next(bus, 0, &event)) == SWB_OK) {
        printf("%s %.*s\n", event.type, (int)event.payload_bytes, (const char *)event.payload);
        ++*received;
    }
    return result == SWB_TIMED_OUT || result == SWB_LOST ? 0 : -1;
}

int main(int argc, char **argv) {
    const char *const name = argc > 1 ? argv[1] : "demo";
    const struct itimerspec often = {.it_interval = {0, 10000000}, .it_value = {0, 1}};
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), set = epoll_create1(EPOLL_CLOEXEC);
    swb_bus *bus = NULL;
    int descriptor = -1, ticks = 0, received = 0, status = 0;

    if (swb_open(name, NULL, &bus) < 0) return failed("open");
    if (swb_subscribe(bus, "tick.*", NULL, NULL, NULL) < 0 || swb_descriptor(bus, &descriptor) < 0) status = failed("subscribe");
    if (timer < 0 || set < 0 || timerfd_settime(timer, 0, &often, NULL) != 0 || watch(set, timer) != 0 || watch(set, descriptor) != 0) {
        perror("event_loop");
        status = 1;
    }
    while (status == 0 && received < 3) {
        struct epoll_event ready;
        if (epoll_wait(set, &ready, 1, -1) != 1) continue; /* a signal */
        if (ready.data.fd == descriptor) {
            if (receive(bus, &received) != 0) status = failed("receive");
        } else {
            char number[16];
            uint64_t expirations = 0;
            if (read(timer, &expirations, sizeof expirations) != sizeof expirations || ticks == 3) continue;
            const int length = snprintf(number, sizeof number, "%d", ++ticks);
            if (swb_publish(bus, "tick.happened", number, (size_t)length) < 0) status = failed("publish");
        }
    }
    swb_close(bus); /* closes the descriptor, too */
    close(set);
    close(timer);
    return status;
}
