/* JSON text that the library gave, as Python values. The library has checked it; what is no JSON all the same is a fault, never
 * a read beyond the text, which ends with NUL. */
#include <string.h>

#include "native.h"

enum { DEEPEST = 70, SHORT_DIGITS = 18 };

typedef struct {
    const char *at, *end;
    int depth;
} Reader;

static PyObject *read_value(Reader *reader);

static PyObject *broken(const Reader *reader) {
    if (PyErr_Occurred()) return NULL;
    return raise_with(SWB_ERR_PAYLOAD, "the payload is no valid JSON, %zd bytes before its end", (Py_ssize_t)(reader->end - reader->at));
}

static void skip_spaces(Reader *reader) {
    while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r') ++reader->at;
}

/* Four digits after \u; -1 if they are none. */
static long read_unit(const char *at) {
    long unit = 0;
    for (int i = 0; i < 4; ++i) {
        const char digit = at[i];
        if (digit >= '0' && digit <= '9') {
            unit = unit * 16 + (digit - '0');
        } else if ((digit | 32) >= 'a' && (digit | 32) <= 'f') {
            unit = unit * 16 + ((digit | 32) - 'a' + 10);
        } else {
            return -1;
        }
    }
    return unit;
}

static char *put_utf8(char *to, unsigned long code) {
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 63));
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    }
    return to;
}

/* One escape, from behind its backslash; NULL if it is none. */
static char *unescape(const char **from, char *to) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char letter = *(*from)++;
    if (letter != 'u') {
        const char *const found = letter == 0 ? NULL : strchr(letters, letter);
        if (found == NULL) return NULL;
        *to = meanings[found - letters];
        return to + 1;
    }
    long code = read_unit(*from);
    if (code < 0) return NULL;
    *from += 4;
    if (code >= 0xd800 && code < 0xdc00 && (*from)[0] == '\\' && (*from)[1] == 'u') {
        const long low = read_unit(*from + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            *from += 6;
        }
    }
    return put_utf8(to, (unsigned long)code);
}

/* A text with escapes, which makes it shorter. */
static PyObject *read_escaped(const char *from, const char *end) {
    char *const text = PyMem_Malloc((size_t)(end - from) + 1);
    if (text == NULL) return PyErr_NoMemory();
    char *to = text;
    while (from < end && to != NULL) {
        if (*from != '\\') {
            *to++ = *from++;
        } else {
            ++from;
            to = unescape(&from, to);
        }
    }
    PyObject *const value = to == NULL ? NULL : PyUnicode_DecodeUTF8(text, to - text, NULL);
    PyMem_Free(text);
    return value;
}

static PyObject *read_text(Reader *reader, bool is_name) {
    const char *const begin = ++reader->at;
    bool escaped = false;
    const char *at = begin;
    for (; *at != '"'; ++at) {
        if (at >= reader->end) return broken(reader);
        if (*at == '\\') {
            escaped = true;
            if (++at >= reader->end) return broken(reader);
        }
    }
    reader->at = at + 1;
    if (escaped) return read_escaped(begin, at);
    return is_name ? text_of(begin, (size_t)(at - begin)) : PyUnicode_FromStringAndSize(begin, at - begin);
}

/* More digits than an integer of C has; Python wants them by themselves. */
static PyObject *read_long_number(const char *digits, size_t count) {
    char *const text = PyMem_Malloc(count + 1);
    if (text == NULL) return PyErr_NoMemory();
    memcpy(text, digits, count);
    text[count] = 0;
    PyObject *const value = PyLong_FromString(text, NULL, 10);
    PyMem_Free(text);
    return value;
}

static PyObject *read_number(Reader *reader) {
    const char *const begin = reader->at;
    const char *at = begin;
    const bool negative = *at == '-';
    if (negative) ++at;
    const char *const digits = at;
    long long number = 0;
    for (; *at >= '0' && *at <= '9'; ++at) {
        if (at - digits < SHORT_DIGITS) number = number * 10 + (*at - '0');
    }
    if (at == digits) return broken(reader);
    char *end = NULL;
    PyObject *value = NULL;
    if (*at == '.' || *at == 'e' || *at == 'E' || (negative && number == 0 && at - digits == 1)) {
        const double real = PyOS_string_to_double(begin, &end, NULL);
        value = real == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(real);
    } else if (at - digits <= SHORT_DIGITS) {
        end = (char *)(uintptr_t)at;
        value = PyLong_FromLongLong(negative ? -number : number);
    } else {
        end = (char *)(uintptr_t)at;
        value = read_long_number(begin, (size_t)(at - begin));
    }
    if (value != NULL) reader->at = end;
    return value;
}

static PyObject *read_list(Reader *reader) {
    PyObject *const list = PyList_New(0);
    if (list == NULL) return NULL;
    ++reader->at;
    skip_spaces(reader);
    if (*reader->at == ']') return ++reader->at, list;
    for (;;) {
        PyObject *const value = read_value(reader);
        if (value == NULL) break;
        const int failed = PyList_Append(list, value);
        Py_DECREF(value);
        if (failed) break;
        skip_spaces(reader);
        const char next = *reader->at++;
        if (next == ']') return list;
        if (next != ',') {
            broken(reader);
            break;
        }
    }
    Py_DECREF(list);
    return NULL;
}

/* One member into the dict. */
static bool read_member(Reader *reader, PyObject *dict) {
    skip_spaces(reader);
    if (*reader->at != '"') return broken(reader) != NULL;
    PyObject *const name = read_text(reader, true);
    if (name == NULL) return false;
    skip_spaces(reader);
    PyObject *value = NULL;
    if (*reader->at == ':') {
        ++reader->at;
        value = read_value(reader);
    } else {
        broken(reader);
    }
    const bool good = value != NULL && PyDict_SetItem(dict, name, value) == 0;
    Py_XDECREF(value);
    Py_DECREF(name);
    return good;
}

static PyObject *read_dict(Reader *reader) {
    PyObject *const dict = PyDict_New();
    if (dict == NULL) return NULL;
    ++reader->at;
    skip_spaces(reader);
    if (*reader->at == '}') return ++reader->at, dict;
    while (read_member(reader, dict)) {
        skip_spaces(reader);
        const char next = *reader->at++;
        if (next == '}') return dict;
        if (next != ',') {
            broken(reader);
            break;
        }
    }
    Py_DECREF(dict);
    return NULL;
}

static PyObject *read_word(Reader *reader, const char *word, PyObject *value) {
    const size_t bytes = strlen(word);
    if (strncmp(reader->at, word, bytes) != 0) return broken(reader);
    reader->at += bytes;
    Py_INCREF(value);
    return value;
}

static PyObject *read_value(Reader *reader) {
    skip_spaces(reader);
    switch (*reader->at) {
    case '"': return read_text(reader, false);
    case 't': return read_word(reader, "true", Py_True);
    case 'f': return read_word(reader, "false", Py_False);
    case 'n': return read_word(reader, "null", Py_None);
    case '{':
    case '[': {
        if (++reader->depth > DEEPEST) return broken(reader);
        PyObject *const value = *reader->at == '{' ? read_dict(reader) : read_list(reader);
        --reader->depth;
        return value;
    }
    default: return read_number(reader);
    }
}

PyObject *json_read(const char *text, size_t bytes) {
    Reader reader = {text, text + bytes, 0};
    PyObject *value = read_value(&reader);
    if (value == NULL) return NULL;
    skip_spaces(&reader);
    if (reader.at == reader.end) return value;
    Py_DECREF(value);
    return broken(&reader);
}
