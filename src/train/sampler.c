/* Samples and their pictures. */
#include "train/sampler.h"

#include <stdlib.h>

#include "base/error.h"
#include "ganc/adversarial.h"
#include "ganc/io.h"

enum { MAX_BATCH = 256, MAX_POINTS_BATCH = 4096 };

/* Which part of the noise is drawn: not part of a model's state, so not in checkpoints. */
static const char *const part_name = "sampler/part";

static gan_status build(gan_sampler *s, const gan_settings *settings, const gan_model *model,
                        const gan_model_options *networks) {
    gan_graph *g = s->graph;
    const gan_prior *prior = gan_prior_find(settings->z_distribution);
    if (!prior)
        return gan_fail(GAN_ERROR_ARGUMENT, "z.distribution: '%s' is unknown",
                        settings->z_distribution);
    gan_node *part =
        gan_variable_node(g, GAN_RECORD, part_name, GAN_I64, gan_shape0(), gan_init_constant(0));
    gan_node *z = prior->draw(g, part, gan_shape2(s->batch, networks->z_dim));
    s->samples =
        gan_output(g, gan_sampler_build(g, model, networks, z, settings->generator_average > 0));
    s->sample_elements = (size_t)(gan_shape_size(gan_node_shape(s->samples)) / s->batch);
    return gan_graph_status(g);
}

gan_status gan_sampler_open(gan_sampler *s, gan_store *store, gan_device *device,
                            const gan_settings *settings, const gan_model *model,
                            const gan_model_options *networks, int64_t count, uint64_t seed) {
    const int64_t most = model->points ? MAX_POINTS_BATCH : MAX_BATCH;
    *s = (gan_sampler){.store = store, .batch = count < most ? count : most};
    const uint64_t trained_with = gan_store_seed(store);
    gan_status status = gan_graph_create(&s->graph, store);
    if (status == GAN_OK) status = build(s, settings, model, networks);
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

gan_status gan_sampler_draw(gan_sampler *s, float *out, int64_t count) {
    const gan_variable *part = gan_store_find(s->store, GAN_RECORD, part_name);
    const size_t bytes = (size_t)s->batch * s->sample_elements * sizeof(float);
    float *all = malloc(bytes);
    if (!all) return gan_fail(GAN_ERROR_MEMORY, "no memory for %lld samples", (long long)s->batch);
    gan_status status = gan_program_load(s->program);
    for (int64_t i = 0, done = 0; done < count && status == GAN_OK; i++, done += s->batch) {
        status = gan_variable_write(s->store, part, &i, sizeof i);
        if (status == GAN_OK) status = gan_program_run(s->program, 1);
        if (status == GAN_OK) status = gan_program_read(s->program, s->samples, all, bytes);
        const int64_t take = count - done < s->batch ? count - done : s->batch;
        for (size_t j = 0; j < (size_t)take * s->sample_elements && status == GAN_OK; j++)
            out[(size_t)done * s->sample_elements + j] = all[j];
    }
    free(all);
    return status;
}

static gan_status paint(const float *sample, const gan_model *model,
                        const gan_model_options *networks, const gan_mixture *mixture,
                        int64_t count, const char *png) {
    if (model->points) {
        const float e = mixture->extent;
        return gan_png_write_scatter(png, &(gan_scatter){.points = sample,
                                                         .count = count,
                                                         .centres = mixture->centres,
                                                         .modes = mixture->modes,
                                                         .ring = 3 * mixture->sigma,
                                                         .x_low = -e,
                                                         .x_high = e,
                                                         .y_low = -e,
                                                         .y_high = e});
    }
    return gan_png_write_grid(png,
                              &(gan_images){.pixels = sample,
                                            .dtype = GAN_F32,
                                            .count = count,
                                            .height = networks->height,
                                            .width = networks->width,
                                            .channels = networks->channels,
                                            .low = (float)model->low,
                                            .high = (float)model->high},
                              0);
}

gan_status gan_sampler_paint(gan_sampler *s, const gan_model *model,
                             const gan_model_options *networks, const gan_mixture *mixture,
                             int64_t count, const char *png) {
    float *sample = malloc((size_t)count * s->sample_elements * sizeof *sample);
    if (!sample) return gan_fail(GAN_ERROR_MEMORY, "no memory for %lld samples", (long long)count);
    gan_status status = gan_sampler_draw(s, sample, count);
    if (status == GAN_OK) status = paint(sample, model, networks, mixture, count, png);
    free(sample);
    return status;
}
