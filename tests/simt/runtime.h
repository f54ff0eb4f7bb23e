/* The CUDA runtime that the harness stands in for: what its files share.
 *
 * Work is queued on streams and done as late as CUDA allows: when something waits for it. So a host
 * that forgets to wait reads what was there before.
 */
#pragma once

#include <cuda_runtime_api.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control.h"

namespace simt {

/* One at a time; taken by every entry. */
struct runtime_lock {
    std::lock_guard<std::recursive_mutex> held;
    runtime_lock();
};

struct settings {
    int devices = 1;
    int driver = CUDART_VERSION;
    size_t memory = size_t(1) << 30;
    int cache = 50 << 20, code = 90;
    bool architecture_known = true, cooperative = true;
    long fail_launch = -1, fail_allocation = -1, forget_edge = -1;
    simt_fusion fusion = SIMT_FUSION_WORKS;
    simt_texts texts = SIMT_TEXTS_WORK;
    size_t cudnn = 0, cudnn_workspace = 0; /* version (0: of the headers), additional bytes */
    struct {
        double alone = 0, fused = 0; /* milliseconds */
    } engine[2];
};
extern settings machine;
extern simt_counts counts;
extern double spent; /* milliseconds by the operation that runs, so far */

/* ---- errors (error.cpp) ---- */

/* Keeps an error for cudaGetLastError(); says why on stderr when there is a reason beyond its name.
 */
cudaError_t refuse(cudaError_t error, const char *format = nullptr, ...)
    __attribute__((format(printf, 2, 3)));

/* Work on the device failed: every call from now on says so. */
void fault(cudaError_t error);

/* The fault, or that there is no usable driver or device, or success. */
cudaError_t usable();

#define SIMT_ENTRY                                                                                 \
    simt::runtime_lock lock_;                                                                      \
    if (const cudaError_t unusable_ = simt::usable()) return unusable_

/* ---- memory (memory.cpp) ---- */

enum class place { device, pinned };

struct allocation {
    char *data;
    size_t bytes;
    place where;
    int device;
    char *map = nullptr; /* pages around it */
    size_t map_bytes = 0;
};

/* The allocation that holds [data, data + bytes) whole, or NULL. `touching`: or a part of it. */
const allocation *find_allocation(const void *data, size_t bytes, bool touching = false);

/* While one lives, a device's memory can be accessed; otherwise a host that does is caught. */
class device_access {
    int device_;

  public:
    explicit device_access(int device);
    ~device_access();
};

/* Ends the program when something wrote just outside an allocation. */
void check_surroundings();

/* Copies without telling the sanitizers: gaps between values may be copied too. */
void copy_bytes(void *to, const void *from, size_t bytes);

/* Ends the program unless [data, data + bytes) is memory of `device`. */
void expect_device_memory(const char *what, const void *data, size_t bytes, int device);

/* ---- streams (stream.cpp) ---- */

struct operation {
    std::string name;
    std::function<void()> run;
    bool kernel = false, cooperative = false; /* of ours */
};

/* Takes an operation for later, or into the graph that the stream captures. */
cudaError_t submit(cudaStream_t stream, operation what);
void capture(CUstream_st *stream, operation what);

/* Does what a stream has queued, or what every stream of a device has. */
void finish(cudaStream_t stream);
void finish_device(int device);

/* An error when the calling thread captures, which this call then spoils. */
cudaError_t forbidden_in_capture(const char *call);

const void *this_thread(); /* tells threads apart */
int current_device();
/* Of a cooperative launch: blocks of so many threads and, beside what the kernel declares, bytes of
 * shared memory. Of any, such bytes. */
size_t most_resident(size_t threads, size_t shared);
size_t most_shared(const void *kernel);
int device_of(cudaStream_t stream);

/* Runs one operation, a graph's too. */
void perform(const operation &what);

} // namespace simt

struct CUgraphNode_st {
    simt::operation what;
    std::vector<size_t> after; /* nodes of the same graph, captured before */
    size_t number;
    bool early = false; /* it may begin while what it comes after runs */
};

struct CUgraph_st {
    std::vector<std::shared_ptr<const CUgraphNode_st>> nodes; /* as captured */
    size_t late = SIZE_MAX; /* the one that an edge was forgotten of: comes when nothing else can */
};

struct CUstream_st {
    int device = 0;
    std::deque<simt::operation> queue;
    std::unique_ptr<CUgraph_st> capture; /* NULL: not capturing */
    std::vector<cudaGraphNode_t> tail;   /* what the next node comes after */
    bool early = false;                  /* and whether before that has ended */
    bool spoilt = false;                 /* the capture */
    const void *captured_by = nullptr;   /* the thread */
    cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
    unsigned long submitted = 0, done = 0;
    std::vector<double> clock = {0}; /* milliseconds, when as many operations were done */
};
