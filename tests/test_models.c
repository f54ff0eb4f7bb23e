/* The models: sizes against hand counts, shapes, ranges, and second derivatives of the
 * discriminators. */
#include "support/networks.h"

#include "support/gradients.h"

static gan_scope *training(const char *group) {
    return gan_scope_create(g, group,
                            &(gan_scope_settings){.training = true, .counter = counter()});
}

static gan_model_options images(int64_t height, int64_t width, int64_t channels) {
    return (gan_model_options){
        .height = height, .width = width, .channels = channels, .z_dim = 100};
}

static gan_model_options wide(int64_t size) {
    return (gan_model_options){.height = size, .width = size, .channels = 3, .z_dim = 128};
}

/* Elements of a group's weights. */
static int64_t parameters(const char *group) {
    int64_t n = 0;
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (gan_variable_role(v) != GAN_WEIGHT) continue;
        if (strncmp(gan_variable_name(v), group, strlen(group)) != 0) continue;
        n += gan_shape_size(gan_variable_shape(v));
    }
    return n;
}

/* Parameters of G and D counted by hand; a linear layer has in·out + out, a 4x4 convolution
 * 16·in·out, batch norm 2 a channel. */
static void sizes_are_those_of_the_papers(void **state) {
    (void)state;
    const struct {
        const char *model;
        gan_model_options options;
        int64_t generator, discriminator;
    } rows[] = {
        /* 100-256-512-1024-784 and 784-512-256-1 */
        {"mlp", images(28, 28, 1), 1486352, 533505},
        /* 100-1200-1200-784; 784-240x5-240x5-1 */
        {"maxout", images(28, 28, 1), 2503984, 1231441},
        /* the widely used 64x64 one without biases */
        {"dcgan", images(64, 64, 3), 3576704, 2765568},
        /* 100·16·256+512 + 16·(256·128+128·64+64)+256+128; 16·(64+64·128+128·256)+256+512 + 4096 */
        {"dcgan", images(32, 32, 1), 1066880, 661248},
        {"dcgan", images(32, 32, 3), 1068928, 663296},
        /* 100·49·128+256 + 16·(128·64+64)+128; 16·(64+64·128)+256 + 49·128 */
        {"dcgan", images(28, 28, 1), 759680, 138624},
        {"dcgan", images(28, 28, 3), 761728, 140672},
        /* as published beside a widely used reimplementation of the paper's networks, less the
           biases that only norms see: three a block of G */
        {"resnet", wide(32), 4276739 - 3 * (256 + 256 + 256), 1053825},
        {"resnet", wide(48), 4878083 - 3 * (256 + 128 + 64), 10141441},
        {"resnet", wide(64), 12220675 - 3 * (512 + 256 + 128 + 64), 10141441},
        /* residual networks of 512-256-128-64 and 64-128-256-512 channels and, at 128 and at 64,
           attention's 2·C·C/8 + 2·C·C/2 + 1; it sees the sum at 128 */
        {"sagan", wide(32), 3577604 - 3 * (256 + 64) - 128, 2541314},
        /* 128·8192+2·8192 + 16·(512·256+256·128+128·64)+2·448 + 9·64·3+3;
           9·(3·64+64·128+128·256+256·512)+960 + 16·(64²+128²+256²)+448 + 16·512+1 */
        {"sngan", wide(32), 3820099, 2935873},
        /* 100·1024+2·1024 + 1024·6272+2·6272 + 16·(128·64+64)+128+1;
           16·(64+64·128)+64+256 + 6272·1024+2048 + 1025 */
        {"infogan-net", images(28, 28, 1), 6671745, 6558017},
        /* 256-128-128-2 and 2-128-128-1 */
        {"toy-tanh", gan_model_find("toy-tanh")->initial, 49666, 17025},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        close_graph(state);
        open_graph(state);
        const gan_model *model = gan_model_find(rows[i].model);
        const gan_model_options *o = &rows[i].options;
        gan_node *x = model->generator(training("generator"), F32(2, o->z_dim), o);
        gan_node *logits = gan_model_logits(model, training("discriminator"), x, o);
        expect_ok(gan_graph_status(g));
        assert_true(gan_shape_equal(gan_node_shape(x), gan_model_shape(model, o, 2)));
        assert_true(gan_shape_equal(gan_node_shape(logits), SHAPE(2, 1)));
        assert_int_equal(parameters("generator/"), rows[i].generator);
        assert_int_equal(parameters("discriminator/"), rows[i].discriminator);
        gan_model_logits(model, training("discriminator"),
                         gan_constant(g, 0, gan_model_shape(model, o, 4)), o);
        assert_int_equal(parameters("discriminator/"), rows[i].discriminator); /* shared */
    }
}

static void every_model_keeps_its_promises(void **state) {
    assert_true(gan_model_count() >= 4);
    for (size_t i = 0; i < gan_model_count(); i++) {
        const gan_model *model = gan_model_at(i);
        assert_ptr_equal(gan_model_find(model->name), model);
        assert_true(strlen(model->about) > 0 && !strchr(model->about, '\n'));
        close_networks(state);
        open_networks(state);
        gan_model_options o = model->initial;
        o.generator_features = o.discriminator_features = 8;
        gan_node *z = F32(5, o.z_dim);
        gan_scope *scope = gan_scope_create(
            g, "generator",
            &(gan_scope_settings){
                .training = true, .counter = counter(), .context = context_of(model, 5, &o)});
        gan_node *x = gan_output(g, model->generator(scope, z, &o));
        gan_node *logits = gan_output(g, gan_model_logits(model, training("discriminator"), x, &o));
        const gan_shape wanted = gan_model_shape(model, &o, 5);
        assert_true(gan_shape_equal(gan_node_shape(x), wanted));
        assert_true(gan_shape_equal(gan_node_shape(logits), SHAPE(5, 1)));
        load();
        float *noise = some_floats(5 * o.z_dim, i + 1);
        write_input(z, noise);
        run(1);
        float *made = read_output(x), *score = read_output(logits);
        for (int64_t k = 0; k < gan_shape_size(wanted); k++) {
            assert_true(isfinite(made[k]));
            if (!model->points && !model->linear)
                assert_true(made[k] >= model->low && made[k] <= model->high);
        }
        for (int k = 0; k < 5; k++) assert_true(isfinite(score[k]));
        assert_true(memcmp(made, made + gan_shape_size(wanted) / 5, sizeof(float)) != 0);
        free(noise), free(made), free(score);
    }
    assert_null(gan_model_at(gan_model_count()));
    assert_null(gan_model_find("no such model"));
}

static void resnet_takes_the_sizes_of_its_plans(void **state) {
    const gan_model *resnet = gan_model_find("resnet");
    gan_model_options o = {.channels = 2, .z_dim = 7};
    const int64_t sizes[][2] = {{16, 16}, {28, 28}, {32, 48}, {48, 48}, {64, 32}, {128, 128}};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        close_graph(state);
        open_graph(state);
        o.height = sizes[i][0], o.width = sizes[i][1];
        o.generator_features = o.discriminator_features = 2;
        gan_node *x = resnet->generator(training("generator"), F32(3, 7), &o);
        assert_true(gan_shape_equal(gan_node_shape(x), SHAPE(3, o.height, o.width, 2)));
        gan_node *f = resnet->features(training("discriminator"), x, &o);
        assert_int_equal(gan_node_shape(f).rank, 2); /* summed over the map */
        expect_ok(gan_graph_status(g));
    }
    o.width = 40; /* 20, 10, 5: two blocks short */
    assert_null(resnet->generator(training("generator"), F32(3, 7), &o));
    expect_graph_error(GAN_ERROR_ARGUMENT, "128x40");
}

static void dcgan_takes_sizes_that_halve(void **state) {
    const gan_model *dcgan = gan_model_find("dcgan");
    gan_model_options o = images(32, 64, 2);
    o.generator_features = o.discriminator_features = 4;
    gan_node *x = dcgan->generator(training("generator"), F32(2, 100), &o);
    assert_true(gan_shape_equal(gan_node_shape(x), SHAPE(2, 32, 64, 2)));
    gan_model_logits(dcgan, training("discriminator"), x, &o);
    expect_ok(gan_graph_status(g));
    o = images(50, 50, 1);
    assert_null(dcgan->generator(training("generator"), F32(2, 100), &o));
    expect_graph_error(GAN_ERROR_ARGUMENT, "50x50");
    close_graph(state);
    open_graph(state);
    o = images(5, 5, 1);
    assert_null(gan_model_logits(dcgan, training("discriminator"), F32(2, 5, 5, 1), &o));
    expect_graph_error(GAN_ERROR_ARGUMENT, "5x5");
}

/* With spectral norm every weight of D has its vectors, and there is no batch norm. */
static void spectral_norm_covers_the_discriminator(void **state) {
    for (size_t i = 0; i < gan_model_count(); i++) {
        close_graph(state);
        open_graph(state);
        const gan_model *model = gan_model_at(i);
        gan_model_options o = model->initial;
        o.spectral_norm = true;
        o.generator_features = o.discriminator_features = 4;
        gan_node *x = gan_input(g, GAN_F32, gan_model_shape(model, &o, 2), "x");
        gan_model_logits(model, training("discriminator"), x, &o);
        expect_ok(gan_graph_status(g));
        size_t weights = 0, vectors = 0;
        for (size_t k = 0; k < gan_store_count(store); k++) {
            const char *name = gan_variable_name(gan_store_at(store, k));
            const char *last = strrchr(name, '/') + 1;
            assert_true(strcmp(last, "gamma") != 0);
            weights += strcmp(last, "weight") == 0;
            vectors += strcmp(last, "u") == 0 || strcmp(last, "v") == 0;
        }
        assert_true(weights > 1);
        assert_int_equal(vectors, 2 * weights);
    }
}

static void marginals_become_the_output_bias(void **state) {
    (void)state;
    const gan_model *maxout = gan_model_find("maxout");
    gan_model_options o = {
        .height = 2, .width = 2, .channels = 1, .z_dim = 3, .generator_features = 4};
    gan_output(g, maxout->generator(training("generator"), F32(2, 3), &o));
    gan_flat_variables(g, GAN_AVERAGE, "generator");
    load();
    const float mean[] = {0, 0.25f, 0.5f, 1};
    expect_ok(gan_model_set_marginals(store, mean, 4));
    float *bias = read_variable(GAN_WEIGHT, "generator/output/bias");
    float *average = read_variable(GAN_AVERAGE, "generator/output/bias");
    for (int i = 0; i < 4; i++) {
        const double p = fmin(fmax(mean[i], 1e-7), 1 - 1e-7);
        expect_near(bias[i], log(p / (1 - p)), 1e-6, 1e-5);
        expect_near(average[i], bias[i], 0, 0);
    }
    free(bias), free(average);
    expect_failure(gan_model_set_marginals(store, mean, 3), GAN_ERROR_SHAPE, "3", "4");
}

/* ---- second derivatives ---- */

/* The gradient of ‖dD/dx‖² by D's weights, against differences of the reference. */
static void check_second_order(const char *name, gan_model_options o, int64_t batch) {
    const gan_model *model = gan_model_find(name);
    gan_node *x = F32(batch, o.height, o.width, o.channels), *slope;
    gan_node *logits = gan_model_logits(model, training("discriminator"), x, &o);
    expect_ok(gan_gradient(g, gan_sum(g, logits), 1, &x, &slope));
    gan_node *penalty = gan_sum(g, gan_square(g, slope));
    enum { MOST = 32 };
    gan_node *weights[MOST], *gradient[MOST];
    const int n = gan_group_weights(g, "discriminator", weights, MOST);
    assert_true(n > 0 && n <= MOST);
    expect_ok(gan_gradient(g, penalty, n, weights, gradient));

    reference *r = ref_create(g);
    uint64_t seed = 17;
    for (int64_t i = 0; i < gan_shape_size(gan_node_shape(x)); i++)
        ref_input_values(r, x)[i] = pseudo(&seed);
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (gan_variable_dtype(v) != GAN_F32) continue;
        double *value = ref_variable_values(r, v);
        const bool gamma = strstr(gan_variable_name(v), "gamma") != NULL;
        for (int64_t k = 0; k < gan_shape_size(gan_variable_shape(v)); k++)
            value[k] = 0.3 * pseudo(&seed) + gamma;
    }
    difference_input input[MOST];
    for (int i = 0; i < n; i++) {
        const gan_variable *v = weights[i]->attr.variable.variable;
        input[i] = (difference_input){gan_variable_name(v), ref_variable_values(r, v),
                                      gan_shape_size(gan_variable_shape(v)), gradient[i]};
    }
    assert_int_equal(check_differences(r, penalty, n, input, name, 1e-7, 5), 0);
    ref_run_to(r, penalty);
    assert_true(ref_value(r, penalty)[0] > 1e-6);
    ref_destroy(r);
}

static void mlp_has_second_derivatives(void **state) {
    (void)state;
    gan_model_options o = {.height = 4, .width = 3, .channels = 1, .discriminator_features = 5};
    check_second_order("mlp", o, 3);
}

static void maxout_has_second_derivatives(void **state) {
    (void)state;
    gan_model_options o = {.height = 4, .width = 3, .channels = 1, .discriminator_features = 4};
    check_second_order("maxout", o, 3);
}

static void dcgan_has_second_derivatives(void **state) {
    (void)state;
    gan_model_options o = {.height = 16, .width = 16, .channels = 1, .discriminator_features = 2};
    check_second_order("dcgan", o, 3);
}

static void normalised_dcgan_has_second_derivatives(void **state) {
    (void)state;
    gan_model_options o = {.height = 16,
                           .width = 16,
                           .channels = 1,
                           .discriminator_features = 2,
                           .spectral_norm = true};
    check_second_order("dcgan", o, 2);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(sizes_are_those_of_the_papers),
        TEST(every_model_keeps_its_promises),
        TEST(resnet_takes_the_sizes_of_its_plans),
        TEST(dcgan_takes_sizes_that_halve),
        TEST(spectral_norm_covers_the_discriminator),
        TEST(marginals_become_the_output_bias),
        TEST(mlp_has_second_derivatives),
        TEST(maxout_has_second_derivatives),
        TEST(dcgan_has_second_derivatives),
        TEST(normalised_dcgan_has_second_derivatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
