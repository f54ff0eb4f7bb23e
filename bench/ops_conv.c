/* Convolutions and their gradients. */
#include <stdio.h>

#include "ops.h"

typedef struct conv {
    int64_t n, size, c, k, filter;
    int stride, padding;
} conv;

/* Of dcgan32, b, and the residual network's 3x3. */
static const conv convs[] = {
    {64, 32, 3, 64, 4, 2, 1},    {64, 16, 64, 128, 4, 2, 1},  {64, 8, 128, 256, 4, 2, 1},
    {128, 64, 3, 64, 4, 2, 1},   {128, 32, 64, 128, 4, 2, 1}, {128, 16, 128, 256, 4, 2, 1},
    {128, 8, 256, 512, 4, 2, 1}, {64, 16, 128, 128, 3, 1, 1},
};

typedef gan_node *function(gan_graph *g, gan_node *x);

/* `how`: what stands behind the op's name; `then` is applied to its result. */
static void time_conv_then(bench *b, const conv *c, int kind, const char *how, function *then) {
    static const char *const names[] = {"conv2d", "grad_input", "grad_weight"};
    const gan_window window = gan_window_same(c->stride, c->padding);
    const int64_t out = (c->size + 2 * c->padding - c->filter) / c->stride + 1;
    const gan_shape x = gan_shape4(c->n, c->size, c->size, c->c);
    const gan_shape y = gan_shape4(c->n, out, out, c->k);
    const gan_shape w = gan_shape4(c->k, c->filter, c->filter, c->c);
    char title[96];
    snprintf(title, sizeof title, "%s%s %lld %lld %lld %lld %lld %d %d", names[kind], how,
             (long long)c->n, (long long)c->size, (long long)c->c, (long long)c->k,
             (long long)c->filter, c->stride, c->padding);
    ops_begin(b);
    gan_node *p = ops_typed(b, "p/p", kind == 1 ? y : x);
    gan_node *q = ops_typed(b, "q/q", kind == 2 ? y : w);
    gan_node *result = kind == 0 ? gan_conv2d(b->g, p, q, window)
                       : kind == 1
                           ? gan_conv2d_grad_input(b->g, p, q, c->size, c->size, window)
                           : gan_conv2d_grad_weight(b->g, p, q, c->filter, c->filter, window);
    gan_output(b->g, then ? then(b->g, result) : result);
    ops_finish(b, title, 2.0 * (double)(c->n * out * out * c->k * c->filter * c->filter * c->c),
               (ops_bytes(x) + ops_bytes(y) + ops_bytes(w)) / (b->dtype == GAN_BF16 ? 2 : 1));
}

static void time_conv(bench *b, const conv *c, int kind, const char *how) {
    time_conv_then(b, c, kind, how, NULL);
}

/* With nothing behind them, with a function that the library compiles into the convolution, and one
 * that it does not know, which makes two launches: G's and D's of c, data gradients of b and d. */
static void behind(bench *b) {
    static const struct {
        function *then;
        const char *how;
    } ways[] = {{NULL, "/alone/bf16"}, {gan_relu, "/fused/bf16"}, {gan_square, "/apart/bf16"}};
    static const struct {
        int kind;
        conv is;
    } layers[] = {{0, {128, 32, 256, 256, 3, 1, 1}}, {0, {128, 16, 128, 128, 3, 1, 1}},
                  {1, {128, 16, 128, 128, 3, 1, 1}}, {1, {128, 32, 128, 128, 4, 2, 1}},
                  {1, {256, 32, 64, 128, 4, 2, 1}},  {1, {512, 64, 96, 192, 4, 2, 1}}};
    bench other = *b;
    other.dtype = GAN_BF16;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
            time_conv_then(&other, &layers[i].is, layers[i].kind, ways[way].how, ways[way].then);
}

/* First and last layers of dcgan on Fashion-MNIST, of b, c and d. */
static const conv few[] = {
    {64, 28, 1, 64, 4, 2, 1},   {128, 64, 3, 64, 4, 2, 1}, {256, 128, 3, 96, 4, 2, 1},
    {128, 32, 3, 128, 3, 1, 1}, {64, 32, 256, 3, 3, 1, 1},
};

/* The gradients of a first layer's filter and bias. */
static void time_gradients(bench *b, const conv *c, const char *how) {
    const gan_window window = gan_window_same(c->stride, c->padding);
    const int64_t out = (c->size + 2 * c->padding - c->filter) / c->stride + 1;
    const gan_shape x = gan_shape4(c->n, c->size, c->size, c->c);
    const gan_shape y = gan_shape4(c->n, out, out, c->k);
    char title[96];
    snprintf(title, sizeof title, "gradients%s %lld %lld %lld %lld %lld %d %d", how,
             (long long)c->n, (long long)c->size, (long long)c->c, (long long)c->k,
             (long long)c->filter, c->stride, c->padding);
    ops_begin(b);
    gan_node *p = ops_typed(b, "p/p", x), *q = ops_typed(b, "q/q", y);
    gan_output(b->g, gan_conv2d_grad_weight(b->g, p, q, c->filter, c->filter, window));
    gan_output(b->g, gan_sum_axes(b->g, gan_cast(b->g, q, GAN_F32), 1u << 0 | 1u << 1 | 1u << 2));
    ops_finish(b, title, 2.0 * (double)(c->n * out * out * c->k * c->filter * c->filter * c->c),
               (ops_bytes(x) + ops_bytes(y)) / (b->dtype == GAN_BF16 ? 2 : 1));
}

static void few_channels(bench *b) {
    static const struct {
        gan_dtype dtype;
        gan_direct direct;
        const char *how;
    } ways[] = {{GAN_F32, GAN_DIRECT_ALWAYS, "/own"},
                {GAN_F32, GAN_DIRECT_NEVER, "/cudnn"},
                {GAN_BF16, GAN_DIRECT_ALWAYS, "/own/bf16"},
                {GAN_BF16, GAN_DIRECT_NEVER, "/cudnn/bf16"}};
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        gan_device_options options = b->options;
        options.direct = ways[way].direct;
        bench other = ops_open(b, options, ways[way].dtype);
        for (size_t i = 0; i < sizeof few / sizeof *few; i++)
            for (int kind = 0; kind < 3; kind++) time_conv(&other, &few[i], kind, ways[way].how);
        for (size_t i = 0; i + 1 < sizeof few / sizeof *few; i++)
            time_gradients(&other, &few[i], ways[way].how);
        ops_close(&other);
    }
}

void ops_convs(bench *b) {
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++)
        for (int kind = 0; kind < 3; kind++) time_conv(b, &convs[i], kind, "");
    if (!b->cuda) return;
    few_channels(b);
    behind(b);
}
