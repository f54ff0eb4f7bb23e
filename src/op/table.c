/* The op table and the table of pointwise functions. */
#include "op/rules.h"

/* The rows name functions without their gan_, and NULL. */
#define gan_NULL NULL

const gan_op gan_op_table[GAN_OP_COUNT] = {
#define GAN_OP(name, arity, flags, infer, gradient, expand, cost)                                  \
    {#name, arity, flags, gan_##infer, gan_##gradient, gan_##expand, gan_##cost},
#include "graph/op.def"
#undef GAN_OP
};

const gan_fn_info gan_fn_table[GAN_FN_COUNT] = {
#define GAN_POINTWISE(name, arity, formula, da, db) {#name, arity},
#include "base/pointwise.def"
#undef GAN_POINTWISE
};
