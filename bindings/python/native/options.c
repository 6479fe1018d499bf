/* What Python says by names and seconds, as the library takes it. */
#include <math.h>
#include <string.h>

#include "native.h"

const char *const encoding_names[] = {"bytes", "text", "json", "flatbuffers", "flexbuffers", NULL};
static const char *const overflow_names[] = {"drop_oldest", "drop_newest", "block", NULL};
static const char *const mode_names[] = {"open_or_create", "open", "create", NULL};

typedef enum { TEXT, NUMBER, WIDE_NUMBER, SECONDS, OVERFLOW_NAME, MODE_NAME, FLAG } Kind;

static const struct {
    const char *name;
    Kind kind;
    Py_ssize_t offset;
} known[] = {
    {"source", TEXT, FIELD(swb_options, source)},
    {"mode", MODE_NAME, FIELD(swb_options, open_mode)},
    {"permissions", NUMBER, FIELD(swb_options, permissions)},
    {"capacity", NUMBER, FIELD(swb_options, capacity_slots)},
    {"overflow", OVERFLOW_NAME, FIELD(swb_options, overflow)},
    {"block_timeout", SECONDS, FIELD(swb_options, block_timeout_ns)},
    {"spin", SECONDS, FIELD(swb_options, spin_ns)},
    {"stall_timeout", SECONDS, FIELD(swb_options, stall_timeout_ns)},
    {"max_participants", NUMBER, FIELD(swb_options, max_participants)},
    {"max_subscribers", NUMBER, FIELD(swb_options, max_subscribers)},
    {"max_types", NUMBER, FIELD(swb_options, max_types)},
    {"slot_bytes", NUMBER, FIELD(swb_options, slot_bytes)},
    {"default_capacity", NUMBER, FIELD(swb_options, default_capacity)},
    {"ring_bytes", WIDE_NUMBER, FIELD(swb_options, ring_bytes)},
    {"arena_bytes", WIDE_NUMBER, FIELD(swb_options, arena_bytes)},
    {"reattach", FLAG, FIELD(swb_options, reattach)},
    {"strict", FLAG, FIELD(swb_options, strict)},
    {"verify", FLAG, FIELD(swb_options, verify)},
};
enum { KNOWN = sizeof known / sizeof known[0] };

bool choice_of(PyObject *name, const char *const *choices, const char *what, uint32_t *place) {
    const char *const given = utf8_of(name, what);
    if (given == NULL) return false;
    for (uint32_t i = 0; choices[i] != NULL; ++i) {
        if (strcmp(choices[i], given) == 0) return *place = i, true;
    }
    PyObject *list = PyUnicode_FromString(choices[0]);
    for (int i = 1; list != NULL && choices[i] != NULL; ++i) {
        PyObject *const longer = PyUnicode_FromFormat("%U, %s", list, choices[i]);
        Py_DECREF(list);
        list = longer;
    }
    if (list != NULL) raise_with(SWB_ERR_ARGUMENT, "%s is one of %U, not %R", what, list, name);
    Py_XDECREF(list);
    return false;
}

bool nanoseconds_of(PyObject *seconds, const char *what, int64_t *nanoseconds) {
    const double given = PyFloat_AsDouble(seconds);
    if (given == -1.0 && PyErr_Occurred()) return false;
    if (isnan(given) || given < 0) return raise_with(SWB_ERR_ARGUMENT, "%s is in seconds, from 0, not %R", what, seconds) != NULL;
    *nanoseconds = given > 9e9 ? INT64_MAX : (int64_t)(given * 1e9);
    return true;
}

static bool number_of(PyObject *value, const char *name, unsigned long long most, unsigned long long *number) {
    *number = PyLong_AsUnsignedLongLong(value);
    if (*number == (unsigned long long)-1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return false;
        PyErr_Clear();
    } else if (*number <= most) {
        return true;
    }
    return raise_with(SWB_ERR_ARGUMENT, "%s is a whole number from 0 to %llu, not %R", name, most, value) != NULL;
}

static bool set(swb_options *options, int option, PyObject *value) {
    char *const field = (char *)options + known[option].offset;
    const char *const name = known[option].name;
    unsigned long long number = 0;
    int64_t nanoseconds = 0;
    uint32_t narrow = 0;
    switch (known[option].kind) {
    case TEXT: return (*(const char **)(void *)field = utf8_of(value, name)) != NULL;
    case WIDE_NUMBER:
        if (!number_of(value, name, UINT64_MAX, &number)) return false;
        memcpy(field, &number, sizeof(uint64_t));
        return true;
    case SECONDS:
        /* The library takes 0 for its default. Waiting is for the shortest time, then; publishing does without. */
        if (!nanoseconds_of(value, name, &nanoseconds)) return false;
        if (nanoseconds == 0) nanoseconds = known[option].offset == FIELD(swb_options, block_timeout_ns) ? SWB_NO_WAIT : 1;
        memcpy(field, &nanoseconds, sizeof nanoseconds);
        return true;
    case NUMBER:
        if (!number_of(value, name, UINT32_MAX, &number)) return false;
        narrow = (uint32_t)number;
        break;
    case OVERFLOW_NAME:
        if (!choice_of(value, overflow_names, name, &narrow)) return false;
        break;
    case MODE_NAME:
        if (!choice_of(value, mode_names, name, &narrow)) return false;
        break;
    case FLAG: {
        const int truth = PyObject_IsTrue(value);
        if (truth < 0) return false;
        narrow = (uint32_t)truth;
        break;
    }
    }
    memcpy(field, &narrow, sizeof narrow);
    return true;
}

bool options_from(PyObject *given, swb_options *options) {
    Py_ssize_t at = 0;
    PyObject *name = NULL, *value = NULL;
    while (PyDict_Next(given, &at, &name, &value)) {
        int option = 0;
        while (option < KNOWN && PyUnicode_CompareWithASCIIString(name, known[option].name) != 0) ++option;
        if (option == KNOWN) return PyErr_Format(PyExc_TypeError, "there is no option %R", name) != NULL;
        if (value != Py_None && !set(options, option, value)) return false;
    }
    return true;
}
