/* Shuffles, votes and __syncwarp(): the lanes of a mask meet. */
#include "block.h"

namespace simt {

namespace {

/* Complete when every lane of the mask that has not exited is here. */
void complete(warp &w, meeting &m) {
    const unsigned needed = m.mask & w.alive;
    if (m.leaving || (m.arrived & needed) != needed) return;
    m.leaving = m.arrived;
    block &b = *running_block;
    thread *lane = &b.threads[32 * size_t(&w - b.warps.data())];
    for (unsigned left = m.arrived; left; left &= left - 1) {
        thread &t = lane[__builtin_ctz(left)];
        if (t.now == state::in_warp) t.now = state::ready;
    }
}

meeting &join(warp &w, site where, lane_op op, unsigned mask) {
    if (w.meetings.empty()) w.meetings.resize(32);
    for (unsigned used = w.used; used; used &= used - 1) {
        meeting &m = w.meetings[size_t(__builtin_ctz(used))];
        if (m.leaving || !(m.mask & mask)) continue;
        if (m.mask != mask)
            fail(where, "lanes of one warp meet with masks %08x (here) and %08x (%s:%d)", mask,
                 m.mask, m.where.file, m.where.line);
        if (m.op != op || m.where.line != where.line)
            fail(where, "lanes of mask %08x meet in different places: others wait at %s:%d", mask,
                 m.where.file, m.where.line);
        return m;
    }
    const unsigned slot = unsigned(__builtin_ctz(~w.used));
    w.used |= 1u << slot;
    meeting &m = w.meetings[slot];
    m.mask = mask;
    m.arrived = m.leaving = 0;
    m.op = op;
    m.where = where;
    return m;
}

uint64_t voted(const meeting &m) {
    unsigned yes = 0;
    for (unsigned lane = 0; lane < 32; lane++)
        yes |= unsigned((m.arrived >> lane & 1) && m.value[lane]) << lane;
    return m.op == lane_op::ballot ? yes : m.op == lane_op::any ? yes != 0 : yes == m.arrived;
}

/* A lane that did not take part has no value: all bits set, which is NaN. */
uint64_t shuffled(const meeting &m, int lane, int argument, int width) {
    const int first = lane & ~(width - 1), end = first + width;
    int from = lane;
    if (m.op == lane_op::index) from = first + (argument & (width - 1));
    if (m.op == lane_op::up && lane - argument >= first) from = lane - argument;
    if (m.op == lane_op::down && lane + argument < end) from = lane + argument;
    if (m.op == lane_op::exclusive_or && (lane ^ argument) < end) from = lane ^ argument;
    return m.arrived >> from & 1 ? m.value[from] : ~uint64_t(0);
}

} // namespace

void warp_left(warp &w) {
    for (unsigned used = w.used; used; used &= used - 1)
        complete(w, w.meetings[size_t(__builtin_ctz(used))]);
}

uint64_t collective(site where, lane_op op, unsigned mask, uint64_t value, int argument,
                    int width) {
    thread &me = *running_thread;
    expect_waited();
    warp &w = running_block->warps[me.number / 32];
    const unsigned lane = me.number % 32;
    if (!(mask >> lane & 1)) fail(where, "lane %u is not in its own mask %08x", lane, mask);
    if (width < 1 || width > 32 || (width & (width - 1)))
        fail(where, "width %d; expected a power of 2", width);

    meeting &m = join(w, where, op, mask);
    m.value[lane] = value;
    m.arrived |= 1u << lane;
    me.met = &m;
    if (op == lane_op::sync) release(w.memory); /* shuffles order no memory */
    complete(w, m);
    if (!m.leaving) wait_as(state::in_warp, where);
    if (op == lane_op::sync) acquire(w.memory);

    uint64_t result = 0;
    if (op == lane_op::ballot || op == lane_op::any || op == lane_op::all)
        result = voted(m);
    else if (op != lane_op::sync)
        result = shuffled(m, int(lane), argument, width);
    m.leaving &= ~(1u << lane);
    if (!m.leaving) w.used &= ~(1u << unsigned(&m - w.meetings.data()));
    return result;
}

} // namespace simt
