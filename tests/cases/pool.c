/* Pooling: windows that tile, overlap, leave gaps, reach into the padding and do not divide the
 * image. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
    gan_shape x;
    int size_h, size_w;
    gan_window window;
} sizes[] = {
    {{4, {2, 6, 8, 3}}, 2, 2, {2, 2, 0, 0, 0, 0}},
    {{4, {1, 1, 1, 1}}, 1, 1, {1, 1, 0, 0, 0, 0}},
    {{4, {2, 7, 5, 3}}, 2, 2, {2, 2, 0, 0, 0, 0}},
    {{4, {2, 7, 9, 2}}, 3, 3, {2, 2, 1, 1, 1, 1}},
    {{4, {1, 5, 6, 4}}, 3, 2, {1, 1, 1, 0, 0, 1}},
    {{4, {2, 9, 9, 1}}, 2, 2, {3, 4, 0, 0, 0, 0}},
    {{4, {3, 4, 4, 17}}, 4, 4, {4, 4, 0, 0, 0, 0}},
    {{4, {1, 12, 10, 5}}, 5, 3, {2, 3, 2, 1, 0, 1}},
    {{4, {2, 32, 32, 19}}, 2, 2, {2, 2, 0, 0, 0, 0}},
    {{4, {1, 1, 37, 2}}, 1, 5, {1, 2, 0, 2, 0, 2}},
};
enum { KINDS = 5 };

static int pool_count(void) { return KINDS * COUNT(sizes) + COUNT(sizes) + 4; }

static gan_node *create(test_case *t, gan_op_id op, gan_node *a, gan_node *b, int c) {
    const gan_attr attr = {.pool = {sizes[c].window, sizes[c].size_h, sizes[c].size_w,
                                    sizes[c].x.dim[1], sizes[c].x.dim[2]}};
    return gan_node_create(t->g, op, b ? 2 : 1, (gan_node *[]){a, b}, &attr, NULL);
}

static void pool_build(test_case *t, int i) {
    static const char *const names[] = {"average", "average adjoint", "max", "max adjoint",
                                        "max select"};
    char text[64];
    if (i >= KINDS * COUNT(sizes) + COUNT(sizes)) {
        static const int factors[] = {1, 2, 3, 5};
        const int factor = factors[i - KINDS * COUNT(sizes) - COUNT(sizes)];
        case_title(t, "upsample %d", factor);
        gan_node *x = case_linear(t, case_uniform(t, gan_shape4(2, 3, 5, 3), -1, 1));
        case_output(t, gan_upsample(t->g, x, factor));
        return;
    }
    const bool tied = i >= KINDS * COUNT(sizes); /* then maxima meet: the first counts */
    const int c = tied ? i - KINDS * COUNT(sizes) : i / KINDS, kind = tied ? 2 : i % KINDS;
    const gan_window w = sizes[c].window;
    const gan_shape x = sizes[c].x;
    const gan_shape y =
        gan_shape4(x.dim[0], (x.dim[1] + w.top + w.bottom - sizes[c].size_h) / w.stride_h + 1,
                   (x.dim[2] + w.left + w.right - sizes[c].size_w) / w.stride_w + 1, x.dim[3]);
    case_title(t, "%s%s %s by %d %d stride %d %d", names[kind], tied ? " tied" : "",
               case_shape_text(x, text), sizes[c].size_h, sizes[c].size_w, w.stride_h, w.stride_w);
    if (tied) case_not_smooth(t);
    gan_node *a = kind == 0   ? case_linear(t, case_uniform(t, x, -1, 1))
                  : kind == 1 ? case_linear(t, case_uniform(t, y, -1, 1))
                  : tied      ? case_whole(t, x, -2, 1)
                              : case_distinct(t, x);
    switch (kind) {
    case 0:
        case_output(t, gan_average_pool(t->g, a, sizes[c].size_h, sizes[c].size_w, w));
        break;
    case 1:
        case_output(t, create(t, GAN_OP_average_pool_adjoint, a, NULL, c));
        break;
    case 2:
        case_output(t, gan_max_pool(t->g, a, sizes[c].size_h, sizes[c].size_w, w));
        break;
    case 3:
        case_output(
            t, create(t, GAN_OP_max_pool_adjoint, a, case_linear(t, case_uniform(t, y, -1, 1)), c));
        break;
    default:
        case_output(
            t, create(t, GAN_OP_max_pool_select, a, case_linear(t, case_uniform(t, x, -1, 1)), c));
        break;
    }
    if (tied) {
        case_output(t, create(t, GAN_OP_max_pool_adjoint, a, case_uniform(t, y, -1, 1), c));
        case_output(t, create(t, GAN_OP_max_pool_select, a, case_uniform(t, x, -1, 1), c));
    }
}

const case_family cases_pool = {"pool", pool_count, pool_build};
