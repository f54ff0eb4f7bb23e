/* Matrix products, and layers of them. */
#include <stdio.h>

#include "ops.h"

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

static void time_product(bench *b, const product *p) {
    char title[64];
    snprintf(title, sizeof title, "matmul %lld %lld %lld %d %d", (long long)p->m, (long long)p->n,
             (long long)p->k, p->a, p->b);
    ops_begin(b);
    gan_node *x = ops_operand(b, "x/x", p->a ? gan_shape2(p->k, p->m) : gan_shape2(p->m, p->k));
    gan_node *y = ops_operand(b, "y/y", p->b ? gan_shape2(p->n, p->k) : gan_shape2(p->k, p->n));
    gan_output(b->g, gan_matmul(b->g, x, y, p->a, p->b));
    ops_finish(b, title, 2.0 * (double)(p->m * p->n * p->k),
               4.0 * (double)(p->m * p->k + p->n * p->k + p->m * p->n));
}

/* A layer: with its bias and activation in the product's launch, which is our own kernel, and,
 * where the product itself is needed, too, behind the library's. */
static void time_layer(bench *b, const product *p, bool apart) {
    const bool half = b->dtype == GAN_BF16;
    char title[64];
    snprintf(title, sizeof title, "layer/%s%s %lld %lld %lld", apart ? "apart" : "own",
             half ? "/bf16" : "", (long long)p->m, (long long)p->n, (long long)p->k);
    ops_begin(b);
    gan_node *x = ops_typed(b, "p/p", gan_shape2(p->m, p->k));
    gan_node *w = ops_typed(b, "q/q", gan_shape2(p->n, p->k));
    gan_node *bias = ops_operand(b, "b/b", gan_shape1(p->n));
    gan_node *y = gan_matmul(b->g, x, w, false, true);
    gan_node *h = gan_add(b->g, gan_cast(b->g, y, GAN_F32), bias);
    gan_output(b->g, gan_leaky_relu(b->g, gan_cast(b->g, h, b->dtype), 0.2));
    if (apart) gan_output(b->g, y);
    ops_finish(b, title, 2.0 * (double)(p->m * p->n * p->k),
               (half ? 2.0 : 4.0) * (double)(p->m * p->k + p->n * p->k + p->m * p->n));
}

static void layers(bench *b) {
    bench other = *b;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        for (int way = 0; way < 4; way++) {
            const product *p = &products[i];
            if (p->a || !p->b || p->n == 1) continue; /* not the way forward */
            other.dtype = way % 2 ? GAN_BF16 : GAN_F32;
            time_layer(&other, p, way / 2);
        }
}

void ops_products(bench *b) {
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) time_product(b, &products[i]);
    if (b->cuda) layers(b);
}
