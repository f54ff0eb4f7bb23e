/* Checkpoints as the command line names them. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

bool is_folder(const char *path) {
    struct stat file;
    return stat(path, &file) == 0 && S_ISDIR(file.st_mode);
}

const char *checkpoint_path(const char *given) {
    static char path[4200];
    if (!is_folder(given)) return given;
    const int length = snprintf(path, sizeof path, "%s/checkpoint.safetensors", given);
    return length < (int)sizeof path ? path : given;
}
