/* What layout_c11.c found. */
#ifndef SWARMBUS_TESTS_LAYOUT_C11_H
#define SWARMBUS_TESTS_LAYOUT_C11_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct layout_sizes {
    size_t header, participant, writer, type, route, subscriber, inbox, slot;
    size_t inbox_room_at;
    uint64_t magic;
};
struct layout_sizes layout_sizes_in_c(void);

#ifdef __cplusplus
}
#endif

#endif
