/* Texts between Python and C. Types, sources and names of fields come again and again: the newest of them are kept, so that
 * an event costs no new str, and looking names up in a dict compares addresses. */
#include <string.h>

#include "native.h"

enum { PLACES = 512, LONGEST_KEPT = 64 };

static struct {
    PyObject *text;
    const char *utf8;
    size_t bytes;
} kept[PLACES];

static size_t place_of(const char *utf8, size_t bytes) {
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a, by words */
    while (bytes >= 8) {
        uint64_t word;
        memcpy(&word, utf8, 8);
        hash = (hash ^ word) * UINT64_C(1099511628211);
        hash ^= hash >> 29;
        utf8 += 8;
        bytes -= 8;
    }
    for (; bytes > 0; --bytes) hash = (hash ^ (unsigned char)*utf8++) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32) % PLACES;
}

PyObject *text_of(const char *utf8, size_t bytes) {
    if (bytes > LONGEST_KEPT) return PyUnicode_DecodeUTF8(utf8, (Py_ssize_t)bytes, "replace");
    const size_t place = place_of(utf8, bytes);
    if (kept[place].text != NULL && kept[place].bytes == bytes && memcmp(kept[place].utf8, utf8, bytes) == 0) {
        Py_INCREF(kept[place].text);
        return kept[place].text;
    }
    PyObject *const text = PyUnicode_DecodeUTF8(utf8, (Py_ssize_t)bytes, "replace");
    if (text == NULL) return NULL;
    Py_ssize_t length = 0;
    const char *const own = PyUnicode_AsUTF8AndSize(text, &length);
    if (own == NULL) {
        Py_DECREF(text);
        return NULL;
    }
    PyObject *const old = kept[place].text;
    Py_INCREF(text);
    kept[place].text = text;
    kept[place].utf8 = own;
    kept[place].bytes = (size_t)length;
    Py_XDECREF(old);
    return text;
}

const char *utf8_of(PyObject *text, const char *what) {
    if (!PyUnicode_Check(text)) {
        PyObject *const kind = PyObject_GetAttrString((PyObject *)Py_TYPE(text), "__name__");
        if (kind != NULL) PyErr_Format(PyExc_TypeError, "%s is a str, not %U", what, kind);
        Py_XDECREF(kind);
        return NULL;
    }
    Py_ssize_t bytes = 0;
    const char *const utf8 = PyUnicode_AsUTF8AndSize(text, &bytes);
    if (utf8 != NULL && memchr(utf8, 0, (size_t)bytes) != NULL) {
        raise_with(SWB_ERR_ARGUMENT, "%s holds a zero character; leave it out", what);
        return NULL;
    }
    return utf8;
}
