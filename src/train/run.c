/* The loop: iterations in stretches up to whatever is due next, so that the host is out of the way.
 */
#include <math.h>
#include <stdlib.h>
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
    const int64_t step = t->queued;
    /* Lines in between come from the ring afterwards; those that need samples cannot. */
    int64_t end = gan_trainer_judges(t) ? next_multiple(step, s->log_every, s->steps) : s->steps;
    end = next_multiple(step, s->sample_every, end);
    end = next_multiple(step, s->checkpoint_every, end);
    const double n = t->step_seconds > 0 ? stretch_seconds / t->step_seconds : 1;
    const int64_t stretch = n >= GAN_RING ? GAN_RING : n < 1 ? 1 : (int64_t)n;
    return end - step > stretch ? step + stretch : end;
}

/* ---- what is due at a step ---- */

static bool line_due(const gan_trainer *t, int64_t step) {
    return step == t->settings->steps || due(step, t->settings->log_every);
}

static bool picture_due(const gan_trainer *t, int64_t step) {
    return t->folder && (step == t->settings->steps || due(step, t->settings->sample_every));
}

static bool checkpoint_due(const gan_trainer *t, int64_t step) {
    return t->folder && (step == t->settings->steps || due(step, t->settings->checkpoint_every));
}

/* ---- stretches: while the host looks at what one has brought, the device is at the next ---- */

/* Whether another may be queued: a checkpoint holds the very state that has been looked at, so the
 * device rests for it, as it does where runs are over when they return. */
static bool can_queue(const gan_trainer *t, int under_way) {
    if (t->queued == t->settings->steps || under_way == 2) return false;
    if (under_way == 0) return true;
    return t->device->backend->begin_download && !checkpoint_due(t, t->queued);
}

static gan_status queue(gan_trainer *t, gan_stretch *stretch) {
    stretch->end = stretch_end(t);
    stretch->begun = now();
    stretch->drawn = picture_due(t, stretch->end) ||
                     (t->journal && gan_trainer_judges(t) && line_due(t, stretch->end));
    for (int64_t step = t->queued; step < stretch->end; step = t->queued) {
        t->queued = gan_schedule_until(&t->schedule, step, stretch->end);
        GAN_TRY(gan_program_run(gan_trainer_kind(t, step)->program, t->queued - step));
    }
    return gan_trainer_begin_fetch(t, stretch);
}

/* `last`: when the one before was over; `origin`: when the run would have begun, had it never
 * stopped. */
static gan_status collect(gan_trainer *t, gan_stretch *stretch, double *last, double origin) {
    const float *ring;
    const gan_status status = gan_trainer_end_fetch(t, stretch, &ring);
    if (status != GAN_OK)
        return gan_fail_within(status, "steps %lld to %lld", (long long)t->state.step + 1,
                               (long long)stretch->end);
    const double stop = now(), begun = stretch->begun > *last ? stretch->begun : *last;
    t->step_seconds = (stop - begun) / (double)(stretch->end - t->state.step);
    *last = stop;
    return gan_trainer_collect(t, ring, stretch->end, stop - origin);
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
        .reads = t->game.objective->reads ? t->game.objective->reads : "D",
    };
    callbacks->progress(callbacks->context, &progress);
}

/* What is due after a stretch. A checkpoint comes last: when it is there, log and picture are too.
 */
static gan_status events(gan_trainer *t, gan_stretch *stretch) {
    const int64_t step = t->state.step;
    float *samples = NULL;
    gan_status status = stretch->drawn ? gan_trainer_samples(t, stretch, &samples) : GAN_OK;
    if (status == GAN_OK && line_due(t, step)) status = gan_trainer_log(t, samples);
    if (status == GAN_OK && picture_due(t, step)) status = gan_trainer_picture(t, samples);
    free(samples);
    if (status == GAN_OK && checkpoint_due(t, step)) status = gan_trainer_keep(t);
    return status;
}

static gan_status interrupted(gan_trainer *t) {
    GAN_TRY(gan_trainer_keep(t));
    return gan_fail(GAN_ERROR_INTERRUPTED, "stopped at step %lld of %lld", (long long)t->state.step,
                    (long long)t->settings->steps);
}

gan_status gan_trainer_run(gan_trainer *t, const gan_trainer_callbacks *callbacks) {
    static const gan_trainer_callbacks none = {0};
    if (!callbacks) callbacks = &none;
    const int64_t first_step = t->state.step;
    const double first_seconds = t->state.seconds, start = now();
    double last = start;
    bool stopped = false;
    GAN_TRY(gan_trainer_keep(t)); /* a folder that cannot be written is found now, not in an hour */
    for (int done = 0, queued = 0; t->state.step < t->settings->steps;) {
        stopped = stopped || (callbacks->stop && callbacks->stop(callbacks->context));
        if (stopped && queued == done) return interrupted(t);
        if (!stopped && can_queue(t, queued - done)) GAN_TRY(queue(t, &t->stretch[queued++ % 2]));
        if (!stopped && can_queue(t, queued - done)) continue;
        gan_stretch *stretch = &t->stretch[done++ % 2];
        GAN_TRY(collect(t, stretch, &last, start - first_seconds));
        if (callbacks->progress) report(t, callbacks, first_step, first_seconds);
        GAN_TRY(events(t, stretch));
    }
    return GAN_OK;
}
