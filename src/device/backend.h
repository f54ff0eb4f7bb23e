/* The backend interface: what a kind of device brings.
 *
 * A backend is one table of kernels indexed by op and a few functions. A program is run as a list
 * of calls; a device may record them (CUDA: one captured graph) and replay the record. Run
 * functions allocate nothing, synchronise nothing and read no device value on the host.
 *
 * Life of a kernel's call: at compile time prepare() sees the node and the operands' shapes (data
 * pointers still NULL), says how much workspace it wants and may build a state; then addresses are
 * filled in; then run() is called for every replay, or once under capture; at the end release()
 * frees the state.
 */
#ifndef GANC_DEVICE_BACKEND_H
#define GANC_DEVICE_BACKEND_H

#include "ganc/device.h"
#include "graph/plan.h"

typedef struct gan_backend gan_backend;
typedef struct gan_download gan_download;
typedef struct gan_branches gan_branches; /* device/branches.h */

/* Every backend's device begins with this. */
struct gan_device {
    const gan_backend *backend;
    int index;
    uint64_t seed;  /* of the program being prepared: noise and shuffles take it in prepare() */
    int threads;    /* CPU: how many threads; 1 elsewhere */
    bool branches;  /* programs are to be recorded with their launches side by side */
    bool phases;    /* of joined calls are of one launch, else each is one */
    bool plan_only; /* nothing is open: kernels are prepared as far as shapes decide, never run */
    gan_direct direct; /* CUDA: as opened */
};

/* A dense row-major array. */
typedef struct gan_array {
    void *data;
    gan_dtype dtype;
    gan_shape shape;
} gan_array;

typedef struct gan_call {
    const gan_node *node; /* op, attributes, program */
    int n_in;
    gan_array *in;    /* effects write the first gan_op_writes(node) of them */
    gan_array out;    /* data NULL for effects */
    int joined;       /* calls from here on that are one launch; 0 inside such a run */
    int phase, chain; /* of a joined one: as the plan says */
    uint64_t seed;    /* of the store, for random, shuffled_index and minibatch */
    size_t
        workspace_bytes; /* set by prepare(); shared between calls, so its contents do not last */
    void *workspace;
    bool scratch; /* set by prepare(): run() uses memory that the device has once a lane */
    bool passed; /* its result has no place: its launch goes on with it, and nobody else reads it */
    bool gathers; /* its launch waits until all of it is on the device: there is only one such at a
                     time */
    int lane;     /* whose memory that is, and the workspace */
    void *state;  /* prepare()'s own */
} gan_call;

typedef struct gan_kernel {
    gan_status (*run)(gan_device *device, const gan_call *call);
    gan_status (*prepare)(gan_device *device, gan_call *call); /* may be NULL */
    void (*release)(gan_device *device, gan_call *call);       /* may be NULL */
} gan_kernel;

struct gan_backend {
    const char *name; /* "cpu", "cuda" */

    /* How many devices of this kind can be used now; 0 with the reason as the thread's message. */
    int (*count)(void);
    gan_status (*describe)(int index, gan_device_info *info);
    /* With options->plan_only: no device is looked for. */
    gan_status (*open)(gan_device **out, int index, const gan_device_options *options);
    void (*close)(gan_device *device);

    gan_status (*allocate)(gan_device *device, void **out, size_t bytes);
    void (*free)(gan_device *device, void *data);
    gan_status (*free_memory)(gan_device *device, size_t *bytes); /* what can still be allocated */
    gan_status (*zero)(gan_device *device, void *data, size_t bytes);
    /* Host <-> device; in order with runs; on return the host memory may be reused. */
    gan_status (*upload)(gan_device *device, void *to, const void *from, size_t bytes);
    gan_status (*download)(gan_device *device, void *to, const void *from, size_t bytes);
    /* Downloads that the host does not wait for (device/download.h); NULL, all three, on a device
     * that has done a run when it returns from it. release gives back what begin made, in whatever
     * state the device is. */
    gan_status (*begin_download)(gan_device *device, gan_download *download, const void *from,
                                 size_t bytes);
    gan_status (*end_download)(gan_device *device, gan_download *download);
    void (*release_download)(gan_device *device, gan_download *download);
    gan_status (*synchronize)(gan_device *device);

    /* Makes `calls` replayable `unroll` iterations at a time; *record may stay NULL (the calls are
     * then run one by one). With `branches`, which may be NULL, calls need only wait for those that
     * they say. replay runs the record once. */
    gan_status (*record)(gan_device *device, int n_calls, const gan_call *calls,
                         const gan_branches *branches, int unroll, void **record);
    gan_status (*replay)(gan_device *device, void *record);
    void (*release_record)(gan_device *device, void *record);
    int lanes; /* with branches: for how many calls at a time there is scratch memory */

    /* Which calls can be of one launch with others, how much room that has, and that launch; NULL:
     * none. Calls are run in their order, each seeing what those of phases before have done, and
     * those of its chain before it. */
    gan_join (*joins)(const gan_node *node);
    int join_room;
    /* Whether a call that is no such task is of one launch with another, a later one, be that one or
     * not, or an earlier one that is; run_joined gets both in their order, and a third that the
     * second is so with. NULL: none. */
    bool (*pairs)(const gan_device *device, const gan_node *first, const gan_node *second);
    /* What calls that are one launch, one or a pair, take of a launch's room as a phase between
     * joined ones; 0: they are none. run_joined gets them in their order. NULL: none are. */
    int (*phase)(const gan_device *device, int n, gan_node *const *calls);
    /* Whether a sum is of one launch with the pair that begins with its moments, which forms it;
     * run_joined gets all three. NULL: none. */
    bool (*forms)(const gan_node *sum, const gan_node *moments);
    gan_status (*run_joined)(gan_device *device, int n, const gan_call *calls);

    /* Corrects what the node of a prepared call costs by what this device does: launches, values
     * that go to memory in between. May be NULL. */
    void (*cost)(const gan_device *device, const gan_call *call, gan_cost *cost);

    const gan_kernel *const *kernel; /* by op, GAN_OP_COUNT of them; NULL: no kernel for this op */

    /* Whether the op's kernel takes the types of this node, f32 and bf16 being mixed as they are in
     * its operands, those of its program among them, and its result. Where it does not, the plan
     * goes through f32. Every kernel takes f32 alone. */
    bool (*takes)(const gan_node *node);
};

/* Runs prepared calls in their order, joined ones together. */
gan_status gan_calls_run(gan_device *device, int n, const gan_call *calls);

/* The device table; the only place that knows which backends a build has. */
extern const gan_backend *const gan_backends[];
extern const int gan_backend_count;

#endif
