#include "train/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "ganc/io.h"

char *gan_folder_path(const char *folder, const char *name) {
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    else
        gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", folder);
    return path;
}

char *gan_folder_picture(const char *folder, int64_t step) {
    char name[64];
    char *samples = gan_folder_path(folder, "samples");
    if (!samples) return NULL;
    const gan_status status = gan_file_make_directory(samples);
    free(samples);
    if (status != GAN_OK) return NULL;
    snprintf(name, sizeof name, "samples/step-%" PRId64 ".png", step);
    return gan_folder_path(folder, name);
}

/* The file stays when the lock is let go: removed, it could be that another run had just opened it.
 */
static const char lock_name[] = ".lock";

static gan_status check_resumable(const char *folder) {
    char *path = gan_folder_path(folder, "checkpoint.safetensors");
    if (!path) return GAN_ERROR_MEMORY;
    gan_status status = GAN_OK;
    if (!gan_file_exists(path))
        status = gan_fail(GAN_ERROR_IO,
                          "%s: no such file; nothing to resume, start without --resume", path);
    free(path);
    return status;
}

/* The name of something in the folder; "" when it is empty or not there. */
static gan_status first_entry(char name[256], const char *folder) {
    name[0] = 0;
    DIR *d = opendir(folder);
    if (!d && errno == ENOENT) return GAN_OK;
    if (!d) return gan_fail(GAN_ERROR_IO, "%s: %s", folder, strerror(errno));
    for (const struct dirent *e; (e = readdir(d)) && !name[0];)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, lock_name))
            snprintf(name, 256, "%s", e->d_name);
    closedir(d);
    return GAN_OK;
}

static gan_status check_contents(const char *folder, bool resume) {
    char name[256];
    if (resume) return check_resumable(folder);
    GAN_TRY(first_entry(name, folder));
    if (!name[0]) return GAN_OK;
    return gan_fail(
        GAN_ERROR_ARGUMENT,
        "%s: the folder is not empty (it holds %s); continue the run in it with --resume, or give "
        "another folder with --out",
        folder, name);
}

/* Opens the folder's lock and takes it; -1 where there is none, or none is possible: some network
 * file systems have no locks. */
static gan_status take_lock(int *lock, const char *folder, int flags) {
    char *path = gan_folder_path(folder, lock_name);
    *lock = -1;
    if (!path) return GAN_ERROR_MEMORY;
    *lock = open(path, O_RDWR | O_CLOEXEC | flags, 0666);
    free(path);
    if (*lock < 0 || flock(*lock, LOCK_EX | LOCK_NB) == 0) return GAN_OK;
    const bool held = errno == EWOULDBLOCK;
    gan_folder_unlock(*lock);
    *lock = -1;
    if (!held) return GAN_OK;
    return gan_fail(GAN_ERROR_IO,
                    "%s: another run is training into this folder; wait for its end, or give "
                    "another folder with --out",
                    folder);
}

void gan_folder_unlock(int lock) {
    if (lock >= 0) close(lock);
}

gan_status gan_folder_lock(int *lock, const char *folder, bool resume) {
    GAN_TRY(gan_file_make_directory(folder));
    GAN_TRY(take_lock(lock, folder, O_CREAT));
    const gan_status status = check_contents(folder, resume);
    if (status == GAN_OK) return GAN_OK;
    gan_folder_unlock(*lock);
    *lock = -1;
    return status;
}

gan_status gan_folder_check(const char *folder, bool resume) {
    int lock;
    GAN_TRY(take_lock(&lock, folder, 0));
    gan_folder_unlock(lock);
    return check_contents(folder, resume);
}

gan_status gan_folder_make(const char *folder, const gan_settings *settings) {
    GAN_TRY(gan_file_make_directory(folder));
    char *path = gan_folder_path(folder, "config.yaml");
    if (!path) return GAN_ERROR_MEMORY;
    const gan_status status = gan_settings_write(settings, path);
    free(path);
    return status;
}
