/* Single ops of the shapes that occur in the cases.
 *
 *     bench_ops [--device NAME] [--threads N] [--seconds S] [--paced 1]
 *
 * One line an op: what it is, the seconds of a run (the shortest of many), operations, and bytes
 * that it must read and write. A convolution counts every filter element, padding or not.
 * On CUDA those of few channels come twice more in f32 and bf16, by ganc's own kernels and by the
 * library: what the rule that chooses between them is to be held against.
 * With --paced it waits for a line on standard input before it goes on to the next op, so that
 * another program can be timed in between. bench/ops holds the lines against the device's limits
 * and the library's own calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

typedef struct bench {
    gan_device *device;
    gan_dtype dtype; /* of convolutions and layers */
    double seconds;
    bool cuda, paced;
    gan_store *store;
    gan_graph *g;
} bench;

static void begin(bench *b) {
    bench_check(gan_store_create(&b->store, 1));
    bench_check(gan_graph_create(&b->g, b->store));
}

/* An operand that the program reads: noise, kept on the device. */
static gan_node *operand(bench *b, const char *name, gan_shape shape) {
    return gan_variable_node(b->g, GAN_WEIGHT, name, GAN_F32, shape, gan_init_normal(0, 1));
}

/* Of a type that has no noise of its own: numbers of 0.5 to 2, either sign, where there is such a
 * variable. */
static void write_halves(const bench *b, const char *name) {
    const gan_variable *v = gan_store_find(b->store, GAN_WEIGHT, name);
    if (!v) return;
    const size_t n = (size_t)gan_shape_size(gan_variable_shape(v));
    uint16_t *x = malloc(n * sizeof *x);
    if (!x) exit(1);
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (uint16_t)(0x3f00u + (state >> 24) + (state >> 8 & 0x8000u));
    }
    bench_check(gan_variable_write(b->store, v, x, n * sizeof *x));
    free(x);
}

/* Where the result goes: an effect, so that nothing is dropped and nothing else is fused in. */
static void finish(bench *b, const char *title, double operations, double bytes) {
    gan_program *program;
    bench_check(gan_compile(&program, b->g, b->device));
    bench_check(gan_program_load(program));
    if (b->dtype == GAN_BF16) {
        write_halves(b, "p/p");
        write_halves(b, "q/q");
        write_halves(b, "x/x");
        write_halves(b, "dy/dy");
    }
    bench_check(gan_program_run(program, 2));
    bench_check(gan_device_synchronize(b->device));
    const int64_t together = b->cuda ? 16 : 1;
    double best = 1e9;
    for (const double start = bench_now(); bench_now() - start < b->seconds;) {
        const double t = bench_now();
        bench_check(gan_program_run(program, together));
        bench_check(gan_device_synchronize(b->device));
        const double spent = (bench_now() - t) / (double)together;
        if (spent < best) best = spent;
    }
    printf("%s\t%.9f\t%.0f\t%.0f\n", title, best, operations, bytes);
    fflush(stdout);
    char line[8];
    if (b->paced && !fgets(line, sizeof line, stdin)) exit(0);
    gan_program_destroy(program);
    gan_graph_destroy(b->g);
    gan_store_destroy(b->store);
}

static double bytes_of(gan_shape shape) { return 4.0 * (double)gan_shape_size(shape); }

/* ---- products: m n k, transposed operands ---- */

typedef struct product {
    int64_t m, n, k;
    bool a, b;
} product;

/* The MLP at batch 128, D on 256, and the 2014 net at 100 and 200: forward, gradient of the input,
 * gradient of the weights. */
static const product products[] = {
    {128, 256, 100, 0, 1},  {128, 512, 256, 0, 1},  {128, 1024, 512, 0, 1},
    {128, 784, 1024, 0, 1}, {256, 512, 784, 0, 1},  {256, 256, 512, 0, 1},
    {256, 1, 256, 0, 1},    {256, 512, 256, 0, 0},  {128, 1024, 784, 0, 0},
    {256, 512, 256, 1, 0},  {784, 1024, 128, 1, 0}, {100, 1200, 1200, 0, 1},
    {200, 1200, 784, 0, 1}, {1200, 784, 200, 1, 0}, {128, 16384, 100, 0, 1},
};

static void bench_product(bench *b, const product *p) {
    char title[64];
    snprintf(title, sizeof title, "matmul %lld %lld %lld %d %d", (long long)p->m, (long long)p->n,
             (long long)p->k, p->a, p->b);
    begin(b);
    gan_node *x = operand(b, "x/x", p->a ? gan_shape2(p->k, p->m) : gan_shape2(p->m, p->k));
    gan_node *y = operand(b, "y/y", p->b ? gan_shape2(p->n, p->k) : gan_shape2(p->k, p->n));
    gan_output(b->g, gan_matmul(b->g, x, y, p->a, p->b));
    finish(b, title, 2.0 * (double)(p->m * p->n * p->k),
           4.0 * (double)(p->m * p->k + p->n * p->k + p->m * p->n));
}

/* A layer: with its bias and activation in the product's launch, which is our own kernel, and,
 * where the product itself is needed, too, behind the library's. */
static void bench_layer(bench *b, const product *p, bool apart) {
    const bool half = b->dtype == GAN_BF16;
    const gan_init init = half ? gan_init_constant(0) : gan_init_normal(0, 1);
    char title[64];
    snprintf(title, sizeof title, "layer/%s%s %lld %lld %lld", apart ? "apart" : "own",
             half ? "/bf16" : "", (long long)p->m, (long long)p->n, (long long)p->k);
    begin(b);
    gan_node *x =
        gan_variable_node(b->g, GAN_WEIGHT, "p/p", b->dtype, gan_shape2(p->m, p->k), init);
    gan_node *w =
        gan_variable_node(b->g, GAN_WEIGHT, "q/q", b->dtype, gan_shape2(p->n, p->k), init);
    gan_node *bias = operand(b, "b/b", gan_shape1(p->n));
    gan_node *y = gan_matmul(b->g, x, w, false, true);
    gan_node *h = gan_add(b->g, gan_cast(b->g, y, GAN_F32), bias);
    gan_output(b->g, gan_leaky_relu(b->g, gan_cast(b->g, h, b->dtype), 0.2));
    if (apart) gan_output(b->g, y);
    finish(b, title, 2.0 * (double)(p->m * p->n * p->k),
           (half ? 2.0 : 4.0) * (double)(p->m * p->k + p->n * p->k + p->m * p->n));
}

static void bench_layers(bench *b) {
    bench other = *b;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        for (int way = 0; way < 4; way++) {
            const product *p = &products[i];
            if (p->a || !p->b || p->n == 1) continue; /* not the way forward */
            other.dtype = way % 2 ? GAN_BF16 : GAN_F32;
            bench_layer(&other, p, way / 2);
        }
}

/* ---- convolutions: n size c k filter stride padding ---- */

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
static void bench_conv_then(bench *b, const conv *c, int kind, const char *how, function *then) {
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
    begin(b);
    const gan_init init = b->dtype == GAN_F32 ? gan_init_normal(0, 1) : gan_init_constant(0);
    gan_node *p = gan_variable_node(b->g, GAN_WEIGHT, "p/p", b->dtype, kind == 1 ? y : x, init);
    gan_node *q = gan_variable_node(b->g, GAN_WEIGHT, "q/q", b->dtype, kind == 2 ? y : w, init);
    gan_node *result = kind == 0 ? gan_conv2d(b->g, p, q, window)
                       : kind == 1
                           ? gan_conv2d_grad_input(b->g, p, q, c->size, c->size, window)
                           : gan_conv2d_grad_weight(b->g, p, q, c->filter, c->filter, window);
    gan_output(b->g, then ? then(b->g, result) : result);
    finish(b, title, 2.0 * (double)(c->n * out * out * c->k * c->filter * c->filter * c->c),
           (bytes_of(x) + bytes_of(y) + bytes_of(w)) / (b->dtype == GAN_BF16 ? 2 : 1));
}

static void bench_conv(bench *b, const conv *c, int kind, const char *how) {
    bench_conv_then(b, c, kind, how, NULL);
}

/* With nothing behind them, with a function that the library compiles into the convolution, and one
 * that it does not know, which makes two launches: G's and D's of c, data gradients of b and d. */
static void bench_behind(bench *b) {
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
            bench_conv_then(&other, &layers[i].is, layers[i].kind, ways[way].how, ways[way].then);
}

/* First and last layers of dcgan on Fashion-MNIST, of b, c and d. */
static const conv few[] = {
    {64, 28, 1, 64, 4, 2, 1},   {128, 64, 3, 64, 4, 2, 1}, {256, 128, 3, 96, 4, 2, 1},
    {128, 32, 3, 128, 3, 1, 1}, {64, 32, 256, 3, 3, 1, 1},
};

static void bench_few(bench *b, const char *device, gan_device_options options) {
    static const struct {
        gan_dtype dtype;
        gan_direct direct;
        const char *how;
    } ways[] = {{GAN_F32, GAN_DIRECT_ALWAYS, "/own"},
                {GAN_F32, GAN_DIRECT_NEVER, "/cudnn"},
                {GAN_BF16, GAN_DIRECT_ALWAYS, "/own/bf16"},
                {GAN_BF16, GAN_DIRECT_NEVER, "/cudnn/bf16"}};
    bench other = *b;
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        options.direct = ways[way].direct;
        other.dtype = ways[way].dtype;
        bench_check(gan_device_open(&other.device, device, &options));
        for (size_t i = 0; i < sizeof few / sizeof *few; i++)
            for (int kind = 0; kind < 3; kind++) bench_conv(&other, &few[i], kind, ways[way].how);
        gan_device_close(other.device);
    }
}

/* ---- what only moves bytes ---- */

static void bench_pointwise(bench *b, int64_t n) {
    char title[64];
    snprintf(title, sizeof title, "pointwise %lld", (long long)n);
    begin(b);
    gan_node *x = operand(b, "x/x", gan_shape1(n)), *y = operand(b, "y/y", gan_shape1(n));
    gan_output(b->g, gan_leaky_relu(b->g, gan_add(b->g, x, y), 0.2));
    finish(b, title, 0, 12.0 * (double)n);
}

static void bench_tanh(bench *b, int64_t n) {
    char title[64];
    snprintf(title, sizeof title, "tanh %lld", (long long)n);
    begin(b);
    gan_output(b->g, gan_tanh(b->g, operand(b, "x/x", gan_shape1(n))));
    finish(b, title, 0, 8.0 * (double)n);
}

static void bench_reduce(bench *b, int64_t rows, int64_t columns) {
    char title[64];
    snprintf(title, sizeof title, "reduce %lld %lld", (long long)rows, (long long)columns);
    begin(b);
    gan_output(b->g, gan_sum_axes(b->g, operand(b, "x/x", gan_shape2(rows, columns)), 1u));
    finish(b, title, 0, 4.0 * (double)(rows * columns + columns));
}

/* Batch norm in training with its activation, or that and its gradient: the least is to read x (and
 * dy) and write y (and dx), where x stays on the chip in between. */
static void bench_norm(bench *b, int64_t n, int64_t size, int64_t c, bool back, const char *how) {
    char title[96];
    snprintf(title, sizeof title, "%s%s %lld %lld %lld", back ? "norm_back" : "norm", how,
             (long long)n, (long long)size, (long long)c);
    begin(b);
    const gan_init init = b->dtype == GAN_F32 ? gan_init_normal(0, 1) : gan_init_constant(0);
    const gan_shape shape = gan_shape4(n, size, size, c);
    gan_node *x = gan_variable_node(b->g, GAN_WEIGHT, "x/x", b->dtype, shape, init);
    gan_node *gamma = operand(b, "w/gamma", gan_shape1(c));
    gan_node *beta = operand(b, "w/beta", gan_shape1(c));
    gan_node *y = gan_batch_norm_training(b->g, x, 1, gamma, beta, 1e-5, NULL);
    y = gan_output(b->g, gan_relu(b->g, y));
    if (back) {
        gan_node *dy = gan_variable_node(b->g, GAN_WEIGHT, "dy/dy", b->dtype, shape, init);
        gan_node *from[3] = {x, gamma, beta}, *gradient[3];
        bench_check(gan_gradient(b->g, gan_sum(b->g, gan_mul(b->g, y, dy)), 3, from, gradient));
        for (int i = 0; i < 3; i++) gan_output(b->g, gradient[i]);
    }
    finish(b, title, 0, (back ? 5 : 2) * bytes_of(shape) / (b->dtype == GAN_BF16 ? 2 : 1));
}

/* Statistics and what is made of them in one launch, whose blocks wait for each other, and in two:
 * layers of b, c and d. */
static void bench_norms(bench *b, const char *device, gan_device_options options) {
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
    bench other = *b;
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        options.cooperative = ways[way].cooperative;
        other.dtype = ways[way].dtype;
        bench_check(gan_device_open(&other.device, device, &options));
        for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
            for (int back = 0; back < 2; back++)
                bench_norm(&other, layers[i].n, layers[i].size, layers[i].c, back, ways[way].how);
        gan_device_close(other.device);
    }
}

/* What c's D ends with: features rectified and summed up over an image, a logit, its loss, and what
 * comes back. The least is to read x and write y and dx. */
static void bench_head(bench *b, int64_t n, int64_t size, int64_t c, const char *how) {
    char title[96];
    snprintf(title, sizeof title, "head%s %lld %lld %lld", how, (long long)n, (long long)size,
             (long long)c);
    begin(b);
    const gan_init init = b->dtype == GAN_F32 ? gan_init_normal(0, 1) : gan_init_constant(0);
    const gan_shape shape = gan_shape4(n, size, size, c);
    gan_node *x = gan_variable_node(b->g, GAN_WEIGHT, "x/x", b->dtype, shape, init);
    gan_node *w = operand(b, "w/w", gan_shape2(1, c)), *dx;
    gan_node *y = gan_output(b->g, gan_relu(b->g, x));
    y = gan_reshape(b->g, gan_sum_axes(b->g, y, 6), gan_shape2(n, c));
    y = gan_matmul(b->g, gan_cast(b->g, y, b->dtype), gan_cast(b->g, w, b->dtype), false, true);
    gan_node *loss = gan_logits_loss(b->g, gan_cast(b->g, y, GAN_F32), 1);
    bench_check(gan_gradient(b->g, loss, 1, &x, &dx));
    gan_output(b->g, dx);
    finish(b, title, 0, 3 * bytes_of(shape) / (b->dtype == GAN_BF16 ? 2 : 1));
}

/* In one launch, whose blocks wait for each other, and in one a phase. */
static void bench_heads(bench *b, const char *device, gan_device_options options) {
    bench other = *b;
    for (int one = 0; one < 2; one++) {
        options.cooperative = one ? 1 : -1;
        bench_check(gan_device_open(&other.device, device, &options));
        other.dtype = GAN_F32;
        bench_head(&other, 128, 8, 128, one ? "/one" : "/phases");
        other.dtype = GAN_BF16;
        bench_head(&other, 128, 8, 128, one ? "/one/bf16" : "/phases/bf16");
        gan_device_close(other.device);
    }
}

/* D's last batch norm, its logit and loss, and what comes back: as phases of one launch, and with
 * batch norm by itself. The least is as above. */
static void bench_end(bench *b, int64_t n, int64_t c, const char *how) {
    char title[96];
    snprintf(title, sizeof title, "end%s %lld 4 %lld", how, (long long)n, (long long)c);
    begin(b);
    const gan_shape shape = gan_shape4(n, 4, 4, c);
    gan_node *x = gan_variable_node(b->g, GAN_WEIGHT, "x/x", b->dtype, shape, gan_init_constant(0));
    gan_node *w = operand(b, "w/w", gan_shape2(1, 16 * c)), *dx;
    gan_node *gamma = operand(b, "w/gamma", gan_shape1(c)),
             *beta = operand(b, "w/beta", gan_shape1(c));
    gan_node *y = gan_batch_norm_training(b->g, x, 2, gamma, beta, 1e-5, NULL);
    y = gan_reshape(b->g, gan_output(b->g, gan_leaky_relu(b->g, y, 0.2)), gan_shape2(n, 16 * c));
    y = gan_matmul(b->g, y, gan_cast(b->g, w, b->dtype), false, true);
    gan_node *loss = gan_logits_loss(b->g, gan_cast(b->g, y, GAN_F32), 1);
    bench_check(gan_gradient(b->g, loss, 1, &x, &dx));
    gan_output(b->g, dx);
    finish(b, title, 0, 3 * bytes_of(shape) / 2);
}

static void bench_ends(bench *b, const char *device, gan_device_options options) {
    bench other = *b;
    other.dtype = GAN_BF16;
    for (int pairs = 0; pairs < 2; pairs++) {
        options.cooperative = pairs;
        bench_check(gan_device_open(&other.device, device, &options));
        bench_end(&other, 256, 512, pairs ? "/pairs/bf16" : "/phases/bf16");  /* of b */
        bench_end(&other, 512, 1536, pairs ? "/pairs/bf16" : "/phases/bf16"); /* of d */
        gan_device_close(other.device);
    }
}

static void bench_adam(bench *b, int64_t n) {
    char title[64];
    snprintf(title, sizeof title, "adam %lld", (long long)n);
    begin(b);
    gan_node *w = operand(b, "w/w", gan_shape1(n)), *gradient = operand(b, "g/g", gan_shape1(n));
    gan_node *counter = gan_game_counter(b->g);
    gan_adam(b->g, "w", 1, &w, &gradient,
             &(gan_adam_options){.beta1 = 0.5,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .rate = gan_constant(b->g, 1e-9, gan_shape0()),
                                 .counter = counter,
                                 .per_iteration = 1});
    gan_advance(b->g, counter, 1);
    finish(b, title, 0, 28.0 * (double)n);
}

static void bench_gather(bench *b, int64_t examples, int64_t m, int64_t size, int64_t channels) {
    char title[64];
    snprintf(title, sizeof title, "gather %lld %lld %lld %lld", (long long)examples, (long long)m,
             (long long)size, (long long)channels);
    begin(b);
    gan_node *data =
        gan_variable_node(b->g, GAN_DATA, "data/images", GAN_U8,
                          gan_shape4(examples, size, size, channels), gan_init_constant(1));
    gan_node *counter = gan_game_counter(b->g);
    gan_node *index = gan_shuffled_index(b->g, counter, examples, m, m, 0, 1u << 20);
    gan_output(b->g, gan_minibatch(b->g, data, index, counter, 1.0 / 127.5, -1, false));
    gan_advance(b->g, counter, 1);
    finish(b, title, 0, 5.0 * (double)(m * size * size * channels));
}

static void bench_random(bench *b, int64_t n) {
    char title[64];
    snprintf(title, sizeof title, "random %lld", (long long)n);
    begin(b);
    gan_node *counter = gan_game_counter(b->g);
    gan_output(b->g, gan_random_normal(b->g, counter, gan_shape1(n), 0, 1));
    gan_advance(b->g, counter, 1);
    finish(b, title, 0, 4.0 * (double)n);
}

int main(int argc, char **argv) {
    const char *device = "cpu";
    bench b = {.seconds = 0.2, .dtype = GAN_F32};
    gan_device_options options = {0};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--device") == 0) device = argv[i + 1];
        if (strcmp(argv[i], "--threads") == 0) options.threads = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--seconds") == 0) b.seconds = atof(argv[i + 1]);
        if (strcmp(argv[i], "--paced") == 0) b.paced = atoi(argv[i + 1]) != 0;
    }
    bench_check(gan_device_open(&b.device, device, &options));
    gan_device_info info;
    bench_check(gan_device_describe(b.device, &info));
    b.cuda = strcmp(info.kind, "cuda") == 0;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) bench_product(&b, &products[i]);
    if (b.cuda) bench_layers(&b);
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++)
        for (int kind = 0; kind < 3; kind++) bench_conv(&b, &convs[i], kind, "");
    if (b.cuda) bench_few(&b, device, options);
    if (b.cuda) bench_behind(&b);
    bench_pointwise(&b, 128 * 1024);
    bench_pointwise(&b, 1 << 24);
    bench_tanh(&b, 128 * 64 * 64 * 3);
    bench_reduce(&b, 256, 512);
    bench_reduce(&b, 1 << 17, 64);
    bench_norm(&b, 64, 16, 64, false, "");
    bench_norm(&b, 128, 32, 64, false, "");
    bench_norm(&b, 128, 8, 256, false, "");
    if (b.cuda) bench_norms(&b, device, options);
    if (b.cuda) bench_heads(&b, device, options);
    if (b.cuda) bench_ends(&b, device, options);
    bench_adam(&b, 1485584);
    bench_adam(&b, 3576704);
    bench_gather(&b, 10000, 128, 28, 1);
    bench_gather(&b, 4096, 128, 64, 3);
    bench_random(&b, 128 * 100);
    bench_random(&b, 200 * 784);
    gan_device_close(b.device);
    return 0;
}
