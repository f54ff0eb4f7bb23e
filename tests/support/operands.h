/* An empty graph a test, and short words for its operands. */
#ifndef GANC_TESTS_SUPPORT_OPERANDS_H
#define GANC_TESTS_SUPPORT_OPERANDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"

static gan_store *store;
static gan_graph *g;

static inline int open_graph(void **state) {
    (void)state;
    assert_int_equal(gan_store_create(&store, 1), GAN_OK);
    assert_int_equal(gan_graph_create(&g, store), GAN_OK);
    return 0;
}

static inline int close_graph(void **state) {
    (void)state;
    gan_graph_destroy(g);
    gan_store_destroy(store);
    return 0;
}

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define DIMS(...) ((int64_t[]){0, __VA_ARGS__})
#define SHAPE(...) gan_shape_of((int)COUNT(DIMS(__VA_ARGS__)) - 1, DIMS(__VA_ARGS__) + 1)
#define F32(...) gan_input(g, GAN_F32, SHAPE(__VA_ARGS__), "x")
#define BF16(...) gan_input(g, GAN_BF16, SHAPE(__VA_ARGS__), "half")
#define I32(...) gan_input(g, GAN_I32, SHAPE(__VA_ARGS__), "index")
#define U8(...) gan_input(g, GAN_U8, SHAPE(__VA_ARGS__), "bytes")
#define WINDOW(s, p) gan_window_same(s, p)

static inline gan_node *variable(gan_role role, const char *name, gan_dtype dtype,
                                 gan_shape shape) {
    return gan_variable_node(g, role, name, dtype, shape, (gan_init){0});
}

static inline gan_node *counter(void) {
    return variable(GAN_COUNTER, "t/steps", GAN_I64, gan_shape0());
}

static inline gan_node *weight(const char *name, gan_shape shape) {
    return variable(GAN_WEIGHT, name, GAN_F32, shape);
}

static inline gan_node *statistic(const char *name, gan_shape shape) {
    return variable(GAN_STATISTIC, name, GAN_F32, shape);
}

#endif
