/* The type swarmbus._native.Subscription: an inbox. Events are taken out in batches and wait here until somebody wants them, so
 * that who gives up waiting loses nothing. swarmbus.Subscription adds asyncio. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "native.h"

enum { BATCH = 128, MOST_DRAINED = 65536 };
typedef enum { FAILED = -1, NOTHING = 0, SOMETHING = 1, INTERRUPTED = 2 } Outcome;

typedef struct {
    PyObject_HEAD Handle handle;
    PyObject *bus, *on_loss;
    PyThread_type_lock turn; /* held by who receives */
    swb_event *batch;
    PyObject *ready[BATCH];
    int first, last;    /* of those in `ready` that nobody has */
    uint64_t told_lost; /* losses no event tells yet */
    uint64_t told_by[SWB_LOSS_CAUSES];
} Subscription;

/* ------------------------------------------------------------------ its life */

static int subscription_open(Subscription *subscription, PyObject *arguments, PyObject *names) {
    static char *keywords[] = {"bus", "patterns", "options", "on_loss", NULL};
    PyObject *bus = NULL, *patterns = NULL, *given = NULL, *on_loss = Py_None;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!OO!|O:Subscription", keywords, bus_type, &bus, &patterns, &PyDict_Type, &given,
                                     &on_loss))
        return -1;
    swb_options options = {.size = sizeof options};
    const char *const utf8 = utf8_of(patterns, "patterns");
    if (utf8 == NULL || !options_from(given, &options)) return -1;
    if (subscription->bus != NULL) return raise_with(SWB_ERR_ARGUMENT, "this Subscription is open already; make another one"), -1;
    subscription->turn = PyThread_allocate_lock();
    subscription->batch = PyMem_Calloc(BATCH, sizeof(swb_event));
    if (subscription->turn == NULL || subscription->batch == NULL) return PyErr_NoMemory(), -1;
    subscription->batch[0].size = sizeof(swb_event);
    Handle *const from = &((Bus *)bus)->handle;
    if (!handle_enter(from)) return -1;
    swb_bus *opened = NULL;
    swb_result result;
    Py_BEGIN_ALLOW_THREADS result = swb_separate(from->bus, PyDict_Size(given) > 0 ? &options : NULL, &opened);
    if (result >= 0 && utf8[0] != 0) {
        result = swb_subscribe(opened, utf8, NULL, NULL, NULL);
        if (result < 0) swb_close(opened);
    }
    Py_END_ALLOW_THREADS handle_leave(from);
    if (result < 0) return raise_result(result), -1;
    subscription->handle = (Handle){.bus = opened, .owner = getpid()};
    subscription->bus = Py_NewRef(bus);
    subscription->on_loss = Py_NewRef(on_loss);
    return 0;
}

static PyObject *subscription_close(Subscription *subscription, PyObject *unused) {
    (void)unused;
    handle_close(&subscription->handle);
    while (subscription->first < subscription->last) Py_DECREF(subscription->ready[subscription->first++]);
    Py_RETURN_NONE;
}

static int subscription_traverse(Subscription *subscription, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)subscription));
    Py_VISIT(subscription->bus);
    Py_VISIT(subscription->on_loss);
    for (int i = subscription->first; i < subscription->last; ++i) Py_VISIT(subscription->ready[i]);
    return 0;
}

static int subscription_clear(Subscription *subscription) {
    Py_CLEAR(subscription->on_loss);
    return 0;
}

static void subscription_free(Subscription *subscription) {
    PyTypeObject *const type = Py_TYPE((PyObject *)subscription);
    PyObject_GC_UnTrack(subscription);
    Py_XDECREF(subscription_close(subscription, NULL));
    subscription_clear(subscription);
    Py_CLEAR(subscription->bus);
    if (subscription->turn != NULL) PyThread_free_lock(subscription->turn);
    PyMem_Free(subscription->batch);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(subscription);
    Py_DECREF(type);
}

/* ------------------------------------------------------------------ receiving */

static bool tell_losses(Subscription *subscription, const uint64_t *lost_by) {
    if (subscription->on_loss == NULL || subscription->on_loss == Py_None) return true;
    PyObject *const losses = losses_as_dict(lost_by), *const callback = Py_NewRef(subscription->on_loss);
    PyObject *const answer = losses == NULL ? NULL : PyObject_CallFunctionObjArgs(callback, losses, NULL);
    Py_DECREF(callback);
    Py_XDECREF(losses);
    Py_XDECREF(answer);
    return answer != NULL;
}

static bool tell_reattached(Subscription *subscription) {
    if (subscription->on_loss == NULL || subscription->on_loss == Py_None) return true;
    PyObject *const answer = PyObject_CallFunction(subscription->on_loss, "{si}", "reattached", 1);
    Py_XDECREF(answer);
    return answer != NULL;
}

/* Makes events of what the library gave; a copy each, so that the inbox can go on. */
static bool make_events(Subscription *subscription, size_t count, uint64_t *lost_by, bool *lost) {
    subscription->first = subscription->last = 0;
    for (size_t i = 0; i < count; ++i) {
        const swb_event *const received = &subscription->batch[i];
        PyObject *const event = event_received(received, subscription->bus);
        if (event == NULL) return false;
        subscription->ready[subscription->last++] = event;
        if (received->lost > 0) {
            *lost = true;
            for (int cause = 0; cause < SWB_LOSS_CAUSES; ++cause) lost_by[cause] += received->lost_by[cause];
        }
        if (subscription->told_lost > 0) {
            if (!event_add_losses((Event *)event, subscription->told_lost, subscription->told_by)) return false;
            subscription->told_lost = 0;
            memset(subscription->told_by, 0, sizeof subscription->told_by);
        }
    }
    return true;
}

/* One receiving call of who has the turn. */
static Outcome receive_once(Subscription *subscription, int64_t timeout_ns) {
    size_t count = 0;
    uint64_t lost_by[SWB_LOSS_CAUSES] = {0};
    bool lost = false;
    swb_bus *const bus = subscription->handle.bus;
    if (bus == NULL) return INTERRUPTED;
    if (!handle_enter(&subscription->handle)) return FAILED;
    swb_result result = swb_next_batch(bus, 0, subscription->batch, BATCH, &count);
    if (result == SWB_TIMED_OUT && timeout_ns > 0) {
        Py_BEGIN_ALLOW_THREADS result = swb_next_batch(bus, timeout_ns, subscription->batch, BATCH, &count);
        Py_END_ALLOW_THREADS
    }
    const bool made = result != SWB_OK || make_events(subscription, count, lost_by, &lost);
    if (result == SWB_LOST) {
        lost = true;
        memcpy(lost_by, subscription->batch[0].lost_by, sizeof lost_by);
        subscription->told_lost += subscription->batch[0].lost;
        for (int cause = 0; cause < SWB_LOSS_CAUSES; ++cause) subscription->told_by[cause] += lost_by[cause];
    }
    if (result == SWB_OK) swb_release(bus);
    handle_leave(&subscription->handle);
    if (!made) return FAILED;
    if (result < 0) {
        if (subscription->handle.bus == NULL) return INTERRUPTED; /* closed while it waited */
        raise_result(result);
        return FAILED;
    }
    if (lost && !tell_losses(subscription, lost_by)) return FAILED;
    if (result == SWB_REATTACHED && !tell_reattached(subscription)) return FAILED;
    return result == SWB_OK ? SOMETHING : result == SWB_TIMED_OUT ? NOTHING : INTERRUPTED;
}

/* Puts events into `ready`, which is empty. INTERRUPTED: something else happened; look again. */
static Outcome receive(Subscription *subscription, int64_t timeout_ns) {
    if (subscription->turn == NULL) return raise_with(SWB_ERR_CLOSED, "this Subscription was never opened"), FAILED;
    if (PyThread_acquire_lock(subscription->turn, NOWAIT_LOCK) != PY_LOCK_ACQUIRED) {
        if (timeout_ns == 0) return NOTHING;
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS status = PyThread_acquire_lock_timed(subscription->turn, timeout_ns / 1000, 0);
        Py_END_ALLOW_THREADS if (status != PY_LOCK_ACQUIRED) return NOTHING;
    }
    const Outcome outcome = subscription->first < subscription->last ? SOMETHING : receive_once(subscription, timeout_ns);
    PyThread_release_lock(subscription->turn);
    return outcome;
}

static PyObject *take_ready(Subscription *subscription) { return subscription->ready[subscription->first++]; }

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The next event; NULL without an exception when the time is over, it was stopped, or it is closed. */
static PyObject *wait_for_next(Subscription *subscription, int64_t timeout_ns) {
    int64_t deadline = 0;
    for (;;) {
        if (subscription->first < subscription->last) return take_ready(subscription);
        int64_t left = RELEASED_SLICE_NS;
        if (timeout_ns >= 0 && timeout_ns < INT64_MAX / 2) {
            if (deadline == 0) deadline = now_ns() + timeout_ns;
            left = deadline - now_ns();
        }
        const Outcome outcome = receive(subscription, left <= 0 ? 0 : left < RELEASED_SLICE_NS ? left : RELEASED_SLICE_NS);
        if (outcome == FAILED || PyErr_CheckSignals() != 0) return NULL;
        if (outcome == SOMETHING) continue;
        if (subscription->handle.bus == NULL) return NULL;
        if (left <= 0) return NULL;
    }
}

static PyObject *subscription_iternext(Subscription *subscription) {
    if (subscription->handle.bus == NULL) return NULL;
    return wait_for_next(subscription, SWB_FOREVER);
}

static PyObject *raise_closed(void) { return raise_with(SWB_ERR_CLOSED, "the subscription was closed; subscribe anew"); }

static PyObject *subscription_next(Subscription *subscription, PyObject *arguments, PyObject *names) {
    static char *keywords[] = {"timeout", NULL};
    PyObject *timeout = Py_None;
    int64_t timeout_ns = SWB_FOREVER;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "|O:next", keywords, &timeout)) return NULL;
    if (timeout != Py_None && !nanoseconds_of(timeout, "timeout", &timeout_ns)) return NULL;
    PyObject *const event = wait_for_next(subscription, timeout_ns);
    if (event != NULL || PyErr_Occurred()) return event;
    if (subscription->handle.bus == NULL) return raise_closed();
    Py_RETURN_NONE;
}

/* The next of the events that were taken out of the inbox; None if there is none. */
static PyObject *subscription_take(Subscription *subscription, PyObject *unused) {
    (void)unused;
    if (subscription->first < subscription->last) return take_ready(subscription);
    Py_RETURN_NONE;
}

/* Takes what is there out of the inbox, without waiting: whether there is something to take. */
static PyObject *subscription_receive(Subscription *subscription, PyObject *unused) {
    (void)unused;
    Outcome outcome = SOMETHING;
    while (subscription->first == subscription->last && (outcome = receive(subscription, 0)) == INTERRUPTED &&
           subscription->handle.bus != NULL) {}
    if (outcome == FAILED) return NULL;
    return PyBool_FromLong(subscription->first < subscription->last);
}

static PyObject *subscription_drain(Subscription *subscription, PyObject *arguments, PyObject *names) {
    static char *keywords[] = {"most", NULL};
    Py_ssize_t most = MOST_DRAINED;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "|n:drain", keywords, &most)) return NULL;
    PyObject *const list = PyList_New(0);
    while (list != NULL && PyList_Size(list) < most) {
        if (subscription->first == subscription->last) {
            const Outcome outcome = receive(subscription, 0);
            /* What was taken out already is given; the error comes again. */
            if (outcome == FAILED && PyList_Size(list) == 0) return Py_DECREF(list), NULL;
            if (outcome == FAILED) PyErr_Clear();
            if (subscription->handle.bus == NULL && PyList_Size(list) == 0) return Py_DECREF(list), raise_closed();
            if (outcome == FAILED || outcome == NOTHING || subscription->handle.bus == NULL) break;
            if (outcome == INTERRUPTED) continue;
        }
        PyObject *const event = take_ready(subscription);
        const int failed = PyList_Append(list, event);
        Py_DECREF(event);
        if (failed) return Py_DECREF(list), NULL;
    }
    return list;
}

/* ------------------------------------------------------------------ patterns and the rest */

static PyObject *subscription_add(Subscription *subscription, PyObject *patterns) {
    const char *const utf8 = utf8_of(patterns, "patterns");
    if (utf8 == NULL || !handle_enter(&subscription->handle)) return NULL;
    uint64_t id = 0;
    swb_result result;
    Py_BEGIN_ALLOW_THREADS result = swb_subscribe(subscription->handle.bus, utf8, NULL, NULL, &id);
    Py_END_ALLOW_THREADS handle_leave(&subscription->handle);
    return result < 0 ? raise_result(result) : PyLong_FromUnsignedLongLong(id);
}

static PyObject *subscription_remove(Subscription *subscription, PyObject *number) {
    const unsigned long long id = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred() || !handle_enter(&subscription->handle)) return NULL;
    swb_result result;
    Py_BEGIN_ALLOW_THREADS result = swb_unsubscribe(subscription->handle.bus, id);
    Py_END_ALLOW_THREADS handle_leave(&subscription->handle);
    if (result < 0) return raise_result(result);
    Py_RETURN_NONE;
}

static PyObject *subscription_losses(Subscription *subscription, PyObject *unused) {
    (void)unused;
    uint64_t lost_by[SWB_LOSS_CAUSES] = {0};
    if (!handle_enter(&subscription->handle)) return NULL;
    const swb_result result = swb_losses(subscription->handle.bus, lost_by);
    handle_leave(&subscription->handle);
    return result < 0 ? raise_result(result) : losses_as_dict(lost_by);
}

static PyObject *subscription_fileno(Subscription *subscription, PyObject *unused) {
    (void)unused;
    int descriptor = -1;
    if (!handle_enter(&subscription->handle)) return NULL;
    const swb_result result = swb_descriptor(subscription->handle.bus, &descriptor);
    handle_leave(&subscription->handle);
    return result < 0 ? raise_result(result) : PyLong_FromLong(descriptor);
}

static PyObject *get_closed(Subscription *subscription, void *unused) {
    (void)unused;
    return PyBool_FromLong(subscription->handle.bus == NULL);
}

static PyMethodDef methods[] = {
    {"next", (PyCFunction)(void (*)(void))subscription_next, METH_VARARGS | METH_KEYWORDS,
     "next($self, timeout=None)\n--\n\nWaits for the next event, other threads go on. None if none came within `timeout` seconds; 0 looks "
     "once."},
    {"drain", (PyCFunction)(void (*)(void))subscription_drain, METH_VARARGS | METH_KEYWORDS,
     "drain($self, most=65536)\n--\n\nAll events that are there, without waiting: a list, maybe empty."},
    {"losses", (PyCFunction)subscription_losses, METH_NOARGS,
     "losses($self)\n--\n\nHow many events were lost so far: a dict of causes and counts."},
    {"fileno", (PyCFunction)subscription_fileno, METH_NOARGS,
     "fileno($self)\n--\n\nA descriptor for event loops: readable when there may be something, until drain() or next(0) has found "
     "nothing."},
    {"close", (PyCFunction)subscription_close, METH_NOARGS,
     "close($self)\n--\n\nEnds the subscription; who waits for its events is told so. Closing again does nothing."},
    {"_take", (PyCFunction)subscription_take, METH_NOARGS, NULL},
    {"_receive", (PyCFunction)subscription_receive, METH_NOARGS, NULL},
    {"_add", (PyCFunction)subscription_add, METH_O, NULL},
    {"_remove", (PyCFunction)subscription_remove, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
static PyMemberDef members[] = {
    {"on_loss", T_OBJECT, FIELD(Subscription, on_loss), 0, "called with a dict of causes and counts when events were lost, or None"},
    {"bus", T_OBJECT, FIELD(Subscription, bus), READONLY, "the Bus it is of"},
    {NULL, 0, 0, 0, NULL},
};
static PyGetSetDef properties[] = {
    {"closed", (getter)get_closed, NULL, "whether it is closed", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot slots[] = {
    {Py_tp_doc, "A subscription of the library; swarmbus.Subscription is made of it."},
    {Py_tp_init, subscription_open},
    {Py_tp_dealloc, subscription_free},
    {Py_tp_traverse, subscription_traverse},
    {Py_tp_clear, subscription_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, subscription_iternext},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {0, NULL},
};
static PyType_Spec spec = {"swarmbus._native.Subscription", sizeof(Subscription), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};

int subscription_init(PyObject *module) {
    PyTypeObject *const type = (PyTypeObject *)PyType_FromSpec(&spec);
    return type == NULL ? -1 : PyModule_AddType(module, type);
}
