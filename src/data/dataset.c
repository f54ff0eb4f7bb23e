/* Finding and opening sets of images. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/nearest.h"
#include "data/idx.h"
#include "ganc/data.h"

static const struct {
    const char *name;
    const char *package; /* Debian's, which puts it into SYSTEM_FOLDER */
    int classes;
} known[] = {
    {"fashion-mnist", "dataset-fashion-mnist", 10},
    {"mnist", NULL, 10},
};

enum { KNOWN = sizeof known / sizeof *known };

static const char SYSTEM_FOLDER[] = "/usr/share/datasets";

const char *gan_dataset_known(size_t index) { return index < KNOWN ? known[index].name : NULL; }

static bool is_folder(const char *path) {
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_there(const char *path) {
    struct stat st;
    return path && stat(path, &st) == 0;
}

/* Where a set lies, and what is known of it. Text belongs to the arena of the call. */
typedef struct place {
    const char *folder; /* of the four files, or NULL */
    const char *file;   /* of images, or NULL */
    int classes;        /* 0: to be counted */
} place;

static gan_status not_found(const char *name, size_t which) {
    if (known[which].package)
        return gan_fail(
            GAN_ERROR_IO,
            "data set '%s' is not in %s/%s: install the package %s, or give the path of a "
            "folder with its IDX files",
            name, SYSTEM_FOLDER, name, known[which].package);
    return gan_fail(GAN_ERROR_IO,
                    "data set '%s' is not in %s/%s: give the path of a folder with its IDX files",
                    name, SYSTEM_FOLDER, name);
}

static gan_status unknown(const char *name) {
    const char *names[KNOWN];
    for (size_t i = 0; i < KNOWN; i++) names[i] = known[i].name;
    const char *near = gan_nearest(name, names, KNOWN);
    if (near)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: no such data set, file or folder; did you mean '%s'?", name, near);
    return gan_fail(GAN_ERROR_ARGUMENT,
                    "%s: no such data set, file or folder; expected fashion-mnist, mnist or a path",
                    name);
}

static gan_status locate(place *out, gan_arena *arena, const char *name,
                         const gan_dataset_options *options) {
    *out = (place){0};
    size_t which = 0;
    while (which < KNOWN && strcmp(known[which].name, name) != 0) which++;
    if (which < KNOWN) {
        out->classes = known[which].classes;
        for (size_t i = 0; i <= options->folder_count; i++) {
            const char *parent = i < options->folder_count ? options->folders[i] : SYSTEM_FOLDER;
            const char *folder = gan_arena_printf(arena, "%s/%s", parent, name);
            if (!is_folder(folder)) continue;
            out->folder = folder;
            return GAN_OK;
        }
    }
    if (is_folder(name))
        out->folder = name;
    else if (is_there(name))
        out->file = name;
    else
        return which < KNOWN ? not_found(name, which) : unknown(name);
    return GAN_OK;
}

/* The path of "train-images-idx3-ubyte" or one of its variants; NULL when none is there. */
static const char *member(gan_arena *arena, const char *folder, gan_split split, const char *what) {
    const char *prefix = split == GAN_SPLIT_TEST ? "t10k" : "train";
    for (int dot = 0; dot < 2; dot++)
        for (int gzip = 0; gzip < 2; gzip++) {
            char *path = gan_arena_printf(arena, gzip ? "%s/%s-%s-ubyte.gz" : "%s/%s-%s-ubyte",
                                          folder, prefix, what);
            char *dash = path && dot ? strstr(path + strlen(folder), "-idx") : NULL;
            if (dash) *dash = '.';
            if (is_there(path)) return path;
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
    return is_there(path) ? path : NULL;
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

static gan_status fill(gan_dataset *d, gan_arena *arena, const char *name,
                       const gan_dataset_options *options) {
    place at;
    GAN_TRY(locate(&at, arena, name, options));
    const char *images = at.file, *labels = NULL;
    if (at.folder) {
        images = member(arena, at.folder, options->split, "images-idx3");
        labels = member(arena, at.folder, options->split, "labels-idx1");
        if (!images)
            return gan_fail(GAN_ERROR_IO, "%s: has no file %s-images-idx3-ubyte, plain or .gz",
                            at.folder, options->split == GAN_SPLIT_TEST ? "t10k" : "train");
    } else {
        labels = beside(arena, at.file);
    }
    d->name = strdup(name);
    if (!d->name) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", name);
    GAN_TRY(take_images(d, images));
    if (labels) GAN_TRY(take_labels(d, labels, images, at.classes));
    if (options->size) GAN_TRY(gan_dataset_fit(d, options->size, options->fit));
    if (options->channels) GAN_TRY(gan_dataset_convert(d, options->channels));
    return GAN_OK;
}

gan_status gan_dataset_open(gan_dataset **out, const char *name_or_path,
                            const gan_dataset_options *options) {
    static const gan_dataset_options defaults;
    *out = NULL;
    gan_dataset *d = calloc(1, sizeof *d);
    gan_arena *arena = gan_arena_create();
    gan_status status = d && arena ? fill(d, arena, name_or_path, options ? options : &defaults)
                                   : gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", name_or_path);
    gan_arena_destroy(arena);
    if (status == GAN_OK)
        *out = d;
    else
        gan_dataset_destroy(d);
    return status;
}

void gan_dataset_destroy(gan_dataset *d) {
    if (!d) return;
    free(d->images);
    free(d->labels);
    free(d->name);
    free(d);
}
