#define _XOPEN_SOURCE 700 /* realpath */

#include "io/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gan_atomic {
    FILE *stream;
    char *given;     /* what messages call it */
    char *target;    /* where it goes: `given` with links followed */
    char *temporary; /* NULL when the target is written directly */
};

static gan_status refused(const gan_atomic *file, int error) {
    return gan_fail(GAN_ERROR_IO, "%s: cannot write: %s", file->given, strerror(error));
}

static char *joined(const char *a, const char *b) {
    size_t na = strlen(a), nb = strlen(b);
    char *s = malloc(na + nb + 1);
    if (s) {
        memcpy(s, a, na);
        memcpy(s + na, b, nb + 1);
    }
    return s;
}

static gan_status begin(gan_atomic *file, const char *path) {
    struct stat st;
    if (!*path) return gan_fail(GAN_ERROR_ARGUMENT, "the name of a file to write is empty");
    file->given = joined(path, "");
    bool there = stat(path, &st) == 0;
    file->target = there ? realpath(path, NULL) : joined(path, "");
    if (!file->given || (!file->target && !there))
        return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    if (!file->target) return refused(file, errno);
    if (there && S_ISDIR(st.st_mode))
        return gan_fail(GAN_ERROR_IO, "%s: cannot write: it is a folder, expected a file", path);

    int fd;
    if (there && !S_ISREG(st.st_mode)) {
        fd = open(file->target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    } else {
        file->temporary = joined(file->target, ".tmp");
        if (!file->temporary) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
        unlink(file->temporary); /* left by a killed run */
        fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (fd < 0) {
        int error = errno;
        free(file->temporary); /* not ours to remove */
        file->temporary = NULL;
        return refused(file, error);
    }
    file->stream = fdopen(fd, "wb");
    if (!file->stream) {
        int error = errno;
        close(fd);
        return refused(file, error);
    }
    return GAN_OK;
}

gan_status gan_atomic_open(gan_atomic **out, const char *path) {
    *out = NULL;
    gan_atomic *file = calloc(1, sizeof *file);
    if (!file) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    gan_status status = begin(file, path);
    if (status != GAN_OK) {
        gan_atomic_abandon(file);
        return status;
    }
    *out = file;
    return GAN_OK;
}

gan_status gan_atomic_write(gan_atomic *file, const void *bytes, size_t size) {
    if (size && fwrite(bytes, 1, size, file->stream) != size) return refused(file, errno);
    return GAN_OK;
}

/* The rename itself must reach the disk. File systems that cannot flush a folder say EINVAL. */
static gan_status flush_folder(gan_atomic *file) {
    char *copy = joined(file->target, "");
    if (!copy) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", file->given);
    int error = 0;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        if (fsync(fd) != 0 && errno != EINVAL) error = errno;
        close(fd);
    }
    free(copy);
    return error ? refused(file, error) : GAN_OK;
}

static gan_status finish(gan_atomic *file) {
    if (fflush(file->stream) != 0) return refused(file, errno);
    if (!file->temporary) {
        int closed = fclose(file->stream);
        file->stream = NULL;
        return closed == 0 ? GAN_OK : refused(file, errno);
    }
    if (fsync(fileno(file->stream)) != 0) return refused(file, errno);
    int closed = fclose(file->stream);
    file->stream = NULL;
    if (closed != 0) return refused(file, errno);
    if (rename(file->temporary, file->target) != 0) return refused(file, errno);
    free(file->temporary);
    file->temporary = NULL;
    return flush_folder(file);
}

gan_status gan_atomic_commit(gan_atomic *file) {
    gan_status status = finish(file);
    gan_atomic_abandon(file);
    return status;
}

void gan_atomic_abandon(gan_atomic *file) {
    if (!file) return;
    if (file->stream) fclose(file->stream);
    if (file->temporary) unlink(file->temporary);
    free(file->temporary);
    free(file->target);
    free(file->given);
    free(file);
}
