/* Runs a fuzz target over its seeds without a fuzzer: each seed whole, cut short at many places, and with
 * single bytes changed. Whatever a reader thinks of them, it must not crash. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 2000 };

/* A copy of exactly `size` bytes, so that a sanitizer sees a read beyond them. */
static void try_bytes(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) abort();
    if (size) memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void try_seed(uint8_t *data, size_t size) {
    size_t step = size / CUTS + 1;
    try_bytes(data, size);
    for (size_t cut = 0; cut < size; cut += step) try_bytes(data, cut);
    for (size_t at = 0; at < size; at += step) {
        uint8_t kept = data[at];
        data[at] = (uint8_t)~kept;
        try_bytes(data, size);
        data[at] = (uint8_t)(kept + 1);
        try_bytes(data, size);
        data[at] = kept;
    }
}

static int try_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t size = 0, capacity = 1 << 20;
    uint8_t *data = malloc(capacity);
    if (!data) abort();
    size = fread(data, 1, capacity, file);
    int complete = feof(file) && !ferror(file);
    fclose(file);
    if (complete) try_seed(data, size);
    free(data);
    return complete;
}

int main(int argc, char **argv) {
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER of seeds\n", argv[0]);
        return 2;
    }
    int seeds = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (!try_file(path)) {
            fprintf(stderr, "%s: cannot be read, or is above 1 MiB\n", path);
            return 1;
        }
        seeds++;
    }
    closedir(folder);
    printf("%d seeds\n", seeds);
    return seeds == 0; /* no seeds would test nothing */
}
