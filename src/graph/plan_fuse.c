/* Fusion: pointwise chains become one program, reductions take one as prologue, products as
 * epilogue. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/plan_fuse.h"

typedef gan_plan_fusion fusion;

static gan_status count_uses(fusion *f) {
    free(f->uses);
    f->uses = calloc((size_t)f->g->n_nodes + 1, sizeof *f->uses);
    bool *live = gan_plan_live(f->g);
    if (!f->uses || !live) {
        free(live);
        return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    }
    for (int i = 0; i < f->g->n_outputs; i++) f->uses[f->g->output[i]->id]++;
    for (int id = 0; id < f->g->n_nodes; id++)
        for (int i = 0; live[id] && i < f->g->node[id]->n_in; i++)
            f->uses[f->g->node[id]->in[i]->id]++;
    free(live);
    return GAN_OK;
}

/* What only programs read, in that shape. */
static gan_status find_loose(fusion *f) {
    f->n_first = f->g->n_nodes;
    int *read = calloc((size_t)f->n_first + 1, sizeof *read);
    f->loose = calloc((size_t)f->n_first + 1, sizeof *f->loose);
    for (int id = 0; read && f->loose && id < f->n_first; id++) {
        const gan_node *c = f->g->node[id];
        const bool reduces = gan_op_of(c)->flags & GAN_OP_PROLOGUE;
        const gan_shape whole = reduces ? c->attr.reduce.in_shape : c->shape;
        if (f->uses[id] == 0 || (c->op != GAN_OP_pointwise && !reduces)) continue;
        for (int i = 0; i < c->n_in; i++) {
            const gan_node *x = c->in[i];
            if (!gan_shape_equal(x->shape, whole)) continue;
            read[x->id]++;
            if (x->op == GAN_OP_reshape && f->uses[x->id] == 1) read[x->in[0]->id]++;
        }
    }
    for (int id = 0; read && f->loose && id < f->n_first; id++)
        f->loose[id] = f->uses[id] > 0 && read[id] == f->uses[id];
    const bool complete = read && f->loose;
    free(read);
    return complete ? GAN_OK : gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
}

bool gan_plan_can_move(const gan_graph *g, const gan_node *node, const gan_node *later) {
    for (int i = 0; i < node->n_in; i++) {
        const gan_node *base = gan_node_base(node->in[i]);
        if (base->op == GAN_OP_variable &&
            gan_graph_writes(g, base->attr.variable.variable, node->id, later->id))
            return false;
    }
    return true;
}

/* ---- merging two programs ---- */

/* While merging, value numbers are inputs 0… or STEP + index. */
enum { STEP = 128 };

typedef struct merged {
    gan_node *in[GAN_MAX_PROGRAM_INPUTS];
    gan_pointwise_program program;
} merged;

/* The number of operand x, added if new; -1 when there are too many. */
static int add_input(merged *m, gan_node *x) {
    for (int i = 0; i < m->program.n_inputs; i++)
        if (m->in[i] == x) return i;
    if (m->program.n_inputs == GAN_MAX_PROGRAM_INPUTS) return -1;
    m->in[m->program.n_inputs] = x;
    return m->program.n_inputs++;
}

/* Appends the steps of `p`, whose operand i is value map[i]; returns the value of its result, or
 * -1. */
static int add_steps(merged *m, const gan_pointwise_program *p, const int *map) {
    const int first = m->program.n_steps;
    if (first + p->n_steps > GAN_MAX_PROGRAM_STEPS) return -1;
    for (int s = 0; s < p->n_steps; s++) {
        gan_program_step step = p->step[s];
        for (int a = 0; a < gan_fn_table[step.fn].arity; a++) {
            int v = step.arg[a];
            step.arg[a] = (uint8_t)(v < p->n_inputs ? map[v] : STEP + first + (v - p->n_inputs));
        }
        m->program.step[m->program.n_steps++] = step;
    }
    return p->n_steps ? STEP + m->program.n_steps - 1 : map[0];
}

static void finish(merged *m) {
    for (int s = 0; s < m->program.n_steps; s++)
        for (int a = 0; a < gan_fn_table[m->program.step[s].fn].arity; a++) {
            uint8_t *v = &m->program.step[s].arg[a];
            if (*v >= STEP) *v = (uint8_t)(*v - STEP + m->program.n_inputs);
        }
}

static bool install(fusion *f, gan_node *c, const merged *m) {
    gan_node **in = gan_arena_copy(f->g->memory, m->in, (size_t)m->program.n_inputs * sizeof *in);
    gan_pointwise_program *p = gan_arena_copy(f->g->memory, &m->program, sizeof *p);
    if (!in || !p) {
        gan_graph_error(f->g, GAN_ERROR_MEMORY, "plan: out of memory");
        return false;
    }
    c->in = in;
    c->n_in = m->program.n_inputs;
    c->program = p;
    return true;
}

static const gan_pointwise_program identity = {.n_inputs = 1};

static const gan_pointwise_program *program_of(const gan_node *c) {
    return c->program ? c->program : &identity;
}

/* Puts the program of `inner`, over the operands `in`, in place of operand x of c. */
bool gan_plan_substitute(fusion *f, gan_node *c, const gan_node *x,
                         const gan_pointwise_program *inner, gan_node *const *in) {
    merged m = {0};
    int outer_map[GAN_MAX_PROGRAM_INPUTS], inner_map[GAN_MAX_PROGRAM_INPUTS];
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] != x && (outer_map[i] = add_input(&m, c->in[i])) < 0) return false;
    for (int i = 0; i < inner->n_inputs; i++)
        if ((inner_map[i] = add_input(&m, in[i])) < 0) return false;
    int result = add_steps(&m, inner, inner_map);
    if (result < 0) return false;
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] == x) outer_map[i] = result;
    if (add_steps(&m, program_of(c), outer_map) < 0) return false;
    if (m.program.n_steps == 0) return false;
    finish(&m);
    return install(f, c, &m);
}

/* ---- what an operand can bring into a program ---- */

static int slots(const gan_node *c, const gan_node *x) {
    int n = 0;
    for (int i = 0; i < c->n_in; i++) n += c->in[i] == x;
    return n;
}

/* The operands of p as the operands of a program of shape `whole`; false when one is a repeated
 * vector, which another shape cannot express. */
static bool view_operands(fusion *f, const gan_node *p, gan_shape whole, gan_node **view) {
    for (int i = 0; i < p->n_in; i++)
        if (!gan_shape_equal(p->in[i]->shape, p->shape) && gan_shape_size(p->in[i]->shape) != 1)
            return false;
    for (int i = 0; i < p->n_in; i++) {
        gan_shape shape = whole;
        for (int d = 0; gan_shape_size(p->in[i]->shape) == 1 && d < whole.rank; d++)
            shape.dim[d] = 1;
        gan_node model = {
            .op = GAN_OP_reshape, .dtype = p->in[i]->dtype, .shape = shape, .n_in = 1};
        model.attr.target.shape = shape;
        view[i] = gan_node_append(f->g, &model, &p->in[i]);
        if (!view[i]) return false;
    }
    return true;
}

/* Whether c, where it may be a task, leaves x to a product that stores x instead of its own result:
 * c reads as much either way. */
static bool leaves(const fusion *f, const gan_node *c, const gan_node *x) {
    if (!f->options->joins || !(gan_op_of(c)->flags & GAN_OP_PROLOGUE)) return false;
    for (int i = 0; i < x->n_in; i++)
        if (gan_plan_takes_epilogue(f, x->in[i], x)) return true;
    return false;
}

/* A reshape between two functions is no obstacle where the first has whole operands. */
static bool absorb_through_reshape(fusion *f, gan_node *c, gan_node *x, gan_shape whole) {
    gan_node *p = x->in[0], *view[GAN_MAX_PROGRAM_INPUTS];
    if (p->op != GAN_OP_pointwise || f->uses[x->id] != slots(c, x) ||
        (f->uses[p->id] != 1 && !gan_plan_is_mask(f, p)) || !gan_shape_equal(x->shape, whole) ||
        !gan_plan_can_move(f->g, p, c) || leaves(f, c, p))
        return false;
    if (!view_operands(f, p, whole, view)) return false;
    int *uses = realloc(f->uses, ((size_t)f->g->n_nodes + 1) * sizeof *uses);
    if (!uses) return false;
    f->uses = uses;
    for (int i = 0; i < p->n_in; i++) f->uses[view[i]->id] = 1;
    if (!gan_plan_substitute(f, c, x, p->program, view)) return false;
    for (int i = 0; f->uses[p->id] > 1 && i < p->n_in; i++) f->uses[p->in[i]->id]++;
    if (f->uses[p->id] > 1) f->uses[p->id]--; /* the others have it still */
    return true;
}

/* A program computes in f32, so that a value in bf16 that nobody else reads is not rounded. */
static bool is_float(const gan_node *x) { return x->dtype == GAN_F32 || x->dtype == GAN_BF16; }

static bool converts_float(const gan_node *x) {
    return x->op == GAN_OP_cast && is_float(x) && is_float(x->in[0]);
}

static bool is_loose(const fusion *f, const gan_node *x) {
    return x->id < f->n_first && f->loose[x->id];
}

/* A program reads what is cast: bf16 always, which is exact and less to read; f32 where none but
 * programs need it in bf16. A cast by itself rounds. */
static bool absorb_cast(fusion *f, gan_node *c, gan_node *x) {
    gan_node *in = x->in[0];
    if (c->op == GAN_OP_cast || !gan_plan_can_move(f->g, x, c)) return false;
    if (in->dtype != GAN_BF16 && f->uses[x->id] != slots(c, x) && !is_loose(f, x)) return false;
    const int n = slots(c, x);
    if (!c->program) {
        gan_node **list = gan_arena_copy(f->g->memory, &in, sizeof in);
        if (!list) return false;
        c->in = list;
    } else if (!gan_plan_substitute(f, c, x, &identity, &in)) {
        return false;
    }
    f->uses[in->id]++; /* as with a broadcast */
    f->uses[x->id] -= n;
    if (f->uses[x->id] == 0) f->uses[in->id]--;
    return true;
}

/* The other readers of x do the same. */
static bool absorb_again(fusion *f, gan_node *c, gan_node *x) {
    const int n = slots(c, x);
    if (!gan_plan_substitute(f, c, x, x->program, x->in)) return false;
    for (int i = 0; i < x->n_in; i++) f->uses[x->in[i]->id]++;
    f->uses[x->id] -= n;
    for (int i = 0; f->uses[x->id] == 0 && i < x->n_in; i++) f->uses[x->in[i]->id]--;
    return true;
}

static bool absorb(fusion *f, gan_node *c, gan_node *x) {
    if (!is_float(x)) return false;
    if (converts_float(x)) return absorb_cast(f, c, x);
    if (x->op == GAN_OP_constant && c->program) {
        gan_pointwise_program value = {
            .n_steps = 1, .step = {{.fn = GAN_FN_value, .k = (float)x->attr.constant.value}}};
        return gan_plan_substitute(f, c, x, &value, NULL);
    }
    if (x->op == GAN_OP_broadcast && c->program && gan_plan_can_move(f->g, x, c)) {
        gan_node *in = x->in[0];
        if (!gan_plan_substitute(f, c, x, &identity, &in)) return false;
        f->uses[in->id]++; /* x keeps its own use in case others read it */
        f->uses[x->id]--;
        if (f->uses[x->id] == 0) f->uses[in->id]--;
        return true;
    }
    const bool reduces = gan_op_of(c)->flags & GAN_OP_PROLOGUE;
    const gan_shape whole = reduces ? c->attr.reduce.in_shape : c->shape;
    if (x->op == GAN_OP_reshape &&
        (absorb_through_reshape(f, c, x, whole) || gan_plan_absorb_outer(f, c, x, whole)))
        return true;
    if (x->op == GAN_OP_pointwise && f->uses[x->id] == slots(c, x) &&
        gan_shape_equal(x->shape, whole) && gan_plan_can_move(f->g, x, c) && !leaves(f, c, x))
        return gan_plan_substitute(f, c, x, x->program, x->in);
    if (x->op == GAN_OP_pointwise && gan_shape_equal(x->shape, whole) &&
        gan_plan_can_move(f->g, x, c) && (gan_plan_is_mask(f, x) || gan_plan_is_wide(f, x)))
        return absorb_again(f, c, x);
    return false;
}

/* Whether another node than a product can store what cast c makes of it. */
static bool stores_as(const fusion *f, const gan_node *m, const gan_node *c);

/* pack reads gradients in bf16 where the device's does: one launch for all casts but those that a
 * product does on the side. */
static void absorb_gradients(fusion *f, gan_node *pack) {
    for (int i = 0; i < pack->n_in; i++) {
        gan_node *x = pack->in[i];
        while (x->op == GAN_OP_reshape) x = x->in[0]; /* only the elements' order matters */
        if (!converts_float(x) || f->uses[x->id] != 1 || !gan_plan_can_move(f->g, x, pack))
            continue;
        if (gan_plan_takes_epilogue(f, x->in[0], x) || stores_as(f, x->in[0], x)) continue;
        gan_node *given = pack->in[i];
        pack->in[i] = x->in[0];
        if (f->options->takes && f->options->takes(f->options->context, pack))
            f->uses[x->id]--; /* its operand is read as often as before */
        else
            pack->in[i] = given;
    }
}

/* A cast that has absorbed something is a program with a result of another type. */
static void absorb_operands(fusion *f, gan_node *c) {
    for (bool again = true; again && f->g->status == GAN_OK;) {
        again = false;
        for (int i = 0; i < c->n_in && !again; i++) again = absorb(f, c, c->in[i]);
        if (c->op == GAN_OP_cast && c->program) c->op = GAN_OP_pointwise;
    }
}

/* ---- epilogues ---- */

bool gan_plan_takes_epilogue(const fusion *f, const gan_node *m, const gan_node *c) {
    if (!(gan_op_of(m)->flags & GAN_OP_EPILOGUE) || m->program || f->uses[m->id] != 1 ||
        !is_float(m) || !gan_shape_equal(m->shape, c->shape) || !gan_plan_can_move(f->g, m, c))
        return false;
    gan_node joined = *m;
    joined.dtype = c->dtype;
    return m->dtype == c->dtype || !f->options->takes ||
           f->options->takes(f->options->context, &joined);
}

static void become_product(gan_node *c, const gan_node *m) {
    c->op = m->op;
    c->attr = m->attr;
    c->tf32 = m->tf32;
    if (!c->label) c->label = m->label;
}

/* Noise, batches, sums and maxima that the device stores as bf16. */
static bool stores_as(const fusion *f, const gan_node *m, const gan_node *c) {
    gan_node joined = *m;
    joined.dtype = c->dtype;
    const bool is = m->op == GAN_OP_random || m->op == GAN_OP_minibatch ||
                    gan_op_of(m)->flags & GAN_OP_PROLOGUE;
    return is && f->uses[m->id] == 1 && gan_plan_can_move(f->g, m, c) && f->options->takes &&
           f->options->takes(f->options->context, &joined);
}

/* The cast c of a product, a reduction, or noise becomes that, with a result of its own type. */
static void join_cast_product(fusion *f, gan_node *c) {
    gan_node *m = c->in[0];
    if (!gan_plan_takes_epilogue(f, m, c) && !stores_as(f, m, c)) return;
    c->in = m->in;
    c->n_in = m->n_in;
    c->program = m->program;
    become_product(c, m);
}

/* The pointwise node c becomes the product it reads, with c's program as epilogue. */
static void join_product(fusion *f, gan_node *c) {
    gan_node *m = NULL;
    for (int i = 0; i < c->n_in; i++)
        if (gan_plan_takes_epilogue(f, c->in[i], c) && (!m || c->in[i]->id > m->id)) m = c->in[i];
    if (m) gan_plan_attach(f, c, m, m);
}

void gan_plan_attach(fusion *f, gan_node *c, const gan_node *raw, gan_node *m) {
    merged e = {.in = {(gan_node *)(uintptr_t)raw}, .program = {.n_inputs = 1}};
    int map[GAN_MAX_PROGRAM_INPUTS];
    for (int i = 0; i < c->n_in; i++) map[i] = add_input(&e, c->in[i]);
    add_steps(&e, c->program, map);
    finish(&e);
    gan_node *in[GAN_MAX_PROGRAM_INPUTS + 4];
    int n = 0;
    for (int i = 0; i < m->n_in; i++) in[n++] = m->in[i];
    for (int i = 1; i < e.program.n_inputs; i++) in[n++] = e.in[i];
    if (!install(f, c, &e)) return;
    gan_node **list = gan_arena_copy(f->g->memory, in, (size_t)n * sizeof *in);
    if (!list) {
        gan_graph_error(f->g, GAN_ERROR_MEMORY, "plan: out of memory");
        return;
    }
    c->in = list;
    c->n_in = n;
    become_product(c, m);
}

gan_status gan_plan_fuse(gan_plan *plan, const gan_plan_options *options) {
    fusion f = {.g = plan->graph, .options = options};
    gan_status status = count_uses(&f);
    if (status == GAN_OK) status = find_loose(&f);
    if (status == GAN_OK) status = gan_plan_leave_sums(&f);
    if (status == GAN_OK) status = count_uses(&f);
    for (int id = 0; status == GAN_OK && id < f.g->n_nodes; id++) {
        gan_node *node = f.g->node[id];
        if (f.uses[id] == 0 || !is_float(node) || gan_plan_is_left(&f, node)) continue;
        if (node->op == GAN_OP_pointwise || converts_float(node) ||
            (gan_op_of(node)->flags & GAN_OP_PROLOGUE))
            absorb_operands(&f, node);
        if (node->op == GAN_OP_pack) absorb_gradients(&f, node);
        status = gan_graph_status(f.g);
    }
    if (status == GAN_OK) status = count_uses(&f);
    for (int id = 0; status == GAN_OK && id < f.g->n_nodes; id++) {
        if (f.uses[id] == 0 || gan_plan_is_left(&f, f.g->node[id])) continue;
        if (gan_plan_spread_product(&f, f.g->node[id]) || gan_plan_move_into_max(&f, f.g->node[id]))
            continue;
        if (f.g->node[id]->op == GAN_OP_pointwise) join_product(&f, f.g->node[id]);
        if (converts_float(f.g->node[id])) join_cast_product(&f, f.g->node[id]);
        status = gan_graph_status(f.g);
    }
    if (status == GAN_OK) status = count_uses(&f);
    for (int id = 0; status == GAN_OK && id < f.g->n_nodes; id++) {
        if (f.uses[id] > 0) gan_plan_pair(&f, f.g->node[id]);
        if (f.uses[id] > 0) gan_plan_multiply_outer(&f, f.g->node[id]);
        gan_plan_unpack(&f, f.g->node[id]);
        status = gan_graph_status(f.g);
    }
    free(f.uses);
    free(f.loose);
    free(f.left);
    return status;
}
