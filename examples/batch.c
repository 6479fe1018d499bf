/* Receives many events a call, in an array of the caller's: the fast way to read. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <swarmbus.h>

enum { READINGS = 1000, BATCH = 128 };

static int failed(const char *what) {
    fprintf(stderr, "batch: %s: %s\n", what, swb_last_error());
    return 1;
}

static int publish_readings(swb_bus *bus) {
    for (uint64_t reading = 1; reading <= READINGS; ++reading) {
        if (swb_publish(bus, "sensor.reading", &reading, sizeof reading) < 0) return failed("publish");
    }
    return 0;
}

static int receive_readings(swb_bus *bus) {
    static swb_event events[BATCH];
    uint64_t sum = 0, received = 0, lost = 0, batches = 0;
    events[0].size = sizeof events[0]; /* of the first element only */

    /* Waits for the first event, then takes all that is there, up to the size of the array and half
     * the inbox. The events stay valid until the next receiving call. */
    while (received + lost < READINGS) {
        size_t count = 0;
        const swb_result result = swb_next_batch(bus, 1000000000, events, BATCH, &count);
        if (result == SWB_LOST) lost += events[0].lost; /* losses, and no event after them yet */
        else if (result != SWB_OK) return failed(swb_result_name(result));
        for (size_t i = 0; i < count; ++i) {
            uint64_t reading = 0;
            memcpy(&reading, events[i].payload, sizeof reading);
            sum += reading;
            lost += events[i].lost;
        }
        received += count;
        ++batches;
    }
    printf("%llu readings in %llu batches, sum %llu, lost %llu\n", (unsigned long long)received, (unsigned long long)batches,
           (unsigned long long)sum, (unsigned long long)lost);
    return 0;
}

int main(int argc, char **argv) {
    swb_bus *bus = NULL;
    int status = 1;
    if (swb_open(argc > 1 ? argv[1] : "demo", NULL, &bus) < 0) return failed("open");
    if (swb_subscribe(bus, "sensor.reading", NULL, NULL, NULL) < 0) {
        failed("subscribe");
    } else if (publish_readings(bus) == 0) {
        status = receive_readings(bus);
    }
    swb_close(bus);
    return status;
}
