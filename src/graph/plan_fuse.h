/* What the files of fusion share. */
#ifndef GANC_GRAPH_PLAN_FUSE_H
#define GANC_GRAPH_PLAN_FUSE_H

#include "graph/plan.h"

typedef struct gan_plan_fusion {
    gan_graph *g;
    const gan_plan_options *options;
    int *uses;   /* by node id: operand slots and outputs that need the value */
    int n_first; /* nodes when fusion began: those behind are views */
    bool *loose; /* by id of these: whoever reads it is a program */
    bool *left;  /* by id of these: a sum that stays by itself */
} gan_plan_fusion;

/* Whether `node` may be computed where `later` is: nothing it reads is updated in between. */
bool gan_plan_can_move(const gan_graph *g, const gan_node *node, const gan_node *later);

/* Puts the program of `inner`, over the operands `in`, in place of operand x of c; false, nothing
 * changed, when the result would be too long. */
bool gan_plan_substitute(gan_plan_fusion *f, gan_node *c, const gan_node *x,
                         const gan_pointwise_program *inner, gan_node *const *in);

/* Whether product m can store what c, a program over its result or a cast of it, makes. */
bool gan_plan_takes_epilogue(const gan_plan_fusion *f, const gan_node *m, const gan_node *c);

/* c becomes product m, with c's program as epilogue, in which operand `raw` is what m makes. */
void gan_plan_attach(gan_plan_fusion *f, gan_node *c, const gan_node *raw, gan_node *m);

/* ---- plan_pieces.c ---- */

/* An update reads the pieces of its gradient where they are, so that nothing packs them. */
void gan_plan_unpack(gan_plan_fusion *f, gan_node *update);

/* ---- plan_sum.c ---- */

/* Sums that a launch with their moments forms get the shape in which an operand is repeated, and
 * that operand in place of what repeats it, and are left so. */
gan_status gan_plan_leave_sums(gan_plan_fusion *f);

/* Whether x is one. */
bool gan_plan_is_left(const gan_plan_fusion *f, const gan_node *x);

/* ---- plan_wide.c ---- */

/* Whether programs that read x had better compute it again, so that it is not stored: a short
 * function of a value in bf16, itself f32, that programs and casts to bf16 read. */
bool gan_plan_is_wide(const gan_plan_fusion *f, const gan_node *x);

/* ---- plan_pair.c ---- */

/* r is the ReLU of what a convolution makes and others read, too: the convolution writes both. */
void gan_plan_pair(gan_plan_fusion *f, gan_node *r);

/* ---- plan_outer.c ---- */

/* Of two operands. */
extern const gan_pointwise_program gan_plan_product;

/* Operand x (m,1,…,1,n) of c, whose program is over `whole`, shows a column times a row: c
 * multiplies the two itself. False when it does not. */
bool gan_plan_absorb_outer(gan_plan_fusion *f, gan_node *c, const gan_node *x, gan_shape whole);

/* Product m, where it is one, becomes the program that multiplies the two. */
void gan_plan_multiply_outer(gan_plan_fusion *f, gan_node *m);

/* ---- plan_maxout.c ---- */

/* Whether programs that read x had better compute it again, so that it is not stored: a comparison,
 * scaled at most, with one operand of its size. */
bool gan_plan_is_mask(const gan_plan_fusion *f, const gan_node *x);

/* c (m,n,p) repeats a program (m,n,1) of a matrix product that nobody else reads: it becomes that
 * product, which writes p elements for each of its own. False when it does not. */
bool gan_plan_spread_product(gan_plan_fusion *f, gan_node *c);

/* c is a monotone program of a maximum that others read, too: it becomes a maximum of that program,
 * which runs beside the other where calls are joined. False when it does not. */
bool gan_plan_move_into_max(gan_plan_fusion *f, gan_node *c);

/* Whoever reads c, but for `instead`, reads that. */
void gan_plan_redirect(gan_graph *g, const gan_node *c, gan_node *instead);

#endif
