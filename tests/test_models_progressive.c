/* Progressive growing: sizes, that all levels have their weights at any level, fading in, and
 * gradients. */
#include "support/layers.h"

static const gan_model *model(void) { return gan_model_find("progressive"); }

static gan_model_options options(int level) {
    return (gan_model_options){.height = 16,
                               .width = 32,
                               .channels = 2,
                               .z_dim = 5,
                               .generator_features = 3,
                               .discriminator_features = 3,
                               .level = level};
}

static gan_scope *training(const char *group) {
    return gan_scope_create(
        g, group,
        &(gan_scope_settings){.training = true, .update_statistics = true, .counter = counter()});
}

static gan_node *scalar(const char *name) { return gan_input(g, GAN_F32, gan_shape0(), name); }

static int64_t elements(const char *group, const char *except) {
    int64_t n = 0;
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        const char *name = gan_variable_name(v);
        if (gan_variable_role(v) == GAN_WEIGHT && !strncmp(name, group, strlen(group)) &&
            !strstr(name, except))
            n += gan_shape_size(gan_variable_shape(v));
    }
    return n;
}

/* Table 2 of the paper: 23.1M parameters in either network at 1024 pixels, with one layer to and
 * one from RGB. */
static void sizes_are_the_published_ones(void **state) {
    (void)state;
    const gan_model_options o = {.height = 1024, .width = 1024, .channels = 3, .z_dim = 512};
    assert_int_equal(model()->levels(&o), 9);
    gan_node *x = model()->generator(training("generator"), F32(4, 512), &o);
    gan_model_logits(model(), training("discriminator"), x, &o);
    expect_ok(gan_graph_status(g));
    assert_true(gan_shape_equal(gan_node_shape(x), SHAPE(4, 1024, 1024, 3)));
    expect_near((double)(elements("generator", "to_rgb") + 16 * 3 + 3), 23.1e6, 0.05e6, 0);
    expect_near((double)(elements("discriminator", "from_rgb") + 3 * 16 + 16), 23.1e6, 0.05e6, 0);
}

static void every_level_has_all_weights(void **state) {
    enum { LEVELS = 3 };
    char names[256][64];
    size_t count = 0;
    for (int level = 0; level <= LEVELS; level++)
        for (int fading = 0; fading < 2; fading++) {
            close_graph(state);
            open_graph(state);
            gan_model_options o = options(level);
            assert_int_equal(model()->levels(&o), LEVELS);
            if (fading) o.alpha = scalar("alpha");
            const int64_t h = 16 >> (LEVELS - (level ? level : LEVELS));
            gan_node *x = model()->generator(training("generator"), F32(2, 5), &o);
            assert_true(gan_shape_equal(gan_node_shape(x), SHAPE(2, h, 2 * h, 2)));
            gan_node *s = gan_model_logits(model(), training("discriminator"), x, &o);
            assert_true(gan_shape_equal(gan_node_shape(s), SHAPE(2, 1)));
            expect_ok(gan_graph_status(g));
            assert_true(gan_store_count(store) < 256);
            if (!level && !fading) count = gan_store_count(store);
            assert_int_equal(gan_store_count(store), count);
            for (size_t i = 0; i < count; i++) {
                const char *name = gan_variable_name(gan_store_at(store, i));
                if (!level && !fading) strcpy(names[i], name);
                assert_string_equal(name, names[i]);
            }
        }
    find(GAN_WEIGHT, "generator/level3/to_rgb/weight");
    find(GAN_WEIGHT, "discriminator/level3/from_rgb/weight");
    close_graph(state);
    open_graph(state);
    const gan_model_options o = options(4);
    assert_null(model()->generator(training("generator"), F32(2, 5), &o));
    expect_graph_error(GAN_ERROR_ARGUMENT, "expected 1 to 3");
}

/* ---- level 1 written out ---- */

static double leaky(double v) { return v > 0 ? v : 0.2 * v; }

/* n vectors of c: each to a mean square of one. */
static void pixel_norm(double *x, int n, int c) {
    for (int i = 0; i < n; i++) {
        double square = 1e-8;
        for (int k = 0; k < c; k++) square += x[i * c + k] * x[i * c + k] / c;
        for (int k = 0; k < c; k++) x[i * c + k] /= sqrt(square);
    }
}

/* Weights are N(0, 1) and scaled by gain/sqrt(fan_in): sqrt(2)/4 after the noise, sqrt(2), and 1 to
 * RGB. */
static void the_first_level_is_that_of_the_paper(void **state) {
    (void)state;
    enum { Z = 5, H = 4, W = 8, C = 12, RGB = 2, PIXELS = H * W };
    gan_model_options o = options(1);
    gan_node *z = F32(1, Z);
    gan_node *x = gan_output(g, model()->generator(training("g"), z, &o));
    load();
    float *noise = some_floats(Z, 3),
          *project = read_variable(GAN_WEIGHT, "g/level1/project/weight"),
          *conv = read_variable(GAN_WEIGHT, "g/level1/conv/weight"),
          *rgb = read_variable(GAN_WEIGHT, "g/level1/to_rgb/weight");
    write_input(z, noise);
    run(1);
    double latent[Z], a[PIXELS * C] = {0}, b[PIXELS * C] = {0};
    for (int i = 0; i < Z; i++) latent[i] = noise[i];
    pixel_norm(latent, 1, Z);
    for (int u = 0; u < PIXELS * C; u++) {
        for (int i = 0; i < Z; i++) a[u] += latent[i] * project[u * Z + i];
        a[u] = leaky(a[u] * sqrt(2) / 4 / sqrt(Z));
    }
    pixel_norm(a, PIXELS, C);
    for (int i = 0; i < PIXELS; i++)
        for (int k = 0; k < C; k++) {
            for (int t = 0; t < 9; t++) {
                const int h = i / W + t / 3 - 1, w = i % W + t % 3 - 1;
                if (h < 0 || w < 0 || h >= H || w >= W) continue;
                for (int c = 0; c < C; c++)
                    b[i * C + k] += a[(h * W + w) * C + c] * conv[(k * 9 + t) * C + c];
            }
            b[i * C + k] = leaky(b[i * C + k] * sqrt(2) / sqrt(9 * C));
        }
    pixel_norm(b, PIXELS, C);
    float *out = read_output(x);
    for (int i = 0; i < PIXELS; i++)
        for (int k = 0; k < RGB; k++) {
            double sum = 0;
            for (int c = 0; c < C; c++) sum += b[i * C + c] * rgb[k * C + c];
            expect_near(out[i * RGB + k], sum / sqrt(C), 1e-5, 1e-4);
        }
    free(noise), free(project), free(conv), free(rgb), free(out);
}

/* What lies above the level in play is neither computed nor changed. */
static void levels_above_have_no_gradient(void **state) {
    (void)state;
    gan_model_options o = options(2);
    gan_node *x = F32(4, 8, 16, 2), *weight[64], *grad[64];
    gan_node *score = gan_sum(g, gan_model_logits(model(), training("d"), x, &o));
    const int n = gan_group_weights(g, "d", weight, 64);
    expect_ok(gan_gradient(g, score, n, weight, grad));
    for (int i = 0; i < n; i++) gan_output(g, grad[i]);
    load();
    float *in = some_floats(4 * 8 * 16 * 2, 3);
    write_input(x, in);
    run(1);
    for (int i = 0; i < n; i++) {
        const char *name = gan_variable_name(weight[i]->attr.variable.variable);
        float *slope = read_output(grad[i]);
        bool any = false;
        for (int64_t k = 0; k < gan_shape_size(gan_node_shape(grad[i])); k++) any |= slope[k] != 0;
        const bool above = strstr(name, "level3") != NULL, old = strstr(name, "level1/from_rgb");
        assert_int_equal(any, !above && !old);
        free(slope);
    }
    free(in);
    assert_null(gan_store_find(store, GAN_STATISTIC, "d/level3/conv1/u"));
}

static int64_t flops_of_level(void **state, int level, bool discriminator) {
    close_networks(state);
    open_networks(state);
    gan_model_options o = options(level);
    o.spectral_norm = true; /* of D: its power iterations stay with the levels in play */
    gan_node *y = discriminator
                      ? gan_model_logits(model(), training("d"),
                                         F32(4, 16 >> (3 - level), 32 >> (3 - level), 2), &o)
                      : model()->generator(training("g"), F32(4, 5), &o);
    gan_output(g, y);
    load();
    gan_program_info info;
    gan_program_describe(program, &info);
    return info.flops;
}

static void levels_above_are_not_computed(void **state) {
    /* 4 examples: noise to 4x8x12, a 3x3 convolution of 12 channels, to RGB. */
    assert_int_equal(flops_of_level(state, 1, false), 4 * 2 * 32 * (5 * 12 + 9 * 12 * 12 + 12 * 2));
    for (int d = 0; d < 2; d++)
        for (int level = 1; level < 3; level++)
            assert_true(flops_of_level(state, level, d) < flops_of_level(state, level + 1, d));
}

static double mean_of(const float *x, int64_t at, int64_t row, int64_t pixel) {
    return (x[at] + x[at + pixel] + x[at + row] + x[at + row + pixel]) / 4.;
}

/* At alpha 0 the new level's picture is the old one's, each pixel four times; at 1 it is its own;
 * in between it lies on the line. */
static void pictures_fade_in(void **state) {
    (void)state;
    enum { M = 3, H = 8, W = 16, C = 2, SIZE = M * H * W * C };
    gan_model_options o = options(2), old = options(1);
    gan_node *z = F32(M, 5), *alpha = scalar("alpha");
    gan_node *whole = gan_output(g, model()->generator(training("generator"), z, &o));
    o.alpha = alpha;
    gan_node *x = gan_output(g, model()->generator(training("generator"), z, &o));
    gan_node *y = gan_output(g, model()->generator(training("generator"), z, &old));
    load();
    float *noise = some_floats(M * 5, 3);
    write_input(z, noise);
    const float shares[] = {0, 0.25f, 1};
    for (int k = 0; k < 3; k++) {
        write_input(alpha, &shares[k]);
        run(1);
        float *mixed = read_output(x), *small = read_output(y), *big = read_output(whole);
        for (int i = 0; i < SIZE; i++) {
            const int c = i % C, w = i / C % W, h = i / C / W % H, m = i / C / W / H;
            const double before = small[((m * (H / 2) + h / 2) * (W / 2) + w / 2) * C + c];
            expect_near(mixed[i], before + shares[k] * (big[i] - before), 1e-6, 1e-5);
        }
        assert_true(fabsf(big[0] - small[0]) > 1e-4f);
        free(mixed), free(small), free(big);
    }
    free(noise);
}

/* At alpha 0 the new level of D scores what the old one does on the halved image. */
static void scores_fade_in(void **state) {
    (void)state;
    enum { M = 4, H = 8, W = 16, C = 2, SIZE = M * H * W * C };
    gan_model_options o = options(2), old = options(1);
    gan_node *x = F32(M, H, W, C), *half = F32(M, H / 2, W / 2, C), *alpha = scalar("alpha");
    gan_node *whole = gan_output(g, gan_model_logits(model(), training("d"), x, &o));
    o.alpha = alpha;
    gan_node *a = gan_output(g, gan_model_logits(model(), training("d"), x, &o));
    gan_node *b = gan_output(g, gan_model_logits(model(), training("d"), half, &old));
    load();
    float *in = some_floats(SIZE, 3), less[SIZE / 4];
    for (int i = 0; i < SIZE / 4; i++) {
        const int c = i % C, w = i / C % (W / 2), h = i / C / (W / 2);
        less[i] = (float)mean_of(in, (int64_t)2 * h * W * C + 2 * w * C + c, W * C, C);
    }
    write_input(x, in);
    write_input(half, less);
    for (int k = 0; k < 2; k++) {
        write_input(alpha, &(float){(float)k});
        run(1);
        float *faded = read_output(a), *before = read_output(b), *now = read_output(whole);
        for (int i = 0; i < M; i++) {
            expect_near(faded[i], k ? now[i] : before[i], 1e-5, 1e-4);
            assert_true(fabsf(now[i] - before[i]) > 1e-4f);
        }
        free(faded), free(before), free(now);
    }
    free(in);
}

static void real_images_fade_too(void **state) {
    (void)state;
    enum { H = 16, W = 32, C = 2, SIZE = H * W * C };
    gan_model_options o = options(2);
    gan_node *x = F32(1, H, W, C), *alpha = scalar("alpha");
    o.alpha = alpha;
    gan_node *y = gan_output(g, gan_progressive_real(g, x, &o));
    o = options(0);
    assert_ptr_equal(gan_progressive_real(g, x, &o), x);
    assert_true(gan_shape_equal(gan_node_shape(y), SHAPE(1, H / 2, W / 2, C)));
    load();
    float *in = some_floats(SIZE, 3), half[SIZE / 4], quarter[SIZE / 16];
    for (int i = 0; i < SIZE / 4; i++)
        half[i] = (float)mean_of(
            in, 2 * (i / C / (W / 2)) * W * C + 2 * (i / C % (W / 2)) * C + i % C, W * C, C);
    for (int i = 0; i < SIZE / 16; i++)
        quarter[i] = (float)mean_of(
            half, 2 * (i / C / (W / 4)) * (W / 2) * C + 2 * (i / C % (W / 4)) * C + i % C,
            W / 2 * C, C);
    write_input(x, in);
    write_input(alpha, &(float){0.3f});
    run(1);
    float *out = read_output(y);
    for (int i = 0; i < SIZE / 4; i++) {
        const int c = i % C, w = i / C % (W / 2), h = i / C / (W / 2);
        const double coarse = quarter[(h / 2 * (W / 4) + w / 2) * C + c];
        expect_near(out[i], coarse + 0.3 * (half[i] - coarse), 1e-6, 1e-5);
    }
    free(in), free(out);
}

static void a_fading_discriminator_has_two_derivatives(void **state) {
    (void)state;
    gan_model_options o = options(2);
    o.alpha = gan_constant(g, 0.3, gan_shape0());
    gan_node *x = F32(4, 8, 16, 2);
    gan_node *s = gan_model_logits(model(), training("d"), x, &o);
    assert_int_equal(layer_disagrees(x, s, "d", "progressive D", 1e-7), 0);
}

static void a_fading_generator_has_two_derivatives(void **state) {
    (void)state;
    gan_model_options o = options(2);
    o.alpha = gan_constant(g, 0.3, gan_shape0());
    gan_node *z = F32(3, 5);
    gan_node *x = model()->generator(training("g"), z, &o);
    assert_int_equal(layer_disagrees(z, x, "g", "progressive G", 1e-7), 0);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(sizes_are_the_published_ones),
        TEST(every_level_has_all_weights),
        TEST(the_first_level_is_that_of_the_paper),
        TEST(levels_above_have_no_gradient),
        TEST(levels_above_are_not_computed),
        TEST(pictures_fade_in),
        TEST(scores_fade_in),
        TEST(real_images_fade_too),
        TEST(a_fading_discriminator_has_two_derivatives),
        TEST(a_fading_generator_has_two_derivatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
