#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/safetensors.h"

typedef struct tensor {
    gan_tensor_info info;
    uint64_t begin, end; /* within the data */
} tensor;

struct gan_safetensors {
    FILE *file;
    char *path;
    json_t *header; /* owns all names */
    tensor *tensors;
    size_t count;
    gan_metadata *metadata;
    size_t metadata_count;
    uint64_t data_start, data_size;
};

static gan_status bad(const gan_safetensors *f, const char *name, const char *what) {
    return gan_fail(GAN_ERROR_FORMAT, "%s: tensor '%.100s': %s", f->path, name, what);
}

/* ---- the header's parts ---- */

static gan_status take_shape(gan_safetensors *f, const char *name, tensor *t, const json_t *shape) {
    if (!json_is_array(shape)) return bad(f, name, "shape is missing, expected an array");
    const size_t rank = json_array_size(shape);
    if (rank > GAN_MAX_RANK)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: tensor '%.100s': %zu dimensions, expected at most %d", f->path, name,
                        rank, GAN_MAX_RANK);
    t->info.shape.rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        const json_t *dim = json_array_get(shape, i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return bad(f, name, "a dimension is not a whole number of 0 or more");
        t->info.shape.dim[i] = json_integer_value(dim);
    }
    return GAN_OK;
}

static gan_status take_tensor(gan_safetensors *f, const char *name, tensor *t,
                              const json_t *entry) {
    if (!json_is_object(entry)) return bad(f, name, "expected an object in the header");
    t->info.name = name;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20)
            return gan_fail(GAN_ERROR_FORMAT, "%s: a tensor's name holds control characters",
                            f->path);

    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!dtype) return bad(f, name, "dtype is missing, expected a string");
    if (!gan_safetensors_dtype(&t->info.dtype, dtype))
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: tensor '%.100s': dtype '%.20s', expected F32, BF16, I32, I64 or U8",
                        f->path, name, dtype);
    GAN_TRY(take_shape(f, name, t, json_object_get(entry, "shape")));

    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return bad(f, name, "data_offsets are not [begin, end]");
    t->begin = (uint64_t)json_integer_value(begin);
    t->end = (uint64_t)json_integer_value(end);
    if (json_object_size(entry) != 3)
        return bad(f, name, "unknown keys, expected dtype, shape and data_offsets only");

    uint64_t bytes;
    if (!gan_safetensors_bytes(&bytes, t->info.dtype, t->info.shape))
        return bad(f, name, "the shape has more elements than can be counted");
    if (bytes != t->end - t->begin)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: tensor '%.100s': its offsets span %" PRIu64
                        " bytes, its shape and dtype need %" PRIu64,
                        f->path, name, t->end - t->begin, bytes);
    return GAN_OK;
}

static gan_status take_metadata(gan_safetensors *f, json_t *metadata) {
    if (!json_is_object(metadata))
        return gan_fail(GAN_ERROR_FORMAT, "%s: __metadata__ is not an object", f->path);
    f->metadata = calloc(json_object_size(metadata) + 1, sizeof *f->metadata);
    if (!f->metadata) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", f->path);
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value))
            return gan_fail(GAN_ERROR_FORMAT, "%s: __metadata__ '%.100s' is not a string", f->path,
                            key);
        f->metadata[f->metadata_count++] = (gan_metadata){key, json_string_value(value)};
    }
    return GAN_OK;
}

static int by_place(const void *a, const void *b) {
    const tensor *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return strcmp(x->info.name, y->info.name);
}

/* Each tensor begins where the one before it ends, and the last ends with the file. */
static gan_status check_places(gan_safetensors *f) {
    if (f->count) qsort(f->tensors, f->count, sizeof *f->tensors, by_place);
    uint64_t at = 0;
    for (size_t i = 0; i < f->count; i++) {
        const tensor *t = &f->tensors[i];
        if (t->begin != at)
            return gan_fail(GAN_ERROR_FORMAT,
                            "%s: tensor '%.100s' begins at byte %" PRIu64
                            " of the data, expected %" PRIu64,
                            f->path, t->info.name, t->begin, at);
        at = t->end;
    }
    if (at != f->data_size)
        return gan_fail(
            GAN_ERROR_FORMAT,
            "%s: %s: the header describes %" PRIu64 " bytes of data, the file has %" PRIu64,
            f->path, at > f->data_size ? "is cut off" : "has bytes too many", at, f->data_size);
    return GAN_OK;
}

static gan_status take_header(gan_safetensors *f) {
    if (!json_is_object(f->header))
        return gan_fail(GAN_ERROR_FORMAT, "%s: the header is not a JSON object", f->path);
    f->tensors = calloc(json_object_size(f->header) + 1, sizeof *f->tensors);
    if (!f->tensors) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", f->path);
    const char *name;
    json_t *entry;
    json_object_foreach(f->header, name, entry) {
        if (strcmp(name, "__metadata__") == 0)
            GAN_TRY(take_metadata(f, entry));
        else
            GAN_TRY(take_tensor(f, name, &f->tensors[f->count++], entry));
    }
    return check_places(f);
}

/* ---- the file ---- */

static gan_status read_exactly(gan_safetensors *f, void *to, size_t size) {
    errno = 0;
    if (fread(to, 1, size, f->file) == size) return GAN_OK;
    if (ferror(f->file))
        return gan_fail(GAN_ERROR_IO, "%s: cannot read: %s", f->path,
                        strerror(errno ? errno : EIO));
    return gan_fail(GAN_ERROR_FORMAT, "%s: is cut off: it became shorter while it was read",
                    f->path);
}

static gan_status read_header(gan_safetensors *f, uint64_t file_size) {
    unsigned char prefix[8];
    if (file_size < sizeof prefix)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: not a safetensors file: %" PRIu64 " bytes, expected at least 8",
                        f->path, file_size);
    GAN_TRY(read_exactly(f, prefix, sizeof prefix));
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | prefix[i];
    if (length < 2 || length > GAN_SAFETENSORS_HEADER_LIMIT)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: not a safetensors file: a header of %" PRIu64
                        " bytes, expected 2 to %d",
                        f->path, length, GAN_SAFETENSORS_HEADER_LIMIT);
    if (length > file_size - sizeof prefix)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: is cut off: a header of %" PRIu64 " bytes in a file of %" PRIu64,
                        f->path, length, file_size);
    f->data_start = sizeof prefix + length;
    f->data_size = file_size - f->data_start;

    char *text = malloc((size_t)length);
    if (!text) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", f->path);
    gan_status status = read_exactly(f, text, (size_t)length);
    if (status == GAN_OK && text[0] != '{')
        status = gan_fail(GAN_ERROR_FORMAT,
                          "%s: not a safetensors file: no JSON object in the header", f->path);
    if (status == GAN_OK) {
        json_error_t error;
        f->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
        if (!f->header)
            status = gan_fail(GAN_ERROR_FORMAT, "%s: damaged header: %s", f->path, error.text);
    }
    free(text);
    return status == GAN_OK ? take_header(f) : status;
}

static gan_status open_stream(gan_safetensors **out, FILE *file, uint64_t size, const char *path) {
    gan_safetensors *f = calloc(1, sizeof *f);
    char *copy = strdup(path);
    if (!f || !copy) {
        free(f);
        free(copy);
        fclose(file);
        return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    }
    f->file = file;
    f->path = copy;
    gan_status status = read_header(f, size);
    if (status == GAN_OK)
        *out = f;
    else
        gan_safetensors_close(f);
    return status;
}

gan_status gan_safetensors_open(gan_safetensors **out, const char *path) {
    *out = NULL;
    FILE *file = fopen(path, "rb");
    struct stat st;
    if (!file || fstat(fileno(file), &st) != 0) {
        int error = errno;
        if (file) fclose(file);
        return gan_fail(GAN_ERROR_IO, "%s: cannot open: %s", path, strerror(error));
    }
    if (!S_ISREG(st.st_mode)) {
        fclose(file);
        return gan_fail(GAN_ERROR_IO, "%s: cannot open: is a %s, expected a safetensors file", path,
                        S_ISDIR(st.st_mode) ? "folder" : "device");
    }
    return open_stream(out, file, (uint64_t)st.st_size, path);
}

gan_status gan_safetensors_open_memory(gan_safetensors **out, const void *bytes, size_t size,
                                       const char *name) {
    *out = NULL;
    FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "rb");
    if (!file) return gan_fail(GAN_ERROR_IO, "%s: cannot open: %s", name, strerror(errno));
    return open_stream(out, file, size, name);
}

void gan_safetensors_close(gan_safetensors *f) {
    if (!f) return;
    fclose(f->file);
    json_decref(f->header);
    free(f->metadata);
    free(f->tensors);
    free(f->path);
    free(f);
}

size_t gan_safetensors_count(const gan_safetensors *f) {
    return f->count;
}

const gan_tensor_info *gan_safetensors_at(const gan_safetensors *f, size_t index) {
    return index < f->count ? &f->tensors[index].info : NULL;
}

const gan_tensor_info *gan_safetensors_find(const gan_safetensors *f, const char *name) {
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->tensors[i].info.name, name) == 0) return &f->tensors[i].info;
    return NULL;
}

const char *gan_safetensors_metadata(const gan_safetensors *f, const char *key) {
    for (size_t i = 0; i < f->metadata_count; i++)
        if (strcmp(f->metadata[i].key, key) == 0) return f->metadata[i].value;
    return NULL;
}

size_t gan_safetensors_metadata_count(const gan_safetensors *f) {
    return f->metadata_count;
}

gan_metadata gan_safetensors_metadata_at(const gan_safetensors *f, size_t index) {
    return index < f->metadata_count ? f->metadata[index] : (gan_metadata){NULL, NULL};
}

gan_status gan_safetensors_read(gan_safetensors *f, const gan_tensor_info *info, void *to,
                                size_t bytes) {
    const tensor *t = NULL;
    for (size_t i = 0; i < f->count && !t; i++)
        if (&f->tensors[i].info == info) t = &f->tensors[i];
    if (!t) return gan_fail(GAN_ERROR_ARGUMENT, "%s: not a tensor of this file", f->path);
    if (bytes != t->end - t->begin)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: tensor '%.100s' has %" PRIu64 " bytes, asked for %zu", f->path,
                        info->name, t->end - t->begin, bytes);
    if (fseeko(f->file, (off_t)(f->data_start + t->begin), SEEK_SET) != 0)
        return gan_fail(GAN_ERROR_IO, "%s: cannot read: %s", f->path, strerror(errno));
    return read_exactly(f, to, bytes);
}
