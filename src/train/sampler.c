/* Samples and their pictures. */
#include "train/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "device/program.h"
#include "ganc/io.h"
#include "graph/store.h"
#include "train/sequences.h"

enum { MAX_BATCH = 256, MAX_POINTS_BATCH = 4096 };

/* Which part of the noise is drawn: not part of a model's state, so not in checkpoints. */
static const char *const part_name = "sampler/part";

/* Of a model that completes images, the picture's first column has the examples and the second what
 * is known of them, the unknown in grey. */
enum { COMPLETED, MASKED, WHOLE };

static gan_node *completed(gan_sampler *s, gan_graph *g, const gan_game_options *game,
                           gan_latent *latent) {
    gan_node *whole;
    s->example = gan_input(g, GAN_I32, gan_shape1(s->batch), "example");
    s->column = gan_input(g, GAN_F32, gan_shape4(s->batch, 1, 1, 1), "column");
    latent->context = gan_context_build(g, game, s->example, &whole);
    gan_node *x = gan_sampler_build(g, game, latent, game->average > 0);
    const int64_t c = game->networks.channels;
    const double grey = (game->model->low + game->model->high) / 2;
    gan_node *unknown = gan_shift(g, gan_neg(g, gan_slice(g, latent->context, 3, c, 1)), 1);
    gan_node *masked =
        gan_add(g, gan_slice(g, latent->context, 3, 0, c), gan_scale(g, unknown, grey));
    const gan_shape each = gan_shape4(s->batch, 1, 1, 1);
    gan_node *is_masked = gan_equal(g, s->column, gan_constant(g, MASKED, each));
    gan_node *is_whole = gan_equal(g, s->column, gan_constant(g, WHOLE, each));
    x = gan_add(g, x, gan_mul(g, is_masked, gan_sub(g, masked, x)));
    return gan_add(g, x, gan_mul(g, is_whole, gan_sub(g, whole, x)));
}

static gan_status build(gan_sampler *s, gan_game_options game, const gan_schedule *schedule,
                        int level) {
    gan_graph *g = s->graph;
    gan_schedule_grow(schedule, &game, g, level, 0);
    gan_node *part =
        gan_variable_node(g, GAN_RECORD, part_name, GAN_I64, gan_shape0(), gan_init_constant(0));
    gan_latent latent = gan_latent_draw(g, &game, part, s->batch);
    if (game.classes)
        latent.label = s->label = gan_input(g, GAN_I32, gan_shape1(s->batch), "class");
    else if (game.code_categorical)
        latent.category = s->label =
            gan_input(g, GAN_I32, gan_shape2(s->batch, game.code_categorical), "category");
    gan_node *x = game.model->completes ? completed(s, g, &game, &latent)
                                        : gan_sampler_build(g, &game, &latent, game.average > 0);
    if (level < schedule->levels) x = gan_upsample(g, x, 1 << (schedule->levels - level));
    s->samples = gan_output(g, x);
    gan_advance(g, part, 1);
    s->sample_elements = (size_t)(gan_shape_size(gan_node_shape(s->samples)) / s->batch);
    return gan_graph_status(g);
}

gan_status gan_sampler_open(gan_sampler *s, gan_store *store, gan_device *device,
                            const gan_game_options *game, const gan_schedule *schedule, int level,
                            int64_t count, uint64_t seed) {
    const int64_t most =
        game->model->points || game->model->sequences ? MAX_POINTS_BATCH : MAX_BATCH;
    *s = (gan_sampler){.store = store,
                       .batch = count < most ? count : most,
                       .classes = gan_sampler_classes(game),
                       .game_batch = game->batch};
    const uint64_t trained_with = gan_store_seed(store);
    gan_status status = gan_graph_create(&s->graph, store);
    if (status == GAN_OK) status = build(s, *game, schedule, level);
    /* Noise of its own: a sampler and the training graph number their streams alike. */
    gan_store_set_seed(store, seed ^ 0x9E3779B97F4A7C15u);
    if (status == GAN_OK) status = gan_compile(&s->program, s->graph, device);
    gan_store_set_seed(store, trained_with);
    if (status != GAN_OK) gan_sampler_close(s);
    return status;
}

void gan_sampler_close(gan_sampler *s) {
    if (s->program) gan_program_destroy(s->program);
    if (s->graph) gan_graph_destroy(s->graph);
    *s = (gan_sampler){0};
}

/* ---- drawing ---- */

int64_t gan_sampler_classes(const gan_game_options *game) {
    return game->classes ? game->classes : game->code_categorical ? game->code_classes : 0;
}

int64_t gan_sampler_columns(const gan_sampler *s, int64_t count) {
    const int64_t square = (int64_t)ceil(sqrt((double)count));
    if (!s->classes || s->only || count < s->classes || count / square >= s->classes) return square;
    return count / s->classes;
}

int64_t gan_sampler_class(const gan_sampler *s, int64_t i, int64_t count) {
    return s->only ? *s->only : i / gan_sampler_columns(s, count) % s->classes;
}

gan_status gan_sampler_check_count(int64_t classes, int64_t count, const char *whose) {
    if (count >= classes) return GAN_OK;
    return gan_fail(
        GAN_ERROR_ARGUMENT,
        "%s: %lld samples given, but they are of %lld classes, a row each: %lld or more "
        "expected",
        whose, (long long)count, (long long)classes, (long long)classes);
}

/* Writes the classes of samples first … of `count`; further codes beside the first go with the
 * columns. */
static gan_status choose_classes(gan_sampler *s, int64_t first, int64_t count) {
    if (!s->label) return GAN_OK;
    const int64_t columns = gan_sampler_columns(s, count);
    const int64_t each = gan_shape_size(gan_node_shape(s->label)) / s->batch;
    const size_t bytes = (size_t)(s->batch * each) * sizeof(int32_t);
    int32_t *label = malloc(bytes);
    if (!label)
        return gan_fail(GAN_ERROR_MEMORY, "no memory for %lld classes", (long long)s->batch);
    for (int64_t i = 0; i < s->batch; i++) {
        label[i * each] = (int32_t)gan_sampler_class(s, first + i, count);
        for (int64_t k = 1; k < each; k++)
            label[i * each + k] = (int32_t)((first + i) % columns % s->classes);
    }
    const gan_status status = gan_program_write(s->program, s->label, label, bytes);
    free(label);
    return status;
}

/* A row of the picture is about one example. */
static gan_status choose_examples(gan_sampler *s, int64_t first, int64_t count) {
    if (!s->example) return GAN_OK;
    const int64_t columns = gan_sampler_columns(s, count);
    const int64_t rows = s->game_batch < GAN_CONTEXTS ? s->game_batch : GAN_CONTEXTS;
    int32_t *example = malloc((size_t)s->batch * sizeof *example);
    float *column = malloc((size_t)s->batch * sizeof *column);
    gan_status status =
        example && column ? GAN_OK : gan_fail(GAN_ERROR_MEMORY, "no memory for samples");
    for (int64_t i = 0; i < s->batch && status == GAN_OK; i++) {
        const int64_t at = (first + i) % columns;
        example[i] = (int32_t)((first + i) / columns % rows);
        column[i] = at == 0 ? WHOLE : at == 1 ? MASKED : COMPLETED;
    }
    if (status == GAN_OK)
        status =
            gan_program_write(s->program, s->example, example, (size_t)s->batch * sizeof *example);
    if (status == GAN_OK)
        status =
            gan_program_write(s->program, s->column, column, (size_t)s->batch * sizeof *column);
    free(example);
    free(column);
    return status;
}

static gan_status reserve(gan_draw *draw, int64_t parts) {
    if (parts <= draw->parts) return GAN_OK;
    gan_download *part = realloc(draw->part, (size_t)parts * sizeof *part);
    if (!part) return gan_fail(GAN_ERROR_MEMORY, "no memory for samples");
    draw->part = part;
    while (draw->parts < parts) part[draw->parts++] = (gan_download){0};
    return GAN_OK;
}

gan_status gan_sampler_begin(gan_sampler *s, gan_draw *draw, int64_t count) {
    const gan_variable *part = gan_store_find(s->store, GAN_RECORD, part_name);
    gan_device *device = s->program->device;
    GAN_TRY(reserve(draw, (count + s->batch - 1) / s->batch));
    GAN_TRY(gan_program_load(s->program));
    GAN_TRY(device->backend->zero(device, gan_variable_data(part), sizeof(int64_t)));
    draw->count = count;
    for (int64_t i = 0; i * s->batch < count; i++) {
        GAN_TRY(choose_classes(s, i * s->batch, count));
        GAN_TRY(choose_examples(s, i * s->batch, count));
        GAN_TRY(gan_program_run(s->program, 1));
        GAN_TRY(gan_program_begin_read(s->program, s->samples, &draw->part[i]));
    }
    return GAN_OK;
}

gan_status gan_sampler_end(gan_sampler *s, gan_draw *draw, float *out) {
    for (int64_t i = 0, done = 0; done < draw->count; i++, done += s->batch) {
        const int64_t take = draw->count - done < s->batch ? draw->count - done : s->batch;
        GAN_TRY(gan_download_end(&draw->part[i], s->program->device));
        memcpy(out + (size_t)done * s->sample_elements, draw->part[i].data,
               (size_t)take * s->sample_elements * sizeof *out);
    }
    return GAN_OK;
}

void gan_sampler_close_draw(gan_sampler *s, gan_draw *draw) {
    for (int64_t i = 0; i < draw->parts; i++)
        gan_download_close(&draw->part[i], s->program->device);
    free(draw->part);
    *draw = (gan_draw){0};
}

gan_status gan_sampler_draw(gan_sampler *s, float *out, int64_t count) {
    gan_draw draw = {0};
    gan_status status = gan_sampler_begin(s, &draw, count);
    if (status == GAN_OK) status = gan_sampler_end(s, &draw, out);
    gan_sampler_close_draw(s, &draw);
    return status;
}

/* ---- painting ---- */

gan_status gan_sampler_paint(const float *samples, int64_t count, int64_t columns,
                             const gan_model *model, const gan_model_options *networks,
                             const gan_mixture *mixture, const char *png) {
    if (model->points) {
        const float e = mixture->extent;
        return gan_png_write_scatter(png, &(gan_scatter){.points = samples,
                                                         .count = count,
                                                         .centres = mixture->centres,
                                                         .modes = mixture->modes,
                                                         .ring = 3 * mixture->sigma,
                                                         .x_low = -e,
                                                         .x_high = e,
                                                         .y_low = -e,
                                                         .y_high = e});
    }
    if (model->sequences)
        return gan_sequences_paint(png, samples, count, networks->height, networks->channels, 0);
    return gan_png_write_grid(png,
                              &(gan_images){.pixels = samples,
                                            .dtype = GAN_F32,
                                            .count = count,
                                            .height = networks->height,
                                            .width = networks->width,
                                            .channels = networks->channels,
                                            .low = (float)model->low,
                                            .high = (float)model->high},
                              columns);
}
