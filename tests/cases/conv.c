/* Convolutions and their adjoints: strides, uneven padding, sizes that the stride does not divide.
 */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
    int64_t n, h, w, c, k, r, s;
    gan_window window; /* stride_h, stride_w, top, left, bottom, right */
} sizes[] = {
    {1, 1, 1, 1, 1, 1, 1, {1, 1, 0, 0, 0, 0}},    {2, 5, 7, 3, 4, 3, 3, {1, 1, 1, 1, 1, 1}},
    {2, 8, 8, 3, 5, 4, 4, {2, 2, 1, 1, 1, 1}},    {3, 7, 5, 2, 3, 4, 4, {2, 2, 1, 1, 1, 1}},
    {2, 9, 11, 3, 2, 3, 2, {3, 2, 0, 1, 2, 0}},   {2, 6, 6, 5, 7, 1, 1, {1, 1, 0, 0, 0, 0}},
    {2, 7, 7, 3, 4, 1, 1, {2, 2, 0, 0, 0, 0}},    {2, 4, 4, 3, 5, 4, 4, {1, 1, 0, 0, 0, 0}},
    {1, 3, 3, 2, 2, 5, 5, {1, 1, 2, 2, 2, 2}},    {1, 10, 4, 1, 16, 5, 3, {2, 1, 2, 0, 1, 1}},
    {1, 17, 13, 1, 1, 3, 3, {2, 2, 1, 1, 1, 1}},  {4, 14, 14, 16, 32, 5, 5, {2, 2, 2, 2, 2, 2}},
    {1, 5, 5, 2, 3, 2, 2, {3, 3, 0, 0, 0, 0}},    {2, 28, 28, 1, 8, 4, 4, {2, 2, 1, 1, 1, 1}},
    {3, 4, 4, 33, 17, 3, 3, {1, 1, 1, 1, 1, 1}},  {2, 6, 6, 2, 2, 3, 3, {1, 1, 3, 0, 0, 3}},
    {1, 2, 2, 64, 64, 4, 4, {2, 2, 1, 1, 1, 1}},  {2, 16, 16, 32, 3, 3, 3, {1, 1, 1, 1, 1, 1}},
    {5, 1, 31, 2, 3, 1, 7, {1, 3, 0, 3, 0, 3}},   {32, 4, 4, 32, 33, 4, 4, {2, 2, 1, 1, 1, 1}},
    {33, 2, 3, 32, 32, 3, 3, {1, 1, 1, 1, 1, 1}}, {2, 3, 5, 40, 48, 1, 1, {1, 1, 0, 0, 0, 0}},
    {40, 4, 4, 36, 1, 4, 4, {1, 1, 0, 0, 0, 0}},  {1, 6, 6, 3, 4, 3, 3, {4, 4, 0, 0, 0, 0}},
};

static int conv_count(void) { return 3 * COUNT(sizes); }

static void conv_build(test_case *t, int i) {
    static const char *const names[] = {"forward", "grad-input", "grad-weight"};
    const int c = i / 3;
    const gan_window win = sizes[c].window;
    const int64_t p = (sizes[c].h + win.top + win.bottom - sizes[c].r) / win.stride_h + 1;
    const int64_t q = (sizes[c].w + win.left + win.right - sizes[c].s) / win.stride_w + 1;
    const gan_shape x = gan_shape4(sizes[c].n, sizes[c].h, sizes[c].w, sizes[c].c);
    const gan_shape w = gan_shape4(sizes[c].k, sizes[c].r, sizes[c].s, sizes[c].c);
    const gan_shape y = gan_shape4(sizes[c].n, p, q, sizes[c].k);
    char xt[64], wt[64];
    case_title(t, "%s %s * %s stride %d %d", names[i % 3], case_shape_text(x, xt),
               case_shape_text(w, wt), win.stride_h, win.stride_w);
    gan_node *a = case_linear(t, case_uniform(t, i % 3 == 1 ? y : x, -1, 1));
    gan_node *b = case_linear(t, case_uniform(t, i % 3 == 2 ? y : w, -1, 1));
    if (i % 3 == 0) case_output(t, gan_conv2d(t->g, a, b, win));
    if (i % 3 == 1) case_output(t, gan_conv2d_grad_input(t->g, a, b, sizes[c].h, sizes[c].w, win));
    if (i % 3 == 2) case_output(t, gan_conv2d_grad_weight(t->g, a, b, sizes[c].r, sizes[c].s, win));
    t->looser = sizes[c].r * sizes[c].s * sizes[c].c * sizes[c].k > 10000 ? 4 : 1;
}

const case_family cases_conv = {"conv", conv_count, conv_build};
