/* Elements that move: reshape, permute, slice, pad, concat, gather, scatter-add, one-hot, casts. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
    gan_shape shape;
    int axis;
    int64_t start, length; /* of a slice; as a pad: before, and after = length */
} ranges[] = {
    {{1, {7}}, 0, 2, 3},          {{1, {5003}}, 0, 1, 5001},     {{2, {9, 5}}, 0, 4, 2},
    {{2, {9, 5}}, 1, 0, 1},       {{2, {9, 5}}, 1, 3, 2},        {{2, {9, 5}}, 0, 0, 9},
    {{2, {9, 5}}, 1, 2, 0},       {{4, {2, 6, 5, 3}}, 1, 1, 4},  {{4, {2, 6, 5, 3}}, 2, 2, 3},
    {{4, {2, 6, 5, 3}}, 3, 1, 1}, {{2, {64, 1029}}, 1, 5, 1000}, {{1, {1}}, 0, 0, 1},
    {{2, {48, 16}}, 0, 16, 16},   {{2, {48, 16}}, 0, 3, 16},
};
static const struct {
    gan_shape from, to;
} reshapes[] = {{{2, {6, 10}}, {1, {-1}}}, {{1, {60}}, {3, {3, -1, 5}}},
                {{0, {0}}, {2, {1, 1}}},   {{4, {2, 3, 4, 5}}, {2, {2, -1}}},
                {{2, {0, 5}}, {1, {0}}},   {{3, {1, 1, 1}}, {0, {0}}}};

static int layout_count(void) { return 2 * COUNT(ranges) + COUNT(reshapes); }

static void layout_build(test_case *t, int i) {
    char text[64];
    if (i < 2 * COUNT(ranges)) {
        const int r = i / 2, axis = ranges[r].axis;
        const long long start = ranges[r].start, length = ranges[r].length;
        gan_node *x = case_linear(t, case_uniform(t, ranges[r].shape, -1, 1));
        case_title(t, "%s %s axis %d %lld %lld", i % 2 ? "pad" : "slice",
                   case_shape_text(ranges[r].shape, text), axis, start, length);
        case_output(t, i % 2 ? gan_pad(t->g, x, axis, start, length)
                             : gan_slice(t->g, x, axis, start, length));
        return;
    }
    i -= 2 * COUNT(ranges);
    case_title(t, "reshape %s", case_shape_text(reshapes[i].from, text));
    case_output(t, gan_reshape(t->g, case_linear(t, case_uniform(t, reshapes[i].from, -1, 1)),
                               reshapes[i].to));
}

const case_family cases_layout = {"layout", layout_count, layout_build};

/* ---- permutations: all of three axes, and those of more that networks use ---- */

static const struct {
    gan_shape shape;
    int order[GAN_MAX_RANK];
} permutations[] = {
    {{1, {9}}, {0}},
    {{2, {1, 7}}, {1, 0}},
    {{2, {131, 67}}, {1, 0}},
    {{2, {33, 1025}}, {1, 0}},
    {{3, {3, 5, 7}}, {0, 1, 2}},
    {{3, {3, 5, 7}}, {0, 2, 1}},
    {{3, {3, 5, 7}}, {1, 0, 2}},
    {{3, {3, 5, 7}}, {1, 2, 0}},
    {{3, {3, 5, 7}}, {2, 0, 1}},
    {{3, {3, 5, 7}}, {2, 1, 0}},
    {{4, {2, 3, 5, 4}}, {0, 3, 1, 2}},
    {{4, {2, 3, 5, 4}}, {0, 2, 3, 1}},
    {{4, {2, 3, 5, 4}}, {3, 2, 1, 0}},
    {{4, {2, 3, 5, 4}}, {0, 2, 1, 3}},
    {{5, {2, 3, 2, 3, 2}}, {0, 3, 1, 4, 2}},
    {{6, {2, 3, 1, 2, 3, 2}}, {0, 3, 1, 4, 2, 5}},
    {{6, {2, 3, 1, 2, 3, 2}}, {5, 4, 3, 2, 1, 0}},
    {{3, {0, 4, 3}}, {2, 0, 1}},
    {{4, {1, 64, 64, 3}}, {0, 3, 1, 2}},
};

static int permute_count(void) { return COUNT(permutations) + 2; }

static void permute_build(test_case *t, int i) {
    char text[64];
    if (i >= COUNT(permutations)) {
        case_title(t, "transpose of rank %d", i - COUNT(permutations) + 2);
        gan_shape shape = i == COUNT(permutations) ? gan_shape2(35, 66) : gan_shape3(4, 35, 66);
        case_output(t, gan_transpose(t->g, case_linear(t, case_uniform(t, shape, -1, 1))));
        return;
    }
    case_title(t, "%s", case_shape_text(permutations[i].shape, text));
    gan_node *x = case_linear(t, case_uniform(t, permutations[i].shape, -1, 1));
    case_output(t, gan_permute(t->g, x, permutations[i].order));
}

const case_family cases_permute = {"permute", permute_count, permute_build};

/* ---- gather and its adjoint; one-hot ---- */

static const struct {
    gan_shape table;
    int64_t m, low, high; /* indices: how many, and in which range */
} gathers[] = {
    {{2, {7, 5}}, 11, 0, 6},       {{2, {7, 5}}, 1, 3, 3},    {{1, {13}}, 29, 0, 12},
    {{2, {7, 5}}, 40, -3, 9},      {{3, {4, 3, 5}}, 6, 0, 3}, {{2, {1, 5}}, 7, 0, 0},
    {{2, {50, 1027}}, 33, 0, 49},  {{2, {7, 5}}, 0, 0, 6},    {{2, {3, 4}}, 5000, 0, 2},
    {{4, {5, 2, 3, 2}}, 9, -1, 5},
};

static int gather_count(void) { return 2 * COUNT(gathers) + 3; }

static void gather_build(test_case *t, int i) {
    char text[64];
    if (i >= 2 * COUNT(gathers)) {
        i -= 2 * COUNT(gathers);
        static const gan_shape shapes[] = {{1, {9}}, {2, {3, 5}}, {1, {700}}};
        case_title(t, "one_hot %s", case_shape_text(shapes[i], text));
        case_output(t,
                    gan_one_hot(t->g, case_indices(t, shapes[i], i == 1 ? -1 : 0, i == 1 ? 4 : 9),
                                i == 1 ? 4 : 10));
        return;
    }
    const int64_t m = gathers[i / 2].m;
    gan_shape table = gathers[i / 2].table, rows = table;
    rows.dim[0] = m;
    case_title(t, "%s %s m %lld", i % 2 ? "scatter_add" : "gather", case_shape_text(table, text),
               (long long)m);
    gan_node *x = case_linear(t, case_uniform(t, i % 2 ? rows : table, -1, 1));
    gan_node *index = case_indices(t, gan_shape1(m), gathers[i / 2].low, gathers[i / 2].high);
    case_output(t,
                i % 2 ? gan_scatter_add(t->g, x, index, table.dim[0]) : gan_gather(t->g, x, index));
    t->looser = m > 1000 ? 100 : 1;
}

const case_family cases_gather = {"gather", gather_count, gather_build};

/* ---- casts ---- */

static int cast_count(void) { return 6; }

static void cast_build(test_case *t, int i) {
    case_not_smooth(t);
    gan_node *x;
    switch (i) {
    case 0:
        case_title(t, "f32 to f32");
        case_output(t, gan_cast(t->g, case_uniform(t, gan_shape2(3, 7), -9, 9), GAN_F32));
        break;
    case 1:
        case_title(t, "i32 to f32");
        case_output(t,
                    gan_cast(t->g, case_indices(t, gan_shape1(1031), -4000000, 4000000), GAN_F32));
        break;
    case 2:
        case_title(t, "i64 counter to f32");
        case_output(t, gan_cast(t->g, case_counter(t, "c/count", 123457), GAN_F32));
        break;
    case 3:
        case_title(t, "u8 to f32");
        case_output(t, gan_cast(t->g, case_bytes(t, "d/bytes", gan_shape2(5, 211)), GAN_F32));
        break;
    case 4:
        case_title(t, "f32 to bf16 and back");
        x = case_uniform(t, gan_shape1(4099), -300, 300);
        case_output(t, gan_cast(t->g, gan_cast(t->g, x, GAN_BF16), GAN_F32));
        break;
    default:
        case_title(t, "f32 to bf16, halves to even");
        x = case_whole(t, gan_shape1(2049), 256,
                       4096); /* whole numbers above 256 fall between and on halves */
        case_output(t, gan_cast(t->g, gan_cast(t->g, x, GAN_BF16), GAN_F32));
        break;
    }
}

const case_family cases_cast = {"cast", cast_count, cast_build};
