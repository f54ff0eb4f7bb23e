#include "support/play.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/store.h"
#include "support/gradients.h"

enum { WEIGHTS = 128 };

static void fill(double *x, int64_t n, uint64_t seed, double centre, double width) {
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        x[i] = centre + width * (ldexp((double)(seed >> 11), -52) - 1);
    }
}

static gan_shape example_shape(const gan_game_options *o) {
    const gan_model_options *n = &o->networks;
    return gan_model_shape(o->model, n, PLAY_BATCH);
}

static gan_node *real(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    (void)counter, (void)step;
    return gan_input(g, GAN_F32, example_shape(user), "real");
}

static gan_node *labels(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    (void)user, (void)counter, (void)step;
    return gan_input(g, GAN_I32, gan_shape1(PLAY_BATCH), "labels");
}

static gan_node *labelled(void *user, gan_graph *g, gan_node *counter, int64_t step,
                          gan_node **classes) {
    *classes = gan_input(g, GAN_I32, gan_shape1(PLAY_BATCH), "few labels");
    return real(user, g, counter, step);
}

static void expect_good(const gan_graph *g) {
    if (gan_graph_status(g) != GAN_OK) fail_msg("%s", gan_last_error());
}

/* Data of the library's own, such as positions. */
static void initial_values(test_play *t, const gan_variable *v, double *value) {
    const int64_t n = gan_shape_size(v->shape);
    float *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    gan_variable_initial(t->store, v, x);
    for (int64_t i = 0; i < n; i++) value[i] = (double)x[i];
    free(x);
}

static void draw_values(test_play *t) {
    const gan_graph *g = t->play.g;
    for (int i = 0; i < g->n_nodes; i++) {
        const gan_node *node = g->node[i];
        if (node->op != GAN_OP_input) continue;
        double *value = ref_input_values(t->r, node);
        const int64_t n = gan_shape_size(node->shape);
        fill(value, n, (uint64_t)i + 3, 0, 1);
        for (int64_t k = 0; node->dtype == GAN_I32 && k < n; k++)
            value[k] = (double)((7 * k + i) % PLAY_CLASSES);
    }
    for (size_t i = 0; i < gan_store_count(t->store); i++) {
        const gan_variable *v = gan_store_at(t->store, i);
        const int64_t n = gan_shape_size(v->shape);
        double *value = ref_variable_values(t->r, v);
        const bool gain = strstr(v->name, "gamma") || strstr(v->name, "/g");
        const double fan_in = v->shape.rank > 1 ? (double)n / (double)v->shape.dim[0] : 30;
        if (gan_variable_role(v) == GAN_WEIGHT)
            fill(value, n, i + 5, gain ? 1 : 0, gain ? 0.3 : sqrt(3 / fan_in));
        else if (gan_variable_role(v) == GAN_COUNTER)
            value[0] = 3;
        else if (gan_variable_role(v) == GAN_DATA)
            initial_values(t, v, value);
        else
            fill(value, n, i + 5, 1, 0.5);
    }
}

void play_open(test_play *t, const gan_game_options *options, bool of_g) {
    *t = (test_play){.o = *options};
    gan_game_options *o = &t->o;
    gan_graph *g;
    o->batch = PLAY_BATCH;
    o->prior = gan_prior_find("normal");
    if (!o->generator.optimizer) o->generator = gan_optimizer_defaults("adam");
    if (!o->discriminator.optimizer) o->discriminator = gan_optimizer_defaults("adam");
    o->real = real;
    o->labels = labels;
    o->labelled = labelled;
    o->user = o;
    assert_int_equal(gan_store_create(&t->store, 11), GAN_OK);
    assert_int_equal(gan_graph_create(&g, t->store), GAN_OK);
    t->play = (gan_play){.g = g, .o = o, .counter = gan_game_counter(g), .d_steps = 1};
    gan_play *play = &t->play;
    if (gan_game_check(o, &play->head) != GAN_OK) fail_msg("%s", gan_last_error());
    play->of_g = of_g;
    play->real = gan_play_real(play, false);
    play->fake = gan_play_generate(play, false);
    if (!of_g) {
        play->fake.x = gan_stop_gradient(g, play->fake.x);
        if (play->real.latent.z) play->real.latent.z = gan_stop_gradient(g, play->real.latent.z);
    }
    expect_good(g);
    if (of_g && o->unroll) {
        gan_play_judge_both(play, false); /* declares D's weights */
        assert_int_equal(gan_play_unroll(play), GAN_OK);
    }
    gan_play_judge_both(play, false);
    t->loss = of_g ? gan_play_g_loss(play) : gan_play_d_loss(play);
    expect_good(g);
}

void play_close(test_play *t) {
    if (t->r) ref_destroy(t->r);
    gan_graph_destroy(t->play.g);
    gan_store_destroy(t->store);
}

/* Once the graph is complete. */
static void prepare(test_play *t) {
    if (t->r) return;
    t->r = ref_create(t->play.g);
    draw_values(t);
}

const double *play_value(test_play *t, const gan_node *node) {
    prepare(t);
    ref_run_to(t->r, node);
    return ref_value(t->r, node);
}

int play_check(test_play *t, const char *group, const char *title) {
    gan_gradients d;
    if (t->r) ref_destroy(t->r); /* it has the size of the graph so far */
    t->r = NULL;
    if (gan_play_differentiate(&d, &t->play, group, t->loss) != GAN_OK)
        fail_msg("%s: %s", title, gan_last_error());
    assert_true(d.n > 0 && d.n <= WEIGHTS);
    prepare(t);
    difference_input list[WEIGHTS];
    for (int i = 0; i < d.n; i++) {
        const gan_variable *v = d.weight[i]->attr.variable.variable;
        list[i] = (difference_input){v->name, ref_variable_values(t->r, v),
                                     gan_shape_size(v->shape), d.gradient[i]};
    }
    /* A small step: gradients in x jump wherever a unit changes its side. */
    return check_differences(t->r, t->loss, d.n, list, title, 1e-7, 1);
}

gan_model_options play_toy(int64_t width) {
    return (gan_model_options){
        .channels = 2, .z_dim = 3, .generator_features = width, .discriminator_features = width};
}

gan_model_options play_sequences(int64_t width) {
    return (gan_model_options){.height = 4,
                               .width = 1,
                               .channels = 3,
                               .z_dim = 3,
                               .generator_features = width,
                               .discriminator_features = width};
}
