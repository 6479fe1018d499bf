/* The extension module swarmbus._native: the C interface of SwarmBus as Python types.
 *
 * Only the stable ABI of CPython 3.11 is used, so that one build serves every later version. All state is guarded by the
 * global interpreter lock; a call that may wait gives it up between handle_enter() and handle_leave().
 */
#ifndef SWARMBUS_PYTHON_NATIVE_H
#define SWARMBUS_PYTHON_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <structmember.h>
#include <sys/types.h>

#include "swarmbus.h"

#define FIELD(type, member) ((Py_ssize_t)offsetof(type, member))
#define RELEASED_SLICE_NS INT64_C(100000000) /* waits look for signals (Ctrl-C) this often */

/* ------------------------------------------------------------------ errors.c */

/* Sets the exception that stands for a result; always NULL. */
PyObject *raise_result(swb_result result);
/* The same with a text of our own. */
PyObject *raise_with(swb_result result, const char *format, ...);
int errors_init(void);

/* ------------------------------------------------------------------ texts.c */

/* A str for UTF-8 that comes again and again: types, sources, names of fields. A new reference. */
PyObject *text_of(const char *utf8, size_t bytes);
/* The UTF-8 of a str without zeros; NULL with an exception that names `what`. */
const char *utf8_of(PyObject *text, const char *what);

/* ------------------------------------------------------------------ json_writer.c, json_reader.c */

typedef struct {
    char *text;
    size_t bytes, room;
} JsonBuffer;

/* Appends a value as JSON. False: an exception is set, which says where in `data` it is wrong. */
bool json_write(JsonBuffer *buffer, PyObject *value);
void json_buffer_free(JsonBuffer *buffer);
/* The value of a JSON text that ends with NUL; a new reference. */
PyObject *json_read(const char *text, size_t bytes);
int json_writer_init(void);

/* ------------------------------------------------------------------ handle.c */

/* A handle of the library, and who is inside a call on it without the interpreter lock. */
typedef struct {
    swb_bus *bus; /* NULL: closed */
    pid_t owner;
    int calls;
    PyThread_type_lock last_left; /* held while calls are under way and somebody waits to close */
} Handle;

/* Before and after every call on handle->bus. False: it is closed, with an exception. */
bool handle_enter(Handle *handle);
void handle_leave(Handle *handle);
/* Ends calls that wait, then closes. Closing again does nothing. */
void handle_close(Handle *handle);

/* ------------------------------------------------------------------ event.c */

typedef struct Event Event;

/* Events whose data is not made yet, so that it can be made before their bus is closed. */
typedef struct {
    Event *first;
} Unread;

struct Event {
    PyObject_HEAD PyObject *type, *source, *subject;
    PyObject *payload;      /* bytes; None in events that were made here */
    PyObject *data;         /* NULL: to be made of the payload */
    PyObject *converter;    /* the Bus that knows the schema, while data is to be made */
    Event *previous, *next; /* among the unread events of that Bus */
    double timestamp;       /* as it was given; 0: that of time_ns */
    uint64_t sequence, time_ns, lost;
    uint64_t *lost_by; /* NULL if nothing was lost */
    uint32_t encoding, writer;
};

extern PyTypeObject *event_type;
PyObject *event_received(const swb_event *received, PyObject *converter);
/* Adds losses that were told before the event came. */
bool event_add_losses(Event *event, uint64_t lost, const uint64_t *lost_by);
PyObject *losses_as_dict(const uint64_t *lost_by);
/* event.data; a new reference. */
PyObject *event_data(Event *event);
void unread_make_all(Unread *unread);
int event_init(PyObject *module);

/* ------------------------------------------------------------------ bus.c */

typedef struct {
    PyObject_HEAD Handle handle;
    PyObject *name;
    Unread unread;
} Bus;

extern PyTypeObject *bus_type;
PyObject *bus_make_data(Bus *bus, const Event *event);
int bus_init(PyObject *module);

/* ------------------------------------------------------------------ options.c */

/* Fills options from a dict of their names. The texts in it are borrowed. */
bool options_from(PyObject *given, swb_options *options);
/* Seconds as nanoseconds; False with an exception that names `what`. */
bool nanoseconds_of(PyObject *seconds, const char *what, int64_t *nanoseconds);
/* A str that is one of `choices` (ended by NULL) as its place. */
bool choice_of(PyObject *name, const char *const *choices, const char *what, uint32_t *place);
extern const char *const encoding_names[];

/* ------------------------------------------------------------------ subscription.c */

int subscription_init(PyObject *module);

#endif
