/* Finding and opening sets of images. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/nearest.h"
#include "data/sets.h"
#include "ganc/io.h"

static const struct {
    const char *name;
    const char *package; /* Debian's, which puts it into SYSTEM_FOLDER */
    const char *files;   /* what its folder has */
    int classes;
} known[] = {
    {"fashion-mnist", "dataset-fashion-mnist", "IDX files", 10},
    {"mnist", NULL, "IDX files", 10},
    {"cifar-10", NULL, "files data_batch_1.bin, …", 10},
    {"cifar-100", NULL, "files train.bin and test.bin", 100},
};

enum { KNOWN = sizeof known / sizeof *known, LARGEST = 4096 };

static const char SYSTEM_FOLDER[] = "/usr/share/datasets";

const char *gan_dataset_known(size_t index) { return index < KNOWN ? known[index].name : NULL; }

bool gan_is_folder(const char *path) {
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool gan_dataset_installed(const char *name) {
    char folder[128];
    for (size_t i = 0; i < KNOWN; i++) {
        snprintf(folder, sizeof folder, "%s/%s", SYSTEM_FOLDER, known[i].name);
        if (!strcmp(known[i].name, name)) return gan_is_folder(folder);
    }
    return false;
}

/* Where a set lies, and what is known of it. Text belongs to the arena of the call. */
typedef struct place {
    const char *folder; /* of its files, or NULL */
    const char *file;   /* or NULL */
    int classes;        /* 0: to be counted */
} place;

static gan_status not_found(const char *name, size_t which) {
    if (known[which].package)
        return gan_fail(
            GAN_ERROR_IO,
            "data set '%s' is not in %s/%s: install the package %s, or give the path of a "
            "folder with its %s",
            name, SYSTEM_FOLDER, name, known[which].package, known[which].files);
    return gan_fail(GAN_ERROR_IO,
                    "data set '%s' is not in %s/%s: give the path of a folder with its %s", name,
                    SYSTEM_FOLDER, name, known[which].files);
}

static gan_status unknown(const char *name) {
    const char *names[KNOWN];
    for (size_t i = 0; i < KNOWN; i++) names[i] = known[i].name;
    const char *near = gan_nearest(name, names, KNOWN);
    if (near)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: no such data set, file or folder; did you mean '%s'?", name, near);
    return gan_fail(GAN_ERROR_ARGUMENT,
                    "%s: no such data set, file or folder; expected fashion-mnist, mnist, "
                    "cifar-10, cifar-100 or a path",
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
            if (!gan_is_folder(folder)) continue;
            out->folder = folder;
            return GAN_OK;
        }
    }
    if (gan_is_folder(name))
        out->folder = name;
    else if (gan_file_exists(name))
        out->file = name;
    else
        return which < KNOWN ? not_found(name, which) : unknown(name);
    return GAN_OK;
}

static gan_status check(const char *name, const gan_dataset_options *o) {
    if (o->size < 0 || o->size > LARGEST || o->width < 0 || o->width > LARGEST)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "data set '%s': image size %" PRId64 ", expected 1 to %d", name,
                        o->size < 0 || o->size > LARGEST ? o->size : o->width, LARGEST);
    if (o->width && !o->size)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "data set '%s': image width %" PRId64 " without a size (the height)", name,
                        o->width);
    if (o->border < 0 || o->border > 255)
        return gan_fail(GAN_ERROR_ARGUMENT, "data set '%s': border %d, expected 0 to 255", name,
                        o->border);
    if (o->channels && o->channels != 1 && o->channels != 3)
        return gan_fail(GAN_ERROR_ARGUMENT, "data set '%s': %" PRId64 " channels, expected 1 or 3",
                        name, o->channels);
    return GAN_OK;
}

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static gan_status open_file(gan_dataset *d, const char *file) {
    if (ends_with(file, ".bin")) return gan_cifar_open_file(d, file);
    return gan_idx_set_open_file(d, file);
}

static gan_status fill(gan_dataset *d, gan_arena *arena, const char *name,
                       const gan_dataset_options *o) {
    place at;
    GAN_TRY(check(name, o));
    GAN_TRY(locate(&at, arena, name, o));
    d->name = strdup(name);
    if (!d->name) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", name);
    if (at.file)
        GAN_TRY(open_file(d, at.file));
    else if (gan_idx_set_in(at.folder))
        GAN_TRY(gan_idx_set_open(d, at.folder, o->split, at.classes));
    else if (gan_cifar_in(at.folder))
        GAN_TRY(gan_cifar_open(d, at.folder, o->split));
    else
        return gan_images_open(d, at.folder, o);
    if (o->size)
        GAN_TRY(gan_dataset_fit(d, o->size, o->width ? o->width : o->size, o->fit, o->border));
    if (o->channels) GAN_TRY(gan_dataset_convert(d, o->channels));
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
    for (int i = 0; d->class_names && i < d->classes; i++) free(d->class_names[i]);
    free(d->class_names);
    free(d->images);
    free(d->labels);
    free(d->name);
    free(d);
}
