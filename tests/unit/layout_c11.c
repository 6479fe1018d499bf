/* The layout as a C11 compiler sees it, for layout_test.cpp. */
#include "src/segment/layout.h"

#include "tests/unit/layout_c11.h"

struct layout_sizes layout_sizes_in_c(void) {
    const struct layout_sizes sizes = {
        sizeof(struct swb_l_header),        sizeof(struct swb_l_participant),
        sizeof(struct swb_l_writer),        sizeof(struct swb_l_type),
        sizeof(struct swb_l_route),         sizeof(struct swb_l_subscriber),
        sizeof(struct swb_l_inbox),         sizeof(struct swb_l_slot),
        offsetof(struct swb_l_inbox, room), SWB_LAYOUT_MAGIC,
    };
    return sizes;
}
