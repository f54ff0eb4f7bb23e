/* op(a)·op(b), row by column. */
#include "reference/family.h"

void ref_op_matmul(const ref_call *c) {
    const gan_shape a = ref_shape(c, 0), b = ref_shape(c, 1), y = gan_matmul_shape(c->node);
    const bool ta = c->node->attr.transpose.a, tb = c->node->attr.transpose.b;
    const int last = y.rank - 1;
    const int64_t rows = y.dim[last - 1], columns = y.dim[last],
                  inner = a.dim[ta ? last - 1 : last];
    const int64_t batch = y.rank == 3 ? y.dim[0] : 1;
    for (int64_t n = 0; n < batch; n++) {
        const double *an = c->in[0] + n * rows * inner, *bn = c->in[1] + n * inner * columns;
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                for (int64_t k = 0; k < inner; k++)
                    c->out[(n * rows + i) * columns + j] +=
                        an[ta ? k * a.dim[last] + i : i * a.dim[last] + k] *
                        bn[tb ? j * b.dim[last] + k : k * b.dim[last] + j];
    }
}
