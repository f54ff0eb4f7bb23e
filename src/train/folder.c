#include "train/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
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
#define LOCK ".lock"

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

/* ---- what a start that failed leaves: a full disk, say, before its first checkpoint ---- */

/* A config.yaml that ganc wrote, not one by hand: with a run it would be the checkpoint's, without
 * one nothing is lost when the next start writes its own. */
static bool is_written_config(const char *path) {
    gan_settings *settings = NULL;
    char *bytes = NULL, *again = NULL;
    size_t size;
    bool same = gan_settings_create(&settings) == GAN_OK &&
                gan_file_read(&bytes, &size, path, 1 << 20) == GAN_OK &&
                gan_settings_read_memory(settings, bytes, size, path) == GAN_OK &&
                gan_settings_text(&again, settings) == GAN_OK;
    same = same && size == strlen(again) && !memcmp(bytes, again, size);
    free(bytes);
    free(again);
    gan_settings_destroy(settings);
    return same;
}

static bool is_empty(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) return false;
    if (S_ISREG(st.st_mode)) return st.st_size == 0;
    DIR *d = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
    int entries = 0;
    for (const struct dirent *e; d && (e = readdir(d));)
        entries += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    if (d) closedir(d);
    return d && !entries;
}

static bool is_left_behind(const char *folder, const char *name) {
    static const char *const temporary[] = {LOCK, "config.yaml.tmp", "log.jsonl.tmp",
                                            "checkpoint.safetensors.tmp"};
    for (size_t i = 0; i < sizeof temporary / sizeof *temporary; i++)
        if (!strcmp(name, temporary[i])) return true;
    const bool config = !strcmp(name, "config.yaml");
    if (!config && strcmp(name, "log.jsonl") && strcmp(name, "samples")) return false;
    char *path = gan_folder_path(folder, name);
    const bool left = path && (config ? is_written_config(path) : is_empty(path));
    free(path);
    return left;
}

/* The name of something in the folder that is not such; "" when there is none, or no folder. */
static gan_status first_entry(char name[256], const char *folder) {
    name[0] = 0;
    DIR *d = opendir(folder);
    if (!d && errno == ENOENT) return GAN_OK;
    if (!d) return gan_fail(GAN_ERROR_IO, "%s: %s", folder, strerror(errno));
    for (const struct dirent *e; (e = readdir(d)) && !name[0];)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && !is_left_behind(folder, e->d_name))
            snprintf(name, 256, "%s", e->d_name);
    closedir(d);
    return GAN_OK;
}

static gan_status check_empty(const char *folder) {
    char name[256];
    GAN_TRY(first_entry(name, folder));
    if (!name[0]) return GAN_OK;
    char *path = gan_folder_path(folder, "checkpoint.safetensors");
    if (!path) return GAN_ERROR_MEMORY;
    const bool run = gan_file_exists(path);
    free(path);
    if (run)
        return gan_fail(
            GAN_ERROR_ARGUMENT,
            "%s: the folder is not empty, it holds a run; continue it with --resume, or "
            "give another folder with --out",
            folder);
    return gan_fail(
        GAN_ERROR_ARGUMENT,
        "%s: the folder is not empty (it holds %s), and has no checkpoint to go on from "
        "with --resume; move that away, or give another folder with --out",
        folder, name);
}

static gan_status check_contents(const char *folder, bool resume) {
    return resume ? check_resumable(folder) : check_empty(folder);
}

/* Opens the folder's lock and takes it; -1 where there is none, or none is possible: some network
 * file systems have no locks. */
static gan_status take_lock(int *lock, const char *folder, int flags) {
    char *path = gan_folder_path(folder, LOCK);
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
