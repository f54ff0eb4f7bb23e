/* Execution of pointwise programs on tiles that stay in the first-level cache.
 *
 * A program is bound to shapes once, in prepare(): the axes of its values are collapsed as far as
 * the operands permit, down to rows of `columns` consecutive elements, of which each operand has
 * all, one or a repetition. Then tiles of at most GAN_CPU_TILE elements are evaluated, each step
 * one vectorised loop. Operands that are not consecutive in a tile are first spread into a buffer,
 * which is kept for the next tile where it would be the same (per-channel vectors, scalars),
 * together with what is computed from such operands alone. Operands in bf16 are spread, too: values
 * in a tile are f32.
 */
#ifndef GANC_CPU_PROGRAM_H
#define GANC_CPU_PROGRAM_H

#include "device/backend.h"

enum {
    GAN_CPU_TILE = 1024, /* elements at most; 4 KiB a value */
    GAN_CPU_VALUES = GAN_MAX_PROGRAM_INPUTS + GAN_MAX_PROGRAM_STEPS,
};

typedef void gan_cpu_function(float *y, const float *a, const float *b, float k, int64_t n);
typedef void gan_cpu_conversion(void *y, const void *x, int64_t n);

/* How an operand lies along the collapsed axes. */
typedef struct gan_cpu_operand {
    bool full;                    /* has every element of the result, in its order */
    bool bf16;                    /* else f32 */
    int64_t stride[GAN_MAX_RANK]; /* of the axes outside the rows, 0 where repeated; the last is
                                     next to the rows */
    int64_t inner;                /* 1, or 0: the same along a row */
} gan_cpu_operand;

typedef struct gan_cpu_step {
    gan_cpu_function *function;
    float k;
    uint8_t a, b; /* values */
    uint8_t slot; /* the buffer of the result */
    bool kept;    /* computed from kept operands alone */
} gan_cpu_step;

typedef struct gan_cpu_program {
    int given; /* values 0 … given-1 are handed in by the caller, consecutive in the tile */
    int n_inputs, n_steps; /* no steps: the value is the last input */
    int64_t size;          /* elements */
    int64_t columns, rows; /* size = rows·columns */
    int n_outer;           /* collapsed axes outside the rows */
    int64_t outer[GAN_MAX_RANK];
    int64_t tile;          /* elements of a tile at most: fewer when many buffers share the cache */
    int64_t tile_rows;     /* rows in a tile, 1 when a row needs several */
    int64_t tile_columns;  /* = columns unless a row needs several tiles */
    int64_t tiles_per_row; /* 1 unless a row needs several */
    int64_t n_tiles;
    gan_cpu_operand operand[GAN_MAX_PROGRAM_INPUTS];
    gan_cpu_step step[GAN_MAX_PROGRAM_STEPS];
    int n_slots;
    gan_cpu_conversion *widen; /* bf16 to f32 */
} gan_cpu_program;

/* Working memory of one thread, on its stack. */
typedef struct gan_cpu_scratch {
    int64_t key[GAN_CPU_VALUES]; /* what a kept buffer holds, -1: nothing */
    int64_t column, width;       /* the columns that kept buffers are for */
    int64_t capacity;            /* elements to fill kept buffers with */
    /* padded by some lines: at a distance of 4 KiB they would share a few sets of the cache */
    _Alignas(64) float buffer[GAN_CPU_VALUES][GAN_CPU_TILE + 80];
} gan_cpu_scratch;

/* For `cuts`: the rows are those of the shape's last axis, whatever its length. */
#define GAN_CPU_CUT_LAST 0x80000000u

/* Binds `program` (NULL: the identity of one input) to values of `shape`. The inputs from `given`
 * on are `operand[0…]`, f32 or bf16, of which only types and shapes are looked at. Bit i of `cuts`:
 * axis i may not be collapsed with the axes before it. */
gan_status gan_cpu_program_bind(gan_cpu_program *p, const gan_device *device,
                                const gan_pointwise_program *program, gan_shape shape, int given,
                                int n_operands, const gan_array *operand, uint32_t cuts);

/* Prepares a thread's memory for tiles of at most `capacity` elements. */
void gan_cpu_scratch_begin(gan_cpu_scratch *scratch, const gan_cpu_program *p, int64_t capacity);

/* Evaluates columns c … c+w-1 of rows r … r+n-1 (n·w <= the capacity), densely. operand: those from
 * input `given` on; given: the given values of this tile. The result goes to `y` (dense; may be a
 * given value or a full operand's place) when it is not NULL. Returns where it is. */
const float *gan_cpu_program_tile(const gan_cpu_program *p, gan_cpu_scratch *scratch,
                                  const gan_array *operand, const float *const *given, int64_t r,
                                  int64_t n, int64_t c, int64_t w, float *y);

/* The most elements a tile may have: whole rows, or a piece of one. */
static inline int64_t gan_cpu_program_capacity(const gan_cpu_program *p) {
    return p->columns > p->tile ? p->tile : p->tile_rows * p->columns;
}

/* The same for `length` consecutive elements from `start` on: within one row, or whole rows. */
static inline const float *gan_cpu_program_range(const gan_cpu_program *p, gan_cpu_scratch *scratch,
                                                 const gan_array *operand, int64_t start,
                                                 int64_t length, float *y) {
    const int64_t r = start / p->columns, c = start - r * p->columns;
    if (c + length <= p->columns)
        return gan_cpu_program_tile(p, scratch, operand, NULL, r, 1, c, length, y);
    return gan_cpu_program_tile(p, scratch, operand, NULL, r, length / p->columns, 0, p->columns,
                                y);
}

/* ---- epilogues: a program applied in place to the result of a product or convolution ---- */

typedef struct gan_cpu_epilogue {
    bool active; /* false when the node has no program: then the functions below do nothing */
    int first;   /* the operand that is value 1 of the program */
    gan_cpu_program program;
} gan_cpu_epilogue;

/* Binds node->program of a call whose own operands are the first `arity` ones. The result is seen
 * as rows of its last axis. Holds no memory: nothing to release. */
gan_status gan_cpu_epilogue_prepare(gan_cpu_epilogue *e, const gan_device *device,
                                    const gan_call *call);

/* Applies it to rows r0 … r1-1, columns c0 … c1-1 of the result, whose raw values lie in `block`
 * (element (r0, c0) first, rows `ld` elements apart) and are replaced. For any thread; takes its
 * operands from `call`. */
void gan_cpu_epilogue_block(const gan_cpu_epilogue *e, const gan_call *call, float *block,
                            int64_t ld, int64_t r0, int64_t r1, int64_t c0, int64_t c1);

/* Applies it to the whole of call->out, on all threads of the device. */
void gan_cpu_epilogue_all(const gan_cpu_epilogue *e, const gan_device *device,
                          const gan_call *call);

#endif
