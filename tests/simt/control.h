/* What a test can set and ask of the machine that the harness pretends to be. Plain C. */
#ifndef SIMT_CONTROL_H
#define SIMT_CONTROL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Everything below as at the start, and faults forgotten: a new process to the runtime. Devices,
 * streams and memory must have been given back. */
void simt_reset(void);

void simt_set_devices(int count);   /* 1 at the start */
void simt_set_driver(int version);  /* as cudaDriverGetVersion() gives it; 0: none installed */
void simt_set_memory(size_t bytes); /* of each device; 1 GiB at the start */
void simt_set_cache(int bytes);     /* of the L2 of each; 50 MiB at the start */
void simt_set_code(int version);    /* what the build's was written for; 90 at the start */
void simt_set_architecture_known(int known); /* whether the build has code for the device */
void simt_set_cooperative(int possible);     /* whether the device takes cooperative launches */

/* The n-th kernel launch from now on (0: the next one to be executed) does something illegal: what
 * waits for it and all that follows fail. Negative: none does. */
void simt_fail_launch(long n);

/* The n-th cudaMalloc from now on finds no memory, whatever is left. Negative: none. */
void simt_fail_allocation(long n);

/* Graphs made executable from now on lack their n-th edge, counted by the nodes as captured and
 * what each comes after, and the node that it came from is left for last: what should be found
 * out. Negative: all have theirs. */
void simt_forget_edge(long n);

/* What cuDNN says of convolutions with operations behind them. */
typedef enum simt_fusion {
    SIMT_FUSION_WORKS,   /* as at the start */
    SIMT_FUSION_UNKNOWN, /* its heuristics refuse the graph */
    SIMT_FUSION_ONE,     /* they find no engine that writes two results */
    SIMT_FUSION_NONE,    /* they find no engine */
    SIMT_FUSION_FAILS,   /* no plan can be finalized */
    SIMT_FUSION_LACKS    /* nor can it, but for the lack of something else on the machine */
} simt_fusion;
void simt_set_fusion(simt_fusion answer);

/* What cuDNN says of its plans as texts. */
typedef enum simt_texts {
    SIMT_TEXTS_WORK,   /* as at the start */
    SIMT_TEXTS_ABSENT, /* it writes none */
    SIMT_TEXTS_REFUSED /* it takes none */
} simt_texts;
void simt_set_texts(simt_texts answer);

void simt_set_cudnn(size_t version);        /* as cudnnGetVersion() gives it */
void simt_set_cudnn_workspace(size_t more); /* bytes that its convolutions want beyond the usual */

/* How long its first (0) and second (1) engine that can be taken need, in milliseconds, for a
 * convolution alone and for one with operations behind it, beyond the 0.002 that everything takes;
 * 0 at the start. */
void simt_set_engine(int which, double alone, double fused);

typedef struct simt_counts {
    long kernels;     /* executed */
    long cooperative; /* of them, such whose blocks are there at once */
    long early;       /* and such that may have begun before what they come after had ended */
    long operations;  /* kernels, copies, fills, library calls: executed */
    long graph_launches;
    long edges,
        depth; /* of the graph made executable last: dependences; nodes of its longest chain */
    long synchronizations;         /* host waited */
    long rests;                    /* after which nothing was left for the stream to do */
    long allocations;              /* live, of device memory */
    long streams, graphs, handles; /* live: streams and events, graphs and their executables,
                                      library handles and descriptors */
    size_t bytes;                  /* live, of device memory */
    /* of cuDNN: */
    long searches; /* its heuristics were asked: for algorithms, for engines */
    long compiled; /* plans were made from an engine */
    long plans;    /* executed */
    long restored; /* plans were made from a text */
} simt_counts;
simt_counts simt_count(void);

#ifdef __cplusplus
}
#endif
#endif
