#include <string.h>

#include "io/safetensors.h"

static const struct {
    const char *name;
    unsigned size;
} dtypes[] = {
    [GAN_F32] = {"F32", 4}, [GAN_BF16] = {"BF16", 2}, [GAN_I32] = {"I32", 4},
    [GAN_I64] = {"I64", 8}, [GAN_U8] = {"U8", 1},
};

enum { DTYPES = sizeof dtypes / sizeof *dtypes };

const char *gan_safetensors_dtype_name(gan_dtype dtype) {
    return (size_t)dtype < DTYPES ? dtypes[dtype].name : NULL;
}

bool gan_safetensors_dtype(gan_dtype *out, const char *name) {
    for (size_t i = 0; i < DTYPES; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            *out = (gan_dtype)i;
            return true;
        }
    return false;
}

bool gan_safetensors_bytes(uint64_t *out, gan_dtype dtype, gan_shape shape) {
    if ((size_t)dtype >= DTYPES || shape.rank < 0 || shape.rank > GAN_MAX_RANK) return false;
    int64_t bytes = dtypes[dtype].size;
    bool empty = false;
    for (int i = 0; i < shape.rank; i++) {
        if (shape.dim[i] < 0) return false;
        if (shape.dim[i] == 0) empty = true;
    }
    for (int i = 0; i < shape.rank && !empty; i++)
        if (__builtin_mul_overflow(bytes, shape.dim[i], &bytes)) return false;
    *out = empty ? 0 : (uint64_t)bytes;
    return true;
}
