/* Batch norm, and what D ends with: launches whose blocks wait for each other, and those that do
 * not. */
#include <stdio.h>

#include "case.h"
#include "ops.h"

/* Batch norm in training with its activation, or that and its gradient: the least is to read x (and
 * dy) and write y (and dx), where x stays on the chip in between. */
static void time_norm(bench *b, int64_t n, int64_t size, int64_t c, bool back, const char *how) {
    char title[96];
    snprintf(title, sizeof title, "%s%s %lld %lld %lld", back ? "norm_back" : "norm", how,
             (long long)n, (long long)size, (long long)c);
    ops_begin(b);
    const gan_shape shape = gan_shape4(n, size, size, c);
    gan_node *x = ops_typed(b, "x/x", shape);
    gan_node *gamma = ops_operand(b, "w/gamma", gan_shape1(c));
    gan_node *beta = ops_operand(b, "w/beta", gan_shape1(c));
    gan_node *y = gan_batch_norm_training(b->g, x, 1, gamma, beta, 1e-5, NULL);
    y = gan_output(b->g, gan_relu(b->g, y));
    if (back) {
        gan_node *dy = ops_typed(b, "dy/dy", shape);
        gan_node *from[3] = {x, gamma, beta}, *gradient[3];
        bench_check(gan_gradient(b->g, gan_sum(b->g, gan_mul(b->g, y, dy)), 3, from, gradient));
        for (int i = 0; i < 3; i++) gan_output(b->g, gradient[i]);
    }
    ops_finish(b, title, 0, (back ? 5 : 2) * ops_bytes(shape) / (b->dtype == GAN_BF16 ? 2 : 1));
}

/* Statistics and what is made of them in one launch, whose blocks wait for each other, and in two:
 * layers of b, c and d. */
static void norms(bench *b) {
    static const struct {
        gan_dtype dtype;
        int cooperative;
        const char *how;
    } ways[] = {{GAN_F32, 1, "/one"},
                {GAN_F32, -1, "/two"},
                {GAN_BF16, 1, "/one/bf16"},
                {GAN_BF16, -1, "/two/bf16"}};
    static const struct {
        int64_t n, size, c;
    } layers[] = {{64, 4, 256},  {128, 8, 256},  {128, 16, 128}, {128, 32, 64},
                  {64, 32, 256}, {128, 32, 256}, {256, 32, 192}, {256, 64, 96}};
    gan_device_options options = b->options;
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        options.cooperative = ways[way].cooperative;
        bench other = ops_open(b, options, ways[way].dtype);
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
            for (int back = 0; back < 2; back++)
                time_norm(&other, layers[i].n, layers[i].size, layers[i].c, back, ways[way].how);
        ops_close(&other);
    }
}

/* What c's D ends with: features rectified and summed up over an image, a logit, its loss, and what
 * comes back. The least is to read x and write y and dx. */
static void time_head(bench *b, int64_t n, int64_t size, int64_t c, const char *how) {
    char title[96];
    snprintf(title, sizeof title, "head%s %lld %lld %lld", how, (long long)n, (long long)size,
             (long long)c);
    ops_begin(b);
    const gan_shape shape = gan_shape4(n, size, size, c);
    gan_node *x = ops_typed(b, "x/x", shape);
    gan_node *w = ops_operand(b, "w/w", gan_shape2(1, c)), *dx;
    gan_node *y = gan_output(b->g, gan_relu(b->g, x));
    y = gan_reshape(b->g, gan_sum_axes(b->g, y, 6), gan_shape2(n, c));
    y = gan_matmul(b->g, gan_cast(b->g, y, b->dtype), gan_cast(b->g, w, b->dtype), false, true);
    gan_node *loss = gan_logits_loss(b->g, gan_cast(b->g, y, GAN_F32), 1);
    bench_check(gan_gradient(b->g, loss, 1, &x, &dx));
    gan_output(b->g, dx);
    ops_finish(b, title, 0, 3 * ops_bytes(shape) / (b->dtype == GAN_BF16 ? 2 : 1));
}

/* In one launch, whose blocks wait for each other, and in one a phase. */
static void heads(bench *b) {
    gan_device_options options = b->options;
    for (int one = 0; one < 2; one++) {
        options.cooperative = one ? 1 : -1;
        bench other = ops_open(b, options, GAN_F32);
        time_head(&other, 128, 8, 128, one ? "/one" : "/phases");
        other.dtype = GAN_BF16;
        time_head(&other, 128, 8, 128, one ? "/one/bf16" : "/phases/bf16");
        ops_close(&other);
    }
}

/* D's last batch norm, its logit and loss, and what comes back: as phases of one launch, and with
 * batch norm by itself. The least is as above. */
static void time_end(bench *b, int64_t n, int64_t c, const char *how) {
    char title[96];
    snprintf(title, sizeof title, "end%s %lld 4 %lld", how, (long long)n, (long long)c);
    ops_begin(b);
    const gan_shape shape = gan_shape4(n, 4, 4, c);
    gan_node *x = ops_typed(b, "x/x", shape);
    gan_node *w = ops_operand(b, "w/w", gan_shape2(1, 16 * c)), *dx;
    gan_node *gamma = ops_operand(b, "w/gamma", gan_shape1(c)),
             *beta = ops_operand(b, "w/beta", gan_shape1(c));
    gan_node *y = gan_batch_norm_training(b->g, x, 2, gamma, beta, 1e-5, NULL);
    y = gan_reshape(b->g, gan_output(b->g, gan_leaky_relu(b->g, y, 0.2)), gan_shape2(n, 16 * c));
    y = gan_matmul(b->g, y, gan_cast(b->g, w, b->dtype), false, true);
    gan_node *loss = gan_logits_loss(b->g, gan_cast(b->g, y, GAN_F32), 1);
    bench_check(gan_gradient(b->g, loss, 1, &x, &dx));
    gan_output(b->g, dx);
    ops_finish(b, title, 0, 3 * ops_bytes(shape) / 2);
}

static void ends(bench *b) {
    gan_device_options options = b->options;
    for (int pairs = 0; pairs < 2; pairs++) {
        options.cooperative = pairs;
        bench other = ops_open(b, options, GAN_BF16);
        time_end(&other, 256, 512, pairs ? "/pairs/bf16" : "/phases/bf16");  /* of b */
        time_end(&other, 512, 1536, pairs ? "/pairs/bf16" : "/phases/bf16"); /* of d */
        ops_close(&other);
    }
}

void ops_norms(bench *b) {
    time_norm(b, 64, 16, 64, false, "");
    time_norm(b, 128, 32, 64, false, "");
    time_norm(b, 128, 8, 256, false, "");
    if (!b->cuda) return;
    norms(b);
    heads(b);
    ends(b);
}
