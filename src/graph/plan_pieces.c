/* Updates that read the gradients where products have left them: a launch less, and nothing is
 * copied. Where others need them as one vector, or the device does not take so many, they are
 * packed. */
#include <stdlib.h>

#include "base/error.h"
#include "graph/plan_fuse.h"

/* The update itself writes variables, too: what it reads of another's must not be among them. */
static bool lasts(const gan_graph *g, const gan_node *pack, const gan_node *update) {
    const gan_node behind = {.id = update->id + 1};
    return gan_plan_can_move(g, pack, &behind);
}

void gan_plan_unpack(gan_plan_fusion *f, gan_node *update) {
    if (update->op != GAN_OP_adam && update->op != GAN_OP_momentum) return;
    const int first = gan_op_writes(update);
    const gan_node *pack = update->in[first];
    if (pack->op != GAN_OP_pack || pack->n_in == 0 || f->uses[pack->id] != 1 ||
        !f->options->takes || !lasts(f->g, pack, update))
        return;
    gan_node unpacked = *update;
    unpacked.n_in += pack->n_in - 1;
    unpacked.in = gan_graph_alloc(f->g, (size_t)unpacked.n_in * sizeof *unpacked.in);
    if (!unpacked.in) return;
    for (int i = 0; i < update->n_in; i++) unpacked.in[i] = update->in[i];
    for (int k = 1; k < pack->n_in; k++) unpacked.in[update->n_in + k - 1] = pack->in[k];
    unpacked.in[first] = pack->in[0];
    if (update->op == GAN_OP_adam)
        unpacked.attr.adam.pieces = pack->n_in;
    else
        unpacked.attr.momentum.pieces = pack->n_in;
    if (f->options->takes(f->options->context, &unpacked)) *update = unpacked;
}
