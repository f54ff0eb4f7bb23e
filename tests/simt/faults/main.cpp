/* faults NAME wrong|right: runs one of the two and says on stderr what came out of it.
 * faults all right: every right one. */
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "fault.h"

namespace {

std::vector<const fault *> find(const char *name) {
    std::vector<const fault *> found;
    for (const fault *list :
         {faults_memory, faults_barrier, faults_race, faults_warp, faults_launch, faults_grid})
        for (; list->name; list++)
            if (!strcmp(list->name, name) || !strcmp("all", name)) found.push_back(list);
    return found;
}

memory prepare() {
    memory m = {};
    m.n = FAULT_FLOATS;
    const size_t bytes = FAULT_FLOATS * sizeof(float);
    std::vector<float> numbers(FAULT_FLOATS);
    for (int i = 0; i < m.n; i++) numbers[size_t(i)] = float(i);
    cudaStreamCreateWithFlags(&m.stream, cudaStreamNonBlocking);
    cudaMalloc(reinterpret_cast<void **>(&m.x), bytes);
    cudaMalloc(reinterpret_cast<void **>(&m.y), bytes);
    cudaMalloc(reinterpret_cast<void **>(&m.counter), 2 * sizeof *m.counter);
    cudaMemcpyAsync(m.x, numbers.data(), bytes, cudaMemcpyHostToDevice, m.stream);
    cudaMemsetAsync(m.counter, 0, 2 * sizeof *m.counter, m.stream);
    return m;
}

int compare(const fault &f, const memory &m) {
    std::vector<float> got(FAULT_FLOATS);
    cudaMemcpyAsync(got.data(), m.y, got.size() * sizeof(float), cudaMemcpyDeviceToHost, m.stream);
    for (int i = 0; i < f.expected_floats; i++)
        if (!(got[size_t(i)] == f.expected(i))) {
            fprintf(stderr, "%s: y[%d] is %g, expected %g\n", f.name, i, double(got[size_t(i)]),
                    double(f.expected(i)));
            return 1;
        }
    return 0;
}

int run(const fault &f, bool wrong) {
    const memory m = prepare();
    (wrong ? f.wrong : f.right)(m);
    if (const cudaError_t error = cudaGetLastError()) {
        fprintf(stderr, "%s: %s\n", f.name, cudaGetErrorString(error));
        return 1;
    }
    const int bad = compare(f, m);
    cudaFree(m.x);
    cudaFree(m.y);
    cudaFree(m.counter);
    cudaStreamDestroy(m.stream);
    return bad;
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    const std::vector<const fault *> found = find(argv[1]);
    if (found.empty()) return 2;
    int bad = 0;
    for (const fault *f : found) bad += run(*f, !strcmp(argv[2], "wrong"));
    return bad != 0;
}
