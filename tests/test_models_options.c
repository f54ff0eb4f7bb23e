/* What options do to the models: norms, late noise, dropout, layers over the batch. */
#include "support/networks.h"

static gan_model_options small(const gan_model *model) {
    gan_model_options o = model->initial;
    o.z_dim = 6;
    o.generator_features = o.discriminator_features = 8;
    return o;
}

static gan_scope *scope_of(const char *group, gan_scope_settings settings) {
    settings.training = true;
    settings.counter = counter();
    return gan_scope_create(g, group, &settings);
}

static gan_node *data_of(const gan_model *model, int64_t m, const gan_model_options *o) {
    return gan_input(g, GAN_F32, gan_model_shape(model, o, m), "x");
}

static bool is_one_of(const char *name, const char *const *list) {
    for (; *list; list++)
        if (!strcmp(name, *list)) return true;
    return false;
}

/* Instance norm alone is refused, where there are layers without a map. */
static void every_model_takes_every_norm(void **state) {
    static const char *const flat[] = {"mlp",         "maxout", "toy",      "toy-tanh",
                                       "infogan-net", "sngan",  "sequence", NULL};
    for (size_t i = 0; i < gan_model_count(); i++)
        for (size_t k = 0; k < gan_norm_count(); k++) {
            const gan_model *model = gan_model_at(i);
            const gan_model_options o = small(model);
            gan_scope_settings settings = {.norm = gan_norm_at(k)};
            close_networks(state);
            open_networks(state);
            settings.context = context_of(model, 4, &o);
            if (!strcmp(settings.norm->name, "virtual")) settings.reference = 2;
            gan_node *x = model->generator(scope_of("generator", settings), F32(4, 6), &o);
            if (!strcmp(settings.norm->name, "instance") && is_one_of(model->name, flat)) {
                expect_graph_error(GAN_ERROR_SHAPE, "instance norm");
                continue;
            }
            gan_model_logits(model, scope_of("discriminator", settings), data_of(model, 4, &o), &o);
            expect_ok(gan_graph_status(g));
            assert_non_null(x);
            /* What was asked for is there, in G and in D, and nothing else. */
            size_t shifts[2] = {0}, running = 0, referring = 0;
            for (size_t v = 0; v < gan_store_count(store); v++) {
                const char *name = gan_variable_name(gan_store_at(store, v));
                shifts[name[0] == 'd'] += strstr(name, "/beta") != NULL;
                running += strstr(name, "/running_mean") != NULL;
                referring += strstr(name, "/reference_mean") != NULL;
            }
            for (int d = 0; d < 2; d++) assert_int_equal(shifts[d] > 0, settings.norm->shifts);
            assert_int_equal(running > 0, !strcmp(settings.norm->name, "batch"));
            assert_int_equal(referring > 0, !strcmp(settings.norm->name, "virtual"));
        }
}

/* A class a row reaches every norm of G. */
static void generators_take_classes(void **state) {
    static const char *const without[] = {"mlp",         "maxout",   "toy", "toy-tanh",
                                          "progressive", "sequence", NULL};
    for (size_t i = 0; i < gan_model_count(); i++) {
        const gan_model *model = gan_model_at(i);
        const gan_model_options o = small(model);
        if (is_one_of(model->name, without)) continue; /* they have no norm with a gain */
        close_networks(state);
        open_networks(state);
        gan_node *z = F32(4, 6), *classes = F32(4, 3);
        const gan_scope_settings settings = {
            .condition = classes, .condition_norm = true, .context = context_of(model, 4, &o)};
        gan_node *x = gan_output(g, model->generator(scope_of("generator", settings), z, &o));
        load();
        /* Other gains and biases for class 2. */
        for (size_t v = 0; v < gan_store_count(store); v++) {
            const gan_variable *p = gan_store_at(store, v);
            const char *name = gan_variable_name(p);
            if (!strstr(name, "/beta")) continue;
            const gan_shape shape = gan_variable_shape(p);
            assert_true(shape.rank == 2 && shape.dim[0] == 3);
            float *value = calloc((size_t)gan_shape_size(shape), sizeof *value);
            for (int64_t c = 2 * shape.dim[1]; c < 3 * shape.dim[1]; c++) value[c] = 1;
            write_variable(GAN_WEIGHT, name, value);
            free(value);
        }
        float *noise = some_floats(24, 3);
        const float one_hot[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0};
        write_input(z, noise);
        write_input(classes, one_hot);
        run(1);
        float *first = read_output(x);
        const float other[] = {1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0};
        write_input(classes, other);
        run(1);
        float *second = read_output(x);
        const size_t each = floats_of(gan_node_shape(x)) / 4 / sizeof(float);
        assert_true(memcmp(first + each, second + each, each * sizeof(float)) != 0);
        free(noise), free(first), free(second);
    }
}

/* ---- noise into a later layer ---- */

static void late_noise_reaches_the_picture(void **state) {
    for (size_t i = 0; i < gan_model_count(); i++)
        for (int layer = 0; layer < 3; layer++) { /* 0: the middle */
            const gan_model *model = gan_model_at(i);
            gan_model_options o = small(model);
            if (model->completes) continue; /* all of its noise is late */
            o.z_late = 2, o.z_layer = layer;
            close_networks(state);
            open_networks(state);
            gan_node *z = F32(3, 8); /* and a class of two after the noise */
            gan_node *x = gan_output(
                g, model->generator(scope_of("generator", (gan_scope_settings){0}), z, &o));
            expect_ok(gan_graph_status(g));
            /* Its first layer sees what is early: four values, and the class. */
            gan_node *wrt[1], *grad[1];
            assert_int_equal(gan_group_weights(g, "generator", wrt, 1) > 0, 1);
            const gan_shape first = gan_node_shape(wrt[0]);
            assert_int_equal(first.dim[first.rank - 1], 6);
            expect_ok(gan_gradient(g, gan_sum(g, gan_square(g, x)), 1, &z, grad));
            gan_output(g, grad[0]);
            load();
            float *noise = some_floats(24, 3);
            write_input(z, noise);
            run(1);
            float *slope = read_output(grad[0]);
            for (int k = 0; k < 24; k++) assert_true(isfinite(slope[k]) && slope[k] != 0);
            free(noise), free(slope);
        }
}

static void noise_has_its_limits(void **state) {
    const gan_model *dcgan = gan_model_find("dcgan");
    gan_model_options o = small(dcgan);
    o.z_late = 6;
    dcgan->generator(scope_of("generator", (gan_scope_settings){0}), F32(3, 6), &o);
    expect_graph_error(GAN_ERROR_ARGUMENT, "6 of 6");
    close_graph(state);
    open_graph(state);
    o.z_late = 2, o.z_layer = 3; /* 28 pixels: two layers after the first */
    dcgan->generator(scope_of("generator", (gan_scope_settings){0}), F32(3, 6), &o);
    expect_graph_error(GAN_ERROR_ARGUMENT, "from 1 to 2");
}

/* ---- dropout ---- */

static void dropout_drops_in_both_networks(void **state) {
    for (size_t i = 0; i < gan_model_count(); i++) {
        const gan_model *model = gan_model_at(i);
        gan_model_options o = small(model);
        o.generator_keep = o.discriminator_keep = 0.7;
        close_networks(state);
        open_networks(state);
        gan_node *z = F32(3, 6), *data = data_of(model, 3, &o);
        const gan_scope_settings settings = {.context = context_of(model, 3, &o)};
        gan_node *x = gan_output(g, model->generator(scope_of("generator", settings), z, &o));
        gan_node *f =
            gan_output(g, gan_model_features(
                              model, scope_of("discriminator", (gan_scope_settings){0}), data, &o));
        gan_node *still =
            gan_output(g, model->generator(gan_scope_create(g, "generator", &settings), z, &o));
        gan_advance(g, counter(), 1);
        load();
        float *noise = some_floats(18, 3),
              *in = some_floats(gan_shape_size(gan_node_shape(data)), 4);
        write_input(z, noise);
        write_input(data, in);
        run(1);
        float *a[3] = {read_output(x), read_output(f), read_output(still)};
        run(1);
        float *b[3] = {read_output(x), read_output(f), read_output(still)};
        assert_true(memcmp(a[0], b[0], floats_of(gan_node_shape(x))) != 0);
        assert_true(memcmp(a[1], b[1], floats_of(gan_node_shape(f))) != 0);
        assert_memory_equal(a[2], b[2], floats_of(gan_node_shape(still)));
        for (int k = 0; k < 3; k++) free(a[k]), free(b[k]);
        free(noise), free(in);
    }
}

/* ---- layers over the batch ---- */

/* D's scope in networks of their own, for two parts of a batch, and that batch, *x. */
static gan_scope *afresh(gan_node **x, const gan_model *model, const gan_model_options *o,
                         void **state) {
    close_networks(state);
    open_networks(state);
    *x = data_of(model, 4, o);
    return scope_of("discriminator", (gan_scope_settings){.groups = 2});
}

static void features_end_in_what_was_asked_for(void **state) {
    for (size_t i = 0; i < gan_model_count(); i++) {
        const gan_model *model = gan_model_at(i);
        gan_model_options o = small(model);
        gan_node *x;
        gan_scope *s = afresh(&x, model, &o, state);
        const gan_shape plain = gan_node_shape(gan_model_features(model, s, x, &o));
        o.minibatch_std = true;
        const gan_shape deviation = gan_node_shape(gan_model_features(model, s, x, &o));
        assert_int_equal(deviation.dim[deviation.rank - 1], plain.dim[plain.rank - 1] + 1);
        o.minibatch_kernels = 7;
        const gan_shape both = gan_node_shape(gan_model_features(model, s, x, &o));
        assert_int_equal(gan_shape_size(both), gan_shape_size(deviation) + 4 * 7);
        const gan_variable *tensor = find(GAN_WEIGHT, "discriminator/minibatch/tensor/weight");
        assert_int_equal(gan_variable_shape(tensor).dim[0], 7 * 5);
        expect_ok(gan_graph_status(g));
    }
}

/* Before the last hidden layer, whose width stays; models without one say so. */
static void discrimination_may_come_before_a_layer(void **state) {
    static const char *const two_layers[] = {"mlp", "maxout", "toy-tanh", NULL};
    int inner = 0;
    for (size_t i = 0; i < gan_model_count(); i++) {
        const gan_model *model = gan_model_at(i);
        gan_model_options o = small(model);
        gan_node *x;
        gan_scope *s = afresh(&x, model, &o, state);
        const gan_shape plain = gan_node_shape(gan_model_features(model, s, x, &o));
        o.minibatch_kernels = 7, o.minibatch_dims = 3, o.minibatch_inner = true;
        gan_node *f = gan_model_features(model, gan_scope_enter(s, "with"), x, &o);
        if (!model->inner) {
            expect_graph_error(GAN_ERROR_ARGUMENT, model->name);
            continue;
        }
        inner++;
        expect_ok(gan_graph_status(g));
        assert_true(gan_shape_equal(gan_node_shape(f), plain));
        int64_t in[2];
        for (int k = 0; k < 2; k++) {
            char name[64];
            const bool two = is_one_of(model->name, two_layers);
            snprintf(name, sizeof name, "discriminator/%shidden%d/weight", k ? "with/" : "",
                     two ? 2 : 3);
            in[k] = gan_variable_shape(find(GAN_WEIGHT, name)).dim[1];
        }
        assert_int_equal(in[1], in[0] + 7);
        const gan_variable *tensor = find(GAN_WEIGHT, "discriminator/with/minibatch/tensor/weight");
        assert_int_equal(gan_variable_shape(tensor).dim[0], 7 * 3);
    }
    assert_int_equal(inner, 5);
}

/* Layers in bf16 hand out f32, near what f32 layers make. */
static void every_model_runs_in_bf16(void **state) {
    for (size_t i = 0; i < gan_model_count(); i++) {
        const gan_model *model = gan_model_at(i);
        gan_model_options o = small(model);
        o.minibatch_std = true, o.minibatch_kernels = 3, o.z_late = model->completes ? 0 : 2;
        if (!strcmp(model->name, "maxout")) o.discriminator_keep = 1; /* of its own it drops */
        close_networks(state);
        open_networks(state);
        gan_node *z = F32(8, 6), *data = data_of(model, 8, &o), *x[2], *score[2];
        for (int k = 0; k < 2; k++) {
            const gan_scope_settings settings = {.groups = 2,
                                                 .precision =
                                                     k ? GAN_PRECISION_BF16 : GAN_PRECISION_F32,
                                                 .context = context_of(model, 8, &o)};
            x[k] = gan_output(g, model->generator(scope_of("generator", settings), z, &o));
            score[k] = gan_output(
                g, gan_model_logits(model, scope_of("discriminator", settings), data, &o));
            assert_int_equal(gan_node_dtype(x[k]), GAN_F32);
            assert_int_equal(gan_node_dtype(score[k]), GAN_F32);
        }
        load();
        float *noise = some_floats(48, 3),
              *in = some_floats(gan_shape_size(gan_node_shape(data)), 4);
        write_input(z, noise);
        write_input(data, in);
        run(1);
        float *single = read_output(x[0]), *half = read_output(x[1]);
        double distance = 0, length = 0;
        for (int64_t k = 0; k < gan_shape_size(gan_node_shape(x[0])); k++) {
            distance += pow(single[k] - half[k], 2);
            length += pow(single[k], 2);
        }
        assert_true(distance > 0); /* bf16 it was */
        expect_near(sqrt(distance / length), 0, 0.1, 0);
        float *s = read_output(score[1]);
        for (int k = 0; k < 8; k++) assert_true(isfinite(s[k]));
        free(noise), free(in), free(single), free(half), free(s);
    }
}

static void sagan_normalises_both_networks(void **state) {
    (void)state;
    const gan_model *sagan = gan_model_find("sagan");
    const gan_model_options o = small(sagan);
    gan_node *x = sagan->generator(scope_of("generator", (gan_scope_settings){0}), F32(2, 6), &o);
    gan_model_logits(sagan, scope_of("discriminator", (gan_scope_settings){0}), x, &o);
    expect_ok(gan_graph_status(g));
    size_t weights = 0, vectors = 0;
    for (size_t k = 0; k < gan_store_count(store); k++) {
        const char *last = strrchr(gan_variable_name(gan_store_at(store, k)), '/') + 1;
        weights += strcmp(last, "weight") == 0;
        vectors += strcmp(last, "u") == 0 || strcmp(last, "v") == 0;
    }
    assert_int_equal(vectors, 2 * weights);
    /* 16x16, the second of three blocks of G, the first of D */
    find(GAN_WEIGHT, "generator/attention/factor");
    find(GAN_WEIGHT, "discriminator/attention/factor");
}

/* Of the pairs asked for, in both networks, where sagan has its attention and in its place; of no
 * effect at first, and never divided by the zeros that it starts from. */
static void residual_networks_have_a_nonlocal_block(void **state) {
    static const char *const names[] = {"resnet", "sagan"};
    const gan_scope_settings none = {0};
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < gan_pairwise_count(); k++) {
            close_networks(state);
            open_networks(state);
            const gan_model *model = gan_model_find(names[i]);
            gan_model_options o = small(model);
            o.spectral_norm = true;
            gan_node *z = F32(2, 6), *plain = NULL;
            if (i == 0) plain = gan_output(g, model->generator(scope_of("g", none), z, &o));
            o.nonlocal = gan_pairwise_at(k);
            gan_node *x = gan_output(g, model->generator(scope_of("g", none), z, &o));
            gan_node *s = gan_output(g, gan_model_logits(model, scope_of("d", none), x, &o));
            find(GAN_WEIGHT, "g/nonlocal/output/weight");
            find(GAN_WEIGHT, "d/nonlocal/output/weight");
            const bool embeds = o.nonlocal->embeds;
            assert_int_equal(gan_store_find(store, GAN_WEIGHT, "g/nonlocal/theta/weight") != NULL,
                             embeds);
            assert_null(gan_store_find(store, GAN_WEIGHT, "d/attention/factor"));
            load();
            float *noise = some_floats(2 * 6, 3);
            write_input(z, noise);
            run(1);
            float *with = read_output(x), *score = read_output(s);
            float *without = plain ? read_output(plain) : NULL;
            for (int64_t j = 0; without && j < gan_shape_size(gan_node_shape(x)); j++)
                expect_near(with[j], without[j], 1e-6, 1e-6);
            assert_true(isfinite(score[0]) && isfinite(score[1]));
            free(noise), free(with), free(without), free(score);
        }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(every_model_takes_every_norm),
        TEST(generators_take_classes),
        TEST(late_noise_reaches_the_picture),
        TEST(noise_has_its_limits),
        TEST(dropout_drops_in_both_networks),
        TEST(features_end_in_what_was_asked_for),
        TEST(discrimination_may_come_before_a_layer),
        TEST(every_model_runs_in_bf16),
        TEST(residual_networks_have_a_nonlocal_block),
        TEST(sagan_normalises_both_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
