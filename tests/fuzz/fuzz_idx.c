/* Any bytes as an IDX file, from memory and, plain or gzip, from a file. */
#define _GNU_SOURCE /* memfd_create */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_failure(const gan_idx *idx) {
    if (idx->bytes || !*gan_last_error() || strchr(gan_last_error(), '\n')) abort();
}

static size_t elements(const gan_idx *idx) {
    size_t n = 1;
    for (int i = 0; i < idx->rank; i++) n *= (size_t)idx->dim[i];
    return n;
}

static void one(const uint8_t *data, size_t size, const char *path, int least, int most) {
    gan_idx memory, file;
    const gan_status a = gan_idx_read_memory(&memory, data, size, "fuzz", least, most);
    if (a != GAN_OK)
        check_failure(&memory);
    else if (elements(&memory) != size - 4 - 4 * (size_t)memory.rank)
        abort();
    const gan_status b = gan_idx_read(&file, path, least, most);
    if (b != GAN_OK) check_failure(&file);
    const int gzip = size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
    if (!gzip && a != b) abort();
    if (a == GAN_OK && (b != GAN_OK || elements(&memory) != elements(&file) ||
                        memcmp(memory.bytes, file.bytes, elements(&memory)) != 0))
        abort();
    gan_idx_free(&memory);
    gan_idx_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    const int fd = memfd_create("idx", 0);
    if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size)) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    one(data, size, path, 3, 4);
    one(data, size, path, 1, 1);
    close(fd);
    return 0;
}
