/* A few examples of every class. */
#include <stdlib.h>

#include "base/error.h"
#include "ganc/data.h"

gan_status gan_dataset_balanced(int32_t *index, const gan_dataset *set, int64_t count) {
    if (!set->labels || count < 1)
        return gan_fail(GAN_ERROR_ARGUMENT, "data '%.200s': %lld labelled examples asked for%s",
                        set->name, (long long)count,
                        set->labels ? "" : ", but there are no labels");
    int64_t *next = calloc((size_t)set->classes, sizeof *next);
    if (!next) return gan_fail(GAN_ERROR_MEMORY, "data '%.200s': out of memory", set->name);
    int64_t chosen = 0, misses = 0;
    for (int c = 0; chosen < count && misses < set->classes; c = (c + 1) % set->classes) {
        int64_t i = next[c];
        while (i < set->count && set->labels[i] != c) i++;
        next[c] = i + 1;
        misses = i < set->count ? 0 : misses + 1;
        if (i < set->count) index[chosen++] = (int32_t)i;
    }
    free(next);
    if (chosen == count) return GAN_OK;
    return gan_fail(GAN_ERROR_ARGUMENT,
                    "data '%.200s': %lld labelled examples asked for, but there are %lld",
                    set->name, (long long)count, (long long)chosen);
}
