/* Sets in the format of MNIST: images and labels in IDX files. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "data/idx.h"
#include "data/sets.h"
#include "ganc/io.h"

/* The path of "train-images-idx3-ubyte" or one of its variants; NULL when none is there. */
static const char *member(gan_arena *arena, const char *folder, gan_split split, const char *what) {
    const char *prefix = split == GAN_SPLIT_TEST ? "t10k" : "train";
    for (int dot = 0; dot < 2; dot++)
        for (int gzip = 0; gzip < 2; gzip++) {
            char *path = gan_arena_printf(arena, gzip ? "%s/%s-%s-ubyte.gz" : "%s/%s-%s-ubyte",
                                          folder, prefix, what);
            char *dash = path && dot ? strstr(path + strlen(folder), "-idx") : NULL;
            if (dash) *dash = '.';
            if (path && gan_file_exists(path)) return path;
        }
    return NULL;
}

/* The labels beside a file of images: "images-idx3" in its name says "labels-idx1". */
static const char *beside(gan_arena *arena, const char *file) {
    char *path = gan_arena_printf(arena, "%s", file);
    if (!path) return NULL;
    char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *images = strstr(name, "images"), *idx = images ? strstr(images, "idx") : NULL;
    if (!idx || (idx[3] != '3' && idx[3] != '4')) return NULL;
    memcpy(images, "labels", strlen("labels"));
    idx[3] = '1';
    return gan_file_exists(path) ? path : NULL;
}

static gan_status take_images(gan_dataset *d, const char *path) {
    gan_idx idx;
    GAN_TRY(gan_idx_read(&idx, path, 3, 4));
    const int64_t channels = idx.rank == 4 ? idx.dim[3] : 1;
    if (channels != 1 && channels != 3) {
        gan_idx_free(&idx);
        return gan_fail(GAN_ERROR_FORMAT, "%s: images have %" PRId64 " channels, expected 1 or 3",
                        path, channels);
    }
    d->images = idx.bytes;
    d->count = idx.dim[0];
    d->height = idx.dim[1];
    d->width = idx.dim[2];
    d->channels = channels;
    return GAN_OK;
}

static gan_status take_labels(gan_dataset *d, const char *path, const char *images, int classes) {
    gan_idx idx;
    GAN_TRY(gan_idx_read(&idx, path, 1, 1));
    gan_status status = GAN_OK;
    if (idx.dim[0] != d->count)
        status = gan_fail(GAN_ERROR_FORMAT,
                          "%s: has %" PRId64 " labels for the %" PRId64 " images of %s", path,
                          idx.dim[0], d->count, images);
    else if (!(d->labels = malloc((size_t)d->count * sizeof *d->labels)))
        status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    for (int64_t i = 0; status == GAN_OK && i < d->count; i++) {
        d->labels[i] = idx.bytes[i];
        if (classes && d->labels[i] >= classes)
            status =
                gan_fail(GAN_ERROR_FORMAT, "%s: label %d of image %" PRId64 ", expected 0 to %d",
                         path, d->labels[i], i, classes - 1);
        if (d->labels[i] >= d->classes) d->classes = d->labels[i] + 1;
    }
    if (classes) d->classes = classes;
    gan_idx_free(&idx);
    return status;
}

static gan_status take(gan_dataset *d, const char *images, const char *labels, int classes) {
    GAN_TRY(take_images(d, images));
    return labels ? take_labels(d, labels, images, classes) : GAN_OK;
}

bool gan_idx_set_in(const char *folder) {
    gan_arena *arena = gan_arena_create();
    bool there = false;
    for (int test = 0; arena && test < 2; test++)
        there = there || member(arena, folder, test ? GAN_SPLIT_TEST : GAN_SPLIT_TRAIN,
                                "images-idx3") != NULL;
    gan_arena_destroy(arena);
    return there;
}

gan_status gan_idx_set_open(gan_dataset *d, const char *folder, gan_split split, int classes) {
    gan_arena *arena = gan_arena_create();
    if (!arena) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", folder);
    const char *images = member(arena, folder, split, "images-idx3");
    const char *labels = member(arena, folder, split, "labels-idx1");
    const gan_status status =
        images ? take(d, images, labels, classes)
               : gan_fail(GAN_ERROR_IO, "%s: has no file %s-images-idx3-ubyte, plain or .gz",
                          folder, split == GAN_SPLIT_TEST ? "t10k" : "train");
    gan_arena_destroy(arena);
    return status;
}

gan_status gan_idx_set_open_file(gan_dataset *d, const char *file) {
    gan_arena *arena = gan_arena_create();
    if (!arena) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", file);
    const gan_status status = take(d, file, beside(arena, file), 0);
    gan_arena_destroy(arena);
    return status;
}
