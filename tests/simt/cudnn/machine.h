/* cuDNN itself, asked for plans for GPUs that are not there (NVIDIA cuDNN, deviceless ahead-of-time
 * compilation): it takes a GPU's properties in place of a handle. */
#ifndef SIMT_CUDNN_MACHINE_H
#define SIMT_CUDNN_MACHINE_H

#include <stdbool.h>

typedef struct gpu {
    const char *name;
    int capability; /* 900: 9.0 */
    int processors, clock_khz, memory_clock_khz;
    int shared_bytes; /* of a block, at most */
    int threads;      /* of a processor */
    int l2_mib, memory_gib;
} gpu;

/* What it was asked and said since gpu_take(). */
typedef struct gpu_answers {
    int searches;   /* its heuristics were asked */
    int plans;      /* made from an engine */
    int restored;   /* made from a text */
    int compiled;   /* of the plans: with a kernel for this problem */
    int elder;      /* of the compiled: written for tensor cores of an earlier generation */
    int algorithms; /* the older functions were asked */
} gpu_answers;
extern gpu_answers gpu_said;

/* Opens the library, or exits with 1; false, with the reason printed, where it is too old. */
bool gpu_open(const char *driver, const char *library);

/* From now on the device under test asks it, for this GPU. */
void gpu_take(const gpu *g);

/* From now on it asks the stand-in again. */
void gpu_give_back(void);

#endif
