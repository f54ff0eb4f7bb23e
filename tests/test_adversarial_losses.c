/* Objectives against their formulas. */
#include "support/logistic.h"
#include "support/networks.h"

static void losses_follow_their_formulas(void **state) {
    (void)state;
    const float real[] = {0, 3, -3, 40, -40, 150, -150, 1e4f, -1e4f};
    const float fake[] = {-1e4f, 1e4f, 80, -80, 2, -2, 0.5f, -0.5f, 0};
    enum { M = COUNT(real) };
    const gan_objective_options options[] = {{0}, {.scale = 0.5}, {.scale = 1, .smooth = 0.1}};
    gan_node *r = F32(M, 1), *f = F32(M, 1), *d[3], *saturating[3], *heuristic[3];
    const gan_objective *minimax = gan_objective_find("minimax");
    const gan_objective *ns = gan_objective_find("non-saturating");
    for (int i = 0; i < 3; i++) {
        d[i] = gan_output(g, minimax->d_loss(g, r, f, &options[i]));
        saturating[i] = gan_output(g, minimax->g_loss(g, NULL, f, &options[i]));
        heuristic[i] = gan_output(g, ns->g_loss(g, NULL, f, &options[i]));
        gan_node *same = gan_output(g, ns->d_loss(g, r, f, &options[i]));
        assert_int_equal(gan_node_shape(same).rank, 0);
    }
    load();
    write_input(r, real);
    write_input(f, fake);
    run(1);
    for (int i = 0; i < 3; i++) {
        const double scale = options[i].scale > 0 ? options[i].scale : 1, t = 1 - options[i].smooth;
        double sum_r = 0, sum_f = 0, sum_h = 0;
        for (int k = 0; k < M; k++) {
            sum_r += t * softplus(-real[k]) + (1 - t) * softplus(real[k]);
            sum_f += softplus(fake[k]);
            sum_h += softplus(-fake[k]);
        }
        expect_near(read_scalar(d[i]), scale * (sum_r + sum_f) / M, 1e-6, 1e-5);
        expect_near(read_scalar(saturating[i]), -sum_f / M, 1e-6, 1e-5); /* no smoothing for G */
        expect_near(read_scalar(heuristic[i]), sum_h / M, 1e-6, 1e-5);
    }
}

/* Where D is sure of a fake, minimax leaves G without a gradient and the other does not. */
static void gradients_follow_their_formulas(void **state) {
    (void)state;
    const float fake[] = {-1e4f, -60, -8, -1, 0, 1, 8, 60, 1e4f};
    enum { M = COUNT(fake) };
    gan_node *f = F32(M, 1), *grad[2];
    const char *const names[] = {"minimax", "non-saturating"};
    for (int i = 0; i < 2; i++) {
        gan_node *loss =
            gan_objective_find(names[i])->g_loss(g, NULL, f, &(gan_objective_options){0});
        expect_ok(gan_gradient(g, loss, 1, &f, &grad[i]));
        gan_output(g, grad[i]);
    }
    load();
    write_input(f, fake);
    run(1);
    float *saturating = read_output(grad[0]), *heuristic = read_output(grad[1]);
    for (int k = 0; k < M; k++) {
        expect_near(saturating[k], -sigmoid(fake[k]) / M, 1e-7, 1e-5);
        expect_near(heuristic[k], -sigmoid(-fake[k]) / M, 1e-7, 1e-5);
    }
    free(saturating), free(heuristic);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(losses_follow_their_formulas),
        TEST(gradients_follow_their_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
