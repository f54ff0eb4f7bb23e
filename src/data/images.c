/* A folder of pictures as a set. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/files.h"
#include "data/scale.h"
#include "data/sets.h"
#include "io/picture.h"

typedef struct loader {
    gan_dataset *set;
    const gan_dataset_options *options;
    const char *folder;
    gan_files files;
    gan_scaler scaler;
    int64_t done; /* images that the set holds */
} loader;

static int64_t image_bytes(const gan_dataset *d) { return d->height * d->width * d->channels; }

/* ---- room for the pixels ---- */

static gan_status make_room(loader *l, int64_t height, int64_t width, int64_t channels) {
    gan_dataset *d = l->set;
    int64_t bytes;
    d->count = (int64_t)l->files.count;
    d->height = height;
    d->width = width;
    d->channels = channels;
    if (__builtin_mul_overflow(d->count, image_bytes(d), &bytes) || bytes > PTRDIFF_MAX ||
        !(d->images = malloc((size_t)bytes)))
        return gan_fail(GAN_ERROR_MEMORY,
                        "%s: no memory for %" PRId64 " images of %" PRId64 "x%" PRId64 " pixels",
                        l->folder, d->count, width, height);
    return GAN_OK;
}

/* The first picture in colour makes those before it colour too. */
static gan_status turn_to_colour(loader *l) {
    gan_dataset *d = l->set;
    const int64_t grey = d->height * d->width;
    uint8_t *images = realloc(d->images, (size_t)(3 * grey) * (size_t)d->count);
    if (!images) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", l->folder);
    d->images = images;
    d->channels = 3;
    gan_grey_to_colour(images, l->done * grey);
    return GAN_OK;
}

/* ---- one picture ---- */

static gan_status convert(gan_picture *p, int64_t channels, const char *path) {
    const int64_t pixels = p->height * p->width;
    if (channels == p->channels) return GAN_OK;
    if (channels == 3) {
        uint8_t *more = realloc(p->pixels, (size_t)(3 * pixels));
        if (!more) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
        p->pixels = more;
        gan_grey_to_colour(more, pixels);
    } else {
        gan_colour_to_grey(p->pixels, pixels);
    }
    p->channels = channels;
    return GAN_OK;
}

static gan_status store(loader *l, gan_picture *p, const char *path) {
    gan_dataset *d = l->set;
    const bool scaled = l->scaler.height != 0;
    if (l->options->channels) GAN_TRY(convert(p, l->options->channels, path));
    if (!d->images)
        GAN_TRY(make_room(l, scaled ? l->scaler.height : p->height,
                          scaled ? l->scaler.width : p->width, p->channels));
    if (p->channels == 3 && d->channels == 1) GAN_TRY(turn_to_colour(l));
    GAN_TRY(convert(p, d->channels, path));
    uint8_t *to = d->images + l->done * image_bytes(d);
    if (scaled) return gan_scaler_run(&l->scaler, to, p->pixels, p->height, p->width, p->channels);
    if (p->height != d->height || p->width != d->width)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: has %" PRId64 "x%" PRId64 " pixels, but %s has %" PRId64 "x%" PRId64
                        "; give a size for all (data.size)",
                        path, p->width, p->height, l->files.path[0], d->width, d->height);
    memcpy(to, p->pixels, (size_t)image_bytes(d));
    return GAN_OK;
}

static gan_status take(loader *l, const char *below) {
    const size_t size = strlen(l->folder) + strlen(below) + 2;
    char *path = malloc(size);
    if (!path) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", l->folder);
    snprintf(path, size, "%s/%s", l->folder, below);
    gan_picture picture;
    gan_status status = gan_picture_read(&picture, path);
    if (status == GAN_OK) {
        status = store(l, &picture, path);
        gan_png_free(&picture);
    }
    free(path);
    return status;
}

/* ---- classes ---- */

/* The length of the first folder's name; 0 for a picture that lies in no folder below. */
static size_t class_length(const char *path) {
    const char *slash = strchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

static bool same_class(const char *a, const char *b) {
    const size_t n = class_length(a);
    return n == class_length(b) && memcmp(a, b, n) == 0;
}

/* Paths are sorted, so that the classes follow one another in the order of their names. */
static gan_status label(loader *l) {
    gan_dataset *d = l->set;
    char *const *path = l->files.path;
    int classes = 1;
    for (size_t i = 0; i < l->files.count; i++) {
        if (!class_length(path[i])) return GAN_OK;
        if (i && !same_class(path[i - 1], path[i])) classes++;
    }
    d->labels = malloc(l->files.count * sizeof *d->labels);
    d->class_names = calloc((size_t)classes, sizeof *d->class_names);
    if (!d->labels || !d->class_names)
        return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", l->folder);
    d->classes = classes;
    for (size_t i = 0, k = 0; i < l->files.count; i++) {
        if (i && !same_class(path[i - 1], path[i])) k++;
        d->labels[i] = (int32_t)k;
        if (d->class_names[k]) continue;
        d->class_names[k] = strndup(path[i], class_length(path[i]));
        if (!d->class_names[k]) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", l->folder);
    }
    return GAN_OK;
}

/* ---- all ---- */

static gan_status load(loader *l) {
    GAN_TRY(gan_files_list(&l->files, l->folder));
    if (!l->files.count)
        return gan_fail(
            GAN_ERROR_IO,
            "%s: has no pictures (.png, .jpg, .jpeg), no IDX files "
            "(train-images-idx3-ubyte) and no CIFAR files (data_batch_1.bin, train.bin)",
            l->folder);
    for (size_t i = 0; i < l->files.count; i++, l->done++) GAN_TRY(take(l, l->files.path[i]));
    return label(l);
}

/* A folder that has both "train" and "test" is two sets. */
static char *choose_split(const char *folder, gan_split split) {
    char *path[2] = {NULL, NULL};
    const char *const name[2] = {"train", "test"};
    bool both = true;
    for (int i = 0; i < 2; i++) {
        const size_t size = strlen(folder) + 8;
        path[i] = malloc(size);
        if (path[i]) snprintf(path[i], size, "%s/%s", folder, name[i]);
        both = both && path[i] && gan_is_folder(path[i]);
    }
    const int chosen = split == GAN_SPLIT_TEST;
    if (!both && path[chosen]) strcpy(path[chosen], folder);
    free(path[!chosen]);
    return path[chosen];
}

gan_status gan_images_open(gan_dataset *d, const char *folder, const gan_dataset_options *o) {
    char *chosen = choose_split(folder, o->split);
    if (!chosen) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", folder);
    loader l = {
        .set = d,
        .options = o,
        .folder = chosen,
        .scaler = {.height = o->size,
                   .width = o->width ? o->width : o->size,
                   .fit = o->fit,
                   .border = (uint8_t)o->border},
    };
    const gan_status status = load(&l);
    gan_scaler_free(&l.scaler);
    gan_files_free(&l.files);
    free(chosen);
    return status;
}
