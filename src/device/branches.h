/* Which launches of a program have to wait for which, so that a device may run the others side by
 * side.
 *
 * A step is a call, or calls that are one launch. It waits for an earlier one where both touch the
 * same bytes and one of them writes: values at the places the plan gave them, which reuse memory,
 * and variables. What a library or kernel keeps for itself while it runs (workspaces, counters) is
 * there once a lane: steps of a lane wait for each other. Iterations follow each other by the same
 * rules. Of what is thus known, only what does not follow from the rest is kept.
 */
#ifndef GANC_DEVICE_BRANCHES_H
#define GANC_DEVICE_BRANCHES_H

#include "device/backend.h"

struct gan_branches {
    int n;       /* steps */
    int *call;   /* the first call of each; n + 1 of them */
    int *first;  /* step t waits for before[first[t]] … before[first[t + 1] - 1]: */
    int *before; /* step b - n of its own iteration, or for b < n step b of the one before */
    int *lane;   /* of each step; -1: it needs none */
};

/* Of prepared calls that are joined, with the places of their plan; `lanes` ≥ 1. Sets call->lane.
 */
gan_status gan_branches_create(gan_branches **out, const gan_plan *plan, int n_calls,
                               gan_call *calls, int lanes);
void gan_branches_destroy(gan_branches *branches);

/* The most launches, step t being launches[t] of them, that come one after the other: of an
 * iteration among many, rounded up. */
int gan_branches_depth(const gan_branches *branches, const int *launches);

#endif
