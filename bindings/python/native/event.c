/* Events. What a received one is made of is copied out of the inbox at once, except that `data`, the payload as a Python value,
 * is only made when somebody asks, or when the bus that knows its schema is closed. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "native.h"

PyTypeObject *event_type;
static PyObject *no_text, *no_bytes;
static const char *const causes[SWB_LOSS_CAUSES] = {"evicted", "full", "timeout", "self", "no_slot", "damaged"};

/* ------------------------------------------------------------------ unread events */

static void unread_add(Event *event, Bus *bus) {
    event->next = bus->unread.first;
    if (event->next != NULL) event->next->previous = event;
    bus->unread.first = event;
    Py_INCREF((PyObject *)bus);
    event->converter = (PyObject *)bus;
}

static void unread_remove(Event *event) {
    if (event->converter == NULL) return;
    Bus *const bus = (Bus *)event->converter;
    if (event->previous != NULL) {
        event->previous->next = event->next;
    } else {
        bus->unread.first = event->next;
    }
    if (event->next != NULL) event->next->previous = event->previous;
    event->previous = event->next = NULL;
    event->converter = NULL;
    Py_DECREF(bus);
}

void unread_make_all(Unread *unread) {
    while (unread->first != NULL) {
        Event *const event = unread->first;
        Py_INCREF((PyObject *)event);
        PyObject *const data = event_data(event);
        if (data == NULL) PyErr_Clear(); /* who asks for it is told that the bus is closed */
        Py_XDECREF(data);
        unread_remove(event);
        Py_DECREF(event);
    }
}

PyObject *event_data(Event *event) {
    if (event->data == NULL) {
        if (event->encoding == SWB_BYTES) {
            Py_INCREF(event->payload);
            event->data = event->payload;
        } else if (event->converter != NULL) {
            PyObject *const data = bus_make_data((Bus *)event->converter, event);
            if (data == NULL) return NULL;
            if (event->data == NULL) {
                event->data = data;
            } else {
                Py_DECREF(data); /* another thread was faster */
            }
            unread_remove(event);
        } else {
            return raise_with(SWB_ERR_CLOSED, "event '%U': its bus was closed before its data could be read; see event.payload",
                              event->type);
        }
    }
    Py_INCREF(event->data);
    return event->data;
}

/* ------------------------------------------------------------------ making them */

static Event *event_new(void) {
    Event *const event = PyObject_GC_New(Event, event_type);
    if (event == NULL) return NULL;
    memset((char *)event + sizeof(PyObject), 0, sizeof *event - sizeof(PyObject));
    return event;
}

bool event_add_losses(Event *event, uint64_t lost, const uint64_t *lost_by) {
    if (lost == 0) return true;
    if (event->lost_by == NULL) {
        event->lost_by = PyMem_Calloc(SWB_LOSS_CAUSES, sizeof *event->lost_by);
        if (event->lost_by == NULL) return PyErr_NoMemory() != NULL;
    }
    event->lost += lost;
    for (int cause = 0; cause < SWB_LOSS_CAUSES; ++cause) event->lost_by[cause] += lost_by[cause];
    return true;
}

PyObject *event_received(const swb_event *received, PyObject *converter) {
    Event *const event = event_new();
    if (event == NULL) return NULL;
    event->sequence = received->sequence;
    event->time_ns = received->time_ns;
    event->encoding = received->encoding;
    event->writer = received->writer;
    event->type = text_of(received->type, strlen(received->type));
    event->source = text_of(received->source, strlen(received->source));
    event->subject = received->subject[0] == 0 ? Py_NewRef(no_text) : text_of(received->subject, strlen(received->subject));
    event->payload = received->payload_bytes == 0 ? Py_NewRef(no_bytes)
                                                  : PyBytes_FromStringAndSize(received->payload, (Py_ssize_t)received->payload_bytes);
    if (event->encoding != SWB_BYTES) unread_add(event, (Bus *)converter);
    PyObject_GC_Track(event);
    if (event->type != NULL && event->source != NULL && event->subject != NULL && event->payload != NULL &&
        event_add_losses(event, received->lost, received->lost_by)) {
        return (PyObject *)event;
    }
    Py_DECREF(event);
    return NULL;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool is_text(PyObject *value, const char *what) { return value == Py_None || utf8_of(value, what) != NULL; }

static PyObject *event_make(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *keywords[] = {"type", "data", "timestamp", "source", "subject", NULL};
    PyObject *event_name = NULL, *data = NULL, *timestamp = Py_None, *source = Py_None, *subject = NULL;
    (void)type;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O|OOOO:Event", keywords, &event_name, &data, &timestamp, &source, &subject))
        return NULL;
    if (utf8_of(event_name, "the type of an event") == NULL || !is_text(source, "the source of an event")) return NULL;
    if (subject == NULL || subject == Py_None) subject = no_text;
    if (utf8_of(subject, "the subject of an event") == NULL) return NULL;
    const double time = timestamp == Py_None ? now() : PyFloat_AsDouble(timestamp);
    if (time == -1.0 && PyErr_Occurred()) return NULL;
    if (!(time >= 0 && time < 1.8e10)) {
        PyErr_SetString(PyExc_ValueError, "the timestamp of an event is in seconds since 1970, as time.time() gives it");
        return NULL;
    }
    Event *const event = event_new();
    if (event == NULL) return NULL;
    event->type = Py_NewRef(event_name);
    event->source = Py_NewRef(source);
    event->subject = Py_NewRef(subject);
    event->payload = Py_NewRef(Py_None);
    event->data = data == NULL ? PyDict_New() : Py_NewRef(data);
    event->timestamp = time;
    event->time_ns = (uint64_t)(time * 1e9);
    PyObject_GC_Track(event);
    if (event->data != NULL) return (PyObject *)event;
    Py_DECREF(event);
    return NULL;
}

/* ------------------------------------------------------------------ their end */

static int event_traverse(Event *event, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)event));
    Py_VISIT(event->data);
    Py_VISIT(event->converter);
    return 0;
}

static int event_clear(Event *event) {
    unread_remove(event);
    Py_CLEAR(event->data);
    return 0;
}

static void event_free(Event *event) {
    PyTypeObject *const type = Py_TYPE((PyObject *)event);
    PyObject_GC_UnTrack(event);
    event_clear(event);
    Py_XDECREF(event->type);
    Py_XDECREF(event->source);
    Py_XDECREF(event->subject);
    Py_XDECREF(event->payload);
    PyMem_Free(event->lost_by);
    PyObject_GC_Del(event);
    Py_DECREF(type);
}

/* ------------------------------------------------------------------ what they tell */

static PyObject *get_data(Event *event, void *unused) {
    (void)unused;
    return event_data(event);
}

static double timestamp_of(const Event *event) { return event->timestamp != 0 ? event->timestamp : (double)event->time_ns / 1e9; }

static PyObject *get_timestamp(Event *event, void *unused) {
    (void)unused;
    return PyFloat_FromDouble(timestamp_of(event));
}

static PyObject *get_encoding(Event *event, void *unused) {
    (void)unused;
    if (event->payload == Py_None) Py_RETURN_NONE;
    if (event->encoding > SWB_FLEXBUFFERS) return PyUnicode_FromFormat("%u", event->encoding);
    return PyUnicode_FromString(encoding_names[event->encoding]);
}

PyObject *losses_as_dict(const uint64_t *lost_by) {
    PyObject *const dict = PyDict_New();
    for (int cause = 0; dict != NULL && lost_by != NULL && cause < SWB_LOSS_CAUSES; ++cause) {
        if (lost_by[cause] == 0) continue;
        PyObject *const count = PyLong_FromUnsignedLongLong(lost_by[cause]);
        const int failed = count == NULL || PyDict_SetItemString(dict, causes[cause], count) != 0;
        Py_XDECREF(count);
        if (failed) {
            Py_DECREF(dict);
            return NULL;
        }
    }
    return dict;
}

static PyObject *get_lost_by(Event *event, void *unused) {
    (void)unused;
    return losses_as_dict(event->lost_by);
}

static PyObject *event_repr(Event *event) {
    PyObject *data = event_data(event);
    if (data == NULL) {
        PyErr_Clear();
        data = Py_NewRef(event->payload);
    }
    PyObject *const shown =
        event->subject == no_text
            ? PyUnicode_FromFormat("Event(type=%R, data=%R, source=%R)", event->type, data, event->source)
            : PyUnicode_FromFormat("Event(type=%R, data=%R, source=%R, subject=%R)", event->type, data, event->source, event->subject);
    Py_DECREF(data);
    return shown;
}

/* For pickle and copy: what Event() takes. */
static PyObject *event_reduce(Event *event, PyObject *unused) {
    (void)unused;
    PyObject *const data = event_data(event);
    if (data == NULL) return NULL;
    return Py_BuildValue("O(ONdOO)", event_type, event->type, data, timestamp_of(event), event->source, event->subject);
}

static int event_buffer(Event *event, Py_buffer *view, int flags) {
    if (event->payload == Py_None) {
        PyErr_SetString(PyExc_BufferError, "an event that was not received has no payload");
        return -1;
    }
    return PyObject_GetBuffer(event->payload, view, flags);
}

/* ------------------------------------------------------------------ the type */

static PyMemberDef members[] = {
    {"type", T_OBJECT_EX, FIELD(Event, type), READONLY, "what happened: \"agent.status.changed\""},
    {"source", T_OBJECT_EX, FIELD(Event, source), READONLY, "who published it"},
    {"subject", T_OBJECT_EX, FIELD(Event, subject), READONLY, "what it is about; \"\" if nothing in particular"},
    {"payload", T_OBJECT_EX, FIELD(Event, payload), READONLY,
     "the payload as bytes; None in events that were not received. memoryview(event) is the same without a copy"},
    {"sequence", T_ULONGLONG, FIELD(Event, sequence), READONLY, "counts the events of its writer; 0 if it was not received"},
    {"writer", T_UINT, FIELD(Event, writer), READONLY, "id of the publishing thread; with sequence unique on the bus"},
    {"time_ns", T_ULONGLONG, FIELD(Event, time_ns), READONLY, "when, in nanoseconds since 1970"},
    {"lost", T_ULONGLONG, FIELD(Event, lost), READONLY, "how many events this subscription lost since the one before"},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"data", (getter)get_data, NULL,
     "the payload as a Python value: a dict by the schema of its type, or what the JSON holds; str of texts, bytes of bytes", NULL},
    {"timestamp", (getter)get_timestamp, NULL, "when, in seconds since 1970", NULL},
    {"encoding", (getter)get_encoding, NULL, "what the payload is: bytes, text, json, flatbuffers or flexbuffers", NULL},
    {"lost_by", (getter)get_lost_by, NULL, "why events were lost: a dict of causes and counts", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
    {"__reduce__", (PyCFunction)event_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc,
     "Event(type, data={}, timestamp=None, source=None, subject='')\n--\n\n"
     "Something that happened. Events are read-only; `data` of a received one is made when it is first asked for."},
    {Py_tp_new, event_make},
    {Py_tp_dealloc, event_free},
    {Py_tp_traverse, event_traverse},
    {Py_tp_clear, event_clear},
    {Py_tp_repr, event_repr},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {Py_tp_methods, methods},
    {Py_bf_getbuffer, event_buffer},
    {0, NULL},
};

static PyType_Spec spec = {"swarmbus.Event", sizeof(Event), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, slots};

int event_init(PyObject *module) {
    no_text = PyUnicode_InternFromString("");
    no_bytes = PyBytes_FromStringAndSize("", 0);
    event_type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (no_text == NULL || no_bytes == NULL || event_type == NULL) return -1;
    return PyModule_AddType(module, event_type);
}
