/* Inference: codes of images, and what the generator makes of them. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "ganc/io.h"
#include "train/checkpoint.h"
#include "train/game.h"
#include "train/schedule.h"
#include "train/source.h"

enum { BATCH = 100, DEFAULT_COUNT = 32, EXAMINED = 2000 };

typedef struct encoding {
    const gan_checkpoint *checkpoint;
    const gan_model *model;
    gan_model_options networks;
    gan_game_options game;
    gan_store *store;
    gan_graph *graph;
    gan_program *program;
    gan_node *images, *label, *code, *back;
    int64_t pixels, z_dim;
} encoding;

static bool has_encoder(const gan_game_options *o) {
    bool has = o->encoder;
    for (int i = 0; i < o->n_terms; i++) has = has || o->terms[i].term->no_pairs;
    return has;
}

static gan_status open(encoding *e, gan_device *device) {
    const gan_checkpoint *c = e->checkpoint;
    GAN_TRY(gan_source_networks(&e->model, &e->networks, c->settings, c->state.example));
    GAN_TRY(gan_settings_game(&e->game, c->settings, e->model, &e->networks, c->state.classes, 0));
    const gan_game_options *o = &e->game;
    if (!has_encoder(o) || e->model->points || o->code_categorical || o->code_continuous)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: expected a run on images with an encoder (encoder: true, or "
                        "terms: mrgan or mdgan) and no codes beside z",
                        c->path);
    gan_schedule schedule;
    GAN_TRY(gan_schedule_make(&schedule, c->settings, o));
    if (schedule.levels > 1)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: a model that grows has no encoder", c->path);
    GAN_TRY(gan_store_create(&e->store, 0));
    GAN_TRY(gan_graph_create(&e->graph, e->store));
    gan_graph *g = e->graph;
    const gan_model_options *n = &e->networks;
    e->images =
        gan_input(g, GAN_F32, gan_shape4(BATCH, n->height, n->width, n->channels), "images");
    if (o->classes) e->label = gan_input(g, GAN_I32, gan_shape1(BATCH), "class");
    e->code = gan_output(g, gan_encoder_build(g, o, e->images));
    const gan_latent latent = {.z = e->code, .label = e->label};
    e->back = gan_output(g, gan_sampler_build(g, o, &latent, o->average > 0));
    GAN_TRY(gan_compile(&e->program, g, device));
    GAN_TRY(gan_store_place(e->store, device));
    GAN_TRY(gan_checkpoint_restore(c, e->store, false));
    e->pixels = n->height * n->width * n->channels;
    e->z_dim = n->z_dim;
    return gan_program_load(e->program);
}

static void close_encoding(encoding *e) {
    if (e->program) gan_program_destroy(e->program);
    if (e->graph) gan_graph_destroy(e->graph);
    if (e->store) gan_store_destroy(e->store);
}

/* ---- a set through the networks ---- */

typedef struct passed {
    float *code; /* (count, z_dim) */
    float *back; /* (count, pixels), or NULL */
} passed;

static gan_status pass_batch(encoding *e, const gan_dataset *d, int64_t first, int64_t n, float *x,
                             int32_t *label, float *both, const passed *to) {
    const double scale = (e->model->high - e->model->low) / 255;
    const size_t bytes = sizeof(float), p = (size_t)e->pixels, z = (size_t)e->z_dim;
    for (int64_t i = 0; i < n * e->pixels; i++)
        x[i] = (float)(e->model->low + scale * d->images[first * e->pixels + i]);
    for (int64_t i = 0; i < n && d->labels; i++) label[i] = d->labels[first + i];
    GAN_TRY(gan_program_write(e->program, e->images, x, BATCH * p * bytes));
    if (e->label) GAN_TRY(gan_program_write(e->program, e->label, label, BATCH * sizeof *label));
    GAN_TRY(gan_program_run(e->program, 1));
    GAN_TRY(gan_program_read(e->program, e->code, both, BATCH * z * bytes));
    for (size_t i = 0; i < (size_t)n * z; i++) to->code[(size_t)first * z + i] = both[i];
    if (!to->back) return GAN_OK;
    GAN_TRY(gan_program_read(e->program, e->back, both, BATCH * p * bytes));
    for (size_t i = 0; i < (size_t)n * p; i++) to->back[(size_t)first * p + i] = both[i];
    return GAN_OK;
}

/* The first `count` images. */
static gan_status pass(encoding *e, passed *to, const gan_dataset *d, int64_t count, bool back) {
    const int64_t larger = e->pixels > e->z_dim ? e->pixels : e->z_dim;
    const gan_model_options *n = &e->networks;
    *to = (passed){0};
    if (d->height != n->height || d->width != n->width || d->channels != n->channels ||
        (e->label && d->classes > e->game.classes) || (e->label && !d->labels))
        return gan_fail(GAN_ERROR_SHAPE,
                        "%s: encodes %lldx%lldx%lld, but data '%.200s' are %lldx%lldx%lld%s",
                        e->checkpoint->path, (long long)n->height, (long long)n->width,
                        (long long)n->channels, d->name, (long long)d->height, (long long)d->width,
                        (long long)d->channels, e->label ? ", or of other classes" : "");
    to->code = malloc((size_t)(count * e->z_dim) * sizeof(float));
    if (back) to->back = malloc((size_t)(count * e->pixels) * sizeof(float));
    float *x = calloc((size_t)(BATCH * e->pixels), sizeof *x);
    float *both = malloc((size_t)(BATCH * larger) * sizeof *both);
    int32_t *label = calloc(BATCH, sizeof *label);
    gan_status status = to->code && (to->back || !back) && x && both && label
                            ? GAN_OK
                            : gan_fail(GAN_ERROR_MEMORY, "encoding: out of memory");
    for (int64_t i = 0; i < count && status == GAN_OK; i += BATCH)
        status = pass_batch(e, d, i, count - i < BATCH ? count - i : BATCH, x, label, both, to);
    free(x);
    free(both);
    free(label);
    return status;
}

static void free_passed(passed *p) {
    free(p->code);
    free(p->back);
}

/* ---- what comes of it ---- */

/* Mean squared errors of a pixel in [0, 1]: of the reconstruction, and of the set's mean image. */
static void measure(gan_encoding *out, const encoding *e, const gan_dataset *d, const float *back) {
    const int64_t n = out->examined, p = e->pixels;
    const double low = e->model->low, range = e->model->high - low;
    double error = 0, variance = 0;
    for (int64_t j = 0; j < p; j++) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < n; i++) {
            const double x = d->images[i * p + j] / 255.0;
            const double off = x - ((double)back[i * p + j] - low) / range;
            sum += x;
            squares += x * x;
            error += off * off;
        }
        variance += squares - sum * sum / (double)n;
    }
    out->error = error / (double)(n * p);
    out->error_of_mean = variance / (double)(n * p);
}

static gan_status paint(const encoding *e, const gan_dataset *d, const float *back, int64_t count,
                        const char *png) {
    const size_t p = (size_t)e->pixels;
    const double low = e->model->low, scale = (e->model->high - low) / 255;
    float *pairs = malloc(2 * (size_t)count * p * sizeof *pairs);
    if (!pairs) return gan_fail(GAN_ERROR_MEMORY, "encoding: out of memory");
    for (size_t i = 0; i < (size_t)count; i++)
        for (size_t j = 0; j < p; j++) {
            pairs[2 * i * p + j] = (float)(low + scale * d->images[i * p + j]);
            pairs[(2 * i + 1) * p + j] = back[i * p + j];
        }
    const int64_t columns = 2 * (int64_t)fmax(1, round(sqrt((double)count / 2)));
    const gan_status status = gan_png_write_grid(png,
                                                 &(gan_images){.pixels = pairs,
                                                               .dtype = GAN_F32,
                                                               .count = 2 * count,
                                                               .height = e->networks.height,
                                                               .width = e->networks.width,
                                                               .channels = e->networks.channels,
                                                               .low = (float)low,
                                                               .high = (float)e->model->high},
                                                 columns);
    free(pairs);
    return status;
}

static gan_status keep_codes(const encoding *e, const float *code, int64_t count,
                             const char *path) {
    const gan_tensor_info tensor = {"codes", GAN_F32, gan_shape2(count, e->z_dim)};
    gan_safetensors_writer *file;
    GAN_TRY(gan_safetensors_create(&file, path, &tensor, 1, NULL, 0));
    const gan_status status =
        gan_safetensors_write(file, tensor.name, code, (size_t)(count * e->z_dim) * sizeof *code);
    if (status == GAN_OK) return gan_safetensors_finish(file);
    gan_safetensors_abandon(file);
    return status;
}

/* ---- the nearest code's class ---- */

static int64_t nearest(const float *code, const float *table, int64_t rows, int64_t z) {
    int64_t best = 0;
    float least = INFINITY;
    for (int64_t r = 0; r < rows; r++) {
        float sum = 0;
        for (int64_t k = 0; k < z; k++) {
            const float off = code[k] - table[r * z + k];
            sum += off * off;
        }
        if (sum < least) {
            least = sum;
            best = r;
        }
    }
    return best;
}

static gan_status classify(gan_encoding *out, encoding *e, const gan_dataset *test,
                           const float *code, const gan_settings *settings) {
    gan_dataset *train;
    passed known = {0};
    GAN_TRY(gan_source_set(&train, settings, GAN_SPLIT_TRAIN));
    gan_status status =
        train->labels && test->labels
            ? pass(e, &known, train, train->count, false)
            : gan_fail(GAN_ERROR_ARGUMENT, "data '%.200s' have no labels, which --nearest needs",
                       train->name);
    int64_t right = 0;
    for (int64_t i = 0; i < out->examined && status == GAN_OK; i++) {
        const int64_t found = nearest(code + i * e->z_dim, known.code, train->count, e->z_dim);
        right += train->labels[found] == test->labels[i];
    }
    out->nearest = (double)right / (double)out->examined;
    free_passed(&known);
    gan_dataset_destroy(train);
    return status;
}

/* ---- all of it ---- */

static gan_status examine(gan_encoding *out, encoding *e, const gan_settings *settings,
                          const gan_dataset *test, const char *png, const gan_encode_options *o) {
    const int64_t shown = o->count ? o->count : DEFAULT_COUNT;
    int64_t count = shown > EXAMINED ? shown : EXAMINED;
    if (count > test->count) count = test->count;
    passed p;
    gan_status status = pass(e, &p, test, count, true);
    if (status == GAN_OK) {
        *out = (gan_encoding){.examined = count, .nearest = NAN};
        measure(out, e, test, p.back);
        if (png) status = paint(e, test, p.back, shown < count ? shown : count, png);
    }
    if (status == GAN_OK && o->codes) status = keep_codes(e, p.code, count, o->codes);
    if (status == GAN_OK && o->nearest) status = classify(out, e, test, p.code, settings);
    free_passed(&p);
    return status;
}

static gan_status encode(gan_encoding *out, const gan_checkpoint *c, const char *png,
                         gan_device *device, const gan_encode_options *o) {
    encoding e = {.checkpoint = c};
    gan_settings *settings;
    gan_dataset *test = NULL;
    GAN_TRY(gan_settings_copy(&settings, c->settings));
    gan_status status = gan_source_named(settings, o->data, c->path);
    if (status == GAN_OK) status = open(&e, device);
    if (status == GAN_OK) status = gan_source_set(&test, settings, GAN_SPLIT_TEST);
    if (status == GAN_OK) status = examine(out, &e, settings, test, png, o);
    gan_dataset_destroy(test);
    close_encoding(&e);
    gan_settings_destroy(settings);
    return status;
}

gan_status gan_encode_checkpoint(gan_encoding *out, const char *checkpoint, const char *png,
                                 gan_device *device, const gan_encode_options *options) {
    static const gan_encode_options none = {0};
    gan_encoding mine;
    gan_checkpoint c;
    GAN_TRY(gan_checkpoint_read(&c, checkpoint));
    const gan_status status = encode(out ? out : &mine, &c, png, device, options ? options : &none);
    gan_checkpoint_close(&c);
    return status;
}
