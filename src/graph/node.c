#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/graph.h"

gan_status gan_graph_create(gan_graph **out, gan_store *store) {
    *out = NULL;
    gan_graph *g = calloc(1, sizeof *g);
    if (g) g->memory = gan_arena_create();
    if (!g || !g->memory) {
        free(g);
        return gan_fail(GAN_ERROR_MEMORY, "graph: out of memory");
    }
    g->store = store;
    *out = g;
    return GAN_OK;
}

void gan_graph_destroy(gan_graph *graph) {
    if (!graph) return;
    gan_arena_destroy(graph->memory);
    free(graph->node);
    free(graph->output);
    free(graph);
}

gan_status gan_graph_status(const gan_graph *graph) {
    return graph->status == GAN_OK ? GAN_OK : gan_fail(graph->status, "%s", graph->message);
}

gan_store *gan_graph_store(const gan_graph *graph) { return graph->store; }

gan_shape gan_node_shape(const gan_node *node) { return node ? node->shape : gan_shape0(); }
gan_dtype gan_node_dtype(const gan_node *node) { return node ? node->dtype : GAN_F32; }

gan_node *gan_named(gan_node *node, const char *format, ...) {
    if (!node) return NULL;
    va_list args;
    va_start(args, format);
    node->label = gan_arena_vprintf(node->graph->memory, format, args);
    va_end(args);
    return node;
}

/* ---- errors ---- */

static void record_error(gan_graph *g, gan_status status, const char *text) {
    if (g->status != GAN_OK) return;
    g->status = status;
    g->message = gan_arena_copy(g->memory, text, strlen(text) + 1);
    if (!g->message) g->message = "out of memory";
    gan_fail(status, "%s", g->message);
}

gan_node *gan_graph_error(gan_graph *g, gan_status status, const char *format, ...) {
    char text[768];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    record_error(g, status, text);
    return NULL;
}

bool gan_node_error(gan_node *node, gan_status status, const char *format, ...) {
    char text[960];
    const size_t size = sizeof text;
    int n = snprintf(text, size, "%s", gan_op_of(node)->name);
    if (node->label) n += snprintf(text + n, size - (size_t)n, " %.100s", node->label);
    n += snprintf(text + n, size - (size_t)n, ": ");
    va_list args;
    va_start(args, format);
    n += vsnprintf(text + n, size - (size_t)n, format, args);
    va_end(args);
    if ((size_t)n >= size) n = (int)size - 1;
    for (int i = 0; i < node->n_in && i < 4 && (size_t)n < size; i++) {
        char shape[GAN_SHAPE_TEXT];
        gan_shape_text(shape, node->in[i]->dtype, node->in[i]->shape);
        const char *label = node->in[i]->label;
        n += snprintf(text + n, size - (size_t)n, "%s%s%s%.60s", i ? ", " : "; operands ", shape,
                      label ? " " : "", label ? label : "");
    }
    record_error(node->graph, status, text);
    return false;
}

void *gan_graph_alloc(gan_graph *g, size_t size) {
    void *p = gan_arena_alloc(g->memory, size);
    if (!p) gan_graph_error(g, GAN_ERROR_MEMORY, "graph: out of memory");
    return p;
}

uint32_t gan_graph_stream(gan_graph *g) { return g->next_stream++; }

/* ---- nodes ---- */

static gan_node **grow(gan_node **list, int n, int *capacity) {
    if (n < *capacity) return list;
    int wanted = *capacity ? 2 * *capacity : 256;
    gan_node **more = realloc(list, (size_t)wanted * sizeof *more);
    if (more) *capacity = wanted;
    return more;
}

gan_node *gan_node_append(gan_graph *g, const gan_node *model, gan_node *const *in) {
    gan_node *node = gan_graph_alloc(g, sizeof *node);
    if (!node) return NULL;
    *node = *model;
    node->graph = g;
    node->id = g->n_nodes;
    node->in = NULL;
    if (model->n_in > 0) {
        node->in = gan_arena_copy(g->memory, in, (size_t)model->n_in * sizeof *in);
        if (!node->in) return gan_graph_error(g, GAN_ERROR_MEMORY, "graph: out of memory");
    }
    if (model->program) {
        node->program = gan_arena_copy(g->memory, model->program, sizeof *model->program);
        if (!node->program) return gan_graph_error(g, GAN_ERROR_MEMORY, "graph: out of memory");
    }
    gan_node **list = grow(g->node, g->n_nodes, &g->capacity);
    if (!list) return gan_graph_error(g, GAN_ERROR_MEMORY, "graph: out of memory");
    g->node = list;
    g->node[g->n_nodes++] = node;
    return node;
}

gan_node *gan_leaf_create(gan_graph *g, gan_op_id op, gan_dtype dtype, gan_shape shape,
                          const gan_attr *attr) {
    if (!g || g->status != GAN_OK) return NULL;
    gan_node model = {.op = op, .dtype = dtype, .shape = shape};
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] < 0)
            return gan_graph_error(g, GAN_ERROR_SHAPE,
                                   "%s: axis %d has length %lld, expected 0 or more",
                                   gan_op_table[op].name, i, (long long)shape.dim[i]);
    if (attr) model.attr = *attr;
    return gan_node_append(g, &model, NULL);
}

gan_node *gan_node_create(gan_graph *g, gan_op_id op, int n_in, gan_node *const *in,
                          const gan_attr *attr, const gan_pointwise_program *program) {
    if (!g || g->status != GAN_OK) return NULL;
    for (int i = 0; i < n_in; i++) {
        if (!in[i])
            return gan_graph_error(g, GAN_ERROR_ARGUMENT, "%s: operand %d is missing",
                                   gan_op_table[op].name, i);
        if (in[i]->graph != g)
            return gan_graph_error(g, GAN_ERROR_ARGUMENT, "%s: operand %d belongs to another graph",
                                   gan_op_table[op].name, i);
    }
    gan_node model = {
        .op = op, .n_in = n_in, .program = (gan_pointwise_program *)(uintptr_t)program};
    if (attr) model.attr = *attr;
    gan_node *node = gan_node_append(g, &model, in);
    if (!node) return NULL;
    const gan_op *row = gan_op_of(node);
    if (row->arity >= 0 && row->arity != n_in) {
        gan_node_error(node, GAN_ERROR_ARGUMENT, "%d operands given, %d expected", n_in,
                       row->arity);
        return NULL;
    }
    if (row->infer && !row->infer(node)) return NULL;
    for (int i = 0; i < gan_op_writes(node); i++)
        if (in[i]->op != GAN_OP_variable) {
            gan_node_error(node, GAN_ERROR_ARGUMENT, "operand %d is written and must be a variable",
                           i);
            return NULL;
        }
    return node;
}

gan_node *gan_input(gan_graph *g, gan_dtype dtype, gan_shape shape, const char *name) {
    gan_attr attr = {0};
    gan_node *node = gan_leaf_create(g, GAN_OP_input, dtype, shape, &attr);
    if (!node) return NULL;
    node->attr.input.name = gan_arena_printf(g->memory, "%s", name);
    return gan_named(node, "%s", name);
}

gan_node *gan_output(gan_graph *g, gan_node *x) {
    if (!x || g->status != GAN_OK) return x;
    gan_node **list = grow(g->output, g->n_outputs, &g->output_capacity);
    if (!list) return gan_graph_error(g, GAN_ERROR_MEMORY, "graph: out of memory");
    g->output = list;
    g->output[g->n_outputs++] = x;
    return x;
}

/* ---- what a node shows ---- */

size_t gan_node_bytes(const gan_node *node) {
    return (size_t)gan_shape_size(node->shape) * gan_dtype_size(node->dtype);
}

bool gan_node_is_view(const gan_node *node, size_t *offset) {
    if (offset) *offset = 0;
    if (gan_op_of(node)->flags & GAN_OP_VIEW) return true;
    if (node->op != GAN_OP_slice) return false;
    /* Consecutive bytes when every axis before the sliced one has length 1; aligned for vector
     * accesses. */
    size_t row = gan_dtype_size(node->dtype);
    for (int i = 0; i < node->shape.rank; i++) {
        if (i < node->attr.slice.axis && node->shape.dim[i] != 1) return false;
        if (i > node->attr.slice.axis) row *= (size_t)node->shape.dim[i];
    }
    size_t start = row * (size_t)node->attr.slice.start;
    if (offset) *offset = start;
    return start % 32 == 0;
}

gan_node *gan_node_base(gan_node *node) {
    while (gan_node_is_view(node, NULL)) node = node->in[0];
    return node;
}

static bool overlap(const gan_variable *v, const gan_variable *w) {
    return w == v || (w->arena == v->arena && (w->is_flat || v->is_flat));
}

bool gan_effect_writes(const gan_node *effect, const gan_variable *v) {
    for (int i = 0; i < gan_op_writes(effect); i++)
        if (overlap(v, effect->in[i]->attr.variable.variable)) return true;
    const gan_node *copy = gan_op_copy(effect);
    return copy && overlap(v, copy->attr.variable.variable);
}

bool gan_effect_touches(const gan_node *effect, const gan_node *node) {
    for (int i = 0; i < node->n_in; i++) {
        const gan_node *base = gan_node_base(node->in[i]);
        if (base->op == GAN_OP_variable && gan_effect_writes(effect, base->attr.variable.variable))
            return true;
    }
    return false;
}

bool gan_graph_writes(const gan_graph *g, const gan_variable *v, int after, int before) {
    for (int e = after + 1; e < before && e < g->n_nodes; e++)
        if (gan_effect_writes(g->node[e], v)) return true;
    return false;
}
