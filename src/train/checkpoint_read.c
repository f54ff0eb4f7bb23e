/* Reading a checkpoint: nothing reaches the store before all of the file has been
 * checked. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/op.h"
#include "train/checkpoint_header.h"

static gan_status metadata(const char **out, const gan_checkpoint *c, const char *key) {
    *out = gan_safetensors_metadata(c->file, key);
    if (*out) return GAN_OK;
    return gan_fail(GAN_ERROR_FORMAT, "%s: not a checkpoint of ganc: no metadata '%s'", c->path,
                    key);
}

static gan_status damaged(const gan_checkpoint *c, const char *key, const char *given) {
    return gan_fail(GAN_ERROR_FORMAT, "%s: metadata '%s' is damaged: '%.100s'", c->path, key,
                    given);
}

static gan_status check_format(const gan_checkpoint *c) {
    const char *format;
    GAN_TRY(metadata(&format, c, GAN_META "format"));
    if (!strcmp(format, GAN_CHECKPOINT_FORMAT)) return GAN_OK;
    return gan_fail(GAN_ERROR_FORMAT, "%s: format '%.100s' given, '%s' expected", c->path, format,
                    GAN_CHECKPOINT_FORMAT);
}

/* Catches a header that was changed but is well-formed still. */
static gan_status check_hash(const gan_checkpoint *c) {
    const char *expected;
    GAN_TRY(metadata(&expected, c, GAN_META "header"));
    uint64_t h = 0;
    for (size_t i = 0; i < gan_safetensors_metadata_count(c->file); i++) {
        const gan_metadata entry = gan_safetensors_metadata_at(c->file, i);
        if (strcmp(entry.key, GAN_META "header")) h += gan_checkpoint_hash_entry(entry);
    }
    for (size_t i = 0; i < gan_safetensors_count(c->file); i++)
        h += gan_checkpoint_hash_tensor(gan_safetensors_at(c->file, i));
    char given[24];
    snprintf(given, sizeof given, "%016" PRIx64, h);
    if (!strcmp(given, expected)) return GAN_OK;
    return gan_fail(GAN_ERROR_FORMAT, "%s: the header was changed: its hash is %s, %.100s expected",
                    c->path, given, expected);
}

static gan_status read_state(gan_checkpoint *c) {
    gan_run_state *s = &c->state;
    const char *text;
    GAN_TRY(metadata(&text, c, GAN_META "version"));
    snprintf(c->version, sizeof c->version, "%s", text);
    GAN_TRY(metadata(&text, c, GAN_META "step"));
    if (sscanf(text, "%" SCNd64, &s->step) != 1 || s->step < 0)
        return damaged(c, GAN_META "step", text);
    GAN_TRY(metadata(&text, c, GAN_META "seconds"));
    if (sscanf(text, "%la", &s->seconds) != 1) return damaged(c, GAN_META "seconds", text);
    GAN_TRY(metadata(&text, c, GAN_META "log"));
    /* Older files have four sums. */
    if (sscanf(text, "%" SCNd64 " %la %la %la %la %la", &s->summed, &s->sum[0], &s->sum[1],
               &s->sum[2], &s->sum[3], &s->sum[4]) < 5)
        return damaged(c, GAN_META "log", text);
    GAN_TRY(metadata(&text, c, GAN_META "example"));
    int64_t *e = s->example;
    if (sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &e[0], &e[1], &e[2]) != 3)
        return damaged(c, GAN_META "example", text);
    GAN_TRY(metadata(&text, c, GAN_META "classes"));
    if (sscanf(text, "%" SCNd64, &s->classes) != 1 || s->classes < 0)
        return damaged(c, GAN_META "classes", text);
    GAN_TRY(metadata(&text, c, GAN_META "data"));
    if (sscanf(text, "%" SCNx64, &s->fingerprint) != 1) return damaged(c, GAN_META "data", text);
    return GAN_OK;
}

/* A key that the file does not have keeps its default: it is younger than the file. */
static gan_status read_settings(gan_checkpoint *c) {
    const size_t start = strlen(GAN_META_SETTING);
    GAN_TRY(gan_settings_create(&c->settings));
    for (size_t i = 0; i < gan_safetensors_metadata_count(c->file); i++) {
        const gan_metadata entry = gan_safetensors_metadata_at(c->file, i);
        if (strncmp(entry.key, GAN_META_SETTING, start)) continue;
        GAN_TRY(gan_settings_set(c->settings, entry.key + start, entry.value, c->path));
    }
    return GAN_OK;
}

gan_status gan_checkpoint_read(gan_checkpoint *c, const char *path) {
    *c = (gan_checkpoint){0};
    gan_status status = gan_safetensors_open(&c->file, path);
    if (status != GAN_OK) return status;
    c->path = malloc(strlen(path) + 1);
    if (c->path)
        strcpy(c->path, path);
    else
        status = gan_fail(GAN_ERROR_MEMORY, "checkpoint: out of memory");
    if (status == GAN_OK) status = check_format(c);
    if (status == GAN_OK) status = check_hash(c);
    if (status == GAN_OK) status = read_state(c);
    if (status == GAN_OK) status = read_settings(c);
    if (status != GAN_OK) gan_checkpoint_close(c);
    return status;
}

void gan_checkpoint_close(gan_checkpoint *c) {
    if (c->file) gan_safetensors_close(c->file);
    gan_settings_destroy(c->settings);
    free(c->path);
    *c = (gan_checkpoint){0};
}

gan_status gan_checkpoint_open(gan_settings **settings, gan_checkpoint_info *info,
                               const char *path) {
    gan_checkpoint c;
    *settings = NULL;
    GAN_TRY(gan_checkpoint_read(&c, path));
    if (info) {
        info->step = c.state.step;
        memcpy(info->version, c.version, sizeof info->version);
    }
    *settings = c.settings;
    c.settings = NULL;
    gan_checkpoint_close(&c);
    return GAN_OK;
}

/* ---- tensors ---- */

static gan_status find(const gan_tensor_info **out, const gan_checkpoint *c,
                       const gan_variable *v) {
    char name[GAN_TENSOR_NAME], expected[GAN_SHAPE_TEXT], given[GAN_SHAPE_TEXT];
    gan_checkpoint_name(name, v);
    gan_shape_text(expected, gan_variable_dtype(v), gan_variable_shape(v));
    const gan_tensor_info *t = *out = gan_safetensors_find(c->file, name);
    if (!t)
        return gan_fail(GAN_ERROR_FORMAT, "%s: tensor %s is missing, %s expected", c->path, name,
                        expected);
    if (t->dtype == gan_variable_dtype(v) && gan_shape_equal(t->shape, gan_variable_shape(v)))
        return GAN_OK;
    return gan_fail(GAN_ERROR_SHAPE, "%s: tensor %s is %s, %s expected", c->path, name,
                    gan_shape_text(given, t->dtype, t->shape), expected);
}

static gan_status check_nothing_else(const gan_checkpoint *c, const gan_store *store) {
    for (size_t i = 0; i < gan_safetensors_count(c->file); i++) {
        const char *given = gan_safetensors_at(c->file, i)->name;
        bool known = false;
        for (size_t j = 0; j < gan_store_count(store) && !known; j++) {
            char name[GAN_TENSOR_NAME];
            if (!gan_checkpoint_keeps(gan_store_at(store, j))) continue;
            gan_checkpoint_name(name, gan_store_at(store, j));
            known = !strcmp(name, given);
        }
        if (!known)
            return gan_fail(GAN_ERROR_FORMAT, "%s: tensor %.200s is no part of this model", c->path,
                            given);
    }
    return GAN_OK;
}

/* Where the file has hashes of its tensors (those of earlier versions have none), a tensor's bytes
 * must agree with its own. */
static gan_status check_bytes(const gan_checkpoint *c, const gan_tensor_info *t, const void *data,
                              size_t bytes) {
    const char *hashes = gan_safetensors_metadata(c->file, GAN_META "tensors");
    if (!hashes) return GAN_OK;
    size_t i = 0;
    while (gan_safetensors_at(c->file, i) != t) i++;
    char given[GAN_HASH_DIGITS + 1];
    snprintf(given, sizeof given, "%016" PRIx64, gan_hash_bytes(data, bytes));
    if (strlen(hashes) == gan_safetensors_count(c->file) * GAN_HASH_DIGITS &&
        !memcmp(hashes + i * GAN_HASH_DIGITS, given, GAN_HASH_DIGITS))
        return GAN_OK;
    return gan_fail(GAN_ERROR_FORMAT,
                    "%s: tensor %s is damaged: its bytes are not those that were written", c->path,
                    t->name);
}

/* Reads and checks every tensor of the store; with `keep` into the store. */
static gan_status restore(const gan_checkpoint *c, gan_store *store, void *buffer, bool keep) {
    const gan_tensor_info *t;
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (!gan_checkpoint_keeps(v)) continue;
        const size_t bytes = gan_variable_bytes(v);
        GAN_TRY(find(&t, c, v));
        GAN_TRY(gan_safetensors_read(c->file, t, buffer, bytes));
        GAN_TRY(check_bytes(c, t, buffer, bytes));
        if (keep) GAN_TRY(gan_variable_write(store, v, buffer, bytes));
    }
    return GAN_OK;
}

gan_status gan_checkpoint_restore(const gan_checkpoint *c, gan_store *store, bool whole) {
    const gan_tensor_info *t;
    size_t largest = 1;
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (!gan_checkpoint_keeps(v)) continue;
        GAN_TRY(find(&t, c, v));
        if (gan_variable_bytes(v) > largest) largest = gan_variable_bytes(v);
    }
    if (whole) GAN_TRY(check_nothing_else(c, store));
    void *buffer = malloc(largest);
    if (!buffer) return gan_fail(GAN_ERROR_MEMORY, "checkpoint: out of memory");
    gan_status status = restore(c, store, buffer, false);
    if (status == GAN_OK) status = restore(c, store, buffer, true);
    free(buffer);
    return status;
}
