/* Pictures between two noises. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "train/checkpoint.h"
#include "train/game.h"
#include "train/sampler.h"
#include "train/schedule.h"
#include "train/sequences.h"

enum { DEFAULT_ROWS = 8, DEFAULT_STEPS = 10, MOST = 4096 };

void gan_walk_between(float *z, const float *a, const float *b, int64_t n, double t,
                      bool spherical) {
    double aa = 0, bb = 0, ab = 0, from = 1 - t, to = t;
    for (int64_t i = 0; i < n; i++) {
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
        ab += (double)a[i] * (double)b[i];
    }
    const double length = sqrt(aa * bb), cosine = length > 0 ? ab / length : 1;
    const double angle = acos(cosine > 1 ? 1 : cosine < -1 ? -1 : cosine), sine = sin(angle);
    /* In (nearly) one direction, or opposite ones, there is no arc between them. */
    if (spherical && sine > 1e-6) {
        from = sin((1 - t) * angle) / sine;
        to = sin(t * angle) / sine;
    }
    for (int64_t i = 0; i < n; i++) z[i] = (float)(from * (double)a[i] + to * (double)b[i]);
}

/* ---- what the generator starts from: ends drawn on the device, the way between them written ----
 */

enum { PARTS = 4 }; /* of a gan_latent; z comes first. Symbols are not drawn but the likeliest */

typedef struct walk {
    const gan_checkpoint *checkpoint;
    gan_game_options game;
    const gan_model *model;
    gan_model_options networks;
    int64_t rows, steps;
    bool spherical;
    gan_store *store;
    gan_graph *draw, *make;
    gan_program *drawing, *making;
    gan_node *drawn[PARTS], *input[PARTS], *samples;
} walk;

static void close_walk(walk *w) {
    if (w->drawing) gan_program_destroy(w->drawing);
    if (w->making) gan_program_destroy(w->making);
    if (w->draw) gan_graph_destroy(w->draw);
    if (w->make) gan_graph_destroy(w->make);
    if (w->store) gan_store_destroy(w->store);
}

static void parts_of(gan_node *part[PARTS], const gan_latent *latent) {
    part[0] = latent->z;
    part[1] = latent->label;
    part[2] = latent->category;
    part[3] = latent->code;
}

static gan_status build(walk *w, gan_device *device, uint64_t seed) {
    static const char *const name[PARTS] = {"z", "class", "category", "code"};
    const int64_t count = w->rows * w->steps;
    GAN_TRY(gan_store_create(&w->store, seed));
    GAN_TRY(gan_graph_create(&w->draw, w->store));
    GAN_TRY(gan_graph_create(&w->make, w->store));
    gan_node *counter = gan_variable_node(w->draw, GAN_RECORD, "walk/counter", GAN_I64,
                                          gan_shape0(), gan_init_constant(0));
    const gan_latent ends = gan_latent_draw(w->draw, &w->game, counter, 2 * w->rows);
    parts_of(w->drawn, &ends);
    for (int i = 0; i < PARTS; i++) {
        if (!w->drawn[i]) continue;
        gan_shape shape = gan_node_shape(w->drawn[i]);
        shape.dim[0] = count;
        w->input[i] = gan_input(w->make, gan_node_dtype(w->drawn[i]), shape, name[i]);
        gan_output(w->draw, w->drawn[i]);
    }
    gan_schedule schedule;
    GAN_TRY(gan_schedule_make(&schedule, w->checkpoint->settings, &w->game));
    const int64_t done = w->checkpoint->state.step;
    const int level = gan_schedule_level(&schedule, done ? done - 1 : 0);
    gan_schedule_grow(&schedule, &w->game, w->make, level, 0);
    const gan_latent between = {
        .z = w->input[0], .label = w->input[1], .category = w->input[2], .code = w->input[3]};
    gan_node *x = gan_sampler_build(w->make, &w->game, &between, w->game.average > 0);
    if (level < schedule.levels) x = gan_upsample(w->make, x, 1 << (schedule.levels - level));
    w->samples = gan_output(w->make, x);
    GAN_TRY(gan_compile(&w->drawing, w->draw, device));
    GAN_TRY(gan_compile(&w->making, w->make, device));
    return gan_store_place(w->store, device);
}

static size_t bytes_of(const gan_node *node) {
    return (size_t)gan_shape_size(gan_node_shape(node)) * gan_dtype_size(gan_node_dtype(node));
}

/* z walks; class and codes of a row stay those of its first end, the classes in turn. */
static gan_status write_part(walk *w, int part) {
    const gan_node *drawn = w->drawn[part], *input = w->input[part];
    const size_t example = bytes_of(drawn) / (size_t)(2 * w->rows);
    char *ends = malloc(bytes_of(drawn)), *all = malloc(bytes_of(input));
    gan_status status = ends && all ? gan_program_read(w->drawing, drawn, ends, bytes_of(drawn))
                                    : gan_fail(GAN_ERROR_MEMORY, "interpolation: out of memory");
    for (int64_t i = 0; i < w->rows * w->steps && status == GAN_OK; i++) {
        const int64_t row = i / w->steps;
        const char *a = ends + (size_t)(2 * row) * example, *b = a + example;
        const double t = (double)(i % w->steps) / (double)(w->steps - 1);
        char *to = all + (size_t)i * example;
        const int32_t class = w->game.classes > 0 ? (int32_t)(row % w->game.classes) : 0;
        if (part == 0)
            gan_walk_between((float *)(void *)to, (const float *)(const void *)a,
                             (const float *)(const void *)b, (int64_t)(example / sizeof(float)), t,
                             w->spherical);
        else if (part == 1)
            memcpy(to, &class, sizeof class);
        else
            memcpy(to, a, example);
    }
    if (status == GAN_OK) status = gan_program_write(w->making, input, all, bytes_of(input));
    free(ends);
    free(all);
    return status;
}

static gan_status paint(const walk *w, const float *samples, const char *png) {
    const gan_model_options *n = &w->networks;
    if (w->model->points)
        return gan_sampler_paint(samples, w->rows * w->steps, w->steps, w->model, n,
                                 gan_mixture_find(w->checkpoint->settings->data), png);
    if (w->model->sequences)
        return gan_sequences_paint(png, samples, w->rows * w->steps, n->height, n->channels,
                                   w->steps);
    return gan_png_write_grid(png,
                              &(gan_images){.pixels = samples,
                                            .dtype = GAN_F32,
                                            .count = w->rows * w->steps,
                                            .height = n->height,
                                            .width = n->width,
                                            .channels = n->channels,
                                            .low = (float)w->model->low,
                                            .high = (float)w->model->high},
                              w->steps);
}

static gan_status run(walk *w, const char *png) {
    GAN_TRY(gan_checkpoint_restore(w->checkpoint, w->store, false));
    GAN_TRY(gan_program_run(w->drawing, 1));
    for (int i = 0; i < PARTS; i++)
        if (w->input[i]) GAN_TRY(write_part(w, i));
    GAN_TRY(gan_program_run(w->making, 1));
    float *samples = malloc(bytes_of(w->samples));
    if (!samples) return gan_fail(GAN_ERROR_MEMORY, "interpolation: out of memory");
    gan_status status = gan_program_read(w->making, w->samples, samples, bytes_of(w->samples));
    if (status == GAN_OK) status = paint(w, samples, png);
    free(samples);
    return status;
}

static gan_status interpolate(walk *w, const char *png, gan_device *device, uint64_t seed) {
    const gan_checkpoint *c = w->checkpoint;
    GAN_TRY(gan_source_networks(&w->model, &w->networks, c->settings, c->state.example));
    if (w->model->points && !gan_mixture_find(c->settings->data))
        return gan_fail(GAN_ERROR_FORMAT, "%s: data '%.200s' are no mixture", c->path,
                        c->settings->data);
    if (w->model->completes)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: completes images, and walks are between samples from noise alone",
                        c->path);
    GAN_TRY(gan_settings_game(&w->game, c->settings, w->model, &w->networks, c->state.classes, 0));
    const gan_status status = build(w, device, seed);
    return status == GAN_OK ? run(w, png) : status;
}

gan_status gan_interpolate_checkpoint(const char *checkpoint, const char *png, gan_device *device,
                                      const gan_interpolate_options *options) {
    static const gan_interpolate_options none = {0};
    const gan_interpolate_options *o = options ? options : &none;
    walk w = {.rows = o->rows ? o->rows : DEFAULT_ROWS,
              .steps = o->steps ? o->steps : DEFAULT_STEPS};
    if (w.rows < 1 || w.steps < 2 || w.rows > MOST / w.steps)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "interpolation: %lld rows of %lld steps given, expected 2 or more steps "
                        "and at most %d in all",
                        (long long)w.rows, (long long)w.steps, MOST);
    gan_checkpoint c;
    GAN_TRY(gan_checkpoint_read(&c, checkpoint));
    w.checkpoint = &c;
    w.spherical = o->walk == GAN_WALK_SPHERICAL ||
                  (o->walk == GAN_WALK_AUTO && !strcmp(c.settings->z_distribution, "normal"));
    const uint64_t seed = o->seed ? *o->seed : (uint64_t)c.settings->seed;
    const gan_status status = interpolate(&w, png, device, seed);
    close_walk(&w);
    gan_checkpoint_close(&c);
    return status;
}
