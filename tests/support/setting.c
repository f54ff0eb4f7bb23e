#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "support/setting.h"

#include <cmocka.h>

setting open_setting(void) {
    setting s;
    assert_int_equal(gan_store_create(&s.store, 1), GAN_OK);
    assert_int_equal(gan_graph_create(&s.g, s.store), GAN_OK);
    return s;
}

void close_setting(setting s, gan_plan *plan) {
    gan_plan_destroy(plan);
    gan_graph_destroy(s.g);
    gan_store_destroy(s.store);
}

gan_node *add_counter(gan_graph *g) {
    return gan_variable_node(g, GAN_COUNTER, "train/iteration", GAN_I64, gan_shape0(),
                             (gan_init){GAN_INIT_CONSTANT, 0, 0});
}

void add_adam(gan_graph *g, gan_node *counter, int n, gan_node *const *w, gan_node *const *grad) {
    gan_adam(g, "d", n, w, grad,
             &(gan_adam_options){.beta1 = .5,
                                 .beta2 = .999,
                                 .eps = 1e-8,
                                 .rate = gan_constant(g, 1e-3, gan_shape0()),
                                 .counter = counter,
                                 .per_iteration = 1});
}

int launches_of(const gan_plan *plan, gan_op_id op) {
    int n = 0;
    for (int i = 0; i < plan->n_launches; i++) n += plan->order[i]->op == op;
    return n;
}
