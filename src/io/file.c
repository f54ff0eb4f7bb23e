#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "ganc/io.h"
#include "io/atomic.h"

static gan_status make_one(const char *path) {
    struct stat st;
    if (mkdir(path, 0777) == 0) return GAN_OK;
    int error = errno;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode)) return GAN_OK;
        return gan_fail(GAN_ERROR_IO, "%s: is a file, expected a folder", path);
    }
    return gan_fail(GAN_ERROR_IO, "%s: cannot make the folder: %s", path, strerror(error));
}

gan_status gan_file_make_directory(const char *path) {
    size_t length = strlen(path);
    if (!length) return gan_fail(GAN_ERROR_ARGUMENT, "the name of a folder to make is empty");
    char *part = malloc(length + 1);
    if (!part) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    memcpy(part, path, length + 1);
    gan_status status = GAN_OK;
    for (size_t i = 1; i <= length && status == GAN_OK; i++) {
        if (path[i] && path[i] != '/') continue;
        part[i] = 0;
        if (part[i - 1] != '/') status = make_one(part);
        part[i] = path[i];
    }
    free(part);
    return status;
}

bool gan_file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

/* A pipe would wait for its reader. */
gan_status gan_file_check_writable(const char *path) {
    struct stat st;
    gan_atomic *file;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        if (access(path, W_OK) == 0) return GAN_OK;
        return gan_fail(GAN_ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
    }
    GAN_TRY(gan_atomic_open(&file, path));
    gan_atomic_abandon(file);
    return GAN_OK;
}

gan_status gan_file_write(const char *path, const void *bytes, size_t size) {
    gan_atomic *file;
    GAN_TRY(gan_atomic_open(&file, path));
    gan_status status = gan_atomic_write(file, bytes, size);
    if (status == GAN_OK) return gan_atomic_commit(file);
    gan_atomic_abandon(file);
    return status;
}

/* Grows by doubling: the size of a pipe is not known ahead. */
static gan_status read_all(char **bytes, size_t *size, FILE *file, const char *path, size_t limit) {
    size_t used = 0, capacity = 0;
    for (;;) {
        if (used == capacity) {
            capacity = capacity ? 2 * capacity : 4096;
            char *more = realloc(*bytes, capacity + 1);
            if (!more) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
            *bytes = more;
        }
        errno = 0;
        size_t got = fread(*bytes + used, 1, capacity - used, file);
        used += got;
        if (used > limit)
            return gan_fail(GAN_ERROR_FORMAT, "%s: is longer than %zu bytes", path, limit);
        if (!got) break;
    }
    if (ferror(file))
        return gan_fail(GAN_ERROR_IO, "%s: cannot read: %s", path, strerror(errno ? errno : EIO));
    (*bytes)[used] = 0;
    if (size) *size = used;
    return GAN_OK;
}

gan_status gan_file_read(char **bytes, size_t *size, const char *path, size_t limit) {
    *bytes = NULL;
    FILE *file = fopen(path, "rb");
    if (!file) return gan_fail(GAN_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    gan_status status = read_all(bytes, size, file, path, limit);
    fclose(file);
    if (status != GAN_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}
