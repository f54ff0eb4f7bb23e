/* The descriptors of the cuDNN stand-in's graph API: which attributes each kind has, of what type
 * and how many values, which it must have, and that nothing changes once finalized. */
#include "fake_cudnn_backend.h"

#include <algorithm>

using namespace simt;

namespace {

/* Values of an attribute: how many (0: any number), whether finalizing needs it, of references the
 * kind of what is referred to. */
struct rule {
    cudnnBackendDescriptorType_t kind;
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t count;
    bool required;
    int refers_to;
};

constexpr int NO_KIND = -1, ANY_OPERATION = -2;
#define KIND(kind) CUDNN_BACKEND_##kind##_DESCRIPTOR
#define RULE(kind, name, type, count, required, refers)                                            \
    { KIND(kind), CUDNN_ATTR_##name, CUDNN_TYPE_##type, count, required, refers }
#define VALUE(kind, name, type, count) RULE(kind, name, type, count, true, NO_KIND)
#define OPTION(kind, name, type, count) RULE(kind, name, type, count, false, NO_KIND)
#define REFERENCE(kind, name, to) RULE(kind, name, BACKEND_DESCRIPTOR, 1, true, KIND(to))

const rule rules[] = {
    VALUE(TENSOR, TENSOR_UNIQUE_ID, INT64, 1),
    VALUE(TENSOR, TENSOR_DATA_TYPE, DATA_TYPE, 1),
    VALUE(TENSOR, TENSOR_DIMENSIONS, INT64, 4),
    VALUE(TENSOR, TENSOR_STRIDES, INT64, 4),
    VALUE(TENSOR, TENSOR_BYTE_ALIGNMENT, INT64, 1),
    OPTION(TENSOR, TENSOR_IS_VIRTUAL, BOOLEAN, 1),
    OPTION(TENSOR, TENSOR_IS_BY_VALUE, BOOLEAN, 1),

    VALUE(CONVOLUTION, CONVOLUTION_COMP_TYPE, DATA_TYPE, 1),
    VALUE(CONVOLUTION, CONVOLUTION_CONV_MODE, CONVOLUTION_MODE, 1),
    VALUE(CONVOLUTION, CONVOLUTION_SPATIAL_DIMS, INT64, 1),
    VALUE(CONVOLUTION, CONVOLUTION_DILATIONS, INT64, 2),
    VALUE(CONVOLUTION, CONVOLUTION_FILTER_STRIDES, INT64, 2),
    VALUE(CONVOLUTION, CONVOLUTION_PRE_PADDINGS, INT64, 2),
    VALUE(CONVOLUTION, CONVOLUTION_POST_PADDINGS, INT64, 2),

    VALUE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_ALPHA, FLOAT, 1),
    VALUE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_BETA, FLOAT, 1),
    REFERENCE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CONVOLUTION),
    REFERENCE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_X, TENSOR),
    REFERENCE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_W, TENSOR),
    REFERENCE(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD_Y, TENSOR),

    VALUE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_ALPHA, FLOAT, 1),
    VALUE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_BETA, FLOAT, 1),
    REFERENCE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CONVOLUTION),
    REFERENCE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_DY, TENSOR),
    REFERENCE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_W, TENSOR),
    REFERENCE(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA_DX, TENSOR),

    VALUE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, FLOAT, 1),
    VALUE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_BETA, FLOAT, 1),
    REFERENCE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CONVOLUTION),
    REFERENCE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_X, TENSOR),
    REFERENCE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_DY, TENSOR),
    REFERENCE(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER_DW, TENSOR),

    VALUE(POINTWISE, POINTWISE_MODE, POINTWISE_MODE, 1),
    VALUE(POINTWISE, POINTWISE_MATH_PREC, DATA_TYPE, 1),
    OPTION(POINTWISE, POINTWISE_RELU_LOWER_CLIP_SLOPE, DOUBLE, 1),

    REFERENCE(OPERATION_POINTWISE, OPERATION_POINTWISE_PW_DESCRIPTOR, POINTWISE),
    REFERENCE(OPERATION_POINTWISE, OPERATION_POINTWISE_XDESC, TENSOR),
    RULE(OPERATION_POINTWISE, OPERATION_POINTWISE_BDESC, BACKEND_DESCRIPTOR, 1, false,
         KIND(TENSOR)),
    RULE(OPERATION_POINTWISE, OPERATION_POINTWISE_YDESC, BACKEND_DESCRIPTOR, 1, false,
         KIND(TENSOR)),
    RULE(OPERATION_POINTWISE, OPERATION_POINTWISE_DYDESC, BACKEND_DESCRIPTOR, 1, false,
         KIND(TENSOR)),
    RULE(OPERATION_POINTWISE, OPERATION_POINTWISE_DXDESC, BACKEND_DESCRIPTOR, 1, false,
         KIND(TENSOR)),

    VALUE(OPERATIONGRAPH, OPERATIONGRAPH_HANDLE, HANDLE, 1),
    RULE(OPERATIONGRAPH, OPERATIONGRAPH_OPS, BACKEND_DESCRIPTOR, 0, true, ANY_OPERATION),

    REFERENCE(ENGINEHEUR, ENGINEHEUR_OPERATION_GRAPH, OPERATIONGRAPH),
    VALUE(ENGINEHEUR, ENGINEHEUR_MODE, HEUR_MODE, 1),

    VALUE(EXECUTION_PLAN, EXECUTION_PLAN_HANDLE, HANDLE, 1),
    RULE(EXECUTION_PLAN, EXECUTION_PLAN_ENGINE_CONFIG, BACKEND_DESCRIPTOR, 1, false,
         KIND(ENGINECFG)),
    OPTION(EXECUTION_PLAN, EXECUTION_PLAN_JSON_REPRESENTATION, CHAR, 0),

    VALUE(VARIANT_PACK, VARIANT_PACK_UNIQUE_IDS, INT64, 0),
    VALUE(VARIANT_PACK, VARIANT_PACK_DATA_POINTERS, VOID_PTR, 0),
    VALUE(VARIANT_PACK, VARIANT_PACK_WORKSPACE, VOID_PTR, 1),
};

size_t bytes_of(cudnnBackendAttributeType_t type) {
    switch (type) {
    case CUDNN_TYPE_BOOLEAN:
        return sizeof(bool);
    case CUDNN_TYPE_CHAR:
        return 1;
    case CUDNN_TYPE_FLOAT:
        return sizeof(float);
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
        return 8;
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
        return sizeof(void *);
    default:
        return sizeof(int); /* enumerations */
    }
}

std::map<cudnnBackendDescriptor_t, descriptor_ref> &registry() {
    static std::map<cudnnBackendDescriptor_t, descriptor_ref> all;
    return all;
}

bool made_by_library(cudnnBackendDescriptorType_t kind) {
    return kind == CUDNN_BACKEND_ENGINE_DESCRIPTOR || kind == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
}

bool known(cudnnBackendDescriptorType_t kind) {
    for (const rule &r : rules)
        if (r.kind == kind) return true;
    return made_by_library(kind);
}

bool is_operation(cudnnBackendDescriptorType_t kind) {
    return kind == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR ||
           kind == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR ||
           kind == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR ||
           kind == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR;
}

cudnnStatus_t take_references(attribute *a, const rule &r, const void *values) {
    for (int64_t i = 0; i < a->count; i++) {
        const descriptor_ref d = live(static_cast<const cudnnBackendDescriptor_t *>(values)[i]);
        if (!d) return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "a reference to no descriptor");
        if (!d->finalized)
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED,
                              "attribute %d refers to an unfinished descriptor", int(r.name));
        if (r.refers_to == ANY_OPERATION ? !is_operation(d->kind) : int(d->kind) != r.refers_to)
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
                              "attribute %d refers to a descriptor of kind %d", int(r.name),
                              int(d->kind));
        a->refs.push_back(d);
    }
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_tensor(const descriptor &d) {
    const dnn_tensor t = tensor_of(d);
    const auto stride = d.all<int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
    const int64_t packed[] = {t.h * t.w * t.c, 1, t.w * t.c, t.c};
    if (t.n < 1 || t.c < 1 || t.h < 1 || t.w < 1)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "tensor %d has an empty axis", int(t.uid));
    for (size_t i = 0; i < 4; i++)
        if (stride[i] != packed[i])
            return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT,
                              "tensor %d is not NHWC without gaps", int(t.uid));
    if (t.type != CUDNN_DATA_FLOAT && t.type != CUDNN_DATA_BFLOAT16)
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "tensor type %d", int(t.type));
    if (t.align < int64_t(t.bytes() / t.size()) || (t.align & (t.align - 1)))
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "an alignment of %d bytes", int(t.align));
    if (t.is_virtual && t.by_value)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "tensor %d is virtual and a value", int(t.uid));
    if (t.by_value && t.size() != 1)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "tensor %d: a value is one number", int(t.uid));
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_convolution(const descriptor &d) {
    if (d.one<int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS) != 2 ||
        d.one<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) !=
            CUDNN_CROSS_CORRELATION ||
        d.one<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) != CUDNN_DATA_FLOAT)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM,
                          "a convolution is over two axes, unflipped, in f32 here");
    if (d.all<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS) !=
        d.all<int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS))
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_PADDING, "padding that differs by side");
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_pointwise(const descriptor &d) {
    const auto mode = d.one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
    if (d.one<cudnnDataType_t>(CUDNN_ATTR_POINTWISE_MATH_PREC) != CUDNN_DATA_FLOAT)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "functions are computed in f32 here");
    if (d.has(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE) && mode != CUDNN_POINTWISE_RELU_FWD &&
        mode != CUDNN_POINTWISE_RELU_BWD)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "mode %d has no slope", int(mode));
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_pack(const descriptor &d) {
    const auto uid = d.all<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    if (uid.size() != d.all<void *>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).size())
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "as many ids as addresses are needed");
    if (std::set<int64_t>(uid.begin(), uid.end()).size() != uid.size())
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES, "an id twice");
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check(descriptor &d) {
    switch (d.kind) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
        return check_tensor(d);
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
        return check_convolution(d);
    case CUDNN_BACKEND_POINTWISE_DESCRIPTOR:
        return check_pointwise(d);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
        return check_graph(d);
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        return check_heuristics(d);
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        return check_plan(d);
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
        return check_pack(d);
    default:
        return check_operation(d);
    }
}

template <class T>
cudnnStatus_t answer(const std::vector<T> &values, int64_t room, int64_t *n, void *out) {
    if (n) *n = int64_t(values.size());
    if (room == 0) return CUDNN_STATUS_SUCCESS;
    if (!n || !out) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (room < *n) *n = room;
    std::copy_n(values.begin(), *n, static_cast<T *>(out));
    return CUDNN_STATUS_SUCCESS;
}

/* Into descriptors that the caller has created. */
cudnnStatus_t answer_made(const std::vector<int> &engine, const descriptor_ref &graph,
                          cudnnBackendDescriptorType_t kind, int64_t room, int64_t *n, void *out) {
    *n = int64_t(engine.size());
    for (int64_t i = 0; i < room && i < *n; i++) {
        const descriptor_ref to = live(static_cast<cudnnBackendDescriptor_t *>(out)[i]);
        if (!to || to->kind != kind)
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
                              "the answer goes into created descriptors of kind %d", int(kind));
        to->finalized = true;
        to->engine = engine[size_t(i)];
        to->graph = graph;
    }
    if (room > 0 && room < *n) *n = room;
    return CUDNN_STATUS_SUCCESS;
}

} // namespace

descriptor_ref simt::live(cudnnBackendDescriptor_t d) {
    const auto found = registry().find(d);
    return found == registry().end() ? nullptr : found->second;
}

dnn_tensor simt::tensor_of(const descriptor &d) {
    const auto dim = d.all<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
    return {d.one<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID),
            d.one<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT),
            d.one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE),
            dim[0],
            dim[1],
            dim[2],
            dim[3],
            d.one<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL, false),
            d.one<bool>(CUDNN_ATTR_TENSOR_IS_BY_VALUE, false)};
}

/* ---- entries ---- */

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t kind,
                                           cudnnBackendDescriptor_t *out) {
    runtime_lock lock;
    if (!out) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (!known(kind))
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED, "no descriptors of kind %d", int(kind));
    const auto made = std::make_shared<descriptor>();
    made->kind = kind;
    *out = made.get();
    registry()[*out] = made;
    counts.handles++;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d) {
    runtime_lock lock;
    if (!registry().erase(d)) return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "no descriptor to destroy");
    counts.handles--;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t of,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void *values) {
    runtime_lock lock;
    const descriptor_ref d = live(of);
    if (!d || !values) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (d->finalized)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "attribute %d is set after finalizing",
                          int(name));
    for (const rule &r : rules) {
        if (r.kind != d->kind || r.name != name) continue;
        if (type != r.type)
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE,
                              "attribute %d is of type %d, not %d", int(name), int(r.type),
                              int(type));
        if (r.count ? count != r.count : count < 1)
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "attribute %d of %d values", int(name),
                              int(count));
        const char *bytes = static_cast<const char *>(values);
        attribute a = {type, count, {bytes, bytes + size_t(count) * bytes_of(type)}, {}};
        if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
            if (cudnnStatus_t status = take_references(&a, r, values)) return status;
        d->attributes[name] = std::move(a);
        return CUDNN_STATUS_SUCCESS;
    }
    return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "a descriptor of kind %d has no attribute %d",
                      int(d->kind), int(name));
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t of) {
    runtime_lock lock;
    const descriptor_ref d = live(of);
    if (!d) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (d->finalized || made_by_library(d->kind))
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "a descriptor is finalized once, by its maker");
    for (const rule &r : rules)
        if (r.kind == d->kind && r.required && !d->has(r.name))
            return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "attribute %d is not set", int(r.name));
    if (cudnnStatus_t status = check(*d)) return status;
    d->finalized = true;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const of,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t room, int64_t *n,
                                       void *out) {
    runtime_lock lock;
    const descriptor_ref d = live(of);
    if (!d || !n) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (!d->finalized)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "attribute %d of an unfinished one",
                          int(name));
    if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS && type == CUDNN_TYPE_BACKEND_DESCRIPTOR &&
        d->kind == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR) {
        const descriptor_ref graph = d->ref(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
        return answer_made(engines_for(*graph), graph, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, room, n,
                           out);
    }
    if (name == CUDNN_ATTR_ENGINECFG_ENGINE && type == CUDNN_TYPE_BACKEND_DESCRIPTOR &&
        d->kind == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)
        return answer_made({d->engine}, d->graph, CUDNN_BACKEND_ENGINE_DESCRIPTOR, room, n, out);
    if (name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE && type == CUDNN_TYPE_NUMERICAL_NOTE &&
        d->kind == CUDNN_BACKEND_ENGINE_DESCRIPTOR)
        return answer(notes_of(d->engine), room, n, out);
    if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE && type == CUDNN_TYPE_INT64 &&
        d->kind == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)
        return answer(std::vector<int64_t>{workspace_of(*d)}, room, n, out);
    if (name == CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION && type == CUDNN_TYPE_CHAR &&
        d->kind == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
        if (machine.texts == SIMT_TEXTS_ABSENT) return CUDNN_STATUS_NOT_SUPPORTED;
        return answer(text_of_plan(*d), room, n, out);
    }
    return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "kind %d is not asked for attribute %d of type %d",
                      int(d->kind), int(name), int(type));
}
