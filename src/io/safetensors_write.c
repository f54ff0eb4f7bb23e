#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "io/atomic.h"
#include "io/safetensors.h"

typedef struct pending {
    char *name;
    uint64_t bytes;
} pending;

struct gan_safetensors_writer {
    gan_atomic *file;
    char *path;
    pending *tensors;
    size_t count, next;
};

static gan_status no_memory(const gan_safetensors_writer *w) {
    return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", w->path);
}

static gan_status put_metadata(gan_safetensors_writer *w, json_t *header,
                               const gan_metadata *metadata, size_t count) {
    if (!count) return GAN_OK;
    json_t *object = json_object();
    if (!object || json_object_set_new(header, "__metadata__", object) != 0) return no_memory(w);
    for (size_t i = 0; i < count; i++) {
        if (json_object_get(object, metadata[i].key))
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: metadata '%s' is given twice", w->path,
                            metadata[i].key);
        if (json_object_set_new(object, metadata[i].key, json_string(metadata[i].value)) != 0)
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: metadata '%s' is not UTF-8", w->path,
                            metadata[i].key);
    }
    return GAN_OK;
}

static gan_status put_tensor(gan_safetensors_writer *w, json_t *header, const gan_tensor_info *t,
                             uint64_t *at) {
    pending *p = &w->tensors[w->count];
    const char *dtype = gan_safetensors_dtype_name(t->dtype);
    if (!dtype || !gan_safetensors_bytes(&p->bytes, t->dtype, t->shape) ||
        p->bytes > (uint64_t)INT64_MAX - *at)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: tensor '%s' has no valid type and shape", w->path,
                        t->name);
    for (const char *c = t->name; *c; c++)
        if ((unsigned char)*c < 0x20)
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: a tensor's name holds control characters",
                            w->path);
    if (strcmp(t->name, "__metadata__") == 0 || json_object_get(header, t->name))
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: tensor '%s' is there twice", w->path, t->name);
    p->name = strdup(t->name);
    json_t *shape = json_array();
    w->count++;
    if (!p->name || !shape) {
        json_decref(shape);
        return no_memory(w);
    }
    for (int i = 0; i < t->shape.rank; i++)
        json_array_append_new(shape, json_integer(t->shape.dim[i]));
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype, "shape", shape,
                              "data_offsets", (json_int_t)*at, (json_int_t)(*at + p->bytes));
    if (!entry || json_object_set_new(header, t->name, entry) != 0)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: tensor name '%s' is not UTF-8", w->path, t->name);
    *at += p->bytes;
    return GAN_OK;
}

/* Padded with spaces, so that the data begins at a multiple of 8. */
static gan_status write_header(gan_safetensors_writer *w, const json_t *header) {
    char *text = json_dumps(header, JSON_COMPACT);
    if (!text) return no_memory(w);
    const uint64_t used = strlen(text), length = (used + 7) / 8 * 8;
    unsigned char prefix[8];
    for (int i = 0; i < 8; i++) prefix[i] = (unsigned char)(length >> (8 * i));
    gan_status status =
        length <= GAN_SAFETENSORS_HEADER_LIMIT
            ? gan_atomic_write(w->file, prefix, sizeof prefix)
            : gan_fail(GAN_ERROR_ARGUMENT, "%s: a header of %" PRIu64 " bytes, expected at most %d",
                       w->path, length, GAN_SAFETENSORS_HEADER_LIMIT);
    if (status == GAN_OK) status = gan_atomic_write(w->file, text, (size_t)used);
    if (status == GAN_OK) status = gan_atomic_write(w->file, "       ", (size_t)(length - used));
    free(text);
    return status;
}

gan_status gan_safetensors_create(gan_safetensors_writer **out, const char *path,
                                  const gan_tensor_info *tensors, size_t tensor_count,
                                  const gan_metadata *metadata, size_t metadata_count) {
    *out = NULL;
    gan_safetensors_writer *w = calloc(1, sizeof *w);
    if (!w) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    w->path = strdup(path);
    w->tensors = calloc(tensor_count + 1, sizeof *w->tensors);
    json_t *header = json_object();
    gan_status status = GAN_OK;
    if (!w->path || !w->tensors || !header)
        status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    if (status == GAN_OK) status = put_metadata(w, header, metadata, metadata_count);
    uint64_t at = 0;
    for (size_t i = 0; i < tensor_count && status == GAN_OK; i++)
        status = put_tensor(w, header, &tensors[i], &at);
    if (status == GAN_OK) status = gan_atomic_open(&w->file, path);
    if (status == GAN_OK) status = write_header(w, header);
    json_decref(header);
    if (status == GAN_OK)
        *out = w;
    else
        gan_safetensors_abandon(w);
    return status;
}

gan_status gan_safetensors_write(gan_safetensors_writer *w, const char *name, const void *data,
                                 size_t bytes) {
    if (w->next == w->count)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: tensor '%s' comes after the last", w->path, name);
    const pending *p = &w->tensors[w->next];
    if (strcmp(p->name, name) != 0)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: tensor '%s' comes now, expected '%s'", w->path,
                        name, p->name);
    if (p->bytes != bytes)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: tensor '%s': %zu bytes, expected %" PRIu64,
                        w->path, name, bytes, p->bytes);
    GAN_TRY(gan_atomic_write(w->file, data, bytes));
    w->next++;
    return GAN_OK;
}

gan_status gan_safetensors_finish(gan_safetensors_writer *w) {
    gan_status status;
    if (w->next < w->count) {
        status = gan_fail(GAN_ERROR_ARGUMENT, "%s: tensor '%s' was not written", w->path,
                          w->tensors[w->next].name);
    } else {
        status = gan_atomic_commit(w->file);
        w->file = NULL;
    }
    gan_safetensors_abandon(w);
    return status;
}

void gan_safetensors_abandon(gan_safetensors_writer *w) {
    if (!w) return;
    gan_atomic_abandon(w->file);
    for (size_t i = 0; w->tensors && i < w->count; i++) free(w->tensors[i].name);
    free(w->tensors);
    free(w->path);
    free(w);
}
