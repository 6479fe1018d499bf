#include "payload.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { JSON_BYTES = 512 };

int publish_json(swb_bus *bus, const char *type, const char *subject, const char *format, ...) {
    char json[JSON_BYTES];
    va_list arguments;
    swb_message message = {.size = sizeof message, .subject = subject};
    int length;

    va_start(arguments, format);
    length = vsnprintf(json, sizeof json, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof json) {
        fprintf(stderr, "a payload of '%s' is too long\n", type);
        return -1;
    }
    /* SWB_DROPPED is fine: the subscriber that missed the event is told. */
    if (swb_publish_json(bus, type, json, (size_t)length, &message, NULL) < 0) {
        fprintf(stderr, "publishing '%s': %s\n", type, swb_last_error());
        return -1;
    }
    return 0;
}

const char *event_json(swb_bus *bus, const swb_event *event) {
    const char *json = "";
    return swb_event_to_json(bus, event, &json, NULL) == SWB_OK ? json : "";
}

/* The end of the string whose opening quote is at `at`: behind its closing quote, or `end`. */
static const char *behind_string(const char *at, const char *end) {
    for (++at; at < end; ++at) {
        if (*at == '\\') ++at;
        else if (*at == '"') return at + 1;
    }
    return end;
}

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) ++at;
    return at;
}

/* The end of the value at `at`: a comma or closing bracket of the surrounding object. */
static const char *behind_value(const char *at, const char *end) {
    int depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = behind_string(at, end);
            continue;
        }
        if (depth == 0 && (*at == ',' || *at == '}' || *at == ']')) return at;
        if (*at == '{' || *at == '[') ++depth;
        if (*at == '}' || *at == ']') --depth;
        ++at;
    }
    return end;
}

int json_field(const char *json, const char *name, char *value, size_t size) {
    const char *const end = json + strlen(json);
    const size_t name_length = strlen(name);
    const char *at = skip_space(json, end);

    value[0] = '\0';
    if (at == end || *at != '{') return 0;
    for (++at;;) {
        const char *key, *key_end, *from, *to;
        at = skip_space(at, end);
        if (at == end || *at != '"') return 0;
        key = at + 1;
        at = behind_string(at, end);
        key_end = at - 1;
        at = skip_space(at, end);
        if (at == end || *at != ':') return 0;
        from = skip_space(at + 1, end);
        to = at = behind_value(from, end);
        if ((size_t)(key_end - key) == name_length && memcmp(key, name, name_length) == 0) {
            while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\n' || to[-1] == '\r')) --to;
            if (to - from >= 2 && *from == '"' && to[-1] == '"') ++from, --to;
            if ((size_t)(to - from) >= size) return 0;
            memcpy(value, from, (size_t)(to - from));
            value[to - from] = '\0';
            return 1;
        }
        if (at == end || *at != ',') return 0;
        ++at;
    }
}
