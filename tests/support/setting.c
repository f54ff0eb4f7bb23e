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

int launches_of(const gan_plan *plan, gan_op_id op) {
    int n = 0;
    for (int i = 0; i < plan->n_launches; i++) n += plan->order[i]->op == op;
    return n;
}
