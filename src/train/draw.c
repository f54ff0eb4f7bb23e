#include "train/draw.h"

#include <stdlib.h>

#include "base/error.h"

typedef struct drawing {
    const gan_checkpoint *checkpoint;
    gan_store *store;
    gan_sampler sampler;
    int64_t count;
} drawing;

static gan_status draw(float **out, int32_t *asked, drawing *d, gan_device *device) {
    gan_sampler *s = &d->sampler;
    *out = malloc((size_t)d->count * s->sample_elements * sizeof **out);
    if (!*out) return gan_fail(GAN_ERROR_MEMORY, "no memory for samples");
    GAN_TRY(gan_store_place(d->store, device));
    GAN_TRY(gan_checkpoint_restore(d->checkpoint, d->store, false));
    GAN_TRY(gan_sampler_draw(s, *out, d->count));
    for (int64_t i = 0; asked && s->classes && i < d->count; i++)
        asked[i] = (int32_t)gan_sampler_class(s, i, d->count);
    return GAN_OK;
}

gan_status gan_draw_samples(float **out, int32_t *asked, const gan_checkpoint *c,
                            const gan_game_options *game, gan_device *device, int64_t count,
                            uint64_t seed) {
    drawing d = {.checkpoint = c, .count = count};
    gan_schedule schedule;
    *out = NULL;
    GAN_TRY(gan_schedule_make(&schedule, c->settings, game));
    GAN_TRY(gan_store_create(&d.store, seed));
    const int level = gan_schedule_level(&schedule, c->state.step ? c->state.step - 1 : 0);
    gan_status status =
        gan_sampler_open(&d.sampler, d.store, device, game, &schedule, level, count, seed);
    if (status == GAN_OK) {
        status = draw(out, asked, &d, device);
        gan_sampler_close(&d.sampler);
    }
    gan_store_destroy(d.store);
    if (status == GAN_OK) return GAN_OK;
    free(*out);
    *out = NULL;
    return status;
}
