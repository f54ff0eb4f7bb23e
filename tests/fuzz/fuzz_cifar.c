/* Any bytes as a file of CIFAR records, of one, the other or either kind. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/sets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORD = 3072, PIXELS = 1024 };

static void check(const gan_dataset *d, const uint8_t *data, size_t size) {
    const size_t labels = d->classes == 10 ? 1 : 2, record = labels + RECORD;
    if ((d->classes != 10 && d->classes != 100) || (size_t)d->count * record != size) abort();
    for (int64_t n = 0; n < d->count; n++) {
        const uint8_t *from = data + (size_t)n * record;
        if (d->labels[n] != from[labels - 1] || d->labels[n] >= d->classes) abort();
        for (int i = 0; i < PIXELS; i++)
            for (int c = 0; c < 3; c++)
                if (d->images[(n * PIXELS + i) * 3 + c] != from[labels + (size_t)(c * PIXELS + i)])
                    abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (int labels = 0; labels <= 2; labels++) {
        gan_dataset *d = calloc(1, sizeof *d);
        if (!d) abort();
        if (gan_cifar_append(d, data, size, labels, "fuzz") == GAN_OK)
            check(d, data, size);
        else if (!*gan_last_error() || strchr(gan_last_error(), '\n'))
            abort();
        gan_dataset_destroy(d);
    }
    return 0;
}
