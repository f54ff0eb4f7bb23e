/* Checkpoints as the command line names them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

bool is_folder(const char *path) {
    struct stat file;
    return stat(path, &file) == 0 && S_ISDIR(file.st_mode);
}

int find_checkpoint(const char **path, const char *given) {
    static const char name[] = "checkpoint.safetensors";
    static char inside[4200];
    const char *what = NULL;
    struct stat file;
    *path = given;
    if (is_folder(given)) {
        const int length = snprintf(inside, sizeof inside, "%s/%s", given, name);
        if (length < (int)sizeof inside) *path = inside;
        what = "there is no run in this folder, expected its";
    } else {
        what = "there is no such file or folder, expected a run's folder or its";
    }
    if (stat(*path, &file) == 0 || (errno != ENOENT && errno != ENOTDIR)) return -1;
    fprintf(stderr, "ganc: %s: %s %s\n", given, what, name);
    return EXIT_FAILED;
}
