/* Many small calls as one launch: what a call of a few hundred numbers costs is the launch, and
 * here only the first pays for it. Calls that depend on each other are taken by one block, a chain,
 * one after the other; those that are spread have blocks to themselves, and what waits for them
 * comes in a phase behind a barrier of all blocks. */
#include <cstddef>

#include "kernels/joined.cuh"

namespace {

enum { BLOCK = JOINED_BLOCK, ELEMENTS = 1024 /* of a spread task, a block */ };

/* ---- the kernel ---- */

/* How many blocks a spread task has. */
int blocks_of(const gan_launch_task &t) {
    switch (t.kind) {
    case GAN_LAUNCH_TASK_PROGRAM:
        return int(ceil_div(t.of.program.size, t.of.program.wide ? TASK_VECTOR * BLOCK : ELEMENTS));
    case GAN_LAUNCH_TASK_REDUCE:
        return int(ceil_div(t.of.program.results, Shares<BLOCK>(t).lanes));
    case GAN_LAUNCH_TASK_FOLD:
        return fold_blocks(t.of.fold);
    case GAN_LAUNCH_TASK_COLUMNS:
        return t.of.columns.matrices * t.of.columns.chunks * column_tiles(t.of.columns);
    case GAN_LAUNCH_TASK_DOTS:
        return int(ceil_div(t.of.dots.rows, BLOCK / dots_lanes<BLOCK>(t.of.dots)));
    default:
        return int(ceil_div(t.n, ELEMENTS));
    }
}

/* One block a multiprocessor will do: for more the compiler would spill registers. */
__global__ void __launch_bounds__(BLOCK, 1)
    joined_kernel(const __grid_constant__ gan_launch_joined_args a) {
    GPU_WAIT();
    run_joined(a, NoWhole());
}

/* Bytes of the task up to the end of a member of `of`. */
#define BYTES_OF(member)                                                                           \
    (offsetof(gan_launch_task, of) + sizeof(static_cast<gan_launch_task *>(nullptr)->of.member))

size_t task_bytes(int kind) {
    switch (kind) {
    case GAN_LAUNCH_TASK_FOLD:
        return BYTES_OF(fold);
    case GAN_LAUNCH_TASK_ROWS:
        return BYTES_OF(rows);
    case GAN_LAUNCH_TASK_AVERAGE:
        return BYTES_OF(average);
    case GAN_LAUNCH_TASK_ADVANCE:
        return BYTES_OF(advance);
    case GAN_LAUNCH_TASK_RECORD:
        return BYTES_OF(record);
    case GAN_LAUNCH_TASK_LOSS:
    case GAN_LAUNCH_TASK_LOSS_GRAD:
        return BYTES_OF(loss);
    case GAN_LAUNCH_TASK_UNIFORM:
    case GAN_LAUNCH_TASK_NORMAL:
        return BYTES_OF(random);
    case GAN_LAUNCH_TASK_SHUFFLE:
        return BYTES_OF(shuffle);
    case GAN_LAUNCH_TASK_BATCH:
        return BYTES_OF(batch);
    case GAN_LAUNCH_TASK_COLUMNS:
        return BYTES_OF(columns);
    case GAN_LAUNCH_TASK_DOTS:
        return BYTES_OF(dots);
    default:
        return offsetof(gan_launch_task, of);
    }
}

/* Of a program: up to its operands. */
constexpr size_t PROGRAM_BYTES =
    offsetof(gan_launch_task, of) + offsetof(gan_launch_task_program, operand);
constexpr size_t OPERAND_BYTES = sizeof(gan_launch_task_program::operand) / GAN_LAUNCH_TASK_INPUTS;

bool is_program(int kind) {
    return kind == GAN_LAUNCH_TASK_PROGRAM || kind == GAN_LAUNCH_TASK_REDUCE;
}

} // namespace

extern "C" int gan_launch_column_counters(const gan_launch_columns_args *a) {
    return column_tiles(*a);
}

extern "C" int gan_launch_task_bytes(int kind, int inputs, int steps) {
    const size_t bytes = is_program(kind) ? PROGRAM_BYTES + size_t(inputs) * OPERAND_BYTES +
                                                size_t(steps) * sizeof(gan_launch_step)
                                          : task_bytes(kind);
    return int(ceil_div(int64_t(bytes), 8) * 8);
}

extern "C" void gan_launch_joined_phase(gan_launch_joined_args *a, int chains) {
    a->begins = a->phases++ > 0;
    a->blocks = chains;
    if (a->most < chains) a->most = chains;
}

extern "C" void gan_launch_joined_add(gan_launch_joined_args *a, const gan_launch_task *task,
                                      int chain) {
    const gan_launch_task_program &p = task->of.program;
    gan_launch_task t = *task;
    char *to = reinterpret_cast<char *>(a->room) + a->bytes;
    t.bytes = gan_launch_task_bytes(t.kind, p.n_inputs, p.n_steps);
    t.begins = a->begins;
    a->begins = 0;
    t.first = chain < 0 ? a->blocks : chain;
    if (t.kind == GAN_LAUNCH_TASK_PROGRAM) t.of.program.wide = chain < 0 && is_wide(t);
    t.blocks = chain < 0 ? blocks_of(t) : 1;
    if (chain < 0) a->blocks += t.blocks;
    if (a->most < a->blocks) a->most = a->blocks;
    a->bytes += t.bytes;
    const size_t steps = is_program(t.kind) ? size_t(p.n_steps) * sizeof *p.step : 0;
    const size_t before =
        is_program(t.kind) ? PROGRAM_BYTES + size_t(p.n_inputs) * OPERAND_BYTES : size_t(t.bytes);
    memcpy(to, &t, before);
    memcpy(to + before, p.step, steps);
}

extern "C" cudaError_t gan_launch_joined(const gan_launch_joined_args *a, cudaStream_t stream) {
    if (a->whole) return gan_launch_joined_whole(a, stream);
    if (a->phases == 1) {
        GPU_LAUNCH(joined_kernel, dim3(unsigned(a->most)), dim3(BLOCK), stream, *a);
    } else {
        const int resident = resident_blocks(joined_kernel, BLOCK);
        const int blocks = a->most < resident ? a->most : resident;
        GPU_LAUNCH_COOPERATIVE(joined_kernel, dim3(unsigned(blocks)), dim3(BLOCK), stream, *a);
    }
    return cudaGetLastError();
}
