/* The type swarmbus._native.Bus: opening, publishing, schemas. swarmbus.Bus derives from it. */
#include <string.h>
#include <unistd.h>

#include "native.h"

PyTypeObject *bus_type;
static PyTypeObject *delivery_type;
static JsonBuffer spare; /* kept from one publish to the next, unless somebody else has it */
enum { MOST_SPARE = 1 << 20 };

/* ------------------------------------------------------------------ what became of an event */

typedef struct {
    PyObject_HEAD uint64_t sequence;
    uint32_t delivered, dropped, writer;
} Delivery;

static PyObject *delivery_of(const swb_delivery *made) {
    Delivery *const delivery = PyObject_New(Delivery, delivery_type);
    if (delivery == NULL) return NULL;
    delivery->sequence = made->sequence;
    delivery->delivered = made->delivered;
    delivery->dropped = made->dropped;
    delivery->writer = made->writer;
    return (PyObject *)delivery;
}

static void plain_free(PyObject *object) {
    PyTypeObject *const type = Py_TYPE(object);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *delivery_repr(Delivery *delivery) {
    return PyUnicode_FromFormat("Delivery(delivered=%u, dropped=%u)", delivery->delivered, delivery->dropped);
}

static PyMemberDef delivery_members[] = {
    {"delivered", T_UINT, FIELD(Delivery, delivered), READONLY, "how many subscriptions have the event"},
    {"dropped", T_UINT, FIELD(Delivery, dropped), READONLY, "how many that match have not; their readers are told"},
    {"sequence", T_ULONGLONG, FIELD(Delivery, sequence), READONLY, "as the event has it"},
    {"writer", T_UINT, FIELD(Delivery, writer), READONLY, "as the event has it"},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot delivery_slots[] = {
    {Py_tp_doc, "What became of an event that was published."},
    {Py_tp_members, delivery_members},
    {Py_tp_repr, delivery_repr},
    {Py_tp_dealloc, plain_free},
    {0, NULL},
};
static PyType_Spec delivery_spec = {"swarmbus.Delivery", sizeof(Delivery), 0,
                                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, delivery_slots};

/* ------------------------------------------------------------------ opening and closing */

static int bus_open(Bus *bus, PyObject *arguments, PyObject *names) {
    static char *keywords[] = {"name", "options", NULL};
    PyObject *name = NULL, *given = NULL;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "OO!:Bus", keywords, &name, &PyDict_Type, &given)) return -1;
    const char *const utf8 = utf8_of(name, "the name of a bus");
    swb_options options = {.size = sizeof options};
    if (utf8 == NULL || !options_from(given, &options)) return -1;
    if (bus->handle.bus != NULL) {
        raise_with(SWB_ERR_ARGUMENT, "this Bus is open already; make another one");
        return -1;
    }
    swb_result result;
    swb_bus *opened = NULL;
    Py_BEGIN_ALLOW_THREADS result = swb_open(utf8, &options, &opened);
    Py_END_ALLOW_THREADS if (result < 0) return raise_result(result), -1;
    bus->handle = (Handle){.bus = opened, .owner = getpid()};
    Py_XDECREF(bus->name);
    bus->name = Py_NewRef(name);
    return 0;
}

static PyObject *bus_close(Bus *bus, PyObject *unused) {
    (void)unused;
    unread_make_all(&bus->unread);
    handle_close(&bus->handle);
    Py_RETURN_NONE;
}

static void bus_free(Bus *bus) {
    PyTypeObject *const type = Py_TYPE((PyObject *)bus);
    handle_close(&bus->handle);
    Py_XDECREF(bus->name);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(bus);
    Py_DECREF(type);
}

/* ------------------------------------------------------------------ publishing */

/* What publish() was asked for. */
typedef struct {
    const char *type;
    PyObject *data;
    const Event *forwarded; /* a received event, whose payload goes on as it is */
    bool has_encoding;
    swb_message message;
} Request;

static bool set_keyword(Request *request, PyObject *name, PyObject *value) {
    swb_message *const message = &request->message;
    if (PyUnicode_CompareWithASCIIString(name, "data") == 0) return request->data = value, request->forwarded = NULL, true;
    if (value == Py_None) return true;
    if (PyUnicode_CompareWithASCIIString(name, "subject") == 0) return (message->subject = utf8_of(value, "the subject")) != NULL;
    if (PyUnicode_CompareWithASCIIString(name, "source") == 0) return (message->source = utf8_of(value, "the source")) != NULL;
    if (PyUnicode_CompareWithASCIIString(name, "encoding") == 0) {
        return request->has_encoding = choice_of(value, encoding_names, "the encoding", &message->encoding);
    }
    if (PyUnicode_CompareWithASCIIString(name, "block_timeout") == 0) {
        if (!nanoseconds_of(value, "block_timeout", &message->block_timeout_ns)) return false;
        if (message->block_timeout_ns == 0) message->block_timeout_ns = SWB_NO_WAIT;
        return true;
    }
    return PyErr_Format(PyExc_TypeError, "publish() has no argument %R", name) != NULL;
}

static bool set_event(Request *request, Event *event) {
    request->type = utf8_of(event->type, "the type");
    request->message.subject = utf8_of(event->subject, "the subject");
    if (event->source != Py_None) request->message.source = utf8_of(event->source, "the source");
    if (event->payload != Py_None) {
        request->forwarded = event;
    } else {
        request->data = event->data;
    }
    return request->type != NULL && request->message.subject != NULL;
}

static bool read_request(Request *request, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    if (count < 1 || count > 2) {
        PyErr_SetString(PyExc_TypeError, "publish() takes an event type and its data, or an Event; the rest by name");
        return false;
    }
    if (Py_TYPE(arguments[0]) == event_type) {
        if (!set_event(request, (Event *)arguments[0])) return false;
    } else if ((request->type = utf8_of(arguments[0], "the type")) == NULL) {
        return false;
    }
    if (count == 2) {
        request->data = arguments[1];
        request->forwarded = NULL;
    }
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_Size(names); ++i) {
        if (!set_keyword(request, PyTuple_GetItem(names, i), arguments[count + i])) return false;
    }
    return true;
}

static PyObject *send(Bus *bus, const Request *request, const char *json, size_t json_bytes) {
    swb_delivery delivery = {.size = sizeof delivery};
    swb_result result;
    if (!handle_enter(&bus->handle)) return NULL;
    swb_bus *const handle = bus->handle.bus;
    Py_BEGIN_ALLOW_THREADS result = json != NULL ? swb_publish_json(handle, request->type, json, json_bytes, &request->message, &delivery)
                                                 : swb_publish_message(handle, request->type, &request->message, &delivery);
    Py_END_ALLOW_THREADS handle_leave(&bus->handle);
    return result < 0 ? raise_result(result) : delivery_of(&delivery);
}

static PyObject *send_bytes(Bus *bus, Request *request, const void *bytes, size_t count) {
    if (request->message.encoding == SWB_JSON && request->has_encoding) return send(bus, request, count > 0 ? bytes : "", count);
    request->message.payload = bytes;
    request->message.payload_bytes = count;
    return send(bus, request, NULL, 0);
}

static PyObject *send_json(Bus *bus, Request *request) {
    if (request->has_encoding && request->message.encoding != SWB_JSON) {
        return raise_with(SWB_ERR_ARGUMENT, "an encoding of %s is for bytes; leave it out for what becomes JSON or what the schema says",
                          encoding_names[request->message.encoding]);
    }
    JsonBuffer buffer = spare;
    spare = (JsonBuffer){NULL, 0, 0};
    PyObject *delivery = NULL;
    if (request->data == NULL) {
        delivery = send(bus, request, "{}", 2);
    } else if (json_write(&buffer, request->data)) {
        delivery = send(bus, request, buffer.text, buffer.bytes);
    }
    if (spare.text != NULL || buffer.room > MOST_SPARE) {
        json_buffer_free(&buffer);
    } else {
        spare = buffer;
    }
    return delivery;
}

static PyObject *bus_publish(Bus *bus, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    Request request = {.message = {.size = sizeof(swb_message)}};
    if (!read_request(&request, arguments, count, names)) return NULL;
    PyObject *data = request.data;
    if (request.forwarded != NULL) {
        request.message.encoding = request.forwarded->encoding;
        data = request.forwarded->payload;
    }
    if (data == NULL) return send_json(bus, &request);
    if (PyBytes_Check(data)) return send_bytes(bus, &request, PyBytes_AsString(data), (size_t)PyBytes_Size(data));
    if (PyUnicode_Check(data)) {
        Py_ssize_t bytes = 0;
        const char *const text = PyUnicode_AsUTF8AndSize(data, &bytes);
        if (text == NULL) {
            if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
                PyErr_Clear();
                raise_with(SWB_ERR_PAYLOAD, "data: a text holds half a surrogate pair, which is no character");
            }
            return NULL;
        }
        if (!request.has_encoding) request.message.encoding = SWB_TEXT;
        return send_bytes(bus, &request, text, (size_t)bytes);
    }
    if (!PyDict_Check(data) && PyObject_CheckBuffer(data)) {
        Py_buffer view;
        if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) != 0) return NULL;
        PyObject *const delivery = send_bytes(bus, &request, view.buf, (size_t)view.len);
        PyBuffer_Release(&view);
        return delivery;
    }
    return send_json(bus, &request);
}

/* ------------------------------------------------------------------ schemas */

PyObject *bus_make_data(Bus *bus, const Event *event) {
    if (!PyBytes_Check(event->payload)) return raise_with(SWB_ERR_ARGUMENT, "the event has no payload");
    const char *const bytes = PyBytes_AsString(event->payload);
    const size_t count = (size_t)PyBytes_Size(event->payload);
    if (event->encoding == SWB_TEXT) {
        PyObject *const text = PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)count, NULL);
        if (text != NULL || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return text;
        PyErr_Clear();
        return raise_with(SWB_ERR_PAYLOAD, "the payload of '%U' is no UTF-8, but says it is text; event.payload has its bytes",
                          event->type);
    }
    const swb_event told = {.size = sizeof told,
                            .type = utf8_of(event->type, "the type"),
                            .source = "",
                            .subject = "",
                            .payload = bytes,
                            .payload_bytes = count,
                            .encoding = event->encoding};
    const char *json = NULL;
    size_t json_bytes = 0;
    if (told.type == NULL || !handle_enter(&bus->handle)) return NULL;
    const swb_result result = swb_event_to_json(bus->handle.bus, &told, &json, &json_bytes);
    PyObject *const data = result < 0 ? raise_result(result) : json_read(json, json_bytes);
    handle_leave(&bus->handle);
    return data;
}

static PyObject *bus_register_types(Bus *bus, PyObject *arguments, PyObject *names) {
    static char *keywords[] = {"schema", "type", "root", NULL};
    const char *schema = NULL, *type = NULL, *root = NULL;
    Py_ssize_t bytes = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "s#|zz:register_types", keywords, &schema, &bytes, &type, &root)) return NULL;
    if (!handle_enter(&bus->handle)) return NULL;
    swb_result result;
    Py_BEGIN_ALLOW_THREADS result = swb_register_type(bus->handle.bus, type, schema, (size_t)bytes, root);
    Py_END_ALLOW_THREADS handle_leave(&bus->handle);
    if (result < 0) return raise_result(result);
    Py_RETURN_NONE;
}

static void add_type(const swb_type *type, void *list) {
    PyObject *const entry = PyErr_Occurred() ? NULL
                                             : Py_BuildValue("(ssy#I)", type->name, type->root, (const char *)type->schema,
                                                             (Py_ssize_t)type->schema_bytes, type->version);
    if (entry != NULL) PyList_Append(list, entry);
    Py_XDECREF(entry);
}

static PyObject *bus_types(Bus *bus, PyObject *unused) {
    (void)unused;
    PyObject *const list = PyList_New(0);
    if (list == NULL || !handle_enter(&bus->handle)) return Py_XDECREF(list), NULL;
    const swb_result result = swb_types(bus->handle.bus, NULL, add_type, list);
    handle_leave(&bus->handle);
    if (result < 0) raise_result(result);
    if (!PyErr_Occurred()) return list;
    Py_DECREF(list);
    return NULL;
}

/* ------------------------------------------------------------------ the type */

static PyObject *get_closed(Bus *bus, void *unused) {
    (void)unused;
    return PyBool_FromLong(bus->handle.bus == NULL);
}

static PyMethodDef methods[] = {
    {"publish", (PyCFunction)(void (*)(void))bus_publish, METH_FASTCALL | METH_KEYWORDS,
     "publish($self, type, data={}, /, *, subject=None, source=None, encoding=None, block_timeout=None)\n--\n\n"
     "Publishes an event to every subscription that matches, in this process and all others.\n\n"
     "data: a dict, list, number, bool, None or dataclass becomes what the schema of the type says, or JSON if the type has none;\n"
     "str becomes text; bytes, bytearray and memoryview go as they are. Instead of type and data, an Event.\n"
     "encoding: what bytes are: 'bytes', 'text', 'json', 'flatbuffers' or 'flexbuffers'.\n"
     "block_timeout: seconds to wait for subscriptions that are full and want to be waited for.\n"
     "Returns a Delivery."},
    {"register_types", (PyCFunction)(void (*)(void))bus_register_types, METH_VARARGS | METH_KEYWORDS,
     "register_types($self, schema, type=None, root=None)\n--\n\n"
     "Registers a FlatBuffers schema, as text (.fbs) or binary (.bfbs): of `type`, or without it every table that names its type:\n"
     "table T (event: \"domain.entity.action\")."},
    {"types", (PyCFunction)bus_types, METH_NOARGS,
     "types($self)\n--\n\nThe registered types: a list of (type, root table, binary schema, version)."},
    {"close", (PyCFunction)bus_close, METH_NOARGS,
     "close($self)\n--\n\nCloses the bus; closing again does nothing. Data of events that were received stays readable."},
    {NULL, NULL, 0, NULL},
};
static PyMemberDef members[] = {
    {"name", T_OBJECT, FIELD(Bus, name), READONLY, "the name of the bus"},
    {NULL, 0, 0, 0, NULL},
};
static PyGetSetDef properties[] = {
    {"closed", (getter)get_closed, NULL, "whether it is closed", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot slots[] = {
    {Py_tp_doc, "A bus of the library; swarmbus.Bus is made of it."},
    {Py_tp_init, bus_open},
    {Py_tp_dealloc, bus_free},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {0, NULL},
};
static PyType_Spec spec = {"swarmbus._native.Bus", sizeof(Bus), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

int bus_init(PyObject *module) {
    bus_type = (PyTypeObject *)PyType_FromSpec(&spec);
    delivery_type = (PyTypeObject *)PyType_FromSpec(&delivery_spec);
    if (bus_type == NULL || delivery_type == NULL) return -1;
    return PyModule_AddType(module, bus_type) < 0 ? -1 : PyModule_AddType(module, delivery_type);
}
