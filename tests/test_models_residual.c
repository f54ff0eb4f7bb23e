/* The residual networks written out in double, as the paper's tables have them: no shared code, and
 * every short cut and sampling in the paper's order. */
#include "support/networks.h"

enum { SIZE = 16, M = 2, Z = 3, WIDTH = 2, COLOURS = 2 };

/* ---- maps in double: (M, n, n, c) ---- */

typedef struct map {
    int n, c;
    double *x;
} map;

static map map_of(int n, int c) {
    return (map){n, c, calloc((size_t)(M * n * n * c), sizeof(double))};
}

static double *pixel(const map *a, int m, int h, int w) {
    return a->x + ((m * a->n + h) * a->n + w) * a->c;
}

static map done(map old, map new) {
    free(old.x);
    return new;
}

static map copy(map a) {
    map b = map_of(a.n, a.c);
    memcpy(b.x, a.x, (size_t)(M * a.n * a.n * a.c) * sizeof(double));
    return b;
}

/* SCOPE/weight (out, k, k, in) and SCOPE/bias, with "same" padding. The paper's convolutions have a
 * bias each; of those that ganc leaves out it must not matter what they are. */
static map convolve(map a, const char *scope) {
    char name[128];
    snprintf(name, sizeof name, "%s/weight", scope);
    const gan_shape shape = gan_variable_shape(find(GAN_WEIGHT, name));
    const int out = (int)shape.dim[0], k = (int)shape.dim[1];
    assert_int_equal(shape.dim[3], a.c);
    float *w = read_variable(GAN_WEIGHT, name);
    snprintf(name, sizeof name, "%s/bias", scope);
    float *b = gan_store_find(store, GAN_WEIGHT, name) ? read_variable(GAN_WEIGHT, name)
                                                       : some_floats(out, 7);
    map y = map_of(a.n, out);
    for (int m = 0; m < M; m++)
        for (int h = 0; h < a.n; h++)
            for (int v = 0; v < a.n; v++)
                for (int o = 0; o < out; o++) {
                    double sum = b[o];
                    for (int i = 0; i < k * k; i++) {
                        const int p = h + i / k - k / 2, q = v + i % k - k / 2;
                        if (p < 0 || q < 0 || p >= a.n || q >= a.n) continue;
                        for (int c = 0; c < a.c; c++)
                            sum += pixel(&a, m, p, q)[c] * w[(o * k * k + i) * a.c + c];
                    }
                    pixel(&y, m, h, v)[o] = sum;
                }
    free(w), free(b);
    return done(a, y);
}

static map relu(map a) {
    for (int i = 0; i < M * a.n * a.n * a.c; i++) a.x[i] = fmax(a.x[i], 0);
    return a;
}

static map batch_norm(map a) { /* gamma 1, beta 0: as they start */
    const int rows = M * a.n * a.n;
    for (int c = 0; c < a.c; c++) {
        double mean = 0, variance = 0;
        for (int i = 0; i < rows; i++) mean += a.x[i * a.c + c] / rows;
        for (int i = 0; i < rows; i++) variance += pow(a.x[i * a.c + c] - mean, 2) / rows;
        for (int i = 0; i < rows; i++)
            a.x[i * a.c + c] = (a.x[i * a.c + c] - mean) / sqrt(variance + 1e-5);
    }
    return a;
}

static map upsample(map a) {
    map y = map_of(2 * a.n, a.c);
    for (int m = 0; m < M; m++)
        for (int h = 0; h < y.n; h++)
            for (int w = 0; w < y.n; w++)
                memcpy(pixel(&y, m, h, w), pixel(&a, m, h / 2, w / 2),
                       (size_t)a.c * sizeof(double));
    return done(a, y);
}

static map halve(map a) {
    map y = map_of(a.n / 2, a.c);
    for (int m = 0; m < M; m++)
        for (int h = 0; h < a.n; h++)
            for (int w = 0; w < a.n; w++)
                for (int c = 0; c < a.c; c++)
                    pixel(&y, m, h / 2, w / 2)[c] += pixel(&a, m, h, w)[c] / 4;
    return done(a, y);
}

static map add(map a, map b) {
    for (int i = 0; i < M * a.n * a.n * a.c; i++) a.x[i] += b.x[i];
    return done(b, a);
}

static const char *under(const char *scope, const char *name) {
    static char text[4][128];
    static int next;
    char *t = text[next++ % 4];
    snprintf(t, sizeof text[0], "%s/%s", scope, name);
    return t;
}

/* ---- the networks ---- */

static map up_block(map x, const char *scope) {
    map h = upsample(relu(batch_norm(copy(x))));
    h = convolve(h, under(scope, "conv1"));
    h = convolve(relu(batch_norm(h)), under(scope, "conv2"));
    return add(h, convolve(upsample(x), under(scope, "shortcut")));
}

static map down_block(map x, const char *scope, bool first, bool down) {
    map h = copy(x);
    h = convolve(first ? h : relu(h), under(scope, "conv1"));
    h = convolve(relu(h), under(scope, "conv2"));
    if (!down) return add(h, x); /* channels stay the same */
    return add(halve(h), halve(convolve(x, under(scope, "shortcut"))));
}

static void networks_are_those_of_the_paper(void **state) {
    (void)state;
    const gan_model *resnet = gan_model_find("resnet");
    const gan_model_options o = {.height = SIZE,
                                 .width = SIZE,
                                 .channels = COLOURS,
                                 .z_dim = Z,
                                 .generator_features = WIDTH,
                                 .discriminator_features = WIDTH};
    gan_node *z = F32(M, Z), *image = F32(M, SIZE, SIZE, COLOURS);
    const gan_scope_settings training = {.training = true};
    gan_node *made = gan_output(g, resnet->generator(gan_scope_create(g, "g", &training), z, &o));
    gan_node *score =
        gan_output(g, gan_model_logits(resnet, gan_scope_create(g, "d", &training), image, &o));
    load();
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const char *name = gan_variable_name(gan_store_at(store, i)), *last = strrchr(name, '/');
        if (strcmp(last, "/bias") != 0) continue;
        float *bias =
            some_floats(gan_shape_size(gan_variable_shape(gan_store_at(store, i))), i + 20);
        write_variable(GAN_WEIGHT, name, bias);
        free(bias);
    }
    assert_null(gan_store_find(store, GAN_WEIGHT, "g/up1/conv1/bias"));
    assert_null(gan_store_find(store, GAN_WEIGHT, "g/up2/shortcut/bias"));
    float *noise = some_floats(M * Z, 1), *pixels = some_floats(M * SIZE * SIZE * COLOURS, 2);
    write_input(z, noise);
    write_input(image, pixels);
    run(1);

    map x = map_of(SIZE / 4, WIDTH);
    float *w = read_variable(GAN_WEIGHT, "g/project/weight"),
          *b = read_variable(GAN_WEIGHT, "g/project/bias");
    const int each = x.n * x.n * x.c;
    for (int m = 0; m < M; m++)
        for (int u = 0; u < each; u++) {
            x.x[m * each + u] = b[u];
            for (int k = 0; k < Z; k++)
                x.x[m * each + u] += (double)noise[m * Z + k] * w[u * Z + k];
        }
    x = up_block(up_block(x, "g/up1"), "g/up2");
    x = convolve(relu(batch_norm(x)), "g/output");
    float *out = read_output(made);
    for (int i = 0; i < M * SIZE * SIZE * COLOURS; i++)
        expect_near(out[i], tanh(x.x[i]), 2e-4, 1e-3);
    free(out), free(w), free(b), free(x.x);

    x = map_of(SIZE, COLOURS);
    for (int i = 0; i < M * SIZE * SIZE * COLOURS; i++) x.x[i] = pixels[i];
    x = down_block(x, "d/down1", true, true);
    x = down_block(x, "d/down2", false, true);
    x = down_block(x, "d/down3", false, false);
    x = relu(down_block(x, "d/down4", false, false));
    w = read_variable(GAN_WEIGHT, "d/output/weight"),
    b = read_variable(GAN_WEIGHT, "d/output/bias");
    out = read_output(score);
    for (int m = 0; m < M; m++) {
        double sum = b[0];
        for (int i = 0; i < x.n * x.n; i++)
            for (int c = 0; c < x.c; c++) sum += pixel(&x, m, 0, 0)[i * x.c + c] * w[c];
        expect_near(out[m], sum, 1e-3, 1e-4);
    }
    free(out), free(w), free(b), free(x.x), free(noise), free(pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(networks_are_those_of_the_paper, open_networks,
                                        close_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
