/* Sums, means, maxima and broadcasts over every kind of axes. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
    gan_shape shape;
    uint32_t axes;
} reductions[] = {
    {{0, {0}}, GAN_ALL_AXES},
    {{1, {1}}, 1},
    {{1, {7}}, GAN_ALL_AXES},
    {{1, {5003}}, 1},
    {{1, {70001}}, 1},
    {{2, {3, 1027}}, 2},
    {{2, {1027, 3}}, 1},
    {{2, {1027, 3}}, 2},
    {{2, {3, 1027}}, 1},
    {{2, {130, 131}}, GAN_ALL_AXES},
    {{2, {5, 7}}, 0},
    {{2, {5, 1}}, 2},
    {{2, {1, 5}}, 3},
    {{4, {2, 3, 5, 7}}, 7},
    {{4, {2, 3, 5, 7}}, 6},
    {{4, {2, 3, 5, 7}}, 8},
    {{4, {2, 3, 5, 7}}, 5},
    {{4, {2, 3, 5, 7}}, 10},
    {{4, {2, 3, 5, 7}}, 14},
    {{4, {2, 3, 5, 7}}, 9},
    {{4, {2, 3, 5, 7}}, 1},
    {{6, {2, 3, 2, 2, 3, 2}}, 42},
    {{6, {2, 3, 2, 2, 3, 2}}, 21},
    {{4, {8, 16, 16, 65}}, 7},
    {{3, {1, 1, 1}}, GAN_ALL_AXES},
    {{3, {37, 1, 64}}, 5},
    {{2, {4100, 17}}, 1},
    {{3, {40, 30, 70}}, 5},
    {{3, {3, 700, 50}}, 2},
    {{2, {37, 5003}}, 1},
    {{3, {5, 2100, 7}}, 2},
    {{4, {3, 50, 11, 40}}, 10},
    {{4, {3, 50, 11, 40}}, 5},
    {{3, {2, 3, 40009}}, 4},
    {{3, {4, 9, 1500}}, 2},
};
enum { EMPTY_SUMS = 3 };
static const struct {
    gan_shape shape;
    uint32_t axes;
} empties[EMPTY_SUMS] = {{{2, {0, 5}}, 1}, {{2, {5, 0}}, GAN_ALL_AXES}, {{3, {4, 0, 3}}, 4}};

static int reduce_count(void) { return 3 * COUNT(reductions) + EMPTY_SUMS; }

static void reduce_build(test_case *t, int i) {
    char text[64];
    if (i >= 3 * COUNT(reductions)) {
        i -= 3 * COUNT(reductions);
        case_title(t, "sum %s axes %x", case_shape_text(empties[i].shape, text), empties[i].axes);
        case_output(t, gan_sum_axes(t->g, case_linear(t, case_uniform(t, empties[i].shape, -1, 1)),
                                    empties[i].axes));
        return;
    }
    static const char *const names[] = {"sum", "mean", "max"};
    const gan_shape shape = reductions[i / 3].shape;
    const uint32_t axes = reductions[i / 3].axes;
    case_title(t, "%s %s axes %x", names[i % 3], case_shape_text(shape, text), axes);
    gan_node *x =
        i % 3 == 2 ? case_distinct(t, shape) : case_linear(t, case_uniform(t, shape, -1, 1));
    gan_node *y = i % 3 == 0   ? gan_sum_axes(t->g, x, axes)
                  : i % 3 == 1 ? gan_mean_axes(t->g, x, axes)
                               : gan_max_axes(t->g, x, axes);
    case_output(t, y);
    if (axes == GAN_ALL_AXES && i % 3 < 2)
        case_output(t, i % 3 == 0 ? gan_sum(t->g, x) : gan_mean(t->g, x));
    t->looser = gan_shape_size(shape) > 2000 ? 10 : 1;
}

const case_family cases_reduce = {"reduce", reduce_count, reduce_build};

/* ---- broadcast ---- */

static const struct {
    gan_shape from, to;
} broadcasts[] = {
    {{0, {0}}, {1, {1}}},
    {{0, {0}}, {2, {5, 1031}}},
    {{1, {7}}, {2, {129, 7}}},
    {{2, {129, 1}}, {2, {129, 7}}},
    {{4, {2, 1, 1, 5}}, {4, {2, 3, 4, 5}}},
    {{4, {1, 3, 1, 5}}, {4, {2, 3, 4, 5}}},
    {{4, {2, 1, 4, 1}}, {4, {2, 3, 4, 5}}},
    {{1, {1}}, {1, {0}}},
    {{2, {1, 5}}, {3, {4, 3, 5}}},
    {{1, {5000}}, {2, {3, 5000}}},
    {{3, {2, 3, 4}}, {3, {2, 3, 4}}},
};

static int broadcast_count(void) { return COUNT(broadcasts) + 1; }

static void broadcast_build(test_case *t, int i) {
    char from[64], to[64];
    if (i == COUNT(broadcasts)) {
        case_title(t, "ties share the gradient of a maximum");
        case_not_smooth(t);
        gan_node *x = case_whole(t, gan_shape3(5, 7, 11), 0, 2);
        case_output(t, gan_max_axes(t->g, x, 2));
        case_output(t, gan_max_axes(t->g, x, 5));
        return;
    }
    case_title(t, "%s to %s", case_shape_text(broadcasts[i].from, from),
               case_shape_text(broadcasts[i].to, to));
    gan_node *x = case_linear(t, case_uniform(t, broadcasts[i].from, -1, 1));
    case_output(t, gan_broadcast(t->g, x, broadcasts[i].to));
}

const case_family cases_broadcast = {"broadcast", broadcast_count, broadcast_build};
