/* Just enough of the Test Anything Protocol for a C program: one line a check, a plan at the end. */
#ifndef SWARMBUS_TESTS_CAPI_TAP_H
#define SWARMBUS_TESTS_CAPI_TAP_H

#include <stdio.h>
#include <string.h>

#include "swarmbus.h"

static int tap_checks = 0, tap_failures = 0;

static void tap_report(int holds, const char *what, const char *file, int line) {
    ++tap_checks;
    if (!holds) ++tap_failures;
    printf("%s %d - %s\n", holds ? "ok" : "not ok", tap_checks, what);
    if (!holds) printf("# %s:%d: last error: %s\n", file, line, swb_last_error());
}

static int tap_end(void) {
    printf("1..%d\n", tap_checks);
    return tap_failures == 0 ? 0 : 1;
}

static int tap_equal(const char *a, const char *b) { return a != NULL && b != NULL && strcmp(a, b) == 0; }

#define CHECK(holds, what) tap_report((holds) ? 1 : 0, what, __FILE__, __LINE__)

/* A result, and that a failure says something that helps. */
#define CHECK_RESULT(call, expected, what)                                                                \
    do {                                                                                                  \
        const int tap_result = (int)(call);                                                               \
        if (tap_result != (int)(expected)) printf("# got %s\n", swb_result_name((swb_result)tap_result)); \
        CHECK(tap_result == (int)(expected) && (tap_result >= 0 || *swb_last_error() != '\0'), what);     \
    } while (0)

#endif
