#include "device/branches.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "graph/store.h"

/* Bytes that a step reads or writes. */
typedef struct range {
    const void *space; /* the plan, for its arena, or an arena of variables */
    size_t begin, end;
    bool written;
} range;

/* Two iterations are looked at: step t of the second one is step n + t. */
typedef struct search {
    gan_branches *b;
    range *range; /* those of step t: from from[t] up to but not including from[t + 1] */
    int *from;
    uint64_t *past; /* of step t, from past[t * words]: a bit for each step it comes after */
    size_t words;
    int *found, n_found; /* what the step at hand waits for */
    int *last;           /* by lane, the step that had it last; -1: none */
    int lanes;
} search;

/* ---- what steps touch ---- */

static range range_of(const gan_plan *plan, const gan_node *node, bool written) {
    const gan_place *p = &plan->place[node->id];
    const size_t bytes = gan_node_bytes(node);
    switch (p->kind) {
    case GAN_PLACE_ARENA:
        return (range){plan, p->offset, p->offset + bytes, written};
    case GAN_PLACE_VARIABLE:
        return (range){p->variable->arena, p->variable->offset + p->offset,
                       p->variable->offset + p->offset + bytes, written};
    default:
        return (range){NULL, 0, 0, written};
    }
}

static int add_ranges(range *to, const gan_plan *plan, const gan_node *node) {
    int n = 0;
    for (int i = 0; i < node->n_in; i++)
        to[n++] = range_of(plan, node->in[i],
                           i < gan_op_writes(node) || node->in[i] == gan_op_copy(node));
    to[n++] = range_of(plan, node, true);
    return n;
}

static bool overlap(const range *x, const range *y) {
    return x->space == y->space && x->begin < y->end && y->begin < x->end &&
           (x->written || y->written);
}

static bool conflict(const search *s, int a, int b) {
    a %= s->b->n, b %= s->b->n;
    if (s->b->lane[a] >= 0 && s->b->lane[a] == s->b->lane[b]) return true;
    for (int i = s->from[a]; i < s->from[a + 1]; i++)
        for (int j = s->from[b]; j < s->from[b + 1]; j++)
            if (overlap(&s->range[i], &s->range[j])) return true;
    return false;
}

/* ---- what they wait for ---- */

static uint64_t *past_of(const search *s, int t) { return s->past + (size_t)t * s->words; }

static bool is_past(const search *s, int t, int step) {
    return past_of(s, t)[step / 64] >> (step % 64) & 1u;
}

/* From the latest on: what an earlier one that is found comes after, is found with it. */
static void find(search *s, int t) {
    uint64_t *past = past_of(s, t);
    for (size_t w = 0; w < s->words; w++) past[w] = 0;
    s->n_found = 0;
    for (int e = t - 1; e >= 0; e--) {
        if (is_past(s, t, e) || !conflict(s, e, t)) continue;
        s->found[s->n_found++] = e;
        for (size_t w = 0; w < s->words; w++) past[w] |= past_of(s, e)[w];
        past[e / 64] |= (uint64_t)1 << (e % 64);
    }
}

/* A lane whose last user comes before in any case, of those the one used last; else the one that
 * was left longest ago. */
static int choose_lane(const search *s, int t) {
    int best = -1, oldest = 0;
    for (int i = 0; i < s->lanes; i++) {
        const int user = s->last[i];
        if (user < s->last[oldest]) oldest = i;
        if (user >= 0 && is_past(s, t, user) && (best < 0 || user > s->last[best])) best = i;
    }
    return best >= 0 ? best : oldest;
}

static gan_status keep_found(search *s, int t, size_t *capacity) {
    gan_branches *b = s->b;
    const size_t wanted = (size_t)b->first[t] + (size_t)s->n_found;
    if (wanted > *capacity) {
        *capacity = 2 * wanted;
        int *more = realloc(b->before, *capacity * sizeof *more);
        if (!more) return gan_fail(GAN_ERROR_MEMORY, "branches: out of memory");
        b->before = more;
    }
    for (int i = 0; i < s->n_found; i++) b->before[b->first[t] + i] = s->found[i];
    b->first[t + 1] = b->first[t] + s->n_found;
    return GAN_OK;
}

/* Launches that gather have one, so that they wait for each other: two that were on the device in
 * part would wait for ever. */
static gan_status find_all(search *s, const bool *uses_lane, const bool *gathers) {
    gan_branches *b = s->b;
    size_t capacity = 0;
    for (int t = 0; t < b->n; t++) {
        find(s, t);
        if (!uses_lane[t]) continue;
        const int lane = gathers[t] ? 0 : choose_lane(s, t);
        b->lane[t] = lane;
        s->last[lane] = t;
        find(s, t);
    }
    for (int t = 0; t < b->n; t++) {
        find(s, b->n + t);
        GAN_TRY(keep_found(s, t, &capacity));
    }
    return GAN_OK;
}

/* ---- a program ---- */

static gan_status search_open(search *s, int n_calls, const gan_call *calls, int lanes) {
    const size_t n = (size_t)n_calls + 1;
    size_t n_ranges = 0;
    for (int i = 0; i < n_calls; i++) n_ranges += (size_t)calls[i].n_in + 1;
    gan_branches *b = s->b;
    b->call = malloc(n * sizeof *b->call);
    b->first = calloc(n, sizeof *b->first);
    b->lane = malloc(n * sizeof *b->lane);
    s->lanes = lanes;
    s->words = 2 * n / 64 + 1;
    s->range = malloc((n_ranges + 1) * sizeof *s->range);
    s->from = malloc(n * sizeof *s->from);
    s->past = malloc(2 * n * s->words * sizeof *s->past);
    s->found = malloc(2 * n * sizeof *s->found);
    s->last = malloc((size_t)lanes * sizeof *s->last);
    if (!b->call || !b->first || !b->lane || !s->range || !s->from || !s->past || !s->found ||
        !s->last)
        return gan_fail(GAN_ERROR_MEMORY, "branches: out of memory");
    for (int i = 0; i < lanes; i++) s->last[i] = -1;
    return GAN_OK;
}

static gan_status search_run(search *s, const gan_plan *plan, int n_calls, gan_call *calls) {
    gan_branches *b = s->b;
    bool *uses_lane = calloc(2 * ((size_t)n_calls + 1), sizeof *uses_lane);
    if (!uses_lane) return gan_fail(GAN_ERROR_MEMORY, "branches: out of memory");
    bool *gathers = uses_lane + n_calls + 1;
    int n_ranges = 0;
    for (int i = 0; i < n_calls; i += calls[i].joined) {
        const int t = b->n++;
        b->call[t] = i;
        b->lane[t] = -1;
        s->from[t] = n_ranges;
        for (int k = 0; k < calls[i].joined; k++)
            n_ranges += add_ranges(s->range + n_ranges, plan, calls[i + k].node);
        for (int k = 0; k < calls[i].joined; k++) {
            const gan_call *call = &calls[i + k];
            gathers[t] = gathers[t] || call->gathers;
            uses_lane[t] =
                uses_lane[t] || call->gathers || call->scratch || call->workspace_bytes > 0;
        }
    }
    b->call[b->n] = n_calls;
    s->from[b->n] = n_ranges;
    const gan_status status = find_all(s, uses_lane, gathers);
    for (int t = 0; t < b->n; t++)
        for (int i = b->call[t]; i < b->call[t + 1]; i++)
            calls[i].lane = b->lane[t] > 0 ? b->lane[t] : 0;
    free(uses_lane);
    return status;
}

gan_status gan_branches_create(gan_branches **out, const gan_plan *plan, int n_calls,
                               gan_call *calls, int lanes) {
    *out = NULL;
    search s = {.b = calloc(1, sizeof *s.b)};
    if (!s.b) return gan_fail(GAN_ERROR_MEMORY, "branches: out of memory");
    gan_status status = search_open(&s, n_calls, calls, lanes);
    if (status == GAN_OK) status = search_run(&s, plan, n_calls, calls);
    free(s.range);
    free(s.from);
    free(s.past);
    free(s.found);
    free(s.last);
    if (status != GAN_OK) {
        gan_branches_destroy(s.b);
        return status;
    }
    *out = s.b;
    return GAN_OK;
}

void gan_branches_destroy(gan_branches *b) {
    if (!b) return;
    free(b->call);
    free(b->first);
    free(b->before);
    free(b->lane);
    free(b);
}

int gan_branches_depth(const gan_branches *b, const int *launches) {
    enum { ITERATIONS = 16 };
    int longest = 0;
    int *end = calloc(2 * (size_t)b->n + 1, sizeof *end); /* of the iteration before, and this */
    if (!end) return 0;
    for (int u = 0; u < ITERATIONS; u++) {
        for (int t = 0; t < b->n; t++) end[t] = end[b->n + t];
        for (int t = 0; t < b->n; t++) {
            int start = 0;
            for (int k = b->first[t]; k < b->first[t + 1]; k++)
                if (end[b->before[k]] > start) start = end[b->before[k]];
            end[b->n + t] = start + launches[t];
            if (end[b->n + t] > longest) longest = end[b->n + t];
        }
    }
    free(end);
    return (longest + ITERATIONS - 1) / ITERATIONS;
}
