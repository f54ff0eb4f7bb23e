#include "train/schedule.h"

#include "base/error.h"

gan_status gan_schedule_make(gan_schedule *out, const gan_settings *s,
                             const gan_game_options *game) {
    *out = (gan_schedule){.levels = 1, .every = 1};
    const char *first = NULL;
    for (int i = 0; i < game->n_terms; i++) {
        const gan_term *t = game->terms[i].term;
        const int64_t every = t->lazy ? (int64_t)game->terms[i].knob[1] : 1;
        if (every <= 1) continue;
        if (first && every != out->every)
            return gan_fail(GAN_ERROR_ARGUMENT,
                            "terms: %s has every=%lld, but %s has every=%lld; expected the same",
                            t->name, (long long)every, first, (long long)out->every);
        first = t->name;
        out->every = every;
    }
    if (!game->model->levels || !s->growing_hold) return GAN_OK;
    out->levels = game->model->levels(&game->networks);
    out->hold = s->growing_hold;
    out->fade = s->growing_fade;
    return GAN_OK;
}

/* The iteration that `level` begins with, its fading in included. */
static int64_t start(const gan_schedule *s, int level) {
    return level > 1 ? s->hold + (level - 2) * (s->fade + s->hold) : 0;
}

int gan_schedule_level(const gan_schedule *s, int64_t step) {
    int level = 1;
    while (level < s->levels && step >= start(s, level + 1)) level++;
    return level;
}

bool gan_schedule_due(const gan_schedule *s, int64_t step) {
    return s->every > 1 && step % s->every == 0;
}

static int64_t nearer(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t gan_schedule_until(const gan_schedule *s, int64_t step, int64_t end) {
    const int level = gan_schedule_level(s, step);
    if (level < s->levels) end = nearer(end, start(s, level + 1));
    if (s->every <= 1) return end;
    const int64_t next = step % s->every ? (step / s->every + 1) * s->every : step + 1;
    return nearer(end, next);
}

void gan_schedule_grow(const gan_schedule *s, gan_game_options *game, gan_graph *g, int level,
                       int64_t done) {
    if (s->levels == 1) return;
    game->networks.level = level;
    if (level == 1 || s->fade == 0) return;
    gan_node *t = gan_reshape(g, gan_cast(g, gan_game_counter(g), GAN_F32), gan_shape0());
    gan_node *share =
        gan_scale(g, gan_shift(g, t, (double)(done - start(s, level))), 1 / (double)s->fade);
    gan_node *one = gan_constant(g, 1, gan_shape0());
    game->networks.alpha = gan_minimum(g, gan_relu(g, share), one);
}
