/* The loop: iterations in stretches up to whatever is due next, so that the host is out of the way.
 */
#include <math.h>
#include <time.h>

#include "base/error.h"
#include "train/trainer.h"

/* How long a stretch may take: callers can stop a run, and see where it is, this often. */
static const double stretch_seconds = 0.25;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The first multiple of `every` behind `step`; `most` when that is further, or `every` is 0. */
static int64_t next_multiple(int64_t step, int64_t every, int64_t most) {
    if (!every || step / every >= most / every) return most;
    return (step / every + 1) * every;
}

static bool due(int64_t step, int64_t every) { return every && step % every == 0; }

/* Where the next stretch ends. */
static int64_t stretch_end(const gan_trainer *t) {
    const gan_settings *s = t->settings;
    const int64_t step = t->state.step;
    /* Lines in between come from the ring afterwards; those that need samples cannot. */
    int64_t end = t->source.mixture ? next_multiple(step, s->log_every, s->steps) : s->steps;
    end = next_multiple(step, s->sample_every, end);
    end = next_multiple(step, s->checkpoint_every, end);
    const double n = t->step_seconds > 0 ? stretch_seconds / t->step_seconds : 1;
    const int64_t stretch = n >= GAN_RING ? GAN_RING : n < 1 ? 1 : (int64_t)n;
    return end - step > stretch ? step + stretch : end;
}

/* `origin`: when the run would have begun, had it never stopped. */
static gan_status stretch(gan_trainer *t, double origin) {
    static _Thread_local gan_scalars ring[GAN_RING];
    const int64_t end = stretch_end(t), n = end - t->state.step;
    const double start = now();
    GAN_TRY(gan_program_run(t->program, n));
    GAN_TRY(gan_trainer_fetch(t, ring));
    const double stop = now();
    t->step_seconds = (stop - start) / (double)n;
    return gan_trainer_collect(t, ring, end, stop - origin);
}

static void report(const gan_trainer *t, const gan_trainer_callbacks *callbacks, int64_t first_step,
                   double first_seconds) {
    const gan_run_state *s = &t->state;
    const double n = s->summed ? (double)s->summed : 1, passed = s->seconds - first_seconds;
    const double images =
        (double)(s->step - first_step) * (double)(t->settings->batch * t->settings->d_steps);
    const gan_progress progress = {
        .step = s->step,
        .steps = t->settings->steps,
        .seconds = s->seconds,
        .images_per_second = passed > 0 ? images / passed : 0,
        .d_loss = s->sum[0] / n,
        .g_loss = s->sum[1] / n,
        .d_real = s->sum[2] / n,
        .d_fake = s->sum[3] / n,
    };
    callbacks->progress(callbacks->context, &progress);
}

/* What is due after a stretch. A checkpoint comes last: when it is there, log and picture are too.
 */
static gan_status events(gan_trainer *t) {
    const gan_settings *s = t->settings;
    const int64_t step = t->state.step;
    const bool end = step == s->steps;
    if (end || due(step, s->log_every)) GAN_TRY(gan_trainer_log(t));
    if (end || due(step, s->sample_every)) GAN_TRY(gan_trainer_picture(t));
    return end || due(step, s->checkpoint_every) ? gan_trainer_keep(t) : GAN_OK;
}

gan_status gan_trainer_run(gan_trainer *t, const gan_trainer_callbacks *callbacks) {
    static const gan_trainer_callbacks none = {0};
    if (!callbacks) callbacks = &none;
    const int64_t first_step = t->state.step;
    const double first_seconds = t->state.seconds, start = now();
    GAN_TRY(gan_trainer_keep(t)); /* a folder that cannot be written is found now, not in an hour */
    while (t->state.step < t->settings->steps) {
        if (callbacks->stop && callbacks->stop(callbacks->context)) {
            GAN_TRY(gan_trainer_keep(t));
            return gan_fail(GAN_ERROR_INTERRUPTED, "stopped at step %lld of %lld",
                            (long long)t->state.step, (long long)t->settings->steps);
        }
        GAN_TRY(stretch(t, start - first_seconds));
        if (callbacks->progress) report(t, callbacks, first_step, first_seconds);
        GAN_TRY(events(t));
    }
    return GAN_OK;
}
