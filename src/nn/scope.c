#include "nn/scope.h"

#include <stdarg.h>
#include <string.h>

#include "graph/graph.h"

/* A list of pairs that lives in the graph's memory. */
typedef struct pair {
    const gan_node *node;
    gan_node *replacement;
    struct pair *next;
} pair;

/* What all scopes of a tree have in common. */
typedef struct tree {
    gan_graph *graph;
    gan_scope_settings settings;
    pair *overlay; /* the latest first */
    pair *seen;
} tree;

struct gan_scope {
    tree *tree;
    const char *name;
};

static pair *find(pair *list, const gan_node *node) {
    while (list && list->node != node) list = list->next;
    return list;
}

static void push(gan_graph *g, pair **list, const gan_node *node, gan_node *replacement) {
    pair *p = gan_graph_alloc(g, sizeof *p);
    if (!p) return;
    *p = (pair){node, replacement, *list};
    *list = p;
}

gan_scope *gan_scope_create(gan_graph *g, const char *group, const gan_scope_settings *settings) {
    if (!g) return NULL;
    tree *t = gan_graph_alloc(g, sizeof *t);
    gan_scope *s = gan_graph_alloc(g, sizeof *s);
    char *name = gan_graph_alloc(g, strlen(group) + 1);
    if (!t || !s || !name) return NULL;
    strcpy(name, group);
    t->graph = g;
    if (settings) t->settings = *settings;
    if (t->settings.groups < 1) t->settings.groups = 1;
    *s = (gan_scope){t, name};
    return s;
}

gan_scope *gan_scope_enter(gan_scope *scope, const char *format, ...) {
    if (!scope) return NULL;
    gan_graph *g = scope->tree->graph;
    va_list args;
    va_start(args, format);
    char *child = gan_arena_vprintf(g->memory, format, args);
    va_end(args);
    gan_scope *s = gan_graph_alloc(g, sizeof *s);
    char *name = child ? gan_arena_printf(g->memory, "%s/%s", scope->name, child) : NULL;
    if (!s) return NULL;
    if (!name) {
        gan_graph_error(g, GAN_ERROR_MEMORY, "scope %s: out of memory", scope->name);
        return NULL;
    }
    *s = (gan_scope){scope->tree, name};
    return s;
}

gan_graph *gan_scope_graph(const gan_scope *scope) { return scope ? scope->tree->graph : NULL; }
const char *gan_scope_name(const gan_scope *scope) { return scope ? scope->name : ""; }
const gan_scope_settings *gan_scope_get(const gan_scope *scope) {
    return scope ? &scope->tree->settings : NULL;
}

void gan_scope_overlay(gan_scope *scope, gan_node *variable, gan_node *replacement) {
    if (!scope || !variable || !replacement) return;
    tree *t = scope->tree;
    if (!gan_shape_equal(gan_node_shape(variable), gan_node_shape(replacement))) {
        char wanted[GAN_SHAPE_TEXT], given[GAN_SHAPE_TEXT];
        gan_graph_error(t->graph, GAN_ERROR_SHAPE, "overlay of %s: expected %s, given %s",
                        variable->label ? variable->label : "a weight",
                        gan_shape_text(wanted, variable->dtype, variable->shape),
                        gan_shape_text(given, replacement->dtype, replacement->shape));
        return;
    }
    push(t->graph, &t->overlay, variable, replacement);
}

static gan_node *variable(gan_scope *scope, gan_role role, const char *name, gan_shape shape,
                          gan_init init) {
    if (!scope) return NULL;
    gan_graph *g = scope->tree->graph;
    const char *full = gan_arena_printf(g->memory, "%s/%s", scope->name, name);
    if (!full) return gan_graph_error(g, GAN_ERROR_MEMORY, "scope %s: out of memory", scope->name);
    return gan_variable_node(g, role, full, GAN_F32, shape, init);
}

gan_node *gan_scope_weight(gan_scope *scope, const char *name, gan_shape shape, gan_init init) {
    gan_node *w = variable(scope, GAN_WEIGHT, name, shape, init);
    pair *over = w ? find(scope->tree->overlay, w) : NULL;
    return over ? over->replacement : w;
}

gan_node *gan_scope_statistic(gan_scope *scope, const char *name, gan_shape shape, gan_init init) {
    return variable(scope, GAN_STATISTIC, name, shape, init);
}

gan_dtype gan_scope_dtype(const gan_scope *scope) {
    return scope->tree->settings.precision == GAN_PRECISION_BF16 ? GAN_BF16 : GAN_F32;
}

gan_node *gan_scope_activation(gan_scope *scope, gan_node *x) {
    if (!scope || !x) return NULL;
    return gan_cast(scope->tree->graph, x, gan_scope_dtype(scope));
}

gan_node *gan_scope_product(gan_scope *scope, gan_node *y) {
    if (scope && y) y->tf32 = scope->tree->settings.precision == GAN_PRECISION_TF32;
    return y;
}

bool gan_scope_first(gan_scope *scope, const gan_node *node) {
    tree *t = scope->tree;
    if (find(t->seen, node)) return false;
    push(t->graph, &t->seen, node, NULL);
    return true;
}
