/* The op interface: what a node is, and the one row that says everything about an op.
 *
 * An op is a row of op.def: { name, arity, flags, infer, gradient, expand, cost }. The functions of
 * a row live in src/op/, one file a family; a backend brings a kernel for it, indexed by gan_op_id
 * (device/backend.h).
 */
#ifndef GANC_GRAPH_OP_H
#define GANC_GRAPH_OP_H

#include "ganc/graph.h"

typedef enum gan_op_id {
#define GAN_OP(name, arity, flags, infer, gradient, expand, cost) GAN_OP_##name,
#include "graph/op.def"
#undef GAN_OP
    GAN_OP_COUNT
} gan_op_id;

/* ---- short straight-line programs over the table of pointwise functions ---- */

typedef enum gan_fn {
#define GAN_POINTWISE(name, arity, formula, da, db) GAN_FN_##name,
#include "base/pointwise.def"
#undef GAN_POINTWISE
    GAN_FN_COUNT
} gan_fn;

enum { GAN_MAX_PROGRAM_INPUTS = 12, GAN_MAX_PROGRAM_STEPS = 24 };

typedef struct gan_program_step {
    uint8_t fn;     /* gan_fn */
    uint8_t arg[2]; /* values; the second only for functions of two */
    float k;        /* the function's constant */
} gan_program_step;

/* Value i < n_inputs is operand i; value n_inputs + s is the result of step s; the last step's is
 * the program's. */
typedef struct gan_pointwise_program {
    int n_inputs, n_steps;
    gan_program_step step[GAN_MAX_PROGRAM_STEPS];
} gan_pointwise_program;

/* ---- attributes: an op's constants ---- */

typedef enum gan_random_kind {
    GAN_RANDOM_UNIFORM,
    GAN_RANDOM_NORMAL,
    GAN_RANDOM_INDEX
} gan_random_kind;

typedef union gan_attr {
    struct {
        double value;
    } constant;
    struct {
        gan_variable *variable;
    } variable;
    struct {
        const char *name;
    } input;
    struct {
        gan_dtype dtype;
    } cast;
    struct {
        int64_t classes;
    } one_hot;
    struct {
        uint32_t axes;
        gan_shape in_shape;
    } reduce; /* in_shape: what is reduced, also under a prologue */
    struct {
        gan_shape shape;
    } target; /* of broadcast and reshape */
    struct {
        int order[GAN_MAX_RANK];
    } permute;
    struct {
        int axis;
    } concat;
    struct {
        int axis;
        int64_t start, length;
    } slice;
    struct {
        int axis;
        int64_t before, after;
    } pad;
    struct {
        int64_t rows;
    } scatter_add;
    struct {
        bool a, b;
    } transpose;       /* of matmul */
    gan_window window; /* conv and pool begin with it */
    /* height, width: of what conv2d_grad_input and conv2d_grad_weight make */
    struct {
        gan_window window;
        int64_t height, width;
    } conv;
    /* up: with upsampling, else with a mean; dtype: of the result */
    struct {
        bool up;
        gan_dtype dtype;
    } fold;
    /* height, width: of what average_pool_adjoint makes */
    struct {
        gan_window window;
        int size_h, size_w;
        int64_t height, width;
    } pool;
    struct {
        int64_t groups;
    } moments;
    struct {
        double eps;
    } eps; /* power_iteration */
    /* slope: of batch_norm_sums and batch_norm_grad: where batch_norm's result is not positive, dy
     * counts by so much (an activation that follows it); 1: all of it does.
     * own: moments are those of x and a function of it alone: the gradient of x has theirs. */
    struct {
        double eps, slope;
        bool own;
    } norm; /* batch_norm, batch_norm_sums, batch_norm_grad */
    struct {
        double target;
    } logits_loss; /* and logits_loss_grad */
    /* a, b: low, high | mean, deviation | n (index) */
    struct {
        gan_random_kind kind;
        uint32_t stream;
        double a, b;
        gan_shape shape;
    } random;
    struct {
        uint32_t stream;
        int64_t n, count, per_iteration, offset;
    } shuffle;
    /* shuffled: the plan's, with the counter of the shuffle in place of the indices, which are what
     * shuffled_index would make by the numbers that follow */
    struct {
        uint32_t stream;
        double scale, shift;
        bool flip, shuffled;
        uint32_t shuffle;
        int64_t n, per_iteration, offset;
    } minibatch;
    struct {
        double beta1, beta2, eps;
        int64_t per_iteration, offset;
        int pieces;
    } adam;
    struct {
        int pieces;
    } momentum; /* pieces: gan_op_pieces() */
    struct {
        int64_t by;
    } advance;
    struct {
        int64_t every;
    } record;
} gan_attr;

struct gan_node {
    gan_op_id op;
    gan_dtype dtype;
    gan_shape shape;
    int id; /* order of creation: operands always come first */
    int n_in;
    gan_node **in;
    gan_attr attr;
    /* pointwise: the function(s) applied. sum, max: what is applied to the operands before
     * reducing. Ops with GAN_OP_EPILOGUE: what is applied to the raw result, which is value 0 of
     * the program; values 1… are the operands from in[arity] on. Only the plan writes prologues,
     * epilogues and programs of more than one step. Operands of a program have the rank of its
     * shape, each axis equal or 1. */
    gan_pointwise_program *program;
    gan_graph *graph;
    bool tf32;         /* a product whose operands may be rounded to tensor float */
    const char *label; /* NULL, or a name for dumps and messages */
};

/* ---- what a launch costs ---- */

typedef struct gan_cost {
    int launches;          /* of the device; an op's rule leaves it alone */
    int64_t flops;         /* of products: two a multiplication and addition */
    int64_t read, written; /* bytes of memory */
} gan_cost;

/* The cost of a node by its op's rule, or by the rule for ops without one: operands are read and
 * results written once, variables that are updated both. `launches` is 1. */
gan_cost gan_node_cost(const gan_node *node);

/* ---- an op ---- */

enum {
    GAN_OP_VIEW =
        1 << 0, /* the result is its operand's bytes under another shape (or a row range of it) */
    GAN_OP_EFFECT =
        1 << 1, /* writes its first GAN_OP_WRITES operands, which are variables; has no value */
    GAN_OP_NO_GRADIENT = 1 << 2, /* no gradient flows through it */
    GAN_OP_EPILOGUE = 1 << 3,    /* can apply a program to its result */
    GAN_OP_PROLOGUE = 1 << 4,    /* can apply a program to its operand */
    GAN_OP_LEAF = 1 << 5,        /* not computed: input, variable */
    GAN_OP_WRITES_SHIFT = 8,     /* bits 8…: how many leading operands an effect writes */
};
#define GAN_OP_WRITES(n) ((n) << GAN_OP_WRITES_SHIFT)

typedef struct gan_op {
    const char *name;
    int arity; /* -1: any number */
    uint32_t flags;
    /* Checks operands and sets shape and dtype; on an error calls gan_node_error() and returns
     * false. */
    bool (*infer)(gan_node *node);
    /* Adds dx[i] = the vector-Jacobian product for operand i where need[i]; NULL means zero. */
    void (*gradient)(gan_node *node, gan_node *dy, const bool *need, gan_node **dx);
    /* The same value in more primitive ops; also what a second derivative goes through. */
    gan_node *(*expand)(gan_node *node);
    /* Corrects what the rule for ops without one says. */
    void (*cost)(const gan_node *node, gan_cost *cost);
} gan_op;

extern const gan_op gan_op_table[GAN_OP_COUNT];

static inline const gan_op *gan_op_of(const gan_node *node) { return &gan_op_table[node->op]; }
static inline int gan_op_writes(const gan_node *node) {
    return (int)(gan_op_of(node)->flags >> GAN_OP_WRITES_SHIFT);
}

/* adam and momentum of the plan may read the gradient where its pieces are instead of as one
 * vector: the first in that one's place, the others at the end. Each begins on a line of 16
 * elements, as the weights do. 0: the gradient is one vector. */
static inline int gan_op_pieces(const gan_node *node) {
    if (node->op == GAN_OP_adam) return node->attr.adam.pieces;
    return node->op == GAN_OP_momentum ? node->attr.momentum.pieces : 0;
}

/* Which operand piece k is; without pieces, k is 0 and this the gradient. */
static inline int gan_op_piece(const gan_node *node, int k) {
    return k == 0 ? gan_op_writes(node) : node->n_in - gan_op_pieces(node) + k;
}

/* adam and momentum of the plan may have another operand behind their own: the bf16 copy of the
 * weights that they write beside them. NULL where it is not wanted. */
static inline gan_node *gan_op_copy(const gan_node *node) {
    const bool update = node->op == GAN_OP_adam || node->op == GAN_OP_momentum;
    const int pieces = gan_op_pieces(node), arity = gan_op_of(node)->arity;
    return update && node->n_in - (pieces ? pieces - 1 : 0) > arity ? node->in[arity] : NULL;
}

/* A matrix product (m,n) of the plan with a program over (m,n,p), in which its result is repeated.
 */
static inline bool gan_matmul_is_spread(const gan_node *node) {
    return node->op == GAN_OP_matmul && node->shape.rank > node->in[0]->shape.rank;
}

/* What the product itself makes. */
static inline gan_shape gan_matmul_shape(const gan_node *node) {
    gan_shape s = node->shape;
    s.rank -= gan_matmul_is_spread(node);
    return s;
}

/* A convolution of the plan with two results, one behind the other along the images: that of its
 * program, and before it what that is without its last step. */
static inline bool gan_conv_is_double(const gan_node *node) {
    return node->op == GAN_OP_conv2d && node->shape.dim[0] != node->in[0]->shape.dim[0];
}

/* Of one result. */
static inline gan_shape gan_conv_shape(const gan_node *node) {
    gan_shape s = node->shape;
    if (gan_conv_is_double(node)) s.dim[0] = node->in[0]->shape.dim[0];
    return s;
}

/* ---- making nodes ---- */

/* Adds a node: copies the operands, runs infer, registers effects. NULL when an operand is NULL,
 * when infer refuses, or when the graph already has an error. `attr` and `program` may be NULL. */
gan_node *gan_node_create(gan_graph *g, gan_op_id op, int n_in, gan_node *const *in,
                          const gan_attr *attr, const gan_pointwise_program *program);

/* The same for ops without infer: input, variable, constant. */
gan_node *gan_leaf_create(gan_graph *g, gan_op_id op, gan_dtype dtype, gan_shape shape,
                          const gan_attr *attr);

/* Records the graph's first error as "OP LABEL: MESSAGE; operands f32(2,3), f32(4,5)"; returns
 * false. */
bool gan_node_error(gan_node *node, gan_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Records the graph's first error from a builder; returns NULL. */
gan_node *gan_graph_error(gan_graph *g, gan_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A new random stream of the graph: the next of its sequence 0, 1, 2… */
uint32_t gan_graph_stream(gan_graph *g);

/* "f32(128,28,28,1)" into a buffer; returns it. */
enum { GAN_SHAPE_TEXT = 96 };
char *gan_shape_text(char text[GAN_SHAPE_TEXT], gan_dtype dtype, gan_shape shape);

/* One pointwise function on operands of equal shape. */
gan_node *gan_pointwise(gan_graph *g, gan_fn fn, gan_node *a, gan_node *b, double k);

/* The table row of a function: its name and number of operands. */
typedef struct gan_fn_info {
    const char *name;
    int arity;
} gan_fn_info;
extern const gan_fn_info gan_fn_table[GAN_FN_COUNT];

#endif
