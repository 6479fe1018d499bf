/* The module, and the functions that need no bus. */
#include "native.h"

static PyObject *check(PyObject *text, const char *what, swb_result (*check_text)(const char *, size_t *)) {
    const char *const utf8 = utf8_of(text, what);
    if (utf8 == NULL) return NULL;
    const swb_result result = check_text(utf8, NULL);
    if (result < 0) return raise_result(result);
    Py_RETURN_NONE;
}

static PyObject *check_type(PyObject *module, PyObject *type) {
    (void)module;
    return check(type, "an event type", swb_check_type);
}

static PyObject *check_pattern(PyObject *module, PyObject *pattern) {
    (void)module;
    return check(pattern, "a pattern", swb_check_pattern);
}

static PyObject *match(PyObject *module, PyObject *arguments) {
    PyObject *pattern = NULL, *type = NULL;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OO:match", &pattern, &type)) return NULL;
    const char *const pattern_utf8 = utf8_of(pattern, "a pattern"), *const type_utf8 =
                                                                        pattern_utf8 == NULL ? NULL : utf8_of(type, "an event type");
    if (type_utf8 == NULL) return NULL;
    const int answer = swb_match(pattern_utf8, type_utf8);
    return answer < 0 ? raise_result(answer) : PyBool_FromLong(answer);
}

static void add_name(const char *name, void *list) {
    PyObject *const text = PyErr_Occurred() ? NULL : PyUnicode_FromString(name);
    if (text != NULL) PyList_Append(list, text);
    Py_XDECREF(text);
}

static PyObject *buses(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    PyObject *const list = PyList_New(0);
    if (list == NULL) return NULL;
    const swb_result result = swb_list(add_name, list);
    if (result < 0) raise_result(result);
    if (!PyErr_Occurred()) return list;
    Py_DECREF(list);
    return NULL;
}

static PyObject *remove_bus(PyObject *module, PyObject *arguments, PyObject *names) {
    static char *keywords[] = {"name", "force", NULL};
    const char *name = NULL;
    int force = 0;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "s|p:remove", keywords, &name, &force)) return NULL;
    const swb_result result = swb_remove(name, force);
    if (result < 0) return raise_result(result);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"check_type", check_type, METH_O, "check_type(type)\n--\n\nRaises ArgumentError if this is no event type."},
    {"check_pattern", check_pattern, METH_O, "check_pattern(pattern)\n--\n\nRaises ArgumentError if this is no pattern."},
    {"match", match, METH_VARARGS, "match(pattern, type, /)\n--\n\nWhether a pattern matches an event type."},
    {"buses", buses, METH_NOARGS, "buses()\n--\n\nThe names of all buses on this machine."},
    {"remove", (PyCFunction)(void (*)(void))remove_bus, METH_VARARGS | METH_KEYWORDS,
     "remove(name, force=False)\n--\n\nRemoves a bus; with `force` also one that is in use."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                                        "_native",
                                        "SwarmBus's C interface; what is meant for you is in the package swarmbus.",
                                        -1,
                                        functions,
                                        NULL,
                                        NULL,
                                        NULL,
                                        NULL};

static int add_results(PyObject *module) {
#define ADD_RESULT(name, number, text) \
    if (PyModule_AddIntConstant(module, #name, number) != 0) return -1;
    SWB_RESULT_MAP(ADD_RESULT)
#undef ADD_RESULT
    return PyModule_AddStringConstant(module, "version", swb_version());
}

PyMODINIT_FUNC PyInit__native(void) {
    PyObject *const module = PyModule_Create(&definition);
    if (module == NULL) return NULL;
    if (errors_init() == 0 && json_writer_init() == 0 && event_init(module) == 0 && bus_init(module) == 0 &&
        subscription_init(module) == 0 && add_results(module) == 0) {
        return module;
    }
    Py_DECREF(module);
    return NULL;
}
