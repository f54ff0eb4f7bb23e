/* Execution of the cuDNN stand-in's operation graphs, in loops. */
#include <cuda_bf16.h>

#include <cmath>
#include <cstring>

#include "fake_cudnn_backend.h"

using namespace simt;

namespace {

/* By unique id. */
std::map<int64_t, descriptor_ref> tensors_of(const descriptor &graph) {
    std::map<int64_t, descriptor_ref> all;
    for (const descriptor_ref &d : operations_of(graph)) {
        const dnn_operation o = operation_of(*d);
        for (const descriptor_ref &t : {o.first, o.second, o.result})
            if (t) all[tensor_of(*t).uid] = t;
    }
    return all;
}

/* In memory. */
std::vector<dnn_tensor> results_of(const descriptor &graph) {
    std::vector<dnn_tensor> all;
    for (const descriptor_ref &d : operations_of(graph)) {
        const dnn_tensor y = tensor_of(*operation_of(*d).result);
        if (!y.is_virtual) all.push_back(y);
    }
    return all;
}

std::vector<float> read(const void *data, const dnn_tensor &t) {
    std::vector<float> out(t.size());
    for (size_t i = 0; i < out.size(); i++)
        out[i] = t.type == CUDNN_DATA_BFLOAT16
                     ? __bfloat162float(static_cast<const __nv_bfloat16 *>(data)[i])
                     : static_cast<const float *>(data)[i];
    return out;
}

float apply(const dnn_operation &o, float x, float b) {
    switch (o.mode) {
    case CUDNN_POINTWISE_ADD:
        return x + b;
    case CUDNN_POINTWISE_SUB:
        return x - b;
    case CUDNN_POINTWISE_MUL:
        return x * b;
    case CUDNN_POINTWISE_RELU_FWD:
        return x > 0 ? x : float(o.slope) * x;
    case CUDNN_POINTWISE_RELU_BWD:
        return b > 0 ? x : float(o.slope) * x;
    case CUDNN_POINTWISE_TANH_FWD:
        return tanhf(x);
    default:
        return 1 / (1 + expf(-x));
    }
}

using places = std::map<int64_t, void *>;
using values = std::map<int64_t, std::vector<float>>;

void convolve_into(const descriptor &d, const places &at, values *v) {
    const dnn_operation o = operation_of(d);
    const dnn_tensor result = tensor_of(*o.result);
    convolution c = convolution_of(d);
    const direction which = o.grad_input    ? direction::data
                            : o.grad_filter ? direction::filter
                                            : direction::forward;
    (o.grad_input    ? c.x.type
     : o.grad_filter ? c.w.type
                     : c.y.type) = CUDNN_DATA_FLOAT; /* as it is in between */
    std::vector<float> &to = (*v)[result.uid];
    to.resize(result.size());
    const void *first = at.at(tensor_of(*o.first).uid), *second = at.at(tensor_of(*o.second).uid);
    convolve(c, which, o.grad_input ? nullptr : first, o.grad_filter ? nullptr : second,
             o.grad_input    ? first
             : o.grad_filter ? second
                             : nullptr,
             to.data(), 1, 0);
}

void pointwise_into(const descriptor &d, const places &at, values *v) {
    const dnn_operation o = operation_of(d);
    const dnn_tensor y = tensor_of(*o.result), x = tensor_of(*o.first);
    const dnn_tensor t = o.second ? tensor_of(*o.second) : x;
    if (!v->count(t.uid)) (*v)[t.uid] = read(at.at(t.uid), t);
    const std::vector<float> &from = v->at(x.uid), &b = v->at(t.uid);
    std::vector<float> to(y.size());
    size_t i = 0;
    for (int64_t n = 0; n < y.n; n++)
        for (int64_t h = 0; h < y.h; h++)
            for (int64_t w = 0; w < y.w; w++)
                for (int64_t c = 0; c < y.c; c++, i++) {
                    const int64_t row = (t.n == 1 ? 0 : n) * t.h + (t.h == 1 ? 0 : h);
                    const int64_t j = (row * t.w + (t.w == 1 ? 0 : w)) * t.c + (t.c == 1 ? 0 : c);
                    to[i] = apply(o, from[i], b[size_t(j)]);
                }
    (*v)[y.uid] = std::move(to);
}

void run(const descriptor &graph, const places &at, values v) {
    for (const descriptor_ref &d : operations_of(graph))
        operation_of(*d).is_convolution ? convolve_into(*d, at, &v) : pointwise_into(*d, at, &v);
    for (const dnn_tensor &y : results_of(graph)) {
        const std::vector<float> &result = v.at(y.uid);
        void *out = at.at(y.uid);
        for (size_t i = 0; i < result.size(); i++)
            if (y.type == CUDNN_DATA_BFLOAT16)
                static_cast<__nv_bfloat16 *>(out)[i] = __float2bfloat16_rn(result[i]);
            else
                static_cast<float *>(out)[i] = result[i];
    }
}

/* Addresses by id: all that are in memory, aligned as was said, and none that is a result's. */
cudnnStatus_t gather(const descriptor &graph, const descriptor &pack, int device, places *at,
                     values *v) {
    const auto uid = pack.all<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    const auto data = pack.all<void *>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    places given;
    for (size_t i = 0; i < uid.size(); i++) given[uid[i]] = data[i];
    for (const auto &[id, d] : tensors_of(graph)) {
        const dnn_tensor t = tensor_of(*d);
        if (t.is_virtual) continue;
        if (!given.count(id) || !given[id])
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "tensor %d has no address", int(id));
        void *p = given[id];
        given.erase(id);
        if (reinterpret_cast<uintptr_t>(p) % uintptr_t(t.align))
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER,
                              "tensor %d lies at %p, to be aligned to %d bytes", int(id), p,
                              int(t.align));
        if (t.by_value) {
            if (find_allocation(p, sizeof(float), true))
                return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "tensor %d is the host's", int(id));
            (*v)[id] = {*static_cast<const float *>(p)};
            continue;
        }
        expect_device_memory("cuDNN: a tensor of a graph", p, t.bytes(), device);
        (*at)[id] = p;
    }
    if (!given.empty())
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "tensor %d is not in memory, or not in the graph",
                          int(given.begin()->first));
    for (const dnn_tensor &y : results_of(graph)) {
        const char *out = static_cast<const char *>(at->at(y.uid));
        for (const auto &[id, p] : *at) {
            const char *in = static_cast<const char *>(p);
            const size_t bytes = tensor_of(*tensors_of(graph)[id]).bytes();
            if (id != y.uid && in < out + y.bytes() && out < in + bytes)
                return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED, "a result overlaps tensor %d",
                                  int(id));
        }
    }
    return CUDNN_STATUS_SUCCESS;
}

} // namespace

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t of,
                                  cudnnBackendDescriptor_t with) {
    runtime_lock lock;
    const descriptor_ref plan = live(of), pack = live(with);
    if (usable()) return CUDNN_STATUS_EXECUTION_FAILED;
    if (!plan || !pack || plan->kind != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR ||
        pack->kind != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "not a plan and a pack");
    if (!plan->finalized || !pack->finalized)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "an unfinished plan or pack");
    if (!handle || !handle->stream ||
        plan->one<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE) != handle)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH, "not the plan's handle");
    const int device = device_of(handle->stream);
    for (const cudnnBackendNumericalNote_t note : notes_of(plan->engine))
        if (note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)
            return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED,
                              "an engine that gives other bits each time");
    places at;
    values v;
    if (cudnnStatus_t status = gather(*plan->graph, *pack, device, &at, &v)) return status;
    void *workspace = pack->one<void *>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
    const size_t bytes = size_t(workspace_of(*plan));
    expect_device_memory("cuDNN: workspace", workspace, bytes, device);
    const descriptor_ref graph = plan->graph;
    const double milliseconds = milliseconds_of(*plan);
    return submit(handle->stream, {"cuDNN graph",
                                   [=] {
                                       counts.plans++;
                                       spent += milliseconds;
                                       memset(workspace, 0xff, bytes);
                                       run(*graph, at, v);
                                       memset(workspace, 0xff, bytes);
                                   }})
               ? CUDNN_STATUS_EXECUTION_FAILED
               : CUDNN_STATUS_SUCCESS;
}
