#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "io/config.h"

enum { DEEPEST = 16 };

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool holds_event;
    gan_config *config;
    const char *name;
    const char *text;
} reader;

/* Line of the current event. */
static int line(const reader *r) {
    return (int)r->event.start_mark.line + 1;
}

static gan_status bad(const reader *r, const char *what) {
    return gan_fail(GAN_ERROR_FORMAT, "%s:%d: %s", r->name, line(r), what);
}

static gan_status syntax(const reader *r) {
    const yaml_parser_t *p = &r->parser;
    size_t at = p->problem_mark.line;
    if (p->error == YAML_MEMORY_ERROR)
        return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", r->name);
    if (p->error == YAML_READER_ERROR) { /* has no mark, only an offset in bytes */
        at = 0;
        for (size_t i = 0; i < p->problem_offset; i++) at += r->text[i] == '\n';
    }
    return gan_fail(GAN_ERROR_FORMAT, "%s:%zu: not valid YAML: %s%s%s", r->name, at + 1,
                    p->context ? p->context : "", p->context ? ", " : "",
                    p->problem ? p->problem : "unknown problem");
}

/* Steps to the next event and refuses what a configuration has no use for. */
static gan_status next(reader *r) {
    if (r->holds_event) yaml_event_delete(&r->event);
    r->holds_event = yaml_parser_parse(&r->parser, &r->event) != 0;
    if (!r->holds_event) return syntax(r);
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (r->event.type) {
    case YAML_ALIAS_EVENT:
        return bad(r, "aliases (*name) are not supported");
    case YAML_SCALAR_EVENT:
        anchor = r->event.data.scalar.anchor;
        tag = r->event.data.scalar.tag;
        if (strlen((const char *)r->event.data.scalar.value) != r->event.data.scalar.length)
            return bad(r, "a value holds a zero character");
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = r->event.data.sequence_start.anchor;
        tag = r->event.data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = r->event.data.mapping_start.anchor;
        tag = r->event.data.mapping_start.tag;
        break;
    default:
        break;
    }
    if (anchor) return bad(r, "anchors (&name) are not supported");
    if (tag) return bad(r, "tags (!name) are not supported");
    return GAN_OK;
}

static const char *scalar(const reader *r) {
    return (const char *)r->event.data.scalar.value;
}

static gan_status take(reader *r, const char *key, const char *value, int at) {
    const gan_config_entry *there = gan_config_find(r->config, key);
    if (there)
        return gan_fail(GAN_ERROR_FORMAT, "%s:%d: key '%s' is there already, at line %d", r->name,
                        at, key, there->line);
    const char *place = gan_arena_printf(r->config->arena, "%s:%d", r->name, at);
    if (!place) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", r->name);
    gan_status status = gan_config_append(r->config, key, value, place, at);
    if (status == GAN_ERROR_ARGUMENT) status = gan_fail_within(GAN_ERROR_FORMAT, "%s", place);
    return status;
}

/* The texts up to the end of the sequence, joined by commas. */
static gan_status take_sequence(reader *r, const char *key) {
    const int at = line(r);
    size_t used = 0, capacity = 0;
    char *text = NULL;
    gan_status status;
    while ((status = next(r)) == GAN_OK && r->event.type != YAML_SEQUENCE_END_EVENT) {
        if (r->event.type != YAML_SCALAR_EVENT) {
            status = bad(r, "expected a single value in the sequence");
            break;
        }
        const size_t length = r->event.data.scalar.length;
        if (!length || strchr(scalar(r), ',')) {
            status = bad(r, length ? "a value in a sequence holds a comma"
                                   : "a value in a sequence is empty");
            break;
        }
        if (used + length + 2 > capacity) {
            capacity = 2 * (used + length + 2);
            char *more = realloc(text, capacity);
            if (!more) {
                status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", r->name);
                break;
            }
            text = more;
        }
        if (used) text[used++] = ',';
        memcpy(text + used, scalar(r), length + 1);
        used += length;
    }
    if (status == GAN_OK) status = take(r, key, text ? text : "", at);
    free(text);
    return status;
}

/* The keys of the mapping whose start is the current event, up to its end. */
static gan_status take_mapping(reader *r, const char *prefix, int depth) {
    if (depth > DEEPEST) return bad(r, "keys are nested too deeply");
    for (;;) {
        GAN_TRY(next(r));
        if (r->event.type == YAML_MAPPING_END_EVENT) return GAN_OK;
        if (r->event.type != YAML_SCALAR_EVENT)
            return bad(r, "expected a key that is a single word");
        char key[GAN_CONFIG_KEY + 1];
        const int n = snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "", scalar(r));
        if (n < 0 || (size_t)n >= sizeof key) return bad(r, "the key is too long");
        const int at = line(r);
        GAN_TRY(next(r));
        if (r->event.type == YAML_SCALAR_EVENT)
            GAN_TRY(take(r, key, scalar(r), at));
        else if (r->event.type == YAML_SEQUENCE_START_EVENT)
            GAN_TRY(take_sequence(r, key));
        else
            GAN_TRY(take_mapping(r, key, depth + 1));
    }
}

static gan_status take_stream(reader *r) {
    GAN_TRY(next(r)); /* the stream's start */
    GAN_TRY(next(r));
    if (r->event.type == YAML_STREAM_END_EVENT) return GAN_OK;
    GAN_TRY(next(r)); /* past the document's start */
    if (r->event.type == YAML_MAPPING_START_EVENT)
        GAN_TRY(take_mapping(r, "", 1));
    else if (r->event.type != YAML_SCALAR_EVENT || r->event.data.scalar.length)
        return bad(r, "expected lines of the form KEY: VALUE");
    GAN_TRY(next(r)); /* the document's end */
    GAN_TRY(next(r));
    if (r->event.type != YAML_STREAM_END_EVENT) return bad(r, "a second document, expected one");
    return GAN_OK;
}

gan_status gan_config_read_memory(gan_config **out, const void *text, size_t size,
                                  const char *name) {
    *out = NULL;
    reader r = {.name = name, .text = text};
    if (size > GAN_CONFIG_LIMIT)
        return gan_fail(GAN_ERROR_FORMAT, "%s: is longer than %d bytes", name, GAN_CONFIG_LIMIT);
    GAN_TRY(gan_config_create(&r.config));
    gan_status status;
    if (yaml_parser_initialize(&r.parser)) {
        yaml_parser_set_input_string(&r.parser, text, size);
        status = take_stream(&r);
        if (r.holds_event) yaml_event_delete(&r.event);
        yaml_parser_delete(&r.parser);
    } else {
        status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", name);
    }
    if (status == GAN_OK)
        *out = r.config;
    else
        gan_config_destroy(r.config);
    return status;
}

gan_status gan_config_read(gan_config **out, const char *path) {
    char *text;
    size_t size;
    *out = NULL;
    GAN_TRY(gan_file_read(&text, &size, path, GAN_CONFIG_LIMIT));
    gan_status status = gan_config_read_memory(out, text, size, path);
    free(text);
    return status;
}
