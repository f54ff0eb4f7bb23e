/* A graph as a table and as Graphviz's DOT. */
#include <string.h>

#include "base/error.h"
#include "graph/dump.h"
#include "graph/graph.h"

void gan_node_text(const gan_node *node, char *text, size_t size) {
    size_t n = (size_t)snprintf(text, size, "%s", gan_op_of(node)->name);
    const gan_pointwise_program *p = node->program;
    if (p && node->op == GAN_OP_pointwise && n < size) n = (size_t)snprintf(text, size, "%s", "");
    for (int i = 0; p && i < p->n_steps && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s", n ? "+" : "",
                              gan_fn_table[p->step[i].fn].name);
}

static gan_status finish(FILE *file) {
    return fflush(file) || ferror(file) ? gan_fail(GAN_ERROR_IO, "graph: cannot write") : GAN_OK;
}

gan_status gan_graph_print(const gan_graph *graph, FILE *file) {
    fprintf(file, "%6s  %-28s %-24s %s\n", "node", "op", "value", "operands, name");
    for (int i = 0; i < graph->n_nodes; i++) {
        const gan_node *node = graph->node[i];
        char op[256], shape[GAN_SHAPE_TEXT] = "effect";
        gan_node_text(node, op, sizeof op);
        if (!(gan_op_of(node)->flags & GAN_OP_EFFECT))
            gan_shape_text(shape, node->dtype, node->shape);
        fprintf(file, "%6d  %-28s %-24s", node->id, op, shape);
        for (int j = 0; j < node->n_in; j++) fprintf(file, " %d", node->in[j]->id);
        fprintf(file, "%s%s\n", node->label ? "  " : "", node->label ? node->label : "");
    }
    return finish(file);
}

static void quoted(FILE *file, const char *text) {
    for (; *text; text++) {
        if (strchr("\"\\", *text)) fputc('\\', file);
        fputc(*text, file);
    }
}

gan_status gan_graph_print_dot(const gan_graph *graph, FILE *file) {
    fprintf(file, "digraph gan {\n  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n");
    for (int i = 0; i < graph->n_nodes; i++) {
        const gan_node *node = graph->node[i];
        const unsigned flags = gan_op_of(node)->flags;
        char op[256], shape[GAN_SHAPE_TEXT];
        gan_node_text(node, op, sizeof op);
        fprintf(file, "  n%d [label=\"", node->id);
        quoted(file, op);
        if (node->label) {
            fprintf(file, "\\n");
            quoted(file, node->label);
        }
        fprintf(file, "\\n%s\"%s];\n", gan_shape_text(shape, node->dtype, node->shape),
                flags & GAN_OP_EFFECT ? ", style=bold"
                : flags & GAN_OP_LEAF ? ", style=rounded"
                                      : "");
        for (int j = 0; j < node->n_in; j++)
            fprintf(file, "  n%d -> n%d;\n", node->in[j]->id, node->id);
    }
    fprintf(file, "}\n");
    return finish(file);
}
