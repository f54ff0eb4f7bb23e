/* The pictures below a folder. */
#ifndef GANC_DATA_FILES_H
#define GANC_DATA_FILES_H

#include <stddef.h>

#include "base/error.h"

typedef struct gan_files {
    char **path; /* below the folder: "class/name.png" */
    size_t count, capacity;
} gan_files;

/* Lists every file whose name ends in .png, .jpg or .jpeg (in any case), in the folder and below,
 * links followed, names that begin with a dot left out; sorted by folder, then name, byte by byte,
 * so that the order is the same everywhere. Free with gan_files_free(), after an error too. I/O
 * error for a folder that cannot be read or that lies within itself by a link. */
gan_status gan_files_list(gan_files *out, const char *folder);
void gan_files_free(gan_files *files);

/* -1, 0, 1: the order of paths: as strcmp(), but that a slash comes before all else. */
int gan_files_compare(const char *a, const char *b);

#endif
