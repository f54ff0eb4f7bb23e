/* Products of every transposition, from empty and single to beyond a block, plain and in batches.
 */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const struct {
    int64_t batch, m, n, k; /* batch 0: rank 2 */
} sizes[] = {
    {0, 1, 1, 1},      {0, 1, 7, 5},     {0, 7, 1, 13},    {0, 13, 11, 1},  {0, 17, 19, 23},
    {0, 64, 64, 64},   {0, 67, 131, 37}, {0, 128, 1, 300}, {0, 3, 2, 1031}, {0, 5, 3, 0},
    {0, 0, 3, 4},      {1, 4, 5, 6},     {3, 7, 5, 11},    {16, 1, 9, 4},   {5, 33, 31, 65},
    {0, 257, 129, 70}, {0, 1, 1, 5003},  {0, 1, 513, 100}, {2, 0, 3, 4},    {0, 64, 64, 2100},
    {0, 300, 150, 90},
};

static int matmul_count(void) { return 4 * COUNT(sizes); }

static void matmul_build(test_case *t, int i) {
    const bool ta = i & 1, tb = i & 2;
    const int64_t b = sizes[i / 4].batch, m = sizes[i / 4].m, n = sizes[i / 4].n,
                  k = sizes[i / 4].k;
    case_title(t, "%lldx%lldx%lld batch %lld%s%s", (long long)m, (long long)n, (long long)k,
               (long long)b, ta ? " a'" : "", tb ? " b'" : "");
    gan_shape sa = ta ? gan_shape3(b, k, m) : gan_shape3(b, m, k),
              sb = tb ? gan_shape3(b, n, k) : gan_shape3(b, k, n);
    if (b == 0) {
        sa = gan_shape2(sa.dim[1], sa.dim[2]);
        sb = gan_shape2(sb.dim[1], sb.dim[2]);
    }
    gan_node *x = case_linear(t, case_uniform(t, sa, -1, 1)),
             *y = case_linear(t, case_uniform(t, sb, -1, 1));
    case_output(t, gan_matmul(t->g, x, y, ta, tb));
    t->looser = k > 1000 ? 10 : 1;
}

const case_family cases_matmul = {"matmul", matmul_count, matmul_build};
