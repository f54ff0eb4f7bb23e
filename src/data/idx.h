/* IDX, the format of MNIST: two zero bytes, a type, a rank, each dimension as four bytes (most
 * significant first), the elements. Plain, or compressed by gzip. */
#ifndef GANC_DATA_IDX_H
#define GANC_DATA_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { GAN_IDX_MAX_RANK = 4 };

typedef struct gan_idx {
    uint8_t *bytes; /* the elements, which are bytes; free with gan_idx_free() */
    int rank;
    int64_t dim[GAN_IDX_MAX_RANK];
} gan_idx;

/* Reads a file of unsigned bytes whose rank is in [least_rank, most_rank] and that is not empty. */
gan_status gan_idx_read(gan_idx *out, const char *path, int least_rank, int most_rank);

/* The same from plain (not compressed) bytes in memory that messages call `name`. */
gan_status gan_idx_read_memory(gan_idx *out, const void *bytes, size_t size, const char *name,
                               int least_rank, int most_rank);

void gan_idx_free(gan_idx *idx);

#endif
