/* A generator in evaluation mode, compiled: fixed noise in, samples out. */
#ifndef GANC_TRAIN_SAMPLER_H
#define GANC_TRAIN_SAMPLER_H

#include "ganc/nn.h"
#include "train/settings.h"
#include "train/source.h"

typedef struct gan_sampler {
    gan_store *store;
    gan_graph *graph;
    gan_program *program;
    gan_node *samples;
    int64_t batch;
    size_t sample_elements;
} gan_sampler;

/* Compiles the sampler of `settings` for pictures of `count` samples; its noise is drawn from
 * `seed`. The store is borrowed. */
gan_status gan_sampler_open(gan_sampler *out, gan_store *store, gan_device *device,
                            const gan_settings *settings, const gan_model *model,
                            const gan_model_options *networks, int64_t count, uint64_t seed);
void gan_sampler_close(gan_sampler *sampler);

/* The first `count` samples of the noise into out[count · sample_elements], by the weights of now.
 */
gan_status gan_sampler_draw(gan_sampler *sampler, float *out, int64_t count);

/* Draws `count` samples and writes their picture: a grid of images, or points over the mixture's
 * modes. */
gan_status gan_sampler_paint(gan_sampler *sampler, const gan_model *model,
                             const gan_model_options *networks, const gan_mixture *mixture,
                             int64_t count, const char *png);

#endif
