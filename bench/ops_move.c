/* What only moves bytes: functions of arrays, sums, Adam, minibatches, noise. */
#include <stdio.h>

#include "ops.h"

static void time_pointwise(bench *b, int64_t n) {
    char title[64];
    snprintf(title, sizeof title, "pointwise %lld", (long long)n);
    ops_begin(b);
    gan_node *x = ops_operand(b, "x/x", gan_shape1(n)), *y = ops_operand(b, "y/y", gan_shape1(n));
    gan_output(b->g, gan_leaky_relu(b->g, gan_add(b->g, x, y), 0.2));
    ops_finish(b, title, 0, 12.0 * (double)n);
}

static void time_tanh(bench *b, int64_t n) {
    char title[64];
    snprintf(title, sizeof title, "tanh %lld", (long long)n);
    ops_begin(b);
    gan_output(b->g, gan_tanh(b->g, ops_operand(b, "x/x", gan_shape1(n))));
    ops_finish(b, title, 0, 8.0 * (double)n);
}

static void time_reduce(bench *b, int64_t rows, int64_t columns) {
    char title[64];
    snprintf(title, sizeof title, "reduce %lld %lld", (long long)rows, (long long)columns);
    ops_begin(b);
    gan_output(b->g, gan_sum_axes(b->g, ops_operand(b, "x/x", gan_shape2(rows, columns)), 1u));
    ops_finish(b, title, 0, 4.0 * (double)(rows * columns + columns));
}

static void time_adam(bench *b, int64_t n) {
    char title[64];
    snprintf(title, sizeof title, "adam %lld", (long long)n);
    ops_begin(b);
    gan_node *w = ops_operand(b, "w/w", gan_shape1(n)),
             *gradient = ops_operand(b, "g/g", gan_shape1(n));
    gan_node *counter = gan_game_counter(b->g);
    gan_adam(b->g, "w", 1, &w, &gradient,
             &(gan_adam_options){.beta1 = 0.5,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .rate = gan_constant(b->g, 1e-9, gan_shape0()),
                                 .counter = counter,
                                 .per_iteration = 1});
    gan_advance(b->g, counter, 1);
    ops_finish(b, title, 0, 28.0 * (double)n);
}

static void time_gather(bench *b, int64_t examples, int64_t m, int64_t size, int64_t channels) {
    char title[64];
    snprintf(title, sizeof title, "gather %lld %lld %lld %lld", (long long)examples, (long long)m,
             (long long)size, (long long)channels);
    ops_begin(b);
    gan_node *data =
        gan_variable_node(b->g, GAN_DATA, "data/images", GAN_U8,
                          gan_shape4(examples, size, size, channels), gan_init_constant(1));
    gan_node *counter = gan_game_counter(b->g);
    gan_node *index = gan_shuffled_index(b->g, counter, examples, m, m, 0, 1u << 20);
    gan_output(b->g, gan_minibatch(b->g, data, index, counter, 1.0 / 127.5, -1, false));
    gan_advance(b->g, counter, 1);
    ops_finish(b, title, 0, 5.0 * (double)(m * size * size * channels));
}

static void time_random(bench *b, int64_t n) {
    char title[64];
    snprintf(title, sizeof title, "random %lld", (long long)n);
    ops_begin(b);
    gan_node *counter = gan_game_counter(b->g);
    gan_output(b->g, gan_random_normal(b->g, counter, gan_shape1(n), 0, 1));
    gan_advance(b->g, counter, 1);
    ops_finish(b, title, 0, 4.0 * (double)n);
}

void ops_moves(bench *b) {
    time_pointwise(b, 128 * 1024);
    time_pointwise(b, 1 << 24);
    time_tanh(b, 128 * 64 * 64 * 3);
    time_reduce(b, 256, 512);
    time_reduce(b, 1 << 17, 64);
    time_adam(b, 1485584);
    time_adam(b, 3576704);
    time_gather(b, 10000, 128, 28, 1);
    time_gather(b, 4096, 128, 64, 3);
    time_random(b, 128 * 100);
    time_random(b, 200 * 784);
}
