/* Folded filters and their adjoint: of one tap and of many, more and fewer channels than a block,
 * rectangles, none. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const int64_t sizes[][4] = {
    {1, 1, 1, 1},   {4, 3, 3, 5},   {7, 1, 1, 3}, {33, 3, 3, 17}, {16, 3, 3, 16}, {5, 2, 5, 31},
    {32, 1, 4, 32}, {33, 2, 2, 40}, {0, 3, 3, 4}, {2, 5, 5, 0},   {1, 3, 3, 70},
};
enum { KINDS = 4 };

static int fold_count(void) { return (KINDS + 2) * COUNT(sizes); }

static void fold_build(test_case *t, int n) {
    const int kind = n / COUNT(sizes), half = kind >= KINDS, i = n % COUNT(sizes);
    const bool up = kind & 1, adjoint = !half && kind & 2;
    const int64_t k = sizes[i][0], r = sizes[i][1], s = sizes[i][2], c = sizes[i][3];
    const gan_shape small = gan_shape4(k, r, s, c);
    const gan_shape large = up ? gan_shape4(c, r + 1, s + 1, k) : gan_shape4(k, r + 1, s + 1, c);
    char text[64];
    case_title(t, "fold %s%s%s %s", up ? "up" : "down", adjoint ? " adjoint" : "",
               half ? " to bf16" : "", case_shape_text(small, text));
    gan_node *x = case_uniform(t, adjoint ? large : small, -1, 1);
    if (half) {
        x = up ? gan_fold_up(t->g, x, GAN_BF16) : gan_fold_down(t->g, x, GAN_BF16);
        case_output(t, gan_cast(t->g, x, GAN_F32));
        case_not_smooth(t);
        t->looser = 8000;
        return;
    }
    case_linear(t, x);
    const gan_attr attr = {.fold = {up, GAN_F32}};
    case_output(
        t, gan_node_create(t->g, adjoint ? GAN_OP_fold_adjoint : GAN_OP_fold, 1, &x, &attr, NULL));
}

const case_family cases_fold = {"fold", fold_count, fold_build};
