/* Noise and data, from Philox4x32-10 as published (Salmon et al., SC 2011, section 3.3). */
#include <math.h>

#include "reference/family.h"

void ref_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t x[4] = {counter[0], counter[1], counter[2], counter[3]};
    for (uint32_t round = 0; round < 10; round++) {
        const uint32_t k0 = key[0] + round * 0x9E3779B9u, k1 = key[1] + round * 0xBB67AE85u;
        const uint64_t a = (uint64_t)x[0] * 0xD2511F53u, b = (uint64_t)x[2] * 0xCD9E8D57u;
        const uint32_t y[4] = {(uint32_t)(b >> 32) ^ x[1] ^ k0, (uint32_t)b,
                               (uint32_t)(a >> 32) ^ x[3] ^ k1, (uint32_t)a};
        for (int i = 0; i < 4; i++) x[i] = y[i];
    }
    for (int i = 0; i < 4; i++) out[i] = x[i];
}

/* Four numbers of `stream`: those of elements 4·group … of iteration `t`. cuRAND's counter has the
 * offset in its low and the subsequence (here: stream, group) in its high 64 bits. */
static void draw(const ref_call *c, uint32_t stream, uint32_t group, uint64_t t, uint32_t out[4]) {
    const uint32_t counter[4] = {(uint32_t)t, (uint32_t)(t >> 32), group, stream};
    const uint32_t key[2] = {(uint32_t)c->seed, (uint32_t)(c->seed >> 32)};
    ref_philox(counter, key, out);
}

/* 32 bits -> (0, 1]. The mapping is defined in single precision: the rounding is part of it. */
static double uniform(uint32_t bits) {
    return (double)(float)(ldexp((double)(float)bits, -32) + ldexp(1, -33));
}

/* Two of 32 bits -> a normal number; the first or the second of the pair (Box and Muller 1958). */
static double normal(uint32_t x, uint32_t y, bool second) {
    const double radius = sqrt(-2 * log(uniform(x))),
                 angle = 2 * acos(-1) * (ldexp(y, -32) + ldexp(1, -33));
    return radius * (second ? cos(angle) : sin(angle));
}

void ref_op_random(const ref_call *c) {
    const double a = c->node->attr.random.a, b = c->node->attr.random.b;
    const uint64_t t = (uint64_t)c->in[0][0];
    for (int64_t i = 0; i < gan_shape_size(c->node->shape); i++) {
        uint32_t bits[4];
        draw(c, c->node->attr.random.stream, (uint32_t)(i / 4), t, bits);
        const uint32_t mine = bits[i % 4];
        switch (c->node->attr.random.kind) {
        case GAN_RANDOM_UNIFORM:
            c->out[i] = a + (b - a) * uniform(mine);
            break;
        case GAN_RANDOM_NORMAL: {
            const int64_t pair = i % 4 / 2 * 2;
            c->out[i] = a + b * normal(bits[pair], bits[pair + 1], i % 2 == 1);
            break;
        }
        case GAN_RANDOM_INDEX:
            c->out[i] = floor(ldexp((double)mine, -32) * a);
            break;
        }
        if (c->node->dtype == GAN_BF16) c->out[i] = ref_round_bf16(c->out[i]);
    }
}

/* Where position i of n goes in an epoch: a cipher of 2·half bits in four Feistel rounds, applied
 * again while its result is n or more (Black and Rogaway 2002). */
static uint64_t shuffled(const ref_call *c, uint32_t stream, uint64_t epoch, uint64_t n,
                         uint64_t i) {
    uint32_t half = 1;
    while (pow(4, half) < (double)n) half++;
    const uint64_t side = (uint64_t)1 << half;
    do {
        uint64_t left = i / side, right = i % side;
        for (int round = 0; round < 4; round++) {
            uint32_t bits[4];
            draw(c, stream, (uint32_t)right, epoch, bits);
            const uint64_t next = (left ^ bits[round]) % side;
            left = right;
            right = next;
        }
        i = left * side + right;
    } while (i >= n);
    return i;
}

void ref_op_shuffled_index(const ref_call *c) {
    const int64_t n = c->node->attr.shuffle.n;
    const int64_t first =
        (int64_t)c->in[0][0] * c->node->attr.shuffle.per_iteration + c->node->attr.shuffle.offset;
    for (int64_t i = 0; i < gan_shape_size(c->node->shape); i++)
        c->out[i] = (double)shuffled(c, c->node->attr.shuffle.stream, (uint64_t)((first + i) / n),
                                     (uint64_t)n, (uint64_t)((first + i) % n));
}

/* Which example is row i of a mini-batch: by its operand, or, in plans, by a shuffle of its own. */
static int64_t example(const ref_call *c, int64_t i) {
    const gan_attr *attr = &c->node->attr;
    if (!attr->minibatch.shuffled) return (int64_t)c->in[1][i];
    const int64_t n = attr->minibatch.n, at = (int64_t)c->in[1][0] * attr->minibatch.per_iteration +
                                              attr->minibatch.offset + i;
    return (int64_t)shuffled(c, attr->minibatch.shuffle, (uint64_t)(at / n), (uint64_t)n,
                             (uint64_t)(at % n));
}

void ref_op_minibatch(const ref_call *c) {
    const gan_shape data = ref_shape(c, 0), batch = c->node->shape;
    for (int64_t i = 0; i < batch.dim[0]; i++) {
        const int64_t row = example(c, i);
        uint32_t bits[4];
        draw(c, c->node->attr.minibatch.stream, (uint32_t)(i / 4), (uint64_t)c->in[2][0], bits);
        const bool mirror = c->node->attr.minibatch.flip && (bits[i % 4] & 1);
        for (int64_t h = 0; h < batch.dim[1]; h++)
            for (int64_t w = 0; w < batch.dim[2]; w++)
                for (int64_t j = 0; j < batch.dim[3]; j++) {
                    const int64_t from = mirror ? batch.dim[2] - 1 - w : w;
                    const double byte = c->in[0][ref_at4(data, row, h, from, j)];
                    c->out[ref_at4(batch, i, h, w, j)] =
                        c->node->attr.minibatch.scale * byte + c->node->attr.minibatch.shift;
                }
    }
}
