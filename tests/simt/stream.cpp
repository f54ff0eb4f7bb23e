/* Streams, events, and the launch of kernels on them. */
#include <algorithm>
#include <map>

#include "runtime.h"
#include "simt.h"

struct CUevent_st {
    CUstream_st *stream = nullptr; /* of the last record */
    unsigned long position = 0;
};

namespace simt {
namespace {

std::vector<CUstream_st *> &streams = *new std::vector<CUstream_st *>;

/* NULL is the device's own stream. */
CUstream_st *stream_of(cudaStream_t stream) {
    static std::map<int, CUstream_st> &own = *new std::map<int, CUstream_st>;
    if (stream) return stream;
    CUstream_st *s = &own[current_device()];
    s->device = current_device();
    return s;
}

bool exists(const CUstream_st *s) {
    return std::find(streams.begin(), streams.end(), s) != streams.end();
}

/* A capture that the calling thread has to respect. */
CUstream_st *capturing() {
    for (CUstream_st *s : streams)
        if (s->capture &&
            (s->captured_by == this_thread() || s->mode == cudaStreamCaptureModeGlobal))
            return s;
    return nullptr;
}

void run_until(CUstream_st *s, unsigned long position) {
    if (s->queue.empty() || s->done >= position) return;
    device_access access(s->device);
    while (!s->queue.empty() && s->done < position) {
        const operation next = std::move(s->queue.front());
        s->queue.pop_front();
        s->done++;
        perform(next);
        s->clock.push_back(s->clock.back() + spent);
        spent = 0;
    }
    check_surroundings();
}

cudaError_t check_stream(cudaStream_t stream, const char *call) {
    if (stream && !exists(stream))
        return refuse(cudaErrorInvalidResourceHandle, "%s: no such stream", call);
    return cudaSuccess;
}

cudaError_t wait_for(cudaStream_t stream, const char *call) {
    if (const cudaError_t error = check_stream(stream, call)) return error;
    if (const cudaError_t error = forbidden_in_capture(call)) return error;
    counts.synchronizations++;
    counts.rests++;
    finish(stream);
    return usable();
}

} // namespace

const void *this_thread() {
    static thread_local char mark;
    return &mark;
}

int device_of(cudaStream_t stream) { return stream_of(stream)->device; }

cudaError_t forbidden_in_capture(const char *call) {
    CUstream_st *s = capturing();
    if (!s || s->mode == cudaStreamCaptureModeRelaxed) return cudaSuccess;
    s->spoilt = true;
    return refuse(cudaErrorStreamCaptureUnsupported, "%s under capture", call);
}

constexpr double usual_milliseconds = 0.002; /* of whatever a stream does, or a graph's node */

void perform(const operation &what) {
    if (usable()) return; /* after a fault nothing runs */
    counts.operations++;
    spent += usual_milliseconds;
    what.run();
}

cudaError_t submit(cudaStream_t stream, operation what) {
    if (const cudaError_t error = check_stream(stream, what.name.c_str())) return error;
    CUstream_st *s = stream_of(stream);
    if (!stream)
        if (CUstream_st *other = capturing()) {
            other->spoilt = true;
            return refuse(cudaErrorStreamCaptureImplicit, "%s on the default stream under capture",
                          what.name.c_str());
        }
    if (s->device != current_device())
        return refuse(cudaErrorInvalidResourceHandle,
                      "%s: the stream is device %d's, the current one is %d", what.name.c_str(),
                      s->device, current_device());
    if (s->capture) {
        capture(s, std::move(what));
        return cudaSuccess;
    }
    s->queue.push_back(std::move(what));
    s->submitted++;
    return cudaSuccess;
}

void finish(cudaStream_t stream) {
    CUstream_st *s = stream_of(stream);
    run_until(s, s->submitted);
}

void finish_device(int device) {
    for (CUstream_st *s : streams)
        if (s->device == device) run_until(s, s->submitted);
    if (device == current_device()) finish(nullptr);
}

/* ---- launches ---- */

namespace {

cudaError_t check_launch(const launch &l) {
    const dim3 g = l.grid, b = l.block;
    const size_t threads = size_t(b.x) * b.y * b.z;
    if (!machine.architecture_known) return refuse(cudaErrorNoKernelImageForDevice);
    if (threads == 0 || threads > 1024 || b.z > 64)
        return refuse(cudaErrorInvalidConfiguration, "%s: block of %u x %u x %u threads", l.name,
                      b.x, b.y, b.z);
    if (g.x == 0 || g.x > 0x7fffffffu || g.y == 0 || g.y > 65535 || g.z == 0 || g.z > 65535)
        return refuse(cudaErrorInvalidConfiguration, "%s: grid of %u x %u x %u blocks", l.name, g.x,
                      g.y, g.z);
    if (l.cooperative && !machine.cooperative)
        return refuse(cudaErrorNotSupported, "%s: a cooperative launch", l.name);
    if (l.shared > most_shared(l.kernel))
        return refuse(cudaErrorInvalidValue,
                      "%s: %zu bytes of shared memory, of which it may have %zu", l.name, l.shared,
                      most_shared(l.kernel));
    if (l.cooperative && size_t(g.x) * g.y * g.z > most_resident(threads, l.shared))
        return refuse(cudaErrorCooperativeLaunchTooLarge,
                      "%s: %zu blocks of %zu threads, of which "
                      "%zu can be there at once",
                      l.name, size_t(g.x) * g.y * g.z, threads, most_resident(threads, l.shared));
    return cudaSuccess;
}

} // namespace

void enqueue(launch what, cudaStream_t stream) {
    runtime_lock lock;
    if (usable() || check_launch(what)) return;
    const std::string name = what.name;
    submit(stream, {name,
                    [what] {
                        counts.kernels++;
                        counts.cooperative += what.cooperative;
                        if (machine.fail_launch >= 0 && machine.fail_launch-- == 0)
                            fault(cudaErrorIllegalAddress);
                        else
                            execute(what);
                    },
                    true, what.cooperative});
}

} // namespace simt

using namespace simt;

/* ---- streams ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags) {
    SIMT_ENTRY;
    if (flags != cudaStreamNonBlocking)
        return refuse(cudaErrorNotSupported,
                      "the harness has streams with cudaStreamNonBlocking only");
    *out = new CUstream_st;
    (*out)->device = current_device();
    streams.push_back(*out);
    counts.streams++;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    runtime_lock lock;
    if (!stream)
        return refuse(cudaErrorInvalidResourceHandle, "cudaStreamDestroy of the default stream");
    if (const cudaError_t error = check_stream(stream, "cudaStreamDestroy")) return error;
    finish(stream);
    streams.erase(std::find(streams.begin(), streams.end(), stream));
    delete stream;
    counts.streams--;
    return usable();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    SIMT_ENTRY;
    return wait_for(stream, "cudaStreamSynchronize");
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
    SIMT_ENTRY;
    if (const cudaError_t error = check_stream(stream, "cudaStreamQuery")) return error;
    if (const cudaError_t error = forbidden_in_capture("cudaStreamQuery")) return error;
    CUstream_st *s = stream_of(stream);
    if (s->queue.empty()) return cudaSuccess;
    run_until(s, s->done + 1); /* whoever asks again and again gets there */
    return refuse(cudaErrorNotReady);
}

cudaError_t cudaDeviceSynchronize() {
    SIMT_ENTRY;
    if (const cudaError_t error = forbidden_in_capture("cudaDeviceSynchronize")) return error;
    counts.synchronizations++;
    counts.rests++;
    finish_device(current_device());
    return usable();
}

/* ---- events ---- */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned) {
    SIMT_ENTRY;
    *out = new CUevent_st;
    counts.streams++;
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *out) {
    return cudaEventCreateWithFlags(out, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    runtime_lock lock;
    delete event;
    counts.streams--;
    return usable();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    SIMT_ENTRY;
    if (const cudaError_t error = check_stream(stream, "cudaEventRecord")) return error;
    CUstream_st *s = stream_of(stream);
    if (s->capture) {
        s->spoilt = true;
        return refuse(cudaErrorNotSupported, "the harness has no events in captured graphs");
    }
    event->stream = s;
    event->position = s->submitted;
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    SIMT_ENTRY;
    if (const cudaError_t error = forbidden_in_capture("cudaEventSynchronize")) return error;
    counts.synchronizations++;
    if (event->stream) {
        run_until(event->stream, event->position);
        counts.rests += event->stream->queue.empty();
    }
    return usable();
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    SIMT_ENTRY;
    if (const cudaError_t error = forbidden_in_capture("cudaEventQuery")) return error;
    if (!event->stream || event->stream->done >= event->position) return cudaSuccess;
    run_until(event->stream, event->stream->done + 1);
    return refuse(cudaErrorNotReady);
}

/* By the clock that simt_set_engine() sets. */
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t begin, cudaEvent_t end) {
    SIMT_ENTRY;
    if (!begin->stream || begin->stream != end->stream)
        return refuse(cudaErrorInvalidResourceHandle, "events of no stream, or of two");
    const std::vector<double> &clock = end->stream->clock;
    if (end->position >= clock.size()) return refuse(cudaErrorNotReady);
    *milliseconds = float(clock[end->position] - clock[begin->position]);
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    SIMT_ENTRY;
    CUstream_st *other = event->stream;
    const unsigned long position = event->position;
    return submit(stream, {"wait", [=] {
                               if (other && exists(other)) run_until(other, position);
                           }});
}
