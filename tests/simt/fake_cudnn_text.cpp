/* Plans of the cuDNN stand-in as texts: the version, the engine, and every descriptor of the graph,
 * those that others refer to first. A text ends with a zero, as the library's do. */
#include "fake_cudnn_backend.h"

#include <sstream>

using namespace simt;

namespace {

using numbers = std::map<const descriptor *, int>;

void write(std::ostream &out, const descriptor_ref &d, numbers &number) {
    if (number.count(d.get())) return;
    for (const auto &[name, a] : d->attributes)
        for (const descriptor_ref &r : a.refs) write(out, r, number);
    const int mine = int(number.size());
    number[d.get()] = mine;
    out << "\n" << int(d->kind) << " " << d->attributes.size();
    for (const auto &[name, a] : d->attributes) {
        /* a handle means nothing to another process */
        const size_t bytes = a.refs.empty() && a.type != CUDNN_TYPE_HANDLE ? a.bytes.size() : 0;
        out << "\n  " << int(name) << " " << int(a.type) << " " << a.count << " " << bytes;
        for (size_t i = 0; i < bytes; i++)
            out << " " << int(static_cast<unsigned char>(a.bytes[i]));
        out << " " << a.refs.size();
        for (const descriptor_ref &r : a.refs) out << " " << number[r.get()];
    }
}

bool read_attribute(std::istream &in, descriptor *d, const std::vector<descriptor_ref> &made) {
    int name, type, value;
    attribute a;
    size_t bytes, refs, number;
    if (!(in >> name >> type >> a.count >> bytes)) return false;
    a.type = cudnnBackendAttributeType_t(type);
    for (size_t i = 0; i < bytes; i++) {
        if (!(in >> value)) return false;
        a.bytes.push_back(char(value));
    }
    if (!(in >> refs)) return false;
    for (size_t i = 0; i < refs; i++) {
        if (!(in >> number) || number >= made.size()) return false;
        a.refs.push_back(made[number]);
    }
    d->attributes[cudnnBackendAttributeName_t(name)] = std::move(a);
    return true;
}

} // namespace

std::vector<char> simt::text_of_plan(const descriptor &plan) {
    std::ostringstream out;
    numbers number;
    out << "simt-plan " << cudnnGetVersion() << " " << plan.engine;
    write(out, plan.graph, number);
    out << "\nend";
    const std::string text = out.str();
    return std::vector<char>(text.c_str(), text.c_str() + text.size() + 1);
}

bool simt::plan_of_text(descriptor &plan, const std::vector<char> &text) {
    if (text.empty() || text.back() != 0) return false;
    std::istringstream in(text.data());
    std::string word;
    size_t version, attributes;
    int engine;
    std::vector<descriptor_ref> made;
    if (!(in >> word >> version >> engine) || word != "simt-plan" || version != cudnnGetVersion())
        return false;
    while (in >> word && word != "end") {
        const auto d = std::make_shared<descriptor>();
        d->kind = cudnnBackendDescriptorType_t(std::stoi(word));
        d->finalized = true;
        if (!(in >> attributes)) return false;
        for (size_t i = 0; i < attributes; i++)
            if (!read_attribute(in, d.get(), made)) return false;
        made.push_back(d);
    }
    if (word != "end" || made.empty()) return false;
    plan.engine = engine;
    plan.graph = made.back();
    return plan.graph->kind == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR;
}
