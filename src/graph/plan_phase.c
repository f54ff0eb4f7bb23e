/* Phases: launches that come directly behind each other become one, where the device can run a
 * large call, or a pair, as a phase between joined calls: D's head lies between two batch norms,
 * and before G's first one are noise and a product. Each launch that is saved is a barrier of the
 * device's, which costs less. A large call by itself only joins a pair beside it, as far as it goes
 * there: by itself it loses what the library knows of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/plan.h"

typedef struct stage {
    int begin, calls;
    int room;          /* what it takes of a launch's; 0: it is a launch by itself */
    bool small, large; /* of joined calls; a single call that can be a phase */
} stage;

typedef struct phasing {
    gan_plan *plan;
    const gan_plan_options *options;
    stage *stage;
    int n;
} phasing;

/* ---- stages ---- */

static int small_room(const phasing *p, const stage *s) {
    int room = 0;
    for (int i = s->begin; i < s->begin + s->calls; i++) {
        const int more = p->options->joins(p->options->context, p->plan->order[i]).room;
        if (more == 0 || more > p->options->join_room) return 0;
        room += more;
    }
    return room;
}

static void find_stages(phasing *p) {
    const gan_plan *plan = p->plan;
    for (int i = 0; i < plan->n_launches; i++) {
        if (i > 0 && plan->stage[i] == plan->stage[i - 1])
            p->stage[p->n - 1].calls++;
        else
            p->stage[p->n++] = (stage){.begin = i, .calls = 1};
    }
    for (int i = 0; i < p->n; i++) {
        stage *s = &p->stage[i];
        s->room = small_room(p, s);
        s->small = s->room > 0;
        if (s->small) continue;
        s->room = p->options->phase(p->options->context, s->calls, &plan->order[s->begin]);
        s->large = s->room > 0 && s->calls == 1;
    }
}

static bool is_pair(const phasing *p, int i) {
    return i >= 0 && i < p->n && p->stage[i].room > 0 && !p->stage[i].small && !p->stage[i].large;
}

/* ---- large calls move up to a pair ---- */

/* Whether stage i has to come before `call`; an effect may change what that reads. */
static bool holds_back(const phasing *p, int i, const gan_node *call) {
    for (int k = p->stage[i].begin; k < p->stage[i].begin + p->stage[i].calls; k++) {
        const gan_node *node = p->plan->order[k];
        if (gan_op_of(node)->flags & GAN_OP_EFFECT) return true;
        for (int j = 0; j < call->n_in; j++)
            if (gan_node_base(call->in[j]) == node) return true;
    }
    return false;
}

/* The nearest pair that stage i, of one call, can come directly behind; -1: none. */
static int pair_before(const phasing *p, int i) {
    const gan_node *call = p->plan->order[p->stage[i].begin];
    for (int k = i - 1; k >= 0; k--) {
        if (is_pair(p, k)) return k;
        if (holds_back(p, k, call)) break;
    }
    return -1;
}

/* Stage i, of one call, comes directly behind stage `to`. */
static void move_up(phasing *p, int i, int to) {
    gan_plan *plan = p->plan;
    const stage moved = p->stage[i];
    const int from = moved.begin, begin = p->stage[to].begin + p->stage[to].calls;
    gan_node *const call = plan->order[from];
    const size_t n = (size_t)(from - begin);
    memmove(&plan->order[begin + 1], &plan->order[begin], n * sizeof *plan->order);
    memmove(&plan->phase[begin + 1], &plan->phase[begin], n * sizeof *plan->phase);
    memmove(&plan->chain[begin + 1], &plan->chain[begin], n * sizeof *plan->chain);
    plan->order[begin] = call;
    plan->phase[begin] = plan->chain[begin] = 0;
    for (int k = i; k > to + 1; k--) {
        p->stage[k] = p->stage[k - 1];
        p->stage[k].begin++;
    }
    p->stage[to + 1] = moved;
    p->stage[to + 1].begin = begin;
}

static void move_large(phasing *p) {
    for (int i = 0; i < p->n; i++) {
        if (!p->stage[i].large || is_pair(p, i + 1)) continue;
        const int to = pair_before(p, i);
        if (to >= 0 && to < i - 1) move_up(p, i, to);
    }
}

/* ---- stages become phases ---- */

static bool can_join(const phasing *p, int i) {
    return p->stage[i].room > 0 && (!p->stage[i].large || is_pair(p, i - 1) || is_pair(p, i + 1));
}

/* One behind the last of those from i on that become one launch. */
static int end_of_run(const phasing *p, int i) {
    int end = i, room = 0;
    bool pair = false;
    for (; end < p->n && can_join(p, end); end++) {
        room += p->stage[end].room;
        if (room > p->options->join_room) break;
        pair = pair || is_pair(p, end);
    }
    return pair ? end : i + 1;
}

static void join_stages(phasing *p) {
    gan_plan *plan = p->plan;
    int number = 0;
    for (int i = 0, end; i < p->n; i = end, number++) {
        end = end_of_run(p, i);
        int phases = 0;
        for (int k = i; k < end; k++) {
            const stage *s = &p->stage[k];
            const int before = phases;
            for (int t = s->begin; t < s->begin + s->calls; t++) {
                plan->stage[t] = number;
                plan->phase[t] += before;
                phases = plan->phase[t] + 1;
            }
        }
    }
}

gan_status gan_plan_phase(gan_plan *plan, const gan_plan_options *options) {
    if (!options->joins || !options->phase) return GAN_OK;
    phasing p = {.plan = plan,
                 .options = options,
                 .stage = malloc(((size_t)plan->n_launches + 1) * sizeof *p.stage)};
    if (!p.stage) return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    find_stages(&p);
    move_large(&p);
    join_stages(&p);
    free(p.stage);
    return GAN_OK;
}
