/* CIFAR-10 and CIFAR-100, binary version: records of one label (CIFAR-100: a coarse and a fine one)
 * and 3·32·32 bytes, channel by channel (Krizhevsky, "Learning multiple layers of features from
 * tiny images", 2009, and the text beside the files). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "data/sets.h"
#include "ganc/io.h"

enum { SIDE = 32, PIXELS = SIDE * SIDE, BYTES = 3 * PIXELS, COARSE = 20, BATCHES = 5 };

static const size_t LARGEST = (size_t)1 << 32; /* bytes of a file */

static int classes_of(int labels) { return labels == 1 ? 10 : 100; }

/* Whether a file can be one of records with so many labels. */
static bool fits(const uint8_t *bytes, size_t size, int labels) {
    const size_t record = (size_t)labels + BYTES;
    if (size % record) return false;
    for (size_t at = 0; at < size; at += record)
        if (bytes[at] >= (labels == 1 ? 10 : COARSE)) return false;
    return true;
}

static gan_status bad_label(const char *name, int label, int64_t record, int classes) {
    return gan_fail(GAN_ERROR_FORMAT, "%s: label %d of record %" PRId64 ", expected 0 to %d", name,
                    label, record, classes - 1);
}

/* Planes to pixels. */
static void interleave(uint8_t *to, const uint8_t *from) {
    for (int i = 0; i < PIXELS; i++)
        for (int c = 0; c < 3; c++) to[3 * i + c] = from[c * PIXELS + i];
}

static gan_status grow(gan_dataset *d, int64_t count, const char *name) {
    uint8_t *images = realloc(d->images, (size_t)(d->count + count) * BYTES);
    if (images) d->images = images;
    int32_t *labels = realloc(d->labels, (size_t)(d->count + count) * sizeof *labels);
    if (labels) d->labels = labels;
    return images && labels ? GAN_OK : gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", name);
}

static gan_status bad_size(const char *name, size_t size, int labels) {
    if (size == 0) return gan_fail(GAN_ERROR_FORMAT, "%s: is empty, expected records", name);
    if (labels)
        return gan_fail(GAN_ERROR_FORMAT, "%s: has %zu bytes, expected a whole number of %d", name,
                        size, labels + BYTES);
    return gan_fail(GAN_ERROR_FORMAT,
                    "%s: has %zu bytes, expected a whole number of records of %d (CIFAR-10) or %d "
                    "(CIFAR-100)",
                    name, size, 1 + BYTES, 2 + BYTES);
}

gan_status gan_cifar_append(gan_dataset *d, const void *data, size_t size, int labels,
                            const char *name) {
    const uint8_t *bytes = data;
    if (size == 0) return bad_size(name, size, labels);
    if (!labels && fits(bytes, size, 1)) labels = 1;
    if (!labels && size % (2 + BYTES) == 0) labels = 2;
    if (!labels && size % (1 + BYTES) == 0) labels = 1;
    if (!labels || size % (size_t)(labels + BYTES)) return bad_size(name, size, labels);
    const int64_t count = (int64_t)(size / (size_t)(labels + BYTES));
    const int classes = classes_of(labels);
    GAN_TRY(grow(d, count, name));
    for (int64_t i = 0; i < count; i++, bytes += labels + BYTES) {
        if (labels == 2 && bytes[0] >= COARSE) return bad_label(name, bytes[0], i, COARSE);
        if (bytes[labels - 1] >= classes) return bad_label(name, bytes[labels - 1], i, classes);
        d->labels[d->count + i] = bytes[labels - 1];
        interleave(d->images + (d->count + i) * BYTES, bytes + labels);
    }
    d->count += count;
    d->height = d->width = SIDE;
    d->channels = 3;
    d->classes = classes;
    return GAN_OK;
}

static gan_status append_file(gan_dataset *d, const char *path, int labels) {
    char *bytes;
    size_t size;
    GAN_TRY(gan_file_read(&bytes, &size, path, LARGEST));
    const gan_status status = gan_cifar_append(d, bytes, size, labels, path);
    free(bytes);
    return status;
}

/* ---- files of a folder ---- */

static const struct {
    int labels;
    const char *train, *test; /* %d: 1, 2, … */
} kinds[] = {
    {1, "data_batch_%d.bin", "test_batch.bin"},
    {2, "train.bin", "test.bin"},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *member(gan_arena *arena, const char *folder, int kind, gan_split split, int n) {
    const char *format = split == GAN_SPLIT_TEST ? kinds[kind].test : kinds[kind].train;
    char name[32];
    snprintf(name, sizeof name, format, n);
    return gan_arena_printf(arena, "%s/%s", folder, name);
}

static bool is_there(const char *path) { return path && gan_file_exists(path); }

static int kind_in(gan_arena *arena, const char *folder) {
    for (int kind = 0; kind < KINDS; kind++)
        if (is_there(member(arena, folder, kind, GAN_SPLIT_TRAIN, 1)) ||
            is_there(member(arena, folder, kind, GAN_SPLIT_TEST, 1)))
            return kind;
    return KINDS;
}

/* The files from number 1 up; one that is absent before others is missing. */
static gan_status append_folder(gan_dataset *d, gan_arena *arena, const char *folder,
                                gan_split split) {
    const int kind = kind_in(arena, folder);
    const int most = split == GAN_SPLIT_TRAIN && kinds[kind].labels == 1 ? BATCHES : 1;
    int last = 1;
    for (int n = 1; n <= most; n++)
        if (is_there(member(arena, folder, kind, split, n))) last = n;
    for (int n = 1; n <= last; n++) {
        const char *path = member(arena, folder, kind, split, n);
        if (!path) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", folder);
        GAN_TRY(append_file(d, path, kinds[kind].labels));
    }
    return GAN_OK;
}

bool gan_cifar_in(const char *folder) {
    gan_arena *arena = gan_arena_create();
    const bool there = arena && kind_in(arena, folder) < KINDS;
    gan_arena_destroy(arena);
    return there;
}

gan_status gan_cifar_open(gan_dataset *d, const char *folder, gan_split split) {
    gan_arena *arena = gan_arena_create();
    if (!arena) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", folder);
    const gan_status status = append_folder(d, arena, folder, split);
    gan_arena_destroy(arena);
    return status;
}

gan_status gan_cifar_open_file(gan_dataset *d, const char *file) { return append_file(d, file, 0); }
