/* What labels, codes and encoders add to the losses, against the papers' formulas written out in
 * double. Gradients are tested for every row of the tables in test_adversarial_terms.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "graph/store.h"
#include "support/logistic.h"
#include "support/play.h"

enum { M = PLAY_BATCH, K = PLAY_CLASSES, WIDTH = 5, MOST = 64 };

static gan_game_options game(const char *terms) {
    gan_game_options o = {.model = gan_model_find("toy"),
                          .networks = play_toy(WIDTH),
                          .objective = gan_objective_find("non-saturating"),
                          .classes = K,
                          .generator_condition = GAN_CONDITION_CONCAT};
    if (gan_terms_parse(o.terms, &o.n_terms, "terms", terms) != GAN_OK)
        fail_msg("%s", gan_last_error());
    return o;
}

static void near(double given, double expected, const char *what) {
    if (!(fabs(given - expected) <= 1e-6 * (1 + fabs(expected))))
        fail_msg("%s: %.12g, expected %.12g", what, given, expected);
}

/* A copy of a node's values, which the next play_value() would not leave alone. */
static const double *copy(test_play *t, const gan_node *node, double *to) {
    const int64_t n = gan_shape_size(gan_node_shape(node));
    assert_true(n <= 8 * MOST);
    memcpy(to, play_value(t, node), (size_t)n * sizeof *to);
    return to;
}

static const double *weight(test_play *t, const char *name) {
    const gan_variable *v = gan_store_find(t->store, GAN_WEIGHT, name);
    if (!v) fail_msg("no weight %s", name);
    return ref_variable_values(t->r, v);
}

/* y (m, units) = x (m, in)·weight' + bias of the layer discriminator/NAME. */
static void linear(test_play *t, const char *name, const double *x, int in, int units, double *y) {
    char text[2][64];
    snprintf(text[0], sizeof text[0], "discriminator/%s/weight", name);
    snprintf(text[1], sizeof text[1], "discriminator/%s/bias", name);
    const double *w = weight(t, text[0]), *b = weight(t, text[1]);
    for (int i = 0; i < M; i++)
        for (int u = 0; u < units; u++) {
            y[i * units + u] = b[u];
            for (int j = 0; j < in; j++) y[i * units + u] += w[u * in + j] * x[i * in + j];
        }
}

static void leaky(double *x, int n, double slope) {
    for (int i = 0; i < n; i++) x[i] = x[i] > 0 ? x[i] : slope * x[i];
}

static double log_sum_exp(const double *l, int n) {
    double most = l[0], sum = 0;
    for (int k = 1; k < n; k++) most = fmax(most, l[k]);
    for (int k = 0; k < n; k++) sum += exp(l[k] - most);
    return most + log(sum);
}

/* Mean of -log softmax(l)_class. */
static double cross_entropy(const double *l, const double *class, int rows, int n) {
    double sum = 0;
    for (int i = 0; i < rows; i++) sum += log_sum_exp(l + i * n, n) - l[i * n + (int)class[i]];
    return sum / rows;
}

/* The logistic losses of the step's scores. */
static double objective(test_play *t, bool of_g) {
    double r[MOST], f[MOST], sum = 0;
    copy(t, t->play.real.seen.score, r);
    copy(t, t->play.fake.seen.score, f);
    for (int i = 0; i < M; i++) sum += of_g ? softplus(-f[i]) : softplus(-r[i]) + softplus(f[i]);
    return sum / M;
}

/* ---- AC-GAN ---- */

static double class_loss(test_play *t, const gan_side *side) {
    double h[MOST], l[MOST], label[MOST];
    copy(t, side->seen.features, h);
    copy(t, side->latent.label, label);
    linear(t, "class", h, WIDTH, K, l);
    return cross_entropy(l, label, M, K);
}

static void check_ac_gan(const char *terms, double weight_, double fake, double generator) {
    for (int of_g = 0; of_g < 2; of_g++) {
        const gan_game_options o = game(terms);
        test_play t;
        play_open(&t, &o, of_g);
        double expected = objective(&t, of_g);
        const double c_real = class_loss(&t, &t.play.real), c_fake = class_loss(&t, &t.play.fake);
        expected += weight_ * (of_g ? generator * c_fake : c_real + fake * c_fake);
        near(*play_value(&t, t.loss), expected, terms);
        play_close(&t);
    }
}

static void ac_gan(void **state) {
    (void)state;
    check_ac_gan("ac-gan", 1, 1, 1);
    check_ac_gan("ac-gan(1, 0, 0.1)", 1, 0, 0.1); /* as with WGAN-GP */
    check_ac_gan("ac-gan(0.7, fake=0.5, generator=0.3)", 0.7, 0.5, 0.3);
}

/* ---- projection ---- */

static void projection(void **state) {
    (void)state;
    gan_game_options o = game("");
    o.head = gan_head_find("projection");
    test_play t;
    play_open(&t, &o, false);
    const gan_side *side[2] = {&t.play.real, &t.play.fake};
    for (int s = 0; s < 2; s++) {
        double h[MOST], label[MOST], score[MOST], plain[MOST];
        copy(&t, side[s]->seen.score, score);
        copy(&t, side[s]->seen.features, h);
        copy(&t, side[s]->latent.label, label);
        linear(&t, "output", h, WIDTH, 1, plain);
        const double *e = weight(&t, "discriminator/embedding/weight"); /* (WIDTH, K) */
        for (int i = 0; i < M; i++) {
            double expected = plain[i];
            for (int j = 0; j < WIDTH; j++) expected += e[j * K + (int)label[i]] * h[i * WIDTH + j];
            near(score[i], expected, "w.h + <e_y, h>");
        }
    }
    play_close(&t);
}

/* ---- K classes and no further logit ---- */

/* The inputs that the few labelled examples come by: the second f32 input, and "few labels". */
static void labelled(test_play *t, const double **x, const double **class) {
    const gan_graph *g = t->play.g;
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const gan_node *node = g->node[i];
        if (node->op != GAN_OP_input) continue;
        if (node->dtype == GAN_F32 && n++ == 1) *x = ref_input_values(t->r, node);
        if (node->dtype == GAN_I32) *class = ref_input_values(t->r, node); /* the last */
    }
    assert_int_equal(n, 2);
}

/* The mean of H(softmax(l)) over rows, less `balance` of the entropy of their mean. */
static double doubt(const double *l, double share, double balance) {
    double each = 0, mean[K] = {0}, together = 0;
    for (int i = 0; i < M; i++)
        for (int k = 0; k < K; k++) {
            const double log_p = l[i * K + k] - log_sum_exp(l + i * K, K);
            each -= exp(log_p) * log_p / M;
            mean[k] += exp(log_p) / M;
        }
    for (int k = 0; k < K; k++) together -= mean[k] * log(mean[k]);
    return share * each - balance * together;
}

static void check_supervised(const char *terms, double share, double balance) {
    gan_game_options o = game(terms);
    o.generator_condition = GAN_UNCONDITIONED;
    o.loss.scale = 0.5;
    test_play t;
    play_open(&t, &o, false);
    double real[MOST], fake[MOST], expected = 0;
    copy(&t, t.play.real.seen.logits, real);
    copy(&t, t.play.fake.seen.logits, fake);
    for (int i = 0; i < M; i++) {
        const double r = log_sum_exp(real + i * K, K), f = log_sum_exp(fake + i * K, K);
        near(play_value(&t, t.play.real.seen.score)[i], r, "log Z");
        /* -½ log D - ½ log(1 - D), D = Z / (Z + 1) */
        expected += 0.5 * (-r + softplus(r)) + 0.5 * softplus(f);
    }
    expected /= M;
    const double *x = NULL, *class = NULL;
    labelled(&t, &x, &class);
    double h1[MOST], h2[MOST], h3[MOST], l[MOST];
    linear(&t, "hidden1", x, 2, WIDTH, h1), leaky(h1, M * WIDTH, 0.2);
    linear(&t, "hidden2", h1, WIDTH, WIDTH, h2), leaky(h2, M * WIDTH, 0.2);
    linear(&t, "hidden3", h2, WIDTH, WIDTH, h3), leaky(h3, M * WIDTH, 0.2);
    linear(&t, "output", h3, WIDTH, K, l);
    expected += 0.6 * (cross_entropy(l, class, M, K) + doubt(real, share, balance));
    near(*play_value(&t, t.loss), expected, terms);
    assert_int_equal(play_check(&t, "discriminator", terms), 0);
    play_close(&t);
}

static void semi_supervised(void **state) {
    (void)state;
    check_supervised("supervised(0.6)", 0, 0);
    check_supervised("supervised(0.6, 0.3)", 0.3, 0);
    check_supervised("supervised(0.6, balance=0.7)", 0, 0.7);
    check_supervised("supervised(0.6, 0.3, 0.2)", 0.3, 0.2);
}

/* ---- InfoGAN ---- */

static double information(test_play *t, int codes, int values, int continuous, double factor) {
    double h[MOST], *q = test_malloc(2 * M * 128 * sizeof *q), l[8 * MOST], code[8 * MOST];
    double sum = 0;
    copy(t, t->play.fake.seen.features, h);
    linear(t, "codes", h, WIDTH, 128, q), leaky(q, M * 128, 0.1);
    if (codes) {
        copy(t, t->play.fake.latent.category, code);
        linear(t, "categorical", q, 128, codes * values, l);
        for (int j = 0; j < codes; j++)
            for (int i = 0; i < M; i++)
                sum += cross_entropy(l + (i * codes + j) * values, code + i * codes + j, 1, values);
    }
    if (continuous) {
        copy(t, t->play.fake.latent.code, code);
        linear(t, "continuous", q, 128, 2 * continuous, l);
        for (int i = 0; i < M; i++)
            for (int j = 0; j < continuous; j++) {
                const double mean = l[2 * i * continuous + j];
                const double v = exp(l[(2 * i + 1) * continuous + j]); /* variance */
                const double off = code[i * continuous + j] - mean;
                sum += factor * (0.5 * log(2 * acos(-1) * v) + off * off / (2 * v));
            }
    }
    test_free(q);
    return sum / M;
}

static void info_gan(void **state) {
    (void)state;
    static const struct {
        const char *terms;
        int codes, continuous;
        double weight, factor;
    } row[] = {{"infogan", 2, 3, 1, 0.1},
               {"infogan(0.5, 2)", 1, 0, 0.5, 2},
               {"infogan(2, 1)", 0, 2, 2, 1}};
    for (size_t k = 0; k < sizeof row / sizeof *row; k++)
        for (int of_g = 0; of_g < 2; of_g++) {
            gan_game_options o = game(row[k].terms);
            o.classes = 0;
            o.generator_condition = GAN_UNCONDITIONED;
            o.code_categorical = row[k].codes;
            o.code_classes = row[k].codes ? 4 : 0;
            o.code_continuous = row[k].continuous;
            test_play t;
            play_open(&t, &o, of_g);
            double expected = objective(&t, of_g);
            expected +=
                row[k].weight * information(&t, row[k].codes, 4, row[k].continuous, row[k].factor);
            near(*play_value(&t, t.loss), expected, row[k].terms);
            play_close(&t);
        }
}

/* ---- BiGAN ---- */

static double d_logistic(double r, double f) { return softplus(-r) + softplus(f); }
static double d_hinge(double r, double f) { return fmax(0, 1 - r) + fmax(0, 1 + f); }
static double d_square(double r, double f) { return ((r - 1) * (r - 1) + f * f) / 2; }
static double d_linear(double r, double f) { return f - r; }

/* The inverse objective (Donahue et al. 2017, section 3.4): G and E with the labels exchanged. */
static double g_inverse(double r, double f) { return softplus(r) + softplus(-f); }
static double g_minimax(double r, double f) { return -softplus(-r) - softplus(f); }
static double g_linear(double r, double f) { return r - f; }
static double g_square(double r, double f) { return (r * r + (f - 1) * (f - 1)) / 2; }

static void pairs(void **state) {
    (void)state;
    static const struct {
        const char *objective;
        double (*d)(double, double), (*g)(double, double);
    } row[] = {{"non-saturating", d_logistic, g_inverse},
               {"minimax", d_logistic, g_minimax},
               {"hinge", d_hinge, g_linear},
               {"wasserstein", d_linear, g_linear},
               {"least-squares", d_square, g_square}};
    for (size_t k = 0; k < sizeof row / sizeof *row; k++)
        for (int of_g = 0; of_g < 2; of_g++) {
            gan_game_options o = game("");
            o.classes = 0;
            o.generator_condition = GAN_UNCONDITIONED;
            o.objective = gan_objective_find(row[k].objective);
            o.encoder = true;
            test_play t;
            play_open(&t, &o, of_g);
            double r[MOST], f[MOST], expected = 0;
            copy(&t, t.play.real.seen.score, r);
            copy(&t, t.play.fake.seen.score, f);
            for (int i = 0; i < M; i++) expected += (of_g ? row[k].g : row[k].d)(r[i], f[i]) / M;
            near(*play_value(&t, t.loss), expected, row[k].objective);
            play_close(&t);
        }
}

/* Biases start as the game says, the encoder's as D's. */
static void biases_start_as_the_game_says(void **state) {
    (void)state;
    gan_game_options o = game("");
    o.classes = 0;
    o.generator_condition = GAN_UNCONDITIONED;
    o.encoder = true;
    o.generator_bias = 0.5;
    o.discriminator_bias = 2;
    test_play t;
    play_open(&t, &o, true);
    const int64_t z_dim = o.networks.z_dim;
    const struct {
        const char *name;
        int64_t inputs;
        double spread;
    } row[] = {{"generator/hidden1", z_dim, 0.5},
               {"discriminator/hidden1", 2, 2},
               {"encoder/hidden1", 2, 2}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/weight", row[i].name);
        const gan_variable *rows = gan_store_find(t.store, GAN_WEIGHT, name);
        assert_non_null(rows);
        assert_int_equal(gan_variable_shape(rows).dim[1], row[i].inputs);
        snprintf(name, sizeof name, "%s/bias", row[i].name);
        const gan_variable *bias = gan_store_find(t.store, GAN_WEIGHT, name);
        assert_non_null(bias);
        const gan_init init = bias->init;
        const double limit = row[i].spread / sqrt((double)row[i].inputs);
        near(init.a, -limit, row[i].name);
        near(init.b, limit, row[i].name);
    }
    play_close(&t);
}

/* It codes each example by itself, where D sees the batch in its hidden layers. */
static void encoders_see_no_batch(void **state) {
    (void)state;
    gan_game_options o = game("");
    o.classes = 0;
    o.generator_condition = GAN_UNCONDITIONED;
    o.encoder = true;
    o.networks.minibatch_kernels = 2, o.networks.minibatch_inner = true;
    test_play t;
    play_open(&t, &o, true);
    assert_non_null(gan_store_find(t.store, GAN_WEIGHT, "discriminator/minibatch/tensor/weight"));
    assert_null(gan_store_find(t.store, GAN_WEIGHT, "encoder/minibatch/tensor/weight"));
    play_close(&t);
}

/* Whatever the objective, the encoder is told something: nothing else would teach it. */
static void every_objective_teaches_the_encoder(void **state) {
    (void)state;
    for (size_t k = 0; k < gan_objective_count(); k++) {
        gan_game_options o = game("");
        o.classes = 0;
        o.generator_condition = GAN_UNCONDITIONED;
        o.objective = gan_objective_at(k);
        o.encoder = true;
        if (o.objective->energy || (!o.objective->e_loss && !o.objective->needs_real)) continue;
        test_play t;
        gan_gradients d;
        play_open(&t, &o, true);
        assert_int_equal(gan_play_differentiate(&d, &t.play, "encoder", t.loss), GAN_OK);
        double largest = 0;
        for (int i = 0; i < d.n; i++) {
            const int64_t n = gan_shape_size(gan_node_shape(d.gradient[i]));
            const double *value = play_value(&t, d.gradient[i]);
            for (int64_t j = 0; j < n; j++) largest = fmax(largest, fabs(value[j]));
        }
        if (!(largest > 1e-6)) fail_msg("%s: E has no gradient", o.objective->name);
        play_close(&t);
    }
}

/* ---- what does not go together ---- */

static gan_node *nothing(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    (void)user, (void)counter, (void)step;
    return gan_constant(g, 0, gan_shape2(M, 2));
}

static void refused(gan_game_options o, const char *why) {
    const gan_head *head;
    o.batch = M;
    o.prior = gan_prior_find("normal");
    o.generator = o.discriminator = gan_optimizer_defaults("adam");
    o.real = o.labels = nothing;
    assert_int_equal(gan_game_check(&o, &head), GAN_ERROR_ARGUMENT);
    if (!strstr(gan_last_error(), why)) fail_msg("'%s' is not in: %s", why, gan_last_error());
}

static void refusals(void **state) {
    (void)state;
    gan_game_options o = game("ac-gan");
    o.replay = 2;
    refused(o, "ac-gan asks for the class or code of each example, which replay does not keep");
    o = game("ac-gan");
    o.pack = 2;
    refused(o, "which pack does not keep");
    o = game("infogan");
    o.code_categorical = 1, o.code_classes = 4;
    o.replay = 2;
    refused(o, "infogan asks for the class or code");
    o = game("");
    o.encoder = true;
    o.objective = gan_objective_find("maximum-likelihood");
    refused(o, "encoder needs an objective that says what it minimises");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ac_gan),
        cmocka_unit_test(projection),
        cmocka_unit_test(semi_supervised),
        cmocka_unit_test(info_gan),
        cmocka_unit_test(pairs),
        cmocka_unit_test(biases_start_as_the_game_says),
        cmocka_unit_test(encoders_see_no_batch),
        cmocka_unit_test(every_objective_teaches_the_encoder),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
