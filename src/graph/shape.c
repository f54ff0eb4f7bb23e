#include <stdio.h>

#include "graph/op.h"

static const struct {
    size_t size;
    const char *name;
} dtypes[] = {
    [GAN_F32] = {4, "f32"}, [GAN_BF16] = {2, "bf16"}, [GAN_I32] = {4, "i32"},
    [GAN_I64] = {8, "i64"}, [GAN_U8] = {1, "u8"},
};

size_t gan_dtype_size(gan_dtype dtype) { return dtypes[dtype].size; }
const char *gan_dtype_name(gan_dtype dtype) { return dtypes[dtype].name; }

gan_shape gan_shape_of(int rank, const int64_t *dims) {
    gan_shape s = {0};
    s.rank = rank < 0 ? 0 : rank > GAN_MAX_RANK ? GAN_MAX_RANK : rank;
    for (int i = 0; i < s.rank; i++) s.dim[i] = dims[i];
    return s;
}

gan_shape gan_shape0(void) { return (gan_shape){0}; }
gan_shape gan_shape1(int64_t a) { return (gan_shape){1, {a}}; }
gan_shape gan_shape2(int64_t a, int64_t b) { return (gan_shape){2, {a, b}}; }
gan_shape gan_shape3(int64_t a, int64_t b, int64_t c) { return (gan_shape){3, {a, b, c}}; }
gan_shape gan_shape4(int64_t a, int64_t b, int64_t c, int64_t d) {
    return (gan_shape){4, {a, b, c, d}};
}

int64_t gan_shape_size(gan_shape shape) {
    int64_t n = 1;
    for (int i = 0; i < shape.rank; i++) n *= shape.dim[i];
    return n;
}

bool gan_shape_equal(gan_shape a, gan_shape b) {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}

char *gan_shape_text(char text[GAN_SHAPE_TEXT], gan_dtype dtype, gan_shape shape) {
    int n = snprintf(text, GAN_SHAPE_TEXT, "%s(", gan_dtype_name(dtype));
    for (int i = 0; i < shape.rank && n < GAN_SHAPE_TEXT - 24; i++)
        n += snprintf(text + n, (size_t)(GAN_SHAPE_TEXT - n), i ? ",%lld" : "%lld",
                      (long long)shape.dim[i]);
    snprintf(text + n, (size_t)(GAN_SHAPE_TEXT - n), ")");
    return text;
}
