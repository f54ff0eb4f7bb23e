/* Placing: every computed value gets bytes in one arena, shared by values that are not needed at
 * the same time; pieces of a concatenation are computed where they belong. What is passed on
 * within a launch alone gets none. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/plan.h"

typedef struct buffer {
    size_t bytes, offset;
    int first, last; /* stages between which the bytes are taken */
    int parent;      /* the node whose buffer this is a part of, or -1 */
    size_t within;   /* where in the parent */
    bool used;
} buffer;

static size_t align(size_t n, size_t to) { return (n + to - 1) / to * to; }

static bool is_computed(const gan_node *node) {
    return !(gan_op_of(node)->flags & (GAN_OP_LEAF | GAN_OP_EFFECT)) &&
           !gan_node_is_view(node, NULL);
}

/* Behind the last stage. */
static int end_of(const gan_plan *plan) {
    return plan->n_launches ? plan->stage[plan->n_launches - 1] + 1 : 0;
}

/* Nobody else ever gets its bytes. */
static void keep(buffer *x, int end) {
    x->first = 0;
    x->last = end;
}

/* Gradients that an update reads where they are have bytes of their own, as those have that are
 * packed: it can run beside what follows. */
static void keep_pieces(const gan_node *update, buffer *b, int end) {
    for (int k = 0; k < gan_op_pieces(update); k++) {
        buffer *x = &b[gan_node_base(update->in[gan_op_piece(update, k)])->id];
        if (x->used) keep(x, end);
    }
}

/* Whether call i is a sum that nobody reads but the launch that forms it. */
static bool is_passed_on(const gan_plan *plan, int i, const gan_plan_options *options) {
    const gan_node *sum = plan->order[i];
    if (i + 1 >= plan->n_launches || plan->stage[i + 1] != plan->stage[i] ||
        !gan_plan_is_formed(options, sum, plan->order[i + 1]))
        return false;
    for (int k = 0; k < plan->n_launches; k++)
        for (int j = 0; plan->stage[k] != plan->stage[i] && j < plan->order[k]->n_in; j++)
            if (gan_node_base(plan->order[k]->in[j]) == sum) return false;
    for (int k = 0; k < plan->graph->n_outputs; k++)
        if (gan_node_base(plan->graph->output[k]) == sum) return false;
    return true;
}

static void lifetimes(const gan_plan *plan, const gan_plan_options *options, buffer *b) {
    const int end = end_of(plan);
    for (int i = 0; i < plan->n_launches; i++) {
        gan_node *node = plan->order[i];
        const int t = plan->stage[i];
        for (int j = 0; j < node->n_in; j++) {
            buffer *x = &b[gan_node_base(node->in[j])->id];
            if (x->last < t) x->last = t;
        }
        if (!is_computed(node) || is_passed_on(plan, i, options)) continue;
        b[node->id] = (buffer){
            .bytes = gan_node_bytes(node), .first = t, .last = t, .parent = -1, .used = true};
        if (node->op == GAN_OP_pack) keep(&b[node->id], end); /* its padding stays zero */
    }
    for (int i = 0; i < plan->n_launches; i++) keep_pieces(plan->order[i], b, end);
    const gan_graph *g = plan->graph;
    for (int id = 0; id < g->n_nodes; id++)
        if (g->node[id]->op == GAN_OP_input)
            b[id] = (buffer){.bytes = gan_node_bytes(g->node[id]),
                             .first = 0,
                             .last = end,
                             .parent = -1,
                             .used = true};
    for (int i = 0; i < g->n_outputs; i++) b[gan_node_base(g->output[i])->id].last = end;
}

/* ---- concatenation and packing in place ---- */

static bool leading_axis(const gan_node *node) {
    for (int i = 0; i < node->attr.concat.axis; i++)
        if (node->shape.dim[i] != 1) return false;
    return true;
}

/* Operand i can be computed at `offset` of the container. */
static bool fits_in_place(const gan_node *container, int i, size_t offset, const buffer *b) {
    gan_node *x = container->in[i], *base = gan_node_base(x);
    for (int j = 0; j < container->n_in; j++)
        if (j != i && gan_node_base(container->in[j]) == base) return false;
    return is_computed(base) && base->dtype == container->dtype && base->op != GAN_OP_concat &&
           base->op != GAN_OP_pack && b[base->id].used && b[base->id].parent < 0 &&
           gan_node_bytes(base) == gan_node_bytes(x) && offset % 64 == 0;
}

/* True when every operand is computed in place, so that the launch itself is not needed. */
static bool fill_in_place(const gan_node *container, buffer *b) {
    const size_t piece = container->op == GAN_OP_pack ? 64 : 1;
    buffer *whole = &b[container->id];
    size_t offset = 0;
    bool all = true;
    for (int i = 0; i < container->n_in; i++) {
        if (fits_in_place(container, i, offset, b)) {
            buffer *x = &b[gan_node_base(container->in[i])->id];
            x->parent = container->id;
            x->within = offset;
            if (x->first < whole->first) whole->first = x->first;
            if (x->last > whole->last) whole->last = x->last;
        } else {
            all = false;
        }
        const size_t size = (size_t)gan_shape_size(container->in[i]->shape);
        offset += align(size * gan_dtype_size(container->dtype), piece);
    }
    return all;
}

static void containers(gan_plan *plan, buffer *b) {
    int kept = 0;
    for (int t = 0; t < plan->n_launches; t++) {
        gan_node *node = plan->order[t];
        bool container =
            node->op == GAN_OP_pack || (node->op == GAN_OP_concat && leading_axis(node));
        if (container && fill_in_place(node, b)) continue;
        plan->stage[kept] = plan->stage[t];
        plan->phase[kept] = plan->phase[t];
        plan->chain[kept] = plan->chain[t];
        plan->order[kept++] = node;
    }
    plan->n_launches = kept;
}

/* ---- the arena ---- */

typedef struct entry {
    size_t bytes;
    int id;
} entry;

static int by_size(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->id - y->id;
}

static bool overlap_in_time(const buffer *x, const buffer *y) {
    return x->first <= y->last && y->first <= x->last;
}

/* Whose bytes are never anybody else's. `list` is sorted: largest first. */
static void keep_small_apart(const gan_plan *plan, buffer *b, const entry *list, int n,
                             size_t bytes) {
    const int end = end_of(plan);
    for (int i = n - 1; i >= 0; i--) {
        buffer *x = &b[list[i].id];
        const size_t taken = align(list[i].bytes, GAN_PLAN_ALIGN);
        if (x->first == 0 && x->last == end) continue; /* they are that in any case */
        if (taken > bytes) return;
        bytes -= taken;
        keep(x, end);
    }
}

/* Largest first, each at the lowest place that is free for its whole life. `placed` is sorted by
 * offset. */
static size_t settle(buffer *b, const entry *list, int n, bool keep_apart) {
    size_t total = 0;
    int n_placed = 0;
    int *placed = malloc((size_t)(n ? n : 1) * sizeof *placed);
    if (!placed) return SIZE_MAX;
    for (int i = 0; i < n; i++) {
        buffer *x = &b[list[i].id];
        size_t at = keep_apart ? total : 0;
        for (int j = 0; j < n_placed && !keep_apart; j++) {
            const buffer *y = &b[placed[j]];
            if (!overlap_in_time(x, y)) continue;
            if (at + x->bytes <= y->offset) break;
            size_t after = align(y->offset + y->bytes, GAN_PLAN_ALIGN);
            if (after > at) at = after;
        }
        x->offset = at;
        int j = n_placed++;
        for (; j > 0 && b[placed[j - 1]].offset > at; j--) placed[j] = placed[j - 1];
        placed[j] = list[i].id;
        size_t end = align(at + x->bytes, GAN_PLAN_ALIGN) + (keep_apart ? GAN_PLAN_GAP : 0);
        if (end > total) total = end;
    }
    free(placed);
    return total;
}

/* A view may come before what it shows: fusion appends some. */
static gan_place place_of(const gan_node *node, const buffer *b) {
    size_t shift, shown = 0;
    for (; gan_node_is_view(node, &shift); node = node->in[0]) shown += shift;
    if (node->op == GAN_OP_variable)
        return (gan_place){GAN_PLACE_VARIABLE, node->attr.variable.variable, shown};
    const buffer *x = &b[node->id];
    if (!x->used) return (gan_place){GAN_PLACE_NONE, NULL, 0};
    return (gan_place){GAN_PLACE_ARENA, NULL,
                       shown + (x->parent < 0 ? x->offset : b[x->parent].offset + x->within)};
}

static void record_places(gan_plan *plan, const buffer *b) {
    const gan_graph *g = plan->graph;
    for (int id = 0; id < g->n_nodes; id++) plan->place[id] = place_of(g->node[id], b);
}

gan_status gan_plan_place(gan_plan *plan, const gan_plan_options *options) {
    const size_t n = (size_t)plan->graph->n_nodes + 1;
    buffer *b = calloc(n, sizeof *b);
    entry *list = calloc(n, sizeof *list);
    plan->place = calloc(n, sizeof *plan->place);
    gan_status status = GAN_OK;
    if (!b || !list || !plan->place) {
        status = gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    } else {
        lifetimes(plan, options, b);
        containers(plan, b);
        int count = 0;
        for (size_t id = 0; id < n; id++)
            if (b[id].used && b[id].parent < 0) list[count++] = (entry){b[id].bytes, (int)id};
        qsort(list, (size_t)count, sizeof *list, by_size);
        keep_small_apart(plan, b, list, count, options->apart_bytes);
        plan->arena_bytes = settle(b, list, count, options->keep_apart);
        if (plan->arena_bytes == SIZE_MAX)
            status = gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
        record_places(plan, b);
    }
    free(b);
    free(list);
    return status;
}
