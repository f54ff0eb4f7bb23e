/* Joining: small calls that a device can run as one launch are put side by side.
 *
 * The large calls keep their order. A small one waits until a large one needs it, or needs its
 * variable to have been read or updated; then all small ones that can run without another large one
 * do, as one stage, in phases; but what no large call needs begins no phase. Calls of a phase run
 * one after the other where they depend on each other, as a chain, except that spread ones run
 * beside all others: nothing of their phase may come before or after them. A large call whose
 * result a later one goes on with may be of one stage with it, too, and that with a third, and a
 * sum with two that form it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/plan.h"

typedef struct joining {
    gan_plan *plan;
    const gan_plan_options *options;
    int n;
    gan_node **call; /* in the order before */
    gan_join *how;
    int *first, *before; /* call t comes after before[first[t]] … before[first[t + 1] - 1] */
    int *stage, *phase;  /* by call; stage -1: not yet */
    int *at;             /* by call: its place in the plan */
    int *chain;          /* by place */
    int *partner;        /* of a large call, the later one that it is a launch with; -1: none */
    bool *idle;          /* no large call waits for it */
    int n_stages, n_phases, n_done; /* phases: of the stage that is being made */
    int room;                       /* taken of it */
} joining;

/* ---- what comes before what ---- */

static bool is_effect(const gan_node *node) { return gan_op_of(node)->flags & GAN_OP_EFFECT; }

/* Of two calls that touch a variable, of which one writes it, the first stays first. */
static bool conflict(const gan_node *a, const gan_node *b) {
    return (is_effect(a) && gan_effect_touches(a, b)) || (is_effect(b) && gan_effect_touches(b, a));
}

static gan_status add(int **list, int *n, int *capacity, int x) {
    if (*n == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 256;
        int *more = realloc(*list, (size_t)*capacity * sizeof *more);
        if (!more) return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
        *list = more;
    }
    (*list)[(*n)++] = x;
    return GAN_OK;
}

static gan_status find_dependences(joining *j) {
    int count = 0, capacity = 0;
    int *place = malloc(((size_t)j->plan->graph->n_nodes + 1) * sizeof *place);
    if (!place) return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    gan_status status = GAN_OK;
    memset(place, 0xff, ((size_t)j->plan->graph->n_nodes + 1) * sizeof *place);
    for (int t = 0; t < j->n && status == GAN_OK; t++) {
        const gan_node *node = j->call[t];
        j->first[t] = count;
        for (int i = 0; i < node->n_in && status == GAN_OK; i++) {
            const int from = place[gan_node_base(node->in[i])->id];
            if (from >= 0) status = add(&j->before, &count, &capacity, from);
        }
        for (int s = 0; s < t && status == GAN_OK; s++)
            if ((is_effect(node) || is_effect(j->call[s])) && conflict(j->call[s], node))
                status = add(&j->before, &count, &capacity, s);
        place[node->id] = t;
    }
    j->first[j->n] = count;
    free(place);
    return status;
}

/* ---- stages ---- */

static void emit(joining *j, int t, int chain) {
    gan_plan *p = j->plan;
    j->at[t] = j->n_done;
    p->order[j->n_done] = j->call[t];
    p->stage[j->n_done] = j->stage[t] = j->n_stages;
    p->phase[j->n_done] = j->phase[t] = j->n_phases;
    j->chain[j->n_done++] = chain;
}

/* Whether s is of the phase that is being made. */
static bool is_beside(const joining *j, int s) {
    return j->stage[s] == j->n_stages && j->phase[s] == j->n_phases;
}

/* Whether t can be of that phase. */
static bool can_come_now(const joining *j, int t) {
    for (int k = j->first[t]; k < j->first[t + 1]; k++) {
        const int s = j->before[k];
        if (j->stage[s] < 0) return false;
        if (is_beside(j, s) && (j->how[t].spread || j->how[s].spread)) return false;
    }
    return true;
}

/* Of a call that is not spread: a new chain, or what the chains that it depends on become. A chain
 * goes by the place of one of its calls; the phase begins at place `begin`. */
static int chain_of(joining *j, int t, int begin) {
    int *chain = j->chain, own = j->n_done;
    for (int k = j->first[t]; k < j->first[t + 1]; k++) {
        const int s = j->before[k];
        if (!is_beside(j, s)) continue;
        const int other = chain[j->at[s]];
        if (own == j->n_done) own = other;
        for (int i = begin; i < j->n_done; i++)
            if (chain[i] == other) chain[i] = own;
    }
    return own;
}

static void number_chains(joining *j, int begin) {
    int n = 0;
    for (int i = begin; i < j->n_done; i++)
        if (j->chain[i] == i) j->plan->chain[i] = n++;
    for (int i = begin; i < j->n_done; i++)
        j->plan->chain[i] = j->chain[i] < 0 ? -1 : j->plan->chain[j->chain[i]];
}

/* All that can come, as far as there is room; whether there was. */
static bool emit_phase(joining *j) {
    const int begin = j->n_done;
    bool fits = true;
    for (int t = 0; t < j->n; t++) {
        if (j->stage[t] >= 0 || j->how[t].room == 0 || !can_come_now(j, t)) continue;
        fits = j->room + j->how[t].room <= j->options->join_room;
        if (!fits) break;
        j->room += j->how[t].room;
        emit(j, t, j->how[t].spread ? -1 : chain_of(j, t, begin));
    }
    number_chains(j, begin);
    j->n_phases++;
    return fits;
}

/* Whether a small call that large ones wait for is left, or, with `now`, one that can come now. */
static bool is_awaited(const joining *j, bool now) {
    for (int t = 0; t < j->n; t++)
        if (j->stage[t] < 0 && j->how[t].room > 0 && !j->idle[t] && (!now || can_come_now(j, t)))
            return true;
    return false;
}

/* Whether another phase of the stage is worth its barrier: what no large call waits for, such as
 * a counter that moves on, comes beside others in a later stage, if there is one. */
static bool is_worth_a_phase(const joining *j) {
    return j->n_phases == 0 || is_awaited(j, true) || !is_awaited(j, false);
}

static void end_stage(joining *j) {
    j->n_stages++;
    j->n_phases = 0;
    j->room = 0;
}

/* False when none can come. */
static bool emit_small(joining *j) {
    const int done = j->n_done;
    for (int begin = -1; j->n_done > begin && j->n_done < j->n && is_worth_a_phase(j);) {
        begin = j->n_done;
        if (!emit_phase(j)) break;
    }
    if (j->n_done == done) {
        j->n_phases = 0;
        return false;
    }
    end_stage(j);
    return true;
}

/* Whether s is t, its partner, or the partner of that. */
static bool is_with(const joining *j, int t, int s) {
    while (t >= 0 && t != s) t = j->partner[t];
    return t == s;
}

/* Whether t waits for others than `with` and its partners. */
static bool waits(const joining *j, int t, int with) {
    for (int k = j->first[t]; k < j->first[t + 1]; k++)
        if (j->stage[j->before[k]] < 0 && !is_with(j, with, j->before[k])) return true;
    return false;
}

static bool partners_wait(const joining *j, int t) {
    for (int u = j->partner[t]; u >= 0; u = j->partner[u])
        if (waits(j, u, t)) return true;
    return false;
}

/* With its partners, where nothing between them has to come before those. */
static void emit_large(joining *j, int t) {
    while (waits(j, t, t)) emit_small(j);
    while (partners_wait(j, t) && is_awaited(j, true)) emit_small(j);
    const bool alone = partners_wait(j, t);
    emit(j, t, j->n_done);
    for (int u = j->partner[t]; u >= 0 && !alone; u = j->partner[u]) emit(j, u, j->n_done);
    end_stage(j);
}

static void find_idle(joining *j) {
    for (int t = 0; t < j->n; t++) j->idle[t] = j->how[t].room > 0;
    for (int t = j->n - 1; t >= 0; t--)
        for (int k = j->first[t]; k < j->first[t + 1] && !j->idle[t]; k++)
            j->idle[j->before[k]] = false;
}

static void arrange(joining *j) {
    for (int t = 0; t < j->n; t++)
        if (j->how[t].room == 0 && j->stage[t] < 0) emit_large(j, t);
    while (j->n_done < j->n) emit_small(j);
}

/* Whether a call is of one launch with an earlier one. */
static bool is_taken(const joining *j, int t) {
    for (int s = 0; s < t; s++)
        if (j->partner[s] == t) return true;
    return false;
}

/* The later one of two comes where the earlier one is; however small, it costs nothing there. */
static bool pair_up(joining *j, int t, int u) {
    const gan_plan_options *o = j->options;
    const int early = t < u ? t : u, late = t < u ? u : t;
    if (j->partner[early] >= 0 || !o->pairs(o->context, j->call[t], j->call[u])) return false;
    j->partner[early] = late;
    j->how[u].room = 0;
    return true;
}

static void find_partners(joining *j) {
    const gan_plan_options *o = j->options;
    for (int t = 0; t < j->n; t++) j->partner[t] = -1;
    for (int t = 0; t < j->n && o->pairs; t++) {
        bool found = j->how[t].room > 0;
        for (int u = t + 1; u < j->n && !found; u++) found = pair_up(j, t, u);
        for (int u = t - 1; u >= 0 && !found; u--) found = j->how[u].room > 0 && pair_up(j, t, u);
    }
    for (int t = 0; t < j->n; t++)
        for (int u = t + 1; u < j->n && j->call[t]->op == GAN_OP_pointwise; u++)
            if (j->partner[u] >= 0 && gan_plan_is_formed(o, j->call[t], j->call[u]) &&
                !is_taken(j, t)) {
                j->partner[t] = u;
                j->how[t].room = 0;
                break;
            }
}

gan_status gan_plan_join(gan_plan *plan, const gan_plan_options *options) {
    const size_t n = (size_t)plan->n_launches;
    plan->stage = malloc((n + 1) * sizeof *plan->stage);
    plan->phase = calloc(n + 1, sizeof *plan->phase);
    plan->chain = calloc(n + 1, sizeof *plan->chain);
    if (!plan->stage || !plan->phase || !plan->chain)
        return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    for (size_t t = 0; t < n; t++) plan->stage[t] = (int)t;
    if (!options->joins) return GAN_OK;
    joining j = {.plan = plan,
                 .options = options,
                 .n = plan->n_launches,
                 .call = malloc((n + 1) * sizeof *j.call),
                 .how = calloc(n + 1, sizeof *j.how),
                 .first = malloc((n + 1) * sizeof *j.first),
                 .stage = malloc((n + 1) * sizeof *j.stage),
                 .phase = calloc(n + 1, sizeof *j.phase),
                 .at = calloc(n + 1, sizeof *j.at),
                 .chain = calloc(n + 1, sizeof *j.chain),
                 .partner = malloc((n + 1) * sizeof *j.partner),
                 .idle = malloc((n + 1) * sizeof *j.idle)};
    gan_status status =
        j.call && j.how && j.first && j.stage && j.phase && j.at && j.chain && j.partner && j.idle
            ? GAN_OK
            : gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    if (status == GAN_OK) {
        memcpy(j.call, plan->order, n * sizeof *j.call);
        for (size_t t = 0; t < n; t++) {
            j.stage[t] = -1;
            j.how[t] = options->joins(options->context, j.call[t]);
            if (j.how[t].room > options->join_room) j.how[t].room = 0;
        }
        status = find_dependences(&j);
    }
    if (status == GAN_OK) {
        find_partners(&j);
        find_idle(&j);
        arrange(&j);
    }
    free(j.call);
    free(j.how);
    free(j.first);
    free(j.before);
    free(j.stage);
    free(j.phase);
    free(j.at);
    free(j.chain);
    free(j.partner);
    free(j.idle);
    return status;
}
