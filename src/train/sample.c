/* Samples from a checkpoint, without the data that it was trained on. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "train/checkpoint.h"
#include "train/sampler.h"
#include "train/sequences.h"

/* The grammar where `path` asks for text, NAME.txt; else NULL. */
static gan_status find_text(const gan_grammar **out, const char *path, const gan_checkpoint *c,
                            const gan_model *model) {
    const size_t n = strlen(path);
    *out = NULL;
    if (n < 4 || strcmp(path + n - 4, ".txt") != 0) return GAN_OK;
    *out = model->sequences ? gan_grammar_find(c->settings->data) : NULL;
    if (*out) return GAN_OK;
    return gan_fail(GAN_ERROR_ARGUMENT,
                    "%s: only sequences can be written as text, but model '%s' makes %s", path,
                    model->name, gan_model_kind(model));
}

/* `asked`: the count was, and is not that of the run's own pictures. */
static gan_status sample(const gan_checkpoint *c, gan_store *store, gan_device *device,
                         const char *path, int64_t count, bool asked, uint64_t seed,
                         const int64_t *only) {
    const gan_model *model;
    gan_model_options networks;
    gan_sampler sampler;
    GAN_TRY(gan_source_networks(&model, &networks, c->settings, c->state.example));
    const gan_mixture *mixture = gan_mixture_find(c->settings->data);
    if (model->points && !mixture)
        return gan_fail(GAN_ERROR_FORMAT, "%s: data '%.200s' are no mixture", c->path,
                        c->settings->data);
    const gan_grammar *grammar = NULL;
    GAN_TRY(find_text(&grammar, path, c, model));
    gan_game_options game;
    GAN_TRY(gan_settings_game(&game, c->settings, model, &networks, c->state.classes, 0));
    const bool told = game.generator_condition || !game.classes;
    const int64_t classes = told ? gan_sampler_classes(&game) : 0;
    if (only && !classes)
        return gan_fail(
            GAN_ERROR_ARGUMENT,
            "%s: class %lld given, but this generator takes no class (generator.condition)",
            c->path, (long long)*only);
    if (only && (*only < 0 || *only >= classes))
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: class %lld given, expected 0 to %lld", c->path,
                        (long long)*only, (long long)classes - 1);
    if (asked && !only && !model->points) GAN_TRY(gan_sampler_check_count(classes, count, c->path));
    gan_schedule schedule;
    GAN_TRY(gan_schedule_make(&schedule, c->settings, &game));
    const int level = gan_schedule_level(&schedule, c->state.step ? c->state.step - 1 : 0);
    GAN_TRY(gan_sampler_open(&sampler, store, device, &game, &schedule, level, count, seed));
    sampler.only = only;
    gan_status status = gan_store_place(store, device);
    if (status == GAN_OK) status = gan_checkpoint_restore(c, store, false);
    float *samples = malloc((size_t)count * sampler.sample_elements * sizeof *samples);
    if (status == GAN_OK && !samples)
        status = gan_fail(GAN_ERROR_MEMORY, "no memory for %lld samples", (long long)count);
    if (status == GAN_OK) status = gan_sampler_draw(&sampler, samples, count);
    if (status == GAN_OK)
        status = grammar ? gan_sequences_write(path, samples, count, grammar)
                         : gan_sampler_paint(samples, count, gan_sampler_columns(&sampler, count),
                                             model, &networks, mixture, path);
    free(samples);
    gan_sampler_close(&sampler);
    return status;
}

gan_status gan_sample_checkpoint(const char *checkpoint, const char *path, gan_device *device,
                                 const gan_sample_options *options) {
    gan_checkpoint c;
    gan_store *store;
    GAN_TRY(gan_checkpoint_read(&c, checkpoint));
    const bool asked = options && options->count > 0;
    const int64_t count = asked ? options->count : c.settings->sample_count;
    const uint64_t seed = options && options->seed ? *options->seed : (uint64_t)c.settings->seed;
    gan_status status = gan_store_create(&store, seed);
    if (status == GAN_OK) {
        status =
            sample(&c, store, device, path, count, asked, seed, options ? options->only : NULL);
        gan_store_destroy(store);
    }
    gan_checkpoint_close(&c);
    return status;
}
