/* Programs, and what the tests may do to them. */
#ifndef GANC_DEVICE_PROGRAM_H
#define GANC_DEVICE_PROGRAM_H

#include "device/branches.h"
#include "graph/plan.h"

struct gan_program {
    const gan_graph *source;
    gan_device *device;
    gan_plan *plan;
    gan_call *call;
    int n_calls, n_refresh;
    gan_call *refresh;      /* of plan->refresh */
    gan_branches *branches; /* NULL: one after the other */
    size_t workspace_bytes; /* of all lanes */
    size_t lane_bytes;      /* of one */
    void *arena, *workspace;
    bool loaded;
    void *record, *record_many; /* one iteration, and, once that is asked for, `unroll` of them */
    int unroll;
};

/* gan_program_read() that does not wait: queued behind the runs so far; gan_download_end() waits.
 */
gan_status gan_program_begin_read(gan_program *program, const gan_node *output,
                                  gan_download *download);

/* gan_compile() with a plan in which no bytes are shared, so that gaps can be checked, and no calls
 * are joined. */
gan_status gan_compile_apart(gan_program **out, gan_graph *graph, gan_device *device);

/* The same, with calls joined. */
gan_status gan_compile_apart_joined(gan_program **out, gan_graph *graph, gan_device *device);

/* Fills the whole arena and workspace of a loaded program with 0xff bytes (NaN for f32, -1 for
 * i32). Inputs must be written again. */
gan_status gan_program_poison(gan_program *program);

/* Whether the gaps between the values of a poisoned program compiled apart are still 0xff. */
gan_status gan_program_sentinels_intact(gan_program *program, bool *intact);

#endif
