/* Operation graphs of the cuDNN stand-in: what a graph has to be, and which engines take it, as the
 * library documents its generic runtime fusion engines. */
#include "fake_cudnn_backend.h"

using namespace simt;

namespace {

const size_t too_much = (size_t)1 << 40;

/* Best first: engines of which all but the last two are to be passed over. */
struct engine {
    cudnnBackendNumericalNote_t note; /* CUDNN_NUMERICAL_NOTE_TYPE_COUNT: none */
    bool finalizes;
    size_t workspace; /* 0: as much as there is of the filter, and some bytes */
};
const engine engines[] = {
    {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC, true, 0},
    {CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION, true, 0},
    {CUDNN_NUMERICAL_NOTE_TYPE_COUNT, false, 0},
    {CUDNN_NUMERICAL_NOTE_TYPE_COUNT, true, too_much},
    {CUDNN_NUMERICAL_NOTE_TYPE_COUNT, true, 0},
    {CUDNN_NUMERICAL_NOTE_TYPE_COUNT, true, 0},
};
constexpr int engine_count = sizeof engines / sizeof *engines;

bool is_binary(cudnnPointwiseMode_t mode) {
    return mode == CUDNN_POINTWISE_ADD || mode == CUDNN_POINTWISE_SUB ||
           mode == CUDNN_POINTWISE_MUL;
}

bool is_unary(cudnnPointwiseMode_t mode) {
    return mode == CUDNN_POINTWISE_RELU_FWD || mode == CUDNN_POINTWISE_TANH_FWD ||
           mode == CUDNN_POINTWISE_SIGMOID_FWD;
}

cudnnStatus_t check_convolution(const descriptor &d, const dnn_operation &o) {
    const dnn_tensor first = tensor_of(*o.first), second = tensor_of(*o.second),
                     result = tensor_of(*o.result);
    const dnn_tensor &x = o.grad_input ? result : first,
                     &y = o.grad_input    ? first
                          : o.grad_filter ? second
                                          : result,
                     &w = o.grad_filter ? result : second;
    const cudnnConvolutionStruct how = convolution_of(d).how;
    const cudnnBackendAttributeName_t alpha =
                                          o.grad_input
                                              ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA
                                          : o.grad_filter
                                              ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA
                                              : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                                      beta = o.grad_input
                                                 ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA
                                             : o.grad_filter
                                                 ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA
                                                 : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA;
    if (d.one<float>(alpha) != 1 || d.one<float>(beta) != 0)
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED, "alpha is to be 1, beta 0");
    const int64_t r = (w.h - 1) * how.dilation_h + 1, s = (w.w - 1) * how.dilation_w + 1;
    const int64_t p = (x.h + 2 * how.pad_h - r) / how.stride_h + 1,
                  q = (x.w + 2 * how.pad_w - s) / how.stride_w + 1;
    if (how.stride_h < 1 || how.stride_w < 1 || how.pad_h < 0 || how.pad_w < 0 ||
        x.h + 2 * how.pad_h < r || x.w + 2 * how.pad_w < s || x.n != y.n || x.c != w.c ||
        y.c != w.n || y.h != p || y.w != q)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
                          "shapes that are no convolution's");
    if (first.type != second.type || first.by_value || second.by_value || result.by_value ||
        first.is_virtual || second.is_virtual)
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE,
                          "operands of a convolution are arrays of one type");
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_pointwise(const descriptor &d, const dnn_operation &o) {
    const bool backward = o.mode == CUDNN_POINTWISE_RELU_BWD;
    if (!backward && !is_binary(o.mode) && !is_unary(o.mode))
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED, "mode %d", int(o.mode));
    const bool wanted =
        backward ? d.has(CUDNN_ATTR_OPERATION_POINTWISE_DYDESC) &&
                       d.has(CUDNN_ATTR_OPERATION_POINTWISE_DXDESC) &&
                       !d.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC) &&
                       !d.has(CUDNN_ATTR_OPERATION_POINTWISE_YDESC)
                 : d.has(CUDNN_ATTR_OPERATION_POINTWISE_YDESC) &&
                       d.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC) == is_binary(o.mode) &&
                       !d.has(CUDNN_ATTR_OPERATION_POINTWISE_DYDESC) &&
                       !d.has(CUDNN_ATTR_OPERATION_POINTWISE_DXDESC);
    if (!wanted)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "not the tensors that mode %d has", int(o.mode));
    const dnn_tensor x = tensor_of(*o.first), y = tensor_of(*o.result);
    if (!x.same_shape(y) || y.by_value || x.by_value)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
                          "the first operand is of the result's shape");
    if (!o.second) return CUDNN_STATUS_SUCCESS;
    const dnn_tensor b = tensor_of(*o.second);
    if ((b.n != 1 && b.n != x.n) || (b.c != 1 && b.c != x.c) || (b.h != 1 && b.h != x.h) ||
        (b.w != 1 && b.w != x.w) || (backward && !b.same_shape(x)))
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "the second operand's shape");
    return CUDNN_STATUS_SUCCESS;
}

} // namespace

/* ---- operations ---- */

std::vector<descriptor_ref> simt::operations_of(const descriptor &graph) {
    return graph.attributes.at(CUDNN_ATTR_OPERATIONGRAPH_OPS).refs;
}

dnn_operation simt::operation_of(const descriptor &d) {
    dnn_operation o = {};
    o.grad_input = d.kind == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR;
    o.grad_filter = d.kind == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR;
    o.is_convolution = o.grad_input || o.grad_filter ||
                       d.kind == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR;
    if (o.grad_input) {
        o.first = d.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY);
        o.second = d.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W);
        o.result = d.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
    } else if (o.grad_filter) {
        o.first = d.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X);
        o.second = d.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY);
        o.result = d.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW);
    } else if (o.is_convolution) {
        o.first = d.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X);
        o.second = d.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W);
        o.result = d.ref(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
    } else {
        const descriptor_ref f = d.ref(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
        o.mode = f->one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
        o.slope = f->one<double>(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, 0.0);
        const bool backward = o.mode == CUDNN_POINTWISE_RELU_BWD;
        o.first = d.ref(backward ? CUDNN_ATTR_OPERATION_POINTWISE_DYDESC
                                 : CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
        o.second = d.ref(backward ? CUDNN_ATTR_OPERATION_POINTWISE_XDESC
                                  : CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
        o.result = d.ref(backward ? CUDNN_ATTR_OPERATION_POINTWISE_DXDESC
                                  : CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
    }
    return o;
}

convolution simt::convolution_of(const descriptor &d) {
    const dnn_operation o = operation_of(d);
    const descriptor_ref how =
        d.ref(o.grad_input    ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC
              : o.grad_filter ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC
                              : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
    const dnn_tensor first = tensor_of(*o.first), second = tensor_of(*o.second),
                     result = tensor_of(*o.result), &w = o.grad_filter ? result : second;
    const auto image = [](const dnn_tensor &t) {
        return cudnnTensorStruct{true, t.type, int(t.n), int(t.h), int(t.w), int(t.c)};
    };
    const auto pad = how->all<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS),
               stride = how->all<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
               dilation = how->all<int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
    convolution c;
    c.x = image(o.grad_input ? result : first);
    c.y = image(o.grad_input ? first : o.grad_filter ? second : result);
    c.w = {true, w.type, int(w.n), int(w.h), int(w.w), int(w.c)};
    c.how = {true,           CUDNN_DATA_FLOAT, CUDNN_DEFAULT_MATH, int(pad[0]),     int(pad[1]),
             int(stride[0]), int(stride[1]),   int(dilation[0]),   int(dilation[1])};
    return c;
}

cudnnStatus_t simt::check_operation(const descriptor &d) {
    if (d.kind == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) {
        const auto mode = d.ref(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)
                              ->one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
        const bool result =
            d.has(mode == CUDNN_POINTWISE_RELU_BWD ? CUDNN_ATTR_OPERATION_POINTWISE_DXDESC
                                                   : CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
        if (!result) return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "an operation without result");
    }
    const dnn_operation o = operation_of(d);
    return o.is_convolution ? check_convolution(d, o) : check_pointwise(d, o);
}

/* ---- graphs ---- */

cudnnStatus_t simt::check_graph(const descriptor &graph) {
    std::map<int64_t, descriptor_ref> seen;
    std::set<int64_t> made, used;
    for (const descriptor_ref &d : operations_of(graph)) {
        const dnn_operation o = operation_of(*d);
        for (const descriptor_ref &t : {o.first, o.second, o.result}) {
            if (!t) continue;
            const int64_t id = tensor_of(*t).uid;
            if (seen.count(id) && seen[id] != t)
                return dnn_refuse(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES,
                                  "two tensors have id %d", int(id));
            seen[id] = t;
        }
        for (const descriptor_ref &t : {o.first, o.second}) {
            if (!t) continue;
            const dnn_tensor in = tensor_of(*t);
            used.insert(in.uid);
            if (in.is_virtual && !made.count(in.uid))
                return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "tensor %d is used before it is made",
                                  int(in.uid));
        }
        if (!made.insert(tensor_of(*o.result).uid).second)
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "a tensor is made twice");
    }
    for (const auto &[id, t] : seen)
        if (tensor_of(*t).is_virtual && !(made.count(id) && used.count(id)))
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "tensor %d: what is virtual is made and used",
                              int(id));
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t simt::check_heuristics(const descriptor &d) {
    const auto mode = d.one<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE);
    if (mode != CUDNN_HEUR_MODE_A && mode != CUDNN_HEUR_MODE_FALLBACK)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "heuristics of mode %d", int(mode));
    counts.searches++;
    return forbidden_in_capture("cuDNN's heuristics") ? CUDNN_STATUS_NOT_SUPPORTED
           : machine.fusion == SIMT_FUSION_UNKNOWN    ? CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN
                                                      : CUDNN_STATUS_SUCCESS;
}

/* ---- engines ---- */

/* A convolution, which may be all; then a chain from its result: the first operand of each comes
 * from it, the second is whole, a value a channel, a value a pixel, or one. Of the adjoint,
 * channels in units of 32 bits. f32 runs on tensor cores alone: `engine_count` is added to its
 * engines' numbers. */
std::vector<int> simt::engines_for(const descriptor &graph) {
    const std::vector<descriptor_ref> all = operations_of(graph);
    const dnn_operation conv = operation_of(*all[0]);
    if (machine.fusion == SIMT_FUSION_NONE || !conv.is_convolution) return {};
    if (conv.grad_filter && all.size() > 1) return {};
    const dnn_tensor w = tensor_of(*conv.second);
    const int64_t unit = w.type == CUDNN_DATA_BFLOAT16 ? 2 : 1;
    if (conv.grad_input && (w.n % unit || w.c % unit)) return {};
    std::set<int64_t> chain = {tensor_of(*conv.result).uid};
    for (size_t i = 1; i < all.size(); i++) {
        const dnn_operation o = operation_of(*all[i]);
        if (o.is_convolution || !chain.count(tensor_of(*o.first).uid)) return {};
        const dnn_tensor y = tensor_of(*o.result), b = tensor_of(o.second ? *o.second : *o.first);
        const bool image = b.n == y.n && b.h == y.h && b.w == y.w, one = b.n * b.h * b.w == 1;
        if (!image && !one) return {};
        const bool kept = !tensor_of(*operation_of(*all[i - 1]).result).is_virtual;
        if (kept && machine.fusion == SIMT_FUSION_ONE) return {};
        chain.insert(y.uid);
    }
    std::vector<int> numbers(engine_count);
    for (int i = 0; i < engine_count; i++)
        numbers[size_t(i)] = i + (w.type == CUDNN_DATA_FLOAT ? engine_count : 0);
    return numbers;
}

std::vector<cudnnBackendNumericalNote_t> simt::notes_of(int number) {
    std::vector<cudnnBackendNumericalNote_t> notes;
    const engine &e = engines[number % engine_count];
    if (e.note != CUDNN_NUMERICAL_NOTE_TYPE_COUNT) notes.push_back(e.note);
    if (number >= engine_count) notes.push_back(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
    return notes;
}

static cudnnStatus_t restore_plan(descriptor &plan, cudnnHandle_t handle) {
    if (!handle || machine.texts == SIMT_TEXTS_REFUSED ||
        !plan_of_text(plan, plan.all<char>(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION)))
        return CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH;
    counts.restored++;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t simt::check_plan(descriptor &plan) {
    const descriptor_ref config = plan.ref(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    const bool text = plan.has(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
    if (forbidden_in_capture("finalizing a plan")) return CUDNN_STATUS_NOT_SUPPORTED;
    const cudnnHandle_t handle = plan.one<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE);
    if (!config == !text)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "a plan is of a configuration or of a text");
    if (text) return restore_plan(plan, handle);
    if (!handle || handle != config->graph->one<cudnnHandle_t>(CUDNN_ATTR_OPERATIONGRAPH_HANDLE))
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "the graph is another handle's");
    if (machine.fusion == SIMT_FUSION_LACKS)
        return CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING;
    if (machine.fusion == SIMT_FUSION_FAILS || !engines[config->engine % engine_count].finalizes)
        return CUDNN_STATUS_NOT_SUPPORTED;
    counts.compiled++;
    plan.engine = config->engine;
    plan.graph = config->graph;
    return CUDNN_STATUS_SUCCESS;
}

double simt::milliseconds_of(const descriptor &plan) {
    const auto &e = machine.engine[plan.engine % engine_count == engine_count - 1];
    return operations_of(*plan.graph).size() > 1 ? e.fused : e.alone;
}

int64_t simt::workspace_of(const descriptor &plan) {
    const size_t asked = engines[plan.engine % engine_count].workspace;
    const dnn_tensor w = tensor_of(*operation_of(*operations_of(*plan.graph)[0]).second);
    return int64_t(asked ? asked : w.bytes() + 4 + machine.cudnn_workspace);
}
