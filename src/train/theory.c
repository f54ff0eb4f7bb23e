#include "train/theory.h"

#include <stdlib.h>

enum { MAX_WEIGHTS = 32 };

gan_status gan_theory_open(gan_theory *t, uint64_t seed) {
    *t = (gan_theory){0};
    gan_status status = gan_store_create(&t->store, seed);
    if (status == GAN_OK) status = gan_graph_create(&t->train, t->store);
    if (status == GAN_OK) status = gan_graph_create(&t->look, t->store);
    if (status != GAN_OK) gan_theory_close(t);
    return status;
}

void gan_theory_close(gan_theory *t) {
    if (t->training) gan_program_destroy(t->training);
    if (t->looking) gan_program_destroy(t->looking);
    if (t->train) gan_graph_destroy(t->train);
    if (t->look) gan_graph_destroy(t->look);
    if (t->store) gan_store_destroy(t->store);
    *t = (gan_theory){0};
}

gan_status gan_theory_compile(gan_theory *t, gan_device *device) {
    GAN_TRY(gan_compile(&t->training, t->train, device));
    GAN_TRY(gan_compile(&t->looking, t->look, device));
    GAN_TRY(gan_store_place(t->store, device));
    GAN_TRY(gan_program_load(t->training));
    return gan_program_load(t->looking);
}

gan_node *gan_theory_numbers(gan_graph *g, const char *name, int64_t count) {
    return gan_variable_node(g, GAN_DATA, name, GAN_F32, gan_shape2(count, 1),
                             (gan_init){GAN_INIT_CONSTANT, 0, 0});
}

gan_status gan_theory_write(gan_theory *t, const char *name, const double *value, int64_t count) {
    const gan_variable *v = gan_store_find(t->store, GAN_DATA, name);
    float *f = malloc((size_t)count * sizeof *f);
    if (!f) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", name);
    for (int64_t i = 0; i < count; i++) f[i] = (float)value[i];
    const gan_status status = gan_variable_write(t->store, v, f, (size_t)count * sizeof *f);
    free(f);
    return status;
}

gan_status gan_theory_read(gan_theory *t, const gan_node *output, double *value, int64_t count) {
    float *f = malloc((size_t)count * sizeof *f);
    if (!f) return gan_fail(GAN_ERROR_MEMORY, "out of memory");
    const gan_status status = gan_program_read(t->looking, output, f, (size_t)count * sizeof *f);
    for (int64_t i = 0; i < count && status == GAN_OK; i++) value[i] = (double)f[i];
    free(f);
    return status;
}

void gan_theory_descend(gan_graph *g, const char *group, gan_node *loss, double rate,
                        int64_t steps) {
    gan_node *weight[MAX_WEIGHTS], *gradient[MAX_WEIGHTS];
    gan_node *counter = gan_variable_node(g, GAN_COUNTER, "theory/steps", GAN_I64, gan_shape0(),
                                          (gan_init){GAN_INIT_CONSTANT, 0, 0});
    gan_node *left =
        gan_shift(g, gan_scale(g, gan_cast(g, counter, GAN_F32), -1.0 / (double)steps), 1);
    const int n = gan_group_weights(g, group, weight, MAX_WEIGHTS);
    if (gan_gradient(g, loss, n, weight, gradient) != GAN_OK) return; /* the graph knows */
    gan_adam(g, group, n, weight, gradient,
             &(gan_adam_options){.beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .rate = gan_scale(g, gan_relu(g, left), rate),
                                 .counter = counter,
                                 .per_iteration = 1});
    gan_advance(g, counter, 1);
}
