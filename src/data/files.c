#include "data/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

int gan_files_compare(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    const int x = *a == '/' ? 1 : *a ? (unsigned char)*a + 1 : 0;
    const int y = *b == '/' ? 1 : *b ? (unsigned char)*b + 1 : 0;
    return (x > y) - (x < y);
}

static int by_path(const void *a, const void *b) {
    return gan_files_compare(*(char *const *)a, *(char *const *)b);
}

static bool is_picture(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot &&
           (!strcasecmp(dot, ".png") || !strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg"));
}

/* "above/name", or "name" where above is empty; the caller's to free. */
static char *join(const char *above, const char *name) {
    const size_t n = strlen(above), m = strlen(name);
    char *path = malloc(n + m + 2);
    if (!path) return NULL;
    memcpy(path, above, n);
    if (n) path[n] = '/';
    memcpy(path + n + (n != 0), name, m + 1);
    return path;
}

/* Takes `path` over. */
static gan_status add(gan_files *files, char *path) {
    if (files->count == files->capacity) {
        const size_t capacity = files->capacity ? 2 * files->capacity : 256;
        char **more = realloc(files->path, capacity * sizeof *more);
        if (!more) {
            free(path);
            return gan_fail(GAN_ERROR_MEMORY, "listing pictures: out of memory");
        }
        files->path = more;
        files->capacity = capacity;
    }
    files->path[files->count++] = path;
    return GAN_OK;
}

/* ---- folders in folders ---- */

typedef struct level {
    const struct level *above;
    const char *root, *below; /* this folder is root/below */
    dev_t device;
    ino_t inode;
} level;

static bool is_above(const level *l, const struct stat *st) {
    for (; l; l = l->above)
        if (l->device == st->st_dev && l->inode == st->st_ino) return true;
    return false;
}

static gan_status walk(gan_files *files, const level *here, const char *path);

/* An entry of a folder; `path` is root/below. */
static gan_status visit(gan_files *files, const level *here, const char *path, const char *below) {
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        if (!is_picture(below)) return GAN_OK;
        char *copy = strdup(below); /* one that is not there or no file is named when read */
        return copy ? add(files, copy) : gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    }
    if (is_above(here, &st))
        return gan_fail(GAN_ERROR_IO, "%s: is a link to a folder that it lies in", path);
    const level next = {here, here->root, below, st.st_dev, st.st_ino};
    return walk(files, &next, path);
}

static gan_status each(gan_files *files, const level *here, const char *path, DIR *folder) {
    gan_status status = GAN_OK;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry && errno)
            return gan_fail(GAN_ERROR_IO, "%s: cannot read the folder: %s", path, strerror(errno));
        if (!entry || status != GAN_OK) return status;
        if (entry->d_name[0] == '.') continue;
        char *below = join(here->below, entry->d_name), *full = join(path, entry->d_name);
        status = below && full ? visit(files, here, full, below)
                               : gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
        free(below);
        free(full);
    }
}

static gan_status walk(gan_files *files, const level *here, const char *path) {
    DIR *folder = opendir(path);
    if (!folder)
        return gan_fail(GAN_ERROR_IO, "%s: cannot open the folder: %s", path, strerror(errno));
    const gan_status status = each(files, here, path, folder);
    closedir(folder);
    return status;
}

gan_status gan_files_list(gan_files *out, const char *folder) {
    struct stat st;
    *out = (gan_files){0};
    if (stat(folder, &st) != 0)
        return gan_fail(GAN_ERROR_IO, "%s: cannot open the folder: %s", folder, strerror(errno));
    const level top = {NULL, folder, "", st.st_dev, st.st_ino};
    GAN_TRY(walk(out, &top, folder));
    if (out->count) qsort(out->path, out->count, sizeof *out->path, by_path);
    return GAN_OK;
}

void gan_files_free(gan_files *files) {
    for (size_t i = 0; i < files->count; i++) free(files->path[i]);
    free(files->path);
    *files = (gan_files){0};
}
