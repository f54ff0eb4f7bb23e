/* SIMT_ORDER and SIMT_SEED. */
#include <cstdlib>

#include "block.h"

namespace simt {

namespace {
enum { forward, reverse, shuffled } mode;
uint64_t seed;
} // namespace

/* Every launch begins with the same number, so that a test can be repeated. */
void order_reset() {
    const char *order = getenv("SIMT_ORDER"), *number = getenv("SIMT_SEED");
    mode = !order || !strcmp(order, "fwd") ? forward : !strcmp(order, "rev") ? reverse : shuffled;
    seed = (number ? strtoull(number, nullptr, 10) : 0) * 2654435761u + 1;
}

unsigned order_random(unsigned n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return unsigned((seed >> 33) % n);
}

unsigned order_one_of(unsigned n) {
    return mode == forward ? 0 : mode == reverse ? n - 1 : order_random(n);
}

void order_make(std::vector<unsigned> &order, unsigned n) {
    order.resize(n);
    for (unsigned i = 0; i < n; i++) order[i] = mode == reverse ? n - 1 - i : i;
    if (mode == shuffled)
        for (unsigned i = n; i > 1; i--) std::swap(order[i - 1], order[order_random(i)]);
}

bool order_changes() { return mode == shuffled; }

} // namespace simt
