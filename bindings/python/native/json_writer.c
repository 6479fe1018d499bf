/* Python values as JSON text, for swb_publish_json(). Several times as fast as json.dumps(), and its faults name the place. */
#include <math.h>
#include <string.h>

#include "native.h"

enum { DEEPEST = 64 };

/* Where a value is: data['metadata'][3]. */
typedef struct Path {
    const struct Path *outer;
    PyObject *name; /* NULL: an index */
    Py_ssize_t index;
} Path;

static PyObject *plain_of; /* swarmbus._plain.plain: what else stands for a dict, a list or a number */

static PyObject *path_text(const Path *path) {
    if (path == NULL) return PyUnicode_FromString("data");
    PyObject *const outer = path_text(path->outer);
    if (outer == NULL) return NULL;
    PyObject *const text =
        path->name != NULL ? PyUnicode_FromFormat("%U[%R]", outer, path->name) : PyUnicode_FromFormat("%U[%zd]", outer, path->index);
    Py_DECREF(outer);
    return text;
}

static bool fault(const Path *path, const char *what) {
    PyObject *const where = path_text(path);
    if (where != NULL) raise_with(SWB_ERR_PAYLOAD, "%U: %s", where, what);
    Py_XDECREF(where);
    return false;
}

static char *room_for(JsonBuffer *buffer, size_t more) {
    if (buffer->room - buffer->bytes < more) {
        size_t room = buffer->room < 512 ? 1024 : 2 * buffer->room;
        while (room - buffer->bytes < more) room *= 2;
        char *const text = PyMem_Realloc(buffer->text, room);
        if (text == NULL) {
            PyErr_NoMemory();
            return NULL;
        }
        buffer->text = text;
        buffer->room = room;
    }
    return buffer->text + buffer->bytes;
}

static bool append(JsonBuffer *buffer, const char *text, size_t bytes) {
    char *const to = room_for(buffer, bytes);
    if (to == NULL) return false;
    memcpy(to, text, bytes);
    buffer->bytes += bytes;
    return true;
}

static bool is_plain(char byte) { return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\'; }

static bool write_text(JsonBuffer *buffer, PyObject *text, const Path *path) {
    static const char digits[] = "0123456789abcdef";
    Py_ssize_t length = 0;
    const char *const utf8 = PyUnicode_AsUTF8AndSize(text, &length);
    if (utf8 == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return false;
        PyErr_Clear();
        return fault(path, "a text holds half a surrogate pair, which is no character");
    }
    size_t most = (size_t)length + 2;
    for (const char *from = utf8; from < utf8 + length; ++from) most += is_plain(*from) ? 0 : 5;
    char *to = room_for(buffer, most);
    if (to == NULL) return false;
    *to++ = '"';
    for (const char *from = utf8; from < utf8 + length; ++from) {
        const unsigned char byte = (unsigned char)*from;
        if (is_plain(*from)) {
            *to++ = *from;
        } else {
            *to++ = '\\';
            if (byte >= 0x20) {
                *to++ = *from;
            } else {
                memcpy(to, "u00", 3);
                to[3] = digits[byte >> 4];
                to[4] = digits[byte & 15];
                to += 5;
            }
        }
    }
    *to++ = '"';
    buffer->bytes = (size_t)(to - buffer->text);
    return true;
}

static bool write_digits(JsonBuffer *buffer, PyObject *value) {
    PyObject *const plain = PyNumber_Index(value); /* of subclasses, str() says something else */
    PyObject *const digits = plain == NULL ? NULL : PyNumber_ToBase(plain, 10);
    Py_ssize_t length = 0;
    const char *const utf8 = digits == NULL ? NULL : PyUnicode_AsUTF8AndSize(digits, &length);
    const bool good = utf8 != NULL && append(buffer, utf8, (size_t)length);
    Py_XDECREF(digits);
    Py_XDECREF(plain);
    return good;
}

static bool write_whole(JsonBuffer *buffer, PyObject *value) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0) return write_digits(buffer, value);
    if (number == -1 && PyErr_Occurred()) return false;
    char digits[24];
    char *first = digits + sizeof digits;
    unsigned long long rest = number < 0 ? 0ull - (unsigned long long)number : (unsigned long long)number;
    do *--first = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (number < 0) *--first = '-';
    return append(buffer, first, (size_t)(digits + sizeof digits - first));
}

static bool write_real(JsonBuffer *buffer, PyObject *value, const Path *path) {
    const double number = PyFloat_AsDouble(value);
    if (!isfinite(number)) return fault(path, isnan(number) ? "JSON has no nan" : "JSON has no infinity");
    char *const digits = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    const bool good = digits != NULL && append(buffer, digits, strlen(digits));
    PyMem_Free(digits);
    return good;
}

static bool write_value(JsonBuffer *buffer, PyObject *value, const Path *path, int depth);

/* Holds on to what it writes: asking an object for its plain value may run code that changes what it lies in. */
static bool write_held(JsonBuffer *buffer, PyObject *value, const Path *path, int depth) {
    Py_INCREF(value);
    const bool good = write_value(buffer, value, path, depth);
    Py_DECREF(value);
    return good;
}

static bool write_dict(JsonBuffer *buffer, PyObject *dict, const Path *outer, int depth) {
    if (!append(buffer, "{", 1)) return false;
    Py_ssize_t at = 0;
    PyObject *name = NULL, *value = NULL;
    bool first = true;
    while (PyDict_Next(dict, &at, &name, &value)) {
        const Path path = {outer, name, 0};
        if (!PyUnicode_Check(name)) return fault(&path, "names in JSON are str");
        if (!first && !append(buffer, ",", 1)) return false;
        first = false;
        Py_INCREF(name);
        const bool good = write_text(buffer, name, &path) && append(buffer, ":", 1) && write_held(buffer, value, &path, depth);
        Py_DECREF(name);
        if (!good) return false;
    }
    return append(buffer, "}", 1);
}

static bool write_list(JsonBuffer *buffer, PyObject *list, const Path *outer, int depth) {
    if (!append(buffer, "[", 1)) return false;
    const bool is_list = PyList_Check(list);
    for (Py_ssize_t i = 0; i < (is_list ? PyList_Size(list) : PyTuple_Size(list)); ++i) {
        const Path path = {outer, NULL, i};
        if (i > 0 && !append(buffer, ",", 1)) return false;
        if (!write_held(buffer, is_list ? PyList_GetItem(list, i) : PyTuple_GetItem(list, i), &path, depth)) return false;
    }
    return append(buffer, "]", 1);
}

static bool write_other(JsonBuffer *buffer, PyObject *value, const Path *path, int depth) {
    PyObject *const plain = PyObject_CallFunctionObjArgs(plain_of, value, NULL);
    if (plain == NULL) return false;
    bool good = false;
    if (plain != value) {
        good = write_value(buffer, plain, path, depth + 1);
    } else {
        PyObject *const where = path_text(path), *const kind = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__name__");
        if (where != NULL && kind != NULL) {
            raise_with(SWB_ERR_PAYLOAD, "%U: JSON has nothing for %U; give a dict, list, str, number, bool or None", where, kind);
        }
        Py_XDECREF(where);
        Py_XDECREF(kind);
    }
    Py_DECREF(plain);
    return good;
}

static bool write_value(JsonBuffer *buffer, PyObject *value, const Path *path, int depth) {
    if (PyUnicode_Check(value)) return write_text(buffer, value, path);
    if (value == Py_None) return append(buffer, "null", 4);
    if (value == Py_True) return append(buffer, "true", 4);
    if (value == Py_False) return append(buffer, "false", 5);
    if (PyLong_Check(value)) return write_whole(buffer, value);
    if (PyFloat_Check(value)) return write_real(buffer, value, path);
    if (depth >= DEEPEST) return fault(path, "more than 63 lists and dicts lie within each other (or one within itself)");
    if (PyDict_Check(value)) return write_dict(buffer, value, path, depth + 1);
    if (PyList_Check(value) || PyTuple_Check(value)) return write_list(buffer, value, path, depth + 1);
    return write_other(buffer, value, path, depth);
}

bool json_write(JsonBuffer *buffer, PyObject *value) {
    buffer->bytes = 0;
    return write_value(buffer, value, NULL, 0);
}

void json_buffer_free(JsonBuffer *buffer) {
    PyMem_Free(buffer->text);
    *buffer = (JsonBuffer){NULL, 0, 0};
}

int json_writer_init(void) {
    PyObject *const plain = PyImport_ImportModule("swarmbus._plain");
    if (plain == NULL) return -1;
    plain_of = PyObject_GetAttrString(plain, "plain");
    Py_DECREF(plain);
    return plain_of == NULL ? -1 : 0;
}
