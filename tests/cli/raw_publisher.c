/* Publishes one event with whatever bytes it is given: raw_publisher BUS TYPE ENCODING SOURCE SUBJECT
 * with the payload on standard input. */
#include <stdio.h>
#include <stdlib.h>

#include <swarmbus.h>

int main(int argc, char **argv) {
    static char payload[65536];
    swb_bus *bus;
    if (argc != 6) return 2;
    const swb_options options = {.size = sizeof options, .source = argv[4]};
    const swb_message message = {.size = sizeof message,
                                 .payload = payload,
                                 .payload_bytes = fread(payload, 1, sizeof payload, stdin),
                                 .subject = argv[5],
                                 .encoding = (uint32_t)atoi(argv[3])};
    if (swb_open(argv[1], &options, &bus) != SWB_OK || swb_publish_message(bus, argv[2], &message, NULL) < 0) {
        fprintf(stderr, "%s\n", swb_last_error());
        return 1;
    }
    swb_close(bus);
    return 0;
}
