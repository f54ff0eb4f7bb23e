/* Nearest examples. ‖s - x‖² = ‖s‖² - 2·s·x + ‖x‖²: the products of all samples with a block of
 * examples are one matrix product. A mirrored example is as far from a sample as the example itself
 * is from the mirrored sample, so mirroring is more samples. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "ganc/graph.h"
#include "ganc/metric.h"

enum { BLOCK = 2048 };

typedef struct search {
    const gan_dataset *set;
    int64_t pixels, rows; /* of an example; of samples, mirrored ones included */
    int64_t block;
    float *samples; /* (rows, pixels) in [0, 1] */
    double *square; /* (rows): ‖s‖² */
    double *best;   /* (rows): the least exact distance so far, squared */
    int64_t *index; /* (rows) */
    gan_store *store;
    gan_graph *graph;
    gan_program *program;
    gan_node *input, *which, *norm, *product;
} search;

static void close_search(search *s) {
    if (s->program) gan_program_destroy(s->program);
    if (s->graph) gan_graph_destroy(s->graph);
    if (s->store) gan_store_destroy(s->store);
    free(s->samples);
    free(s->square);
    free(s->best);
    free(s->index);
}

static const char *const images_name = "nearest/images";

static gan_status build(search *s, gan_device *device) {
    const gan_dataset *d = s->set;
    GAN_TRY(gan_store_create(&s->store, 0));
    GAN_TRY(gan_graph_create(&s->graph, s->store));
    gan_graph *g = s->graph;
    const gan_init zero = {GAN_INIT_CONSTANT, 0, 0};
    gan_node *counter =
        gan_variable_node(g, GAN_RECORD, "nearest/counter", GAN_I64, gan_shape0(), zero);
    gan_node *images =
        gan_variable_node(g, GAN_DATA, images_name, GAN_U8,
                          gan_shape4(d->count, d->height, d->width, d->channels), zero);
    s->input = gan_input(g, GAN_F32, gan_shape2(s->rows, s->pixels), "samples");
    s->which = gan_input(g, GAN_I32, gan_shape1(s->block), "which");
    gan_node *x = gan_minibatch(g, images, s->which, counter, 1.0 / 255, 0, false);
    x = gan_reshape(g, x, gan_shape2(s->block, s->pixels));
    s->norm = gan_output(g, gan_sum_axes(g, gan_square(g, x), 1u << 1));
    s->product = gan_output(g, gan_matmul(g, s->input, x, false, true));
    GAN_TRY(gan_compile(&s->program, g, device));
    GAN_TRY(gan_store_place(s->store, device));
    GAN_TRY(gan_program_load(s->program));
    return gan_variable_write(s->store, gan_store_find(s->store, GAN_DATA, images_name), d->images,
                              (size_t)(d->count * s->pixels));
}

static gan_status take_samples(search *s, const float *samples, int64_t count, double low,
                               double high) {
    const int64_t w = s->set->width, c = s->set->channels;
    s->samples = malloc((size_t)(s->rows * s->pixels) * sizeof *s->samples);
    s->square = calloc((size_t)s->rows, sizeof *s->square);
    s->best = malloc((size_t)s->rows * sizeof *s->best);
    s->index = malloc((size_t)s->rows * sizeof *s->index);
    if (!s->samples || !s->square || !s->best || !s->index)
        return gan_fail(GAN_ERROR_MEMORY, "nearest examples: out of memory");
    for (int64_t r = 0; r < s->rows; r++) {
        s->best[r] = INFINITY;
        s->index[r] = 0;
        for (int64_t i = 0; i < s->pixels; i++) {
            const int64_t x = i / c % w, mirrored = i + (w - 1 - 2 * x) * c;
            const int64_t from = r < count ? i : mirrored;
            const double v = ((double)samples[r % count * s->pixels + from] - low) / (high - low);
            s->samples[r * s->pixels + i] = (float)v;
            s->square[r] += v * v;
        }
    }
    return GAN_OK;
}

static double exact(const search *s, int64_t row, int64_t example) {
    const float *a = s->samples + row * s->pixels;
    const uint8_t *b = s->set->images + example * s->pixels;
    double sum = 0;
    for (int64_t i = 0; i < s->pixels; i++) {
        const double d = (double)a[i] - b[i] / 255.0;
        sum += d * d;
    }
    return sum;
}

/* Looks at those that may be the nearest: the products are right to some 1e-6 of the lengths. */
static void judge(search *s, int64_t first, const float *norm, const float *product) {
    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t b = 0; b < s->block; b++) {
            const double x2 = (double)norm[b], s2 = s->square[r];
            const double near = s2 - 2 * (double)product[r * s->block + b] + x2;
            if (near > s->best[r] + 1e-5 * (s2 + x2)) continue;
            const double distance = exact(s, r, first + b);
            if (distance < s->best[r] || (distance == s->best[r] && first + b < s->index[r])) {
                s->best[r] = distance;
                s->index[r] = first + b;
            }
        }
}

/* The last block ends with the set, and repeats some of the one before. */
static gan_status scan(search *s) {
    const size_t products = (size_t)(s->rows * s->block);
    float *norm = malloc((size_t)s->block * sizeof *norm);
    float *product = malloc(products * sizeof *product);
    int32_t *which = malloc((size_t)s->block * sizeof *which);
    gan_status status = norm && product && which
                            ? GAN_OK
                            : gan_fail(GAN_ERROR_MEMORY, "nearest examples: out of memory");
    for (int64_t at = 0; at < s->set->count && status == GAN_OK; at += s->block) {
        const int64_t first = at + s->block > s->set->count ? s->set->count - s->block : at;
        for (int64_t i = 0; i < s->block; i++) which[i] = (int32_t)(first + i);
        status = gan_program_write(s->program, s->which, which, (size_t)s->block * sizeof *which);
        if (status == GAN_OK)
            status = gan_program_write(s->program, s->input, s->samples,
                                       (size_t)(s->rows * s->pixels) * sizeof *s->samples);
        if (status == GAN_OK) status = gan_program_run(s->program, 1);
        if (status == GAN_OK)
            status = gan_program_read(s->program, s->norm, norm, (size_t)s->block * sizeof *norm);
        if (status == GAN_OK)
            status = gan_program_read(s->program, s->product, product, products * sizeof *product);
        if (status == GAN_OK) judge(s, first, norm, product);
    }
    free(norm);
    free(product);
    free(which);
    return status;
}

gan_status gan_metric_nearest(gan_neighbour *out, gan_device *device, const gan_dataset *set,
                              const float *samples, int64_t count, double low, double high,
                              bool mirrored) {
    if (count < 1 || count > GAN_NEAREST_SAMPLES)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "nearest examples: %lld samples given, from 1 to %d expected",
                        (long long)count, GAN_NEAREST_SAMPLES);
    if (!(low < high))
        return gan_fail(GAN_ERROR_ARGUMENT, "nearest examples: pixels from %g to %g", low, high);
    search s = {.set = set,
                .pixels = set->height * set->width * set->channels,
                .rows = mirrored ? 2 * count : count,
                .block = set->count < BLOCK ? set->count : BLOCK};
    gan_status status = take_samples(&s, samples, count, low, high);
    if (status == GAN_OK) status = build(&s, device);
    if (status == GAN_OK) status = scan(&s);
    for (int64_t i = 0; i < count && status == GAN_OK; i++) {
        const bool other = mirrored && s.best[count + i] < s.best[i];
        const int64_t row = other ? count + i : i;
        out[i] = (gan_neighbour){s.index[row], sqrt(s.best[row]), other};
    }
    close_search(&s);
    return status;
}
