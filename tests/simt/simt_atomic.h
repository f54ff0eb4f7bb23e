/* Atomics on 32 and 64 bit numbers. Their order is the blocks' order, so a sum of floats differs
 * from one SIMT_ORDER to the next: floating-point atomics are left out on purpose. As on the
 * device, they order no other memory: that takes a fence before, and one after. */
#pragma once

namespace simt {

template <class T, class F>
inline T atomic(T *address, F next) {
    static_assert(std::is_integral<T>::value && (sizeof(T) == 4 || sizeof(T) == 8),
                  "atomics on integers only: sums of floats must not depend on the order");
    before_atomic();
    T old = __atomic_load_n(address, __ATOMIC_RELAXED), wanted;
    do {
        wanted = next(old);
    } while (!__atomic_compare_exchange_n(address, &old, wanted, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    after_atomic();
    return old;
}

template <class T>
struct same {
    using type = T;
}; /* no deduction from the second operand */
template <class T>
using same_t = typename same<T>::type;

} // namespace simt

template <class T>
inline T atomicAdd(T *p, simt::same_t<T> v) {
    return simt::atomic(p, [=](T old) { return T(old + v); });
}
template <class T>
inline T atomicSub(T *p, simt::same_t<T> v) {
    return simt::atomic(p, [=](T old) { return T(old - v); });
}
template <class T>
inline T atomicMax(T *p, simt::same_t<T> v) {
    return simt::atomic(p, [=](T old) { return old < v ? v : old; });
}
template <class T>
inline T atomicMin(T *p, simt::same_t<T> v) {
    return simt::atomic(p, [=](T old) { return v < old ? v : old; });
}
template <class T>
inline T atomicExch(T *p, simt::same_t<T> v) {
    return simt::atomic(p, [=](T) { return v; });
}
template <class T>
inline T atomicOr(T *p, simt::same_t<T> v) {
    return simt::atomic(p, [=](T old) { return T(old | v); });
}
template <class T>
inline T atomicAnd(T *p, simt::same_t<T> v) {
    return simt::atomic(p, [=](T old) { return T(old & v); });
}
template <class T>
inline T atomicCAS(T *p, simt::same_t<T> compare, simt::same_t<T> v) {
    return simt::atomic(p, [=](T old) { return old == compare ? v : old; });
}
/* Counts up to `last`, then starts at 0 again: what the last block of a grid tells itself by. */
inline unsigned atomicInc(unsigned *p, unsigned last) {
    return simt::atomic(p, [=](unsigned old) { return old >= last ? 0u : old + 1; });
}
