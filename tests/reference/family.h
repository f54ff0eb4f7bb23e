/* What the files of the reference share: the call of an op, and indices of arrays. */
#ifndef GANC_TESTS_REFERENCE_FAMILY_H
#define GANC_TESTS_REFERENCE_FAMILY_H

#include <stdio.h>
#include <stdlib.h>

#include "reference/reference.h"

/* Stops the test program: the reference was asked for what it does not define. Also without
 * asserts. */
#define REF_REQUIRE(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: the reference requires %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* One op to evaluate. An effect finds the variables it writes in in[], and writes them there. */
typedef struct ref_call {
    const gan_node *node;
    double *const *in;
    double *out; /* zeroed */
    uint64_t seed;
} ref_call;

/* One function an op: ref_op_NAME. */
#define GAN_OP(name, arity, flags, infer, gradient, expand, cost) void ref_op_##name(const ref_call *c);
#include "graph/op.def"
#undef GAN_OP

/* Evaluates a straight-line program at every element of `shape`; operand i has shape shapes[i], the
 * rank of `shape` and each axis equal or 1. */
void ref_program(const gan_pointwise_program *program, gan_shape shape, double *const *operands,
                 const gan_shape *shapes, double *out);

/* Row-major position of an index, and back. */
int64_t ref_position(gan_shape shape, const int64_t *index);
void ref_index(gan_shape shape, int64_t position, int64_t *index);

static inline gan_shape ref_shape(const ref_call *c, int operand) {
    return c->node->in[operand]->shape;
}

/* Element (a,b,c,d) of an array of four axes. */
static inline int64_t ref_at4(gan_shape s, int64_t a, int64_t b, int64_t c, int64_t d) {
    return ((a * s.dim[1] + b) * s.dim[2] + c) * s.dim[3] + d;
}

#endif
