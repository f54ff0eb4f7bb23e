#include "cpu/program.h"

#include <string.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/simd.h"

/* ---- binding ---- */

/* Collapses the axes: neighbours along which every operand is alike become one. */
static void collapse(gan_cpu_program *p, gan_shape shape, int n, const gan_array *operand,
                     uint32_t cuts) {
    int64_t length[GAN_MAX_RANK + 1];
    uint32_t mask[GAN_MAX_RANK + 1]; /* bit i: operand i goes along */
    int groups = 0;
    bool cut = false;
    for (int axis = 0; axis < shape.rank; axis++) {
        bool last = (cuts & GAN_CPU_CUT_LAST) && axis == shape.rank - 1;
        cut = cut || (cuts >> axis & 1u) || last;
        if (shape.dim[axis] == 1 && !last) continue;
        uint32_t along = 0;
        for (int i = 0; i < n; i++) {
            int lead = shape.rank - operand[i].shape.rank;
            if (axis >= lead && operand[i].shape.dim[axis - lead] == shape.dim[axis])
                along |= 1u << i;
        }
        if (groups > 0 && !cut && mask[groups - 1] == along) {
            length[groups - 1] *= shape.dim[axis];
        } else {
            length[groups] = shape.dim[axis];
            mask[groups++] = along;
        }
        cut = false;
    }
    if (groups == 0) {
        length[0] = 1;
        mask[0] = 0xffffffffu;
        groups = 1;
    }
    p->size = gan_shape_size(shape);
    p->columns = length[groups - 1];
    p->n_outer = groups - 1;
    p->rows = 1;
    for (int g = 0; g < p->n_outer; g++) {
        p->outer[g] = length[g];
        p->rows *= length[g];
    }
    for (int i = 0; i < n; i++) {
        gan_cpu_operand *o = &p->operand[p->given + i];
        int64_t stride = 1;
        o->full = true;
        for (int g = groups - 1; g >= 0; g--) {
            bool along = mask[g] >> i & 1u;
            if (g == groups - 1)
                o->inner = along;
            else
                o->stride[g] = along ? stride : 0;
            if (along)
                stride *= length[g];
            else
                o->full = false;
        }
    }
}

enum { FEW_BUFFERS = 2 };

static void cut_tiles(gan_cpu_program *p) {
    int buffers = p->n_slots - p->n_inputs;
    for (int i = p->given; i < p->n_inputs; i++)
        buffers += !p->operand[i].full || p->operand[i].bf16;
    p->tile = buffers <= FEW_BUFFERS ? GAN_CPU_TILE : GAN_CPU_TILE / 2;
    p->tile_rows = p->tiles_per_row = 1;
    p->tile_columns = p->columns;
    if (p->size == 0) {
        p->columns = p->tile_columns = 1;
        p->rows = p->n_tiles = 0;
    } else if (p->columns > p->tile) {
        const int64_t parts = (p->columns + p->tile - 1) / p->tile;
        p->tile_columns = ((p->columns + parts - 1) / parts + 15) / 16 * 16;
        p->tiles_per_row = (p->columns + p->tile_columns - 1) / p->tile_columns;
        p->n_tiles = p->rows * p->tiles_per_row;
    } else {
        p->tile_rows = p->tile / p->columns;
        if (p->tile_rows > p->rows) p->tile_rows = p->rows;
        p->n_tiles = (p->rows + p->tile_rows - 1) / p->tile_rows;
    }
}

/* Gives each value a buffer: operands and kept steps one of their own, the others share by
 * lifetime. */
static void assign_slots(gan_cpu_program *p) {
    int last_use[GAN_CPU_VALUES];
    for (int v = 0; v < GAN_CPU_VALUES; v++) last_use[v] = -1;
    for (int s = 0; s < p->n_steps; s++) last_use[p->step[s].a] = last_use[p->step[s].b] = s;

    bool kept[GAN_CPU_VALUES] = {false};
    for (int i = p->given; i < p->n_inputs; i++) {
        const gan_cpu_operand *o = &p->operand[i];
        kept[i] = !o->full && (o->inner == 0 || p->n_outer == 0 || o->stride[p->n_outer - 1] == 0);
    }
    uint8_t spare[GAN_CPU_VALUES];
    int n_spare = 0;
    p->n_slots = p->n_inputs;
    for (int s = 0; s < p->n_steps; s++) {
        gan_cpu_step *step = &p->step[s];
        int v = p->n_inputs + s;
        bool constant = step->a == v; /* a function of nothing */
        step->kept = s < p->n_steps - 1 && (constant || (kept[step->a] && kept[step->b]));
        kept[v] = step->kept;
        for (int side = 0; side < 2 && !constant; side++) {
            int u = side ? step->b : step->a;
            if (side && step->b == step->a) continue;
            if (u >= p->n_inputs && !kept[u] && last_use[u] == s)
                spare[n_spare++] = p->step[u - p->n_inputs].slot;
        }
        step->slot = !step->kept && n_spare > 0 ? spare[--n_spare] : (uint8_t)p->n_slots++;
    }
}

gan_status gan_cpu_program_bind(gan_cpu_program *p, const gan_device *device,
                                const gan_pointwise_program *program, gan_shape shape, int given,
                                int n_operands, const gan_array *operand, uint32_t cuts) {
    static const gan_pointwise_program identity = {.n_inputs = 1};
    if (!program) program = &identity;
    memset(p, 0, sizeof *p);
    p->given = given;
    p->n_inputs = program->n_inputs;
    p->n_steps = program->n_steps;
    if (p->n_inputs != given + n_operands || p->n_inputs > GAN_MAX_PROGRAM_INPUTS ||
        p->n_steps > GAN_MAX_PROGRAM_STEPS)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "cpu: program of %d inputs and %d steps, given %d operands", p->n_inputs,
                        p->n_steps, given + n_operands);
    for (int i = 0; i < n_operands; i++) {
        const gan_array *o = &operand[i];
        int lead = shape.rank - o->shape.rank;
        bool fits = lead >= 0;
        for (int axis = 0; fits && axis < o->shape.rank; axis++)
            fits = o->shape.dim[axis] == 1 || o->shape.dim[axis] == shape.dim[axis + lead];
        if (!fits || (o->dtype != GAN_F32 && o->dtype != GAN_BF16)) {
            char text[GAN_SHAPE_TEXT], expected[GAN_SHAPE_TEXT];
            return gan_fail(
                GAN_ERROR_SHAPE,
                "cpu: operand %d of a program is %s, expected axes of %s or of length 1", given + i,
                gan_shape_text(text, o->dtype, o->shape), gan_shape_text(expected, GAN_F32, shape));
        }
        p->operand[given + i].bf16 = o->dtype == GAN_BF16;
    }
    p->widen = gan_cpu_simd_of(device)->cast->cast[GAN_BF16][GAN_F32];
    for (int s = 0; s < p->n_steps; s++) {
        const gan_program_step *from = &program->step[s];
        gan_cpu_step *to = &p->step[s];
        int arity = gan_fn_table[from->fn].arity;
        uint8_t own = (uint8_t)(p->n_inputs + s);
        to->function = gan_cpu_simd_of(device)->pointwise->function[from->fn];
        to->k = from->k;
        to->a = arity > 0 ? from->arg[0] : own;
        to->b = arity > 1 ? from->arg[1] : to->a;
    }
    collapse(p, shape, n_operands, operand, cuts);
    assign_slots(p);
    cut_tiles(p);
    return GAN_OK;
}

/* ---- evaluation ---- */

void gan_cpu_scratch_begin(gan_cpu_scratch *scratch, const gan_cpu_program *p, int64_t capacity) {
    for (int v = 0; v < p->n_inputs + p->n_steps; v++) scratch->key[v] = -1;
    scratch->column = scratch->width = -1;
    scratch->capacity = capacity;
}

/* Element `i` of an operand. */
static inline const void *element(const gan_cpu_operand *o, const void *x, int64_t i) {
    return o->bf16 ? (const void *)((const uint16_t *)x + i) : (const void *)((const float *)x + i);
}

static inline void fill_row(const gan_cpu_program *p, const gan_cpu_operand *o, float *y,
                            const void *x_, int64_t inner, int64_t w) {
    if (o->bf16) {
        p->widen(y, x_, inner ? w : 1);
        for (int64_t i = 1; i < w && !inner; i++) y[i] = y[0];
        return;
    }
    const float *x = x_;
    if (inner) {
        for (int64_t i = 0; i < w; i++) y[i] = x[i];
    } else {
        const float value = *x;
        for (int64_t i = 0; i < w; i++) y[i] = value;
    }
}

/* The same row over and over. */
static void repeat_row(const gan_cpu_program *p, const gan_cpu_operand *o, float *y, const void *x,
                       int64_t inner, int64_t n, int64_t w) {
    fill_row(p, o, y, x, inner, w);
    const int64_t total = n * w;
    for (int64_t done = w; done < total; done *= 2)
        memcpy(y + done, y, sizeof *y * (size_t)(done < total - done ? done : total - done));
}

/* n rows from outer position `index` on. */
static void spread_rows(float *y, const void *x, const gan_cpu_program *p, const gan_cpu_operand *o,
                        const int64_t *index, int64_t n, int64_t c, int64_t w) {
    int64_t at[GAN_MAX_RANK];
    memcpy(at, index, sizeof at);
    const int last = p->n_outer - 1;
    while (n > 0) {
        int64_t row = o->inner * c;
        for (int g = 0; g <= last; g++) row += at[g] * o->stride[g];
        int64_t run = p->outer[last] - at[last];
        if (run > n) run = n;
        const int64_t step = o->stride[last];
        for (int64_t r = 0; r < run; r++)
            fill_row(p, o, y + r * w, element(o, x, row + r * step), o->inner, w);
        y += run * w;
        n -= run;
        at[last] += run;
        for (int g = last; g > 0 && at[g] == p->outer[g]; g--) {
            at[g] = 0;
            at[g - 1]++;
        }
    }
}

/* A value in a tile: computed for it alone; newly filled, or as it was, for the whole capacity. */
typedef enum state { ALONE, FILLED, SAME } state;

/* `n` consecutive elements: where they are, or converted in the operand's buffer. */
static const float *consecutive(const gan_cpu_program *p, gan_cpu_scratch *s, int i,
                                const void *from, int64_t n) {
    if (!p->operand[i].bf16) return from;
    p->widen(s->buffer[i], from, n);
    s->key[i] = -1;
    return s->buffer[i];
}

static state operand_values(const gan_cpu_program *p, gan_cpu_scratch *s, int i, const void *data,
                            const int64_t *index, int64_t r, int64_t n, int64_t c, int64_t w,
                            const float **value) {
    const gan_cpu_operand *o = &p->operand[i];
    if (o->full && (n == 1 || w == p->columns)) {
        *value = consecutive(p, s, i, element(o, data, r * p->columns + c), n * w);
        return ALONE;
    }
    int64_t offset = 0;
    for (int g = 0; g < p->n_outer; g++) offset += index[g] * o->stride[g];
    if (n == 1 && o->inner) {
        *value = consecutive(p, s, i, element(o, data, offset + c), w);
        return ALONE;
    }
    float *y = s->buffer[i];
    *value = y;
    const int last = p->n_outer - 1;
    if (n == 1) { /* odd keys: one number, good for any columns */
        const int64_t key = 2 * offset + 1;
        if (s->key[i] == key) return SAME;
        repeat_row(p, o, y, element(o, data, offset), 0, 1, s->capacity);
        s->key[i] = key;
        return FILLED;
    }
    if (o->stride[last] == 0 && n <= p->outer[last] - index[last]) {
        const int64_t key = 2 * offset;
        if (s->key[i] == key) return SAME;
        repeat_row(p, o, y, element(o, data, offset + o->inner * c), o->inner, s->capacity / w, w);
        s->key[i] = key;
        return FILLED;
    }
    spread_rows(y, data, p, o, index, n, c, w);
    s->key[i] = -1;
    return ALONE;
}

const float *gan_cpu_program_tile(const gan_cpu_program *p, gan_cpu_scratch *s,
                                  const gan_array *operand, const float *const *given, int64_t r,
                                  int64_t n, int64_t c, int64_t w, float *y) {
    if (c != s->column || w != s->width) {
        for (int i = 0; i < p->n_inputs; i++)
            if (!(s->key[i] & 1)) s->key[i] = -1;
        s->column = c;
        s->width = w;
    }
    int64_t index[GAN_MAX_RANK] = {r};
    for (int g = p->n_outer - 1; g > 0; g--) {
        const int64_t outside = index[0] / p->outer[g];
        index[g] = index[0] - outside * p->outer[g];
        index[0] = outside;
    }
    const float *value[GAN_CPU_VALUES];
    state how[GAN_CPU_VALUES];
    for (int i = 0; i < p->given; i++) {
        value[i] = given[i];
        how[i] = ALONE;
    }
    for (int i = p->given; i < p->n_inputs; i++)
        how[i] = operand_values(p, s, i, operand[i - p->given].data, index, r, n, c, w, &value[i]);

    for (int k = 0; k < p->n_steps; k++) {
        const gan_cpu_step *step = &p->step[k];
        const int v = p->n_inputs + k;
        float *to = k == p->n_steps - 1 && y ? y : s->buffer[step->slot];
        value[v] = to;
        how[v] = ALONE;
        int64_t length = n * w;
        if (step->kept) {
            const bool constant = step->a == v;
            const bool alone = !constant && (how[step->a] == ALONE || how[step->b] == ALONE);
            const bool same = constant || (how[step->a] == SAME && how[step->b] == SAME);
            if (same && s->key[v] == 1) {
                how[v] = SAME;
                continue;
            }
            s->key[v] = alone ? -1 : 1;
            if (!alone) {
                how[v] = FILLED;
                length = s->capacity;
            }
        }
        step->function(to, value[step->a], value[step->b], step->k, length);
    }
    const float *result = value[p->n_inputs + p->n_steps - 1];
    if (!y || result == y) return result;
    memcpy(y, result, sizeof *y * (size_t)(n * w));
    return y;
}
