#include "train/folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) snprintf(name, 256, "%s", e->d_name);
    closedir(d);
    return GAN_OK;
}

gan_status gan_folder_check(const char *folder, bool resume) {
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

gan_status gan_folder_make(const char *folder, const gan_settings *settings) {
    GAN_TRY(gan_file_make_directory(folder));
    char *path = gan_folder_path(folder, "config.yaml");
    if (!path) return GAN_ERROR_MEMORY;
    const gan_status status = gan_settings_write(settings, path);
    free(path);
    return status;
}
