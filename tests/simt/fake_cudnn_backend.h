/* Descriptors of the graph API of the cuDNN stand-in. */
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "fake_cudnn.h"

namespace simt {

struct descriptor;
using descriptor_ref = std::shared_ptr<descriptor>;

struct attribute {
    cudnnBackendAttributeType_t type;
    int64_t count;
    std::vector<char> bytes;
    std::vector<descriptor_ref> refs; /* of CUDNN_TYPE_BACKEND_DESCRIPTOR */
};

struct descriptor {
    cudnnBackendDescriptorType_t kind;
    bool finalized = false;
    std::map<cudnnBackendAttributeName_t, attribute> attributes;
    /* Of what the library itself makes: configurations and their engines, and plans. */
    int engine = -1;
    descriptor_ref graph;

    bool has(cudnnBackendAttributeName_t name) const { return attributes.count(name) != 0; }
    template <class T>
    std::vector<T> all(cudnnBackendAttributeName_t name) const {
        const attribute &a = attributes.at(name);
        const T *data = reinterpret_cast<const T *>(a.bytes.data());
        return std::vector<T>(data, data + a.count);
    }
    template <class T>
    T one(cudnnBackendAttributeName_t name) const {
        return all<T>(name)[0];
    }
    template <class T>
    T one(cudnnBackendAttributeName_t name, T otherwise) const {
        return has(name) ? all<T>(name)[0] : otherwise;
    }
    descriptor_ref ref(cudnnBackendAttributeName_t name) const {
        return has(name) ? attributes.at(name).refs[0] : nullptr;
    }
};

struct dnn_tensor {
    int64_t uid, align;
    cudnnDataType_t type;
    int64_t n, c, h, w;
    bool is_virtual, by_value;

    size_t size() const { return size_t(n * c * h * w); }
    size_t bytes() const { return size() * (type == CUDNN_DATA_BFLOAT16 ? 2 : 4); }
    bool same_shape(const dnn_tensor &o) const {
        return n == o.n && c == o.c && h == o.h && w == o.w;
    }
};
dnn_tensor tensor_of(const descriptor &d);

/* An operation's tensors, whatever its attributes are called. */
struct dnn_operation {
    bool is_convolution, grad_input, grad_filter;
    cudnnPointwiseMode_t mode;
    double slope;
    descriptor_ref first, second, result; /* a convolution's: x, w, y; dy, w, dx; x, dy, dw */
};
dnn_operation operation_of(const descriptor &d);
std::vector<descriptor_ref> operations_of(const descriptor &graph); /* in their order */
convolution convolution_of(const descriptor &d); /* of a convolution's operation */

/* What finalizing has to find out about operation graphs, heuristics and plans. */
cudnnStatus_t check_operation(const descriptor &d);
cudnnStatus_t check_graph(const descriptor &d);
cudnnStatus_t check_heuristics(const descriptor &d);
cudnnStatus_t check_plan(descriptor &d);

/* What heuristics answer: the numbers of engines, best first; an engine's notes; the workspace of a
 * plan. */
std::vector<int> engines_for(const descriptor &graph);
std::vector<cudnnBackendNumericalNote_t> notes_of(int engine);
int64_t workspace_of(const descriptor &plan);
double milliseconds_of(const descriptor &plan);

/* A plan as text, and back, of the same version alone; false where it is none. */
std::vector<char> text_of_plan(const descriptor &plan);
bool plan_of_text(descriptor &plan, const std::vector<char> &text);

/* The live descriptor behind a pointer of the API, or NULL. */
descriptor_ref live(cudnnBackendDescriptor_t d);

} // namespace simt
