/* Writing a checkpoint: a pass over the variables to check and hash them, for the header comes
 * first, and one to write them. Reading is in checkpoint_read.c. */
#include "train/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "train/checkpoint_header.h"

typedef struct variables {
    size_t n, largest;
    const gan_variable **variable;
    gan_tensor_info *info;
    char (*name)[GAN_TENSOR_NAME];
    char *hashes; /* GAN_HASH_DIGITS a variable, in order */
    void *buffer; /* for the largest */
} variables;

static void close_variables(variables *v) {
    free(v->variable);
    free(v->info);
    free(v->name);
    free(v->hashes);
    free(v->buffer);
}

static gan_status list_variables(variables *v, const gan_store *store) {
    const size_t n = gan_store_count(store);
    *v = (variables){.variable = calloc(n + 1, sizeof *v->variable),
                     .info = calloc(n + 1, sizeof *v->info),
                     .name = calloc(n + 1, sizeof *v->name),
                     .hashes = calloc(n + 1, GAN_HASH_DIGITS)};
    if (!v->variable || !v->info || !v->name || !v->hashes)
        return gan_fail(GAN_ERROR_MEMORY, "checkpoint: out of memory");
    for (size_t i = 0; i < n; i++) {
        const gan_variable *variable = gan_store_at(store, i);
        if (!gan_checkpoint_keeps(variable)) continue;
        gan_checkpoint_name(v->name[v->n], variable);
        v->info[v->n] = (gan_tensor_info){v->name[v->n], gan_variable_dtype(variable),
                                          gan_variable_shape(variable)};
        v->variable[v->n] = variable;
        const size_t bytes = gan_variable_bytes(variable);
        if (bytes > v->largest) v->largest = bytes;
        v->n++;
    }
    v->buffer = malloc(v->largest + 1);
    return v->buffer ? GAN_OK : gan_fail(GAN_ERROR_MEMORY, "checkpoint: out of memory");
}

static bool finite(const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

static gan_status hash_variables(variables *v, gan_store *store) {
    for (size_t i = 0; i < v->n; i++) {
        const size_t bytes = gan_variable_bytes(v->variable[i]);
        GAN_TRY(gan_variable_read(store, v->variable[i], v->buffer, bytes));
        if (v->info[i].dtype == GAN_F32 && !finite(v->buffer, bytes / sizeof(float)))
            return gan_fail(GAN_ERROR_NOT_FINITE, "%s holds a number that is not finite",
                            v->name[i]);
        snprintf(v->hashes + i * GAN_HASH_DIGITS, GAN_HASH_DIGITS + 1, "%016" PRIx64,
                 gan_hash_bytes(v->buffer, bytes));
    }
    return GAN_OK;
}

/* ---- metadata ---- */

typedef struct metadata {
    size_t n, capacity;
    gan_metadata *entry;
    char *text; /* every key and value, one after the other */
    size_t used, size;
} metadata;

static void add(metadata *m, const char *key_start, const char *key, const char *value) {
    char *at = m->text + m->used;
    const int k = snprintf(at, m->size - m->used, "%s%s", key_start, key) + 1;
    const int v = snprintf(at + k, m->size - m->used - (size_t)k, "%s", value) + 1;
    m->used += (size_t)k + (size_t)v;
    m->entry[m->n++] = (gan_metadata){at, at + k};
}

static gan_status list_metadata(metadata *m, const gan_settings *settings, const gan_run_state *s,
                                const variables *v) {
    const size_t keys = gan_settings_key_count();
    *m = (metadata){.entry = calloc(keys + 16, sizeof *m->entry),
                    .size = keys * 128 + 8 * GAN_SETTING_TEXT + 4096 + v->n * GAN_HASH_DIGITS};
    m->text = calloc(m->size, 1);
    if (!m->entry || !m->text) return gan_fail(GAN_ERROR_MEMORY, "checkpoint: out of memory");
    char text[GAN_SETTING_TEXT];
    add(m, GAN_META, "format", GAN_CHECKPOINT_FORMAT);
    add(m, GAN_META, "version", gan_version());
    snprintf(text, sizeof text, "%" PRId64, s->step);
    add(m, GAN_META, "step", text);
    snprintf(text, sizeof text, "%a", s->seconds);
    add(m, GAN_META, "seconds", text);
    snprintf(text, sizeof text, "%" PRId64 " %a %a %a %a %a", s->summed, s->sum[0], s->sum[1],
             s->sum[2], s->sum[3], s->sum[4]);
    add(m, GAN_META, "log", text);
    snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64, s->example[0], s->example[1],
             s->example[2]);
    add(m, GAN_META, "example", text);
    snprintf(text, sizeof text, "%" PRId64, s->classes);
    add(m, GAN_META, "classes", text);
    snprintf(text, sizeof text, "%016" PRIx64, s->fingerprint);
    add(m, GAN_META, "data", text);
    add(m, GAN_META, "tensors", v->hashes);
    for (size_t i = 0; i < keys; i++) {
        const char *key = gan_settings_key_at(i).name;
        GAN_TRY(gan_settings_get(settings, key, text, sizeof text));
        add(m, GAN_META_SETTING, key, text);
    }
    uint64_t h = 0;
    for (size_t i = 0; i < m->n; i++) h += gan_checkpoint_hash_entry(m->entry[i]);
    for (size_t i = 0; i < v->n; i++) h += gan_checkpoint_hash_tensor(&v->info[i]);
    snprintf(text, sizeof text, "%016" PRIx64, h);
    add(m, GAN_META, "header", text);
    return GAN_OK;
}

/* ---- tensors ---- */

static gan_status write_tensors(gan_safetensors_writer *writer, gan_store *store,
                                const variables *v) {
    for (size_t i = 0; i < v->n; i++) {
        const size_t bytes = gan_variable_bytes(v->variable[i]);
        GAN_TRY(gan_variable_read(store, v->variable[i], v->buffer, bytes));
        GAN_TRY(gan_safetensors_write(writer, v->name[i], v->buffer, bytes));
    }
    return GAN_OK;
}

static gan_status write_file(const char *path, gan_store *store, const variables *v,
                             const metadata *m) {
    gan_safetensors_writer *writer;
    GAN_TRY(gan_safetensors_create(&writer, path, v->info, v->n, m->entry, m->n));
    const gan_status status = write_tensors(writer, store, v);
    if (status == GAN_OK) return gan_safetensors_finish(writer);
    gan_safetensors_abandon(writer);
    return status;
}

gan_status gan_checkpoint_write(const char *path, gan_store *store, const gan_settings *settings,
                                const gan_run_state *state) {
    variables v = {0};
    metadata m = {0};
    gan_status status = list_variables(&v, store);
    if (status == GAN_OK) status = hash_variables(&v, store);
    if (status == GAN_OK) status = list_metadata(&m, settings, state, &v);
    if (status == GAN_OK) status = write_file(path, store, &v, &m);
    close_variables(&v);
    free(m.entry);
    free(m.text);
    return status;
}
