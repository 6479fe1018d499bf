/* Results of the library as exceptions. The classes are those of swarmbus.errors. */
#include <stdarg.h>
#include <string.h>

#include "native.h"

static PyObject *class_of_result; /* swarmbus.errors.class_of_result: dict of numbers */

static PyObject *raise_text(swb_result result, PyObject *message) {
    PyObject *const number = PyLong_FromLong(result);
    if (message != NULL && number != NULL) {
        PyObject *class = PyDict_GetItemWithError(class_of_result, number);
        if (class == NULL && !PyErr_Occurred()) class = PyExc_RuntimeError;
        PyObject *const error = class == NULL ? NULL : PyObject_CallFunctionObjArgs(class, message, number, NULL);
        if (error != NULL) PyErr_SetObject(class, error);
        Py_XDECREF(error);
    }
    Py_XDECREF(number);
    Py_XDECREF(message);
    return NULL;
}

PyObject *raise_result(swb_result result) {
    const char *text = swb_last_error();
    if (text[0] == 0) text = swb_result_text(result);
    return raise_text(result, PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace"));
}

PyObject *raise_with(swb_result result, const char *format, ...) {
    va_list parts;
    va_start(parts, format);
    PyObject *const message = PyUnicode_FromFormatV(format, parts);
    va_end(parts);
    return raise_text(result, message);
}

int errors_init(void) {
    PyObject *const errors = PyImport_ImportModule("swarmbus.errors");
    if (errors == NULL) return -1;
    class_of_result = PyObject_GetAttrString(errors, "class_of_result");
    Py_DECREF(errors);
    return class_of_result == NULL ? -1 : 0;
}
