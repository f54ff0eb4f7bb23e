/* The graph: a GAN, its losses, gradients and updates written as nodes.
 *
 * A node is a value with a shape and a type. Builders add a node to a graph and return it, so that calls
 * nest. On an error a builder returns NULL, builders accept NULL operands, and the graph keeps the first
 * error until gan_compile() (or gan_graph_status()) reports it: a network is written without a check
 * after every line. Nodes, like everything made from a graph, belong to the graph.
 *
 * Order. A program runs the effects of its graph (updates of variables) in the order in which they were
 * added. A node that reads a variable sees the updates added before the node, and none added after it.
 *
 * Layout. Images are (N, H, W, C), filters (K, R, S, C), linear weights (out, in), all row-major.
 */
#ifndef GANC_GRAPH_H
#define GANC_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ganc/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- types and shapes ---- */

typedef enum gan_dtype { GAN_F32, GAN_BF16, GAN_I32, GAN_I64, GAN_U8 } gan_dtype;

GAN_API size_t gan_dtype_size(gan_dtype dtype);      /* bytes an element */
GAN_API const char *gan_dtype_name(gan_dtype dtype); /* "f32", "bf16", "i32", "i64", "u8" */

#define GAN_MAX_RANK 6

/* A scalar has rank 0 and one element. */
typedef struct gan_shape {
    int rank;
    int64_t dim[GAN_MAX_RANK];
} gan_shape;

GAN_API gan_shape gan_shape_of(int rank, const int64_t *dims);
GAN_API gan_shape gan_shape0(void);
GAN_API gan_shape gan_shape1(int64_t a);
GAN_API gan_shape gan_shape2(int64_t a, int64_t b);
GAN_API gan_shape gan_shape3(int64_t a, int64_t b, int64_t c);
GAN_API gan_shape gan_shape4(int64_t a, int64_t b, int64_t c, int64_t d);
GAN_API int64_t gan_shape_size(gan_shape shape); /* number of elements */
GAN_API bool gan_shape_equal(gan_shape a, gan_shape b);

/* ---- variables: what lives from one run of a program to the next ---- */

typedef struct gan_store gan_store;
typedef struct gan_graph gan_graph;
typedef struct gan_node gan_node;
typedef struct gan_variable gan_variable;

/* What a variable is for. Each (role, group) is one contiguous arena on the device, so that an optimiser
 * step is one launch and a checkpoint one pass. */
typedef enum gan_role {
    GAN_WEIGHT,        /* trained by gradients */
    GAN_FIRST_MOMENT,  /* Adam's m, momentum's velocity */
    GAN_SECOND_MOMENT, /* Adam's v */
    GAN_AVERAGE,       /* a moving average of weights */
    GAN_STATISTIC,     /* running mean and variance, power-iteration vectors */
    GAN_COUNTER,       /* iterations done; i64 */
    GAN_DATA,          /* the data set; not written to checkpoints */
    GAN_RECORD,        /* the ring of logged scalars; not written to checkpoints */
} gan_role;

GAN_API const char *gan_role_name(gan_role role);

typedef enum gan_init_kind {
    GAN_INIT_CONSTANT, /* every element = a */
    GAN_INIT_UNIFORM,  /* uniform in [a, b) */
    GAN_INIT_NORMAL,   /* mean a, standard deviation b */
    GAN_INIT_UNIT,     /* normal, then scaled to length 1 (power-iteration vectors) */
    GAN_INIT_RANGE,    /* element i, in row-major order, = a + b·i (positions) */
} gan_init_kind;

typedef struct gan_init {
    gan_init_kind kind;
    float a, b;
} gan_init;

/* A store holds the variables that the graphs of one model share (a training graph, a sampling graph).
 * Initial values come from Philox keyed by `seed` and the variable's name, equal on every device. */
GAN_API gan_status gan_store_create(gan_store **out, uint64_t seed);
GAN_API void gan_store_destroy(gan_store *store); /* after its graphs and programs */
GAN_API uint64_t gan_store_seed(const gan_store *store);
GAN_API void gan_store_set_seed(gan_store *store, uint64_t seed); /* of noise and shuffles of programs compiled later */

/* The variables in the order of their creation. `name` is "GROUP/…"; find returns NULL when absent. */
GAN_API size_t gan_store_count(const gan_store *store);
GAN_API const gan_variable *gan_store_at(const gan_store *store, size_t index);
GAN_API const gan_variable *gan_store_find(const gan_store *store, gan_role role, const char *name);
GAN_API const char *gan_variable_name(const gan_variable *variable);
GAN_API gan_role gan_variable_role(const gan_variable *variable);
GAN_API gan_dtype gan_variable_dtype(const gan_variable *variable);
GAN_API gan_shape gan_variable_shape(const gan_variable *variable);

/* ---- graphs ---- */

GAN_API gan_status gan_graph_create(gan_graph **out, gan_store *store);
GAN_API void gan_graph_destroy(gan_graph *graph);
GAN_API gan_status gan_graph_status(const gan_graph *graph); /* the first error, and its message */
GAN_API gan_store *gan_graph_store(const gan_graph *graph);

GAN_API gan_shape gan_node_shape(const gan_node *node); /* rank 0 for NULL */
GAN_API gan_dtype gan_node_dtype(const gan_node *node);

/* Names a node in dumps and error messages; returns it. */
GAN_API gan_node *gan_named(gan_node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A node whose value survives a run, to be read with gan_program_read(); returns it. */
GAN_API gan_node *gan_output(gan_graph *g, gan_node *x);

/* Writes the graph as a table, or in Graphviz's DOT. */
GAN_API gan_status gan_graph_print(const gan_graph *graph, FILE *file);
GAN_API gan_status gan_graph_print_dot(const gan_graph *graph, FILE *file);

/* ---- leaves ---- */

/* A value that the host writes with gan_program_write() before a run. */
GAN_API gan_node *gan_input(gan_graph *g, gan_dtype dtype, gan_shape shape, const char *name);

/* `value` everywhere, f32. */
GAN_API gan_node *gan_constant(gan_graph *g, double value, gan_shape shape);

/* The variable GROUP/… of `role` in the graph's store, created with `init` when it is not there yet; an
 * error when it is there with another shape or type. One node a variable and graph. */
GAN_API gan_node *gan_variable_node(gan_graph *g, gan_role role, const char *name, gan_dtype dtype,
                                    gan_shape shape, gan_init init);

/* All variables of (role, group) as one flat f32 vector, in the order of creation and padded to whole
 * 64-byte lines each. Fixes the group: no variable may join it afterwards. For roles other than weight
 * the group is created with the layout of its weights when it does not exist yet (moments, averages). */
GAN_API gan_node *gan_flat_variables(gan_graph *g, gan_role role, const char *group);

/* ---- pointwise functions; operands of different shapes are broadcast as NumPy does; of f32 and bf16
 * the result is f32 ---- */

GAN_API gan_node *gan_add(gan_graph *g, gan_node *a, gan_node *b);
GAN_API gan_node *gan_sub(gan_graph *g, gan_node *a, gan_node *b);
GAN_API gan_node *gan_mul(gan_graph *g, gan_node *a, gan_node *b);
GAN_API gan_node *gan_div(gan_graph *g, gan_node *a, gan_node *b);
GAN_API gan_node *gan_maximum(gan_graph *g, gan_node *a, gan_node *b);
GAN_API gan_node *gan_minimum(gan_graph *g, gan_node *a, gan_node *b);
GAN_API gan_node *gan_greater(gan_graph *g, gan_node *a, gan_node *b); /* 1 where a > b, else 0; no gradient */
GAN_API gan_node *gan_equal(gan_graph *g, gan_node *a, gan_node *b);   /* 1 where a == b, else 0; no gradient */
GAN_API gan_node *gan_neg(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_abs(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_sign(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_floor(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_square(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_sqrt(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_rsqrt(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_reciprocal(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_exp(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_log(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_sin(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_cos(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_tanh(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_sigmoid(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_softplus(gan_graph *g, gan_node *x); /* log(1 + exp(x)), without overflow */
GAN_API gan_node *gan_relu(gan_graph *g, gan_node *x);
GAN_API gan_node *gan_leaky_relu(gan_graph *g, gan_node *x, double slope); /* slope in (0, 1) */
GAN_API gan_node *gan_scale(gan_graph *g, gan_node *x, double factor);
GAN_API gan_node *gan_shift(gan_graph *g, gan_node *x, double addend);
GAN_API gan_node *gan_power(gan_graph *g, gan_node *x, double exponent); /* x >= 0 */

GAN_API gan_node *gan_cast(gan_graph *g, gan_node *x, gan_dtype dtype);

/* (..., ) i32 -> (..., classes) f32. */
GAN_API gan_node *gan_one_hot(gan_graph *g, gan_node *index, int64_t classes);

/* ---- reductions and broadcasts; bit i of `axes` stands for axis i; reduced axes keep length 1 ---- */

#define GAN_ALL_AXES 0xffffffffu

GAN_API gan_node *gan_sum_axes(gan_graph *g, gan_node *x, uint32_t axes);
GAN_API gan_node *gan_mean_axes(gan_graph *g, gan_node *x, uint32_t axes);
GAN_API gan_node *gan_max_axes(gan_graph *g, gan_node *x, uint32_t axes); /* ties share the gradient */
GAN_API gan_node *gan_sum(gan_graph *g, gan_node *x);  /* of all elements, a scalar */
GAN_API gan_node *gan_mean(gan_graph *g, gan_node *x); /* of all elements, a scalar */

/* Repeats axes of length 1 up to `shape`; a smaller rank gets leading axes of length 1 first. */
GAN_API gan_node *gan_broadcast(gan_graph *g, gan_node *x, gan_shape shape);

/* ---- layout ---- */

/* One length may be -1: what is left over. Rows stay rows: no data moves. */
GAN_API gan_node *gan_reshape(gan_graph *g, gan_node *x, gan_shape shape);
GAN_API gan_node *gan_permute(gan_graph *g, gan_node *x, const int *order); /* out axis i = x axis order[i] */
GAN_API gan_node *gan_transpose(gan_graph *g, gan_node *x);                 /* of the last two axes */
GAN_API gan_node *gan_concat(gan_graph *g, int axis, int n, gan_node *const *x);
GAN_API gan_node *gan_slice(gan_graph *g, gan_node *x, int axis, int64_t start, int64_t length);
GAN_API gan_node *gan_pad(gan_graph *g, gan_node *x, int axis, int64_t before, int64_t after); /* zeros */

/* Rows table[index[i]]: (R, ...) and i32 (m) -> (m, ...). Indices outside 0..R-1 give zeros. */
GAN_API gan_node *gan_gather(gan_graph *g, gan_node *table, gan_node *index);

/* The adjoint: out[index[i]] += x[i] into `rows` zero rows, summed in the order of i. */
GAN_API gan_node *gan_scatter_add(gan_graph *g, gan_node *x, gan_node *index, int64_t rows);

/* ---- matrix product, convolution, pooling ---- */

/* op(a)·op(b), op = transpose of the last two axes where asked. Rank 2, or rank 3 with equal batch. */
GAN_API gan_node *gan_matmul(gan_graph *g, gan_node *a, gan_node *b, bool transpose_a, bool transpose_b);

/* Strides and zero padding of a convolution or pooling window. */
typedef struct gan_window {
    int stride_h, stride_w;
    int top, left, bottom, right;
} gan_window;

GAN_API gan_window gan_window_same(int stride, int padding); /* equal on all sides */

/* x (N,H,W,C), w (K,R,S,C) -> y (N,P,Q,K), P = (H + top + bottom - R) / stride_h + 1 (cross-correlation). */
GAN_API gan_node *gan_conv2d(gan_graph *g, gan_node *x, gan_node *w, gan_window window);

/* The adjoint in x: dy (N,P,Q,K), w (K,R,S,C) -> (N,height,width,C); as a layer, the transposed convolution. */
GAN_API gan_node *gan_conv2d_grad_input(gan_graph *g, gan_node *dy, gan_node *w, int64_t height,
                                        int64_t width, gan_window window);

/* The adjoint in w: x (N,H,W,C), dy (N,P,Q,K) -> (K,rows,columns,C). */
GAN_API gan_node *gan_conv2d_grad_weight(gan_graph *g, gan_node *x, gan_node *dy, int64_t rows,
                                         int64_t columns, gan_window window);

/* The filters of one convolution that does two steps at once, exactly, f32 or bf16 as `dtype` says: of
 * w (K,R,S,C), whose convolution has stride 1 and padding that keeps maps as large as they are.
 * - down (K,R+1,S+1,C): gan_conv2d() with that padding and stride 2 is the convolution and then the mean
 *   over 2x2, of maps that halve.
 * - up (C,R+1,S+1,K): gan_conv2d_grad_input() with that padding, stride 2 and twice the height and width
 *   is gan_upsample() by 2 and then the convolution. */
GAN_API gan_node *gan_fold_down(gan_graph *g, gan_node *w, gan_dtype dtype);
GAN_API gan_node *gan_fold_up(gan_graph *g, gan_node *w, gan_dtype dtype);

/* Mean over size_h × size_w windows of x (N,H,W,C); padding counts as zeros. */
GAN_API gan_node *gan_average_pool(gan_graph *g, gan_node *x, int size_h, int size_w, gan_window window);
GAN_API gan_node *gan_max_pool(gan_graph *g, gan_node *x, int size_h, int size_w, gan_window window);

/* (N,H,W,C) -> (N,H·factor,W·factor,C), nearest neighbour. */
GAN_API gan_node *gan_upsample(gan_graph *g, gan_node *x, int factor);

/* ---- normalisation ---- */

/* Mean and biased variance of every channel: x (..., C), its rows in `groups` equal consecutive parts,
 * -> (groups, 2, C): [mean, variance]. */
GAN_API gan_node *gan_moments(gan_graph *g, gan_node *x, int64_t groups);

/* (x - mean) / sqrt(variance + eps) · gamma + beta with moments (groups, 2, C), gamma and beta (C)
 * (Ioffe and Szegedy 2015, algorithm 1). `gamma` and `beta` may both be absent (NULL): then 1 and 0. */
GAN_API gan_node *gan_batch_norm(gan_graph *g, gan_node *x, gan_node *moments, gan_node *gamma,
                                 gan_node *beta, double eps);

/* The same as in training, by the moments of x itself in `groups` parts, in fewer passes: the gradient of
 * x has what goes through them. *moments (may be NULL) becomes those moments, for running statistics; the
 * result has no gradient with respect to that node. */
GAN_API gan_node *gan_batch_norm_training(gan_graph *g, gan_node *x, int64_t groups, gan_node *gamma,
                                          gan_node *beta, double eps, gan_node **moments);

/* ---- losses straight from logits; means over the batch, scalars ---- */

/* E[-t log sigma(s) - (1-t) log(1-sigma(s))] = E[softplus(s) - t·s], log-sigmoid form. */
GAN_API gan_node *gan_logits_loss(gan_graph *g, gan_node *logits, double target);

/* E[logsumexp(l) - l_label] over the rows of (m, classes), labels i32 (m). */
GAN_API gan_node *gan_softmax_loss(gan_graph *g, gan_node *logits, gan_node *labels);

/* ---- noise and data; all are functions of (store seed, own stream, counter), equal on every device ---- */

GAN_API gan_node *gan_random_uniform(gan_graph *g, gan_node *counter, gan_shape shape, double low, double high);
GAN_API gan_node *gan_random_normal(gan_graph *g, gan_node *counter, gan_shape shape, double mean, double deviation);
GAN_API gan_node *gan_random_index(gan_graph *g, gan_node *counter, gan_shape shape, int64_t n); /* i32 in 0..n-1 */

/* Positions counter·per_iteration + offset … + count - 1 of an endless sequence of shuffled epochs over
 * n examples, as i32 (count): every n consecutive positions starting at a multiple of n are a permutation.
 * Graphs that must see the same order pass the same `stream` (>= 0). */
GAN_API gan_node *gan_shuffled_index(gan_graph *g, gan_node *counter, int64_t n, int64_t count,
                                     int64_t per_iteration, int64_t offset, uint32_t stream);

/* Examples data[index[i]] of u8 (R,H,W,C) as f32 (m,H,W,C) = scale·byte + shift; with `flip` each one is
 * mirrored left-right with probability one half. */
GAN_API gan_node *gan_minibatch(gan_graph *g, gan_node *data, gan_node *index, gan_node *counter,
                                double scale, double shift, bool flip);

/* ---- gradients ---- */

/* The value of x, through which no gradient flows. */
GAN_API gan_node *gan_stop_gradient(gan_graph *g, gan_node *x);

/* grad[i] = d(loss)/d(wrt[i]), loss a scalar; zeros where loss does not depend on wrt[i]. The result is
 * made of nodes like any other, so it can be differentiated again. Refused when a variable that the loss
 * read has been updated since (its gradient would see the new value). */
GAN_API gan_status gan_gradient(gan_graph *g, gan_node *loss, int n, gan_node *const *wrt, gan_node **grad);

/* ---- effects; each is added to the graph's order of effects; variables are variable nodes ---- */

GAN_API void gan_assign(gan_graph *g, gan_node *variable, gan_node *value);
GAN_API void gan_advance(gan_graph *g, gan_node *counter, int64_t by);

/* average = decay·average + (1-decay)·value, decay a scalar node. */
GAN_API void gan_moving_average(gan_graph *g, gan_node *average, gan_node *value, gan_node *decay);

/* ring[(counter / every) mod R] = values when counter mod every == 0; ring (R, S), values scalars. */
GAN_API void gan_record(gan_graph *g, gan_node *ring, gan_node *counter, int64_t every, int n,
                        gan_node *const *values);

/* One step of power iteration on w seen as (out, rest): v = wᵀu/‖wᵀu‖, u = wv/‖wv‖ (Miyato et al. 2018,
 * algorithm 1). u (out), v (rest). */
GAN_API void gan_power_iteration(gan_graph *g, gan_node *u, gan_node *v, gan_node *w, double eps);

typedef struct gan_adam_options {
    double beta1, beta2, eps;
    gan_node *rate; /* scalar node */
    gan_node *counter;            /* i64 variable; this is update number counter·per_iteration + offset + 1 */
    int64_t per_iteration, offset;
} gan_adam_options;

/* Adam (Kingma and Ba 2015, algorithm 1) on all weights of `group` in one pass. wrt/grad: its weights, each
 * once, and their gradients. Moments are created as needed. */
GAN_API void gan_adam(gan_graph *g, const char *group, int n, gan_node *const *wrt, gan_node *const *grad,
                      const gan_adam_options *options);

/* velocity = momentum·velocity - rate·grad; weight += velocity (rate, momentum scalar nodes). */
GAN_API void gan_momentum(gan_graph *g, const char *group, int n, gan_node *const *wrt,
                          gan_node *const *grad, gan_node *rate, gan_node *momentum);

/* The weights of a group in the order of creation: at most `capacity` nodes into `out`, returns their number. */
GAN_API int gan_group_weights(gan_graph *g, const char *group, gan_node **out, int capacity);

#ifdef __cplusplus
}
#endif
#endif
