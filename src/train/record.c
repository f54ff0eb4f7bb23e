/* What a run leaves behind while it goes: scalars, log, pictures, checkpoints. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "ganc/metric.h"
#include "graph/store.h"
#include "train/folder.h"
#include "train/sequences.h"
#include "train/trainer.h"

static const char *name_of(const gan_trainer *t, int scalar) {
    static const char *const name[] = {"d_loss", "g_loss", "d_real", "d_fake"};
    return scalar < 4 ? name[scalar] : t->game.objective->measure_name;
}

/* What is left of a run that diverged. */
static const char *what_is_kept(const gan_trainer *t, char text[64]) {
    if (t->saved_step < 0) return "no checkpoint was written";
    snprintf(text, 64, "the checkpoint holds step %lld", (long long)t->saved_step);
    return text;
}

static gan_status not_finite(const gan_trainer *t, int64_t step, int scalar, float value) {
    char kept[64];
    return gan_fail(GAN_ERROR_NOT_FINITE, "step %lld: %s is %s; %s", (long long)step,
                    name_of(t, scalar), isnan(value) ? "not a number" : "infinite",
                    what_is_kept(t, kept));
}

/* ---- what the device brings ---- */

gan_status gan_trainer_begin_fetch(gan_trainer *t, gan_stretch *stretch) {
    GAN_TRY(gan_download_begin(&stretch->ring, t->device, gan_variable_data(t->ring),
                               GAN_RING * (size_t)t->scalars * sizeof(float)));
    if (!stretch->drawn) return GAN_OK;
    return gan_sampler_begin(gan_trainer_sampler(t, stretch->end), &stretch->samples,
                             t->settings->sample_count);
}

gan_status gan_trainer_end_fetch(gan_trainer *t, gan_stretch *stretch, const float **ring) {
    GAN_TRY(gan_download_end(&stretch->ring, t->device));
    *ring = stretch->ring.data;
    return GAN_OK;
}

gan_status gan_trainer_samples(gan_trainer *t, gan_stretch *stretch, float **samples) {
    const int64_t count = t->settings->sample_count;
    gan_sampler *sampler = gan_trainer_sampler(t, stretch->end);
    *samples = malloc((size_t)count * sampler->sample_elements * sizeof **samples);
    if (!*samples)
        return gan_fail(GAN_ERROR_MEMORY, "no memory for %lld samples", (long long)count);
    return gan_sampler_end(sampler, &stretch->samples, *samples);
}

gan_status gan_trainer_collect(gan_trainer *t, const float *ring, int64_t step, double seconds) {
    gan_run_state *s = &t->state;
    const double began = s->seconds, a_step = (seconds - began) / (double)(step - s->step);
    const int64_t first = s->step;
    while (s->step < step) {
        s->step++;
        s->seconds = s->step == step ? seconds : began + a_step * (double)(s->step - first);
        const float *row = ring + s->step % GAN_RING * t->scalars;
        for (int i = 0; i < t->scalars; i++)
            if (!isfinite(row[i])) return not_finite(t, s->step, i, row[i]);
        for (int i = 0; i < t->scalars; i++) s->sum[i] += (double)row[i];
        s->summed++;
        /* The stretch's last line is left to the loop, which knows whether the run ends there. */
        if (s->step < step && s->step % t->settings->log_every == 0)
            GAN_TRY(gan_trainer_log(t, NULL));
    }
    return GAN_OK;
}

/* ---- log ---- */

gan_status gan_trainer_log(gan_trainer *t, const float *samples) {
    gan_run_state *s = &t->state;
    const int64_t a_step = t->settings->batch * t->settings->d_steps;
    const double passed = s->seconds - t->line_seconds, n = (double)s->summed;
    const double rate = passed > 0 ? (double)((s->step - t->line_step) * a_step) / passed : 0;
    gan_journal_field field[16] = {
        gan_journal_integer("step", s->step), gan_journal_integer("images", s->step * a_step),
        gan_journal_real("seconds", s->seconds), gan_journal_real("images_per_second", rate)};
    size_t fields = 4;
    for (int i = 0; i < t->scalars; i++)
        field[fields++] = gan_journal_real(name_of(t, i), s->sum[i] / n);
    if (t->journal && t->source.mixture) {
        gan_mode_coverage c;
        GAN_TRY(
            gan_metric_mode_coverage(&c, samples, t->settings->sample_count, t->source.mixture));
        field[fields++] = gan_journal_integer("modes", c.captured);
        field[fields++] = gan_journal_real("high_quality", c.high_quality);
    }
    if (t->journal && t->source.grammar) {
        double violations;
        int64_t distinct;
        GAN_TRY(gan_sequences_judge(&violations, &distinct, samples, t->settings->sample_count,
                                    t->source.grammar));
        field[fields++] = gan_journal_real("violations", violations);
        field[fields++] = gan_journal_integer("distinct", distinct);
    }
    if (t->journal) GAN_TRY(gan_journal_append(t->journal, field, fields));
    /* A line in between, at the end of a run, leaves the sums to the line that is due when it goes
     * on. */
    if (s->step % t->settings->log_every == 0) {
        s->summed = 0;
        for (int i = 0; i < GAN_SCALARS; i++) s->sum[i] = 0;
        t->line_step = s->step;
        t->line_seconds = s->seconds;
    }
    return GAN_OK;
}

/* ---- picture and checkpoint ---- */

gan_status gan_trainer_picture(gan_trainer *t, const float *samples) {
    char *png = gan_folder_picture(t->folder, t->state.step);
    if (!png) return GAN_ERROR_IO;
    const int64_t count = t->settings->sample_count;
    const int64_t columns = gan_sampler_columns(gan_trainer_sampler(t, t->state.step), count);
    const gan_status status = gan_sampler_paint(samples, count, columns, t->source.model,
                                                &t->source.networks, t->source.mixture, png);
    free(png);
    return status;
}

gan_status gan_trainer_keep(gan_trainer *t) {
    if (!t->folder || t->saved_step == t->state.step) return GAN_OK;
    const gan_status status = gan_trainer_save(t, t->checkpoint_path);
    if (status == GAN_OK) t->saved_step = t->state.step;
    if (status != GAN_ERROR_NOT_FINITE) return status;
    char kept[64], cause[512];
    snprintf(cause, sizeof cause, "%s", gan_last_error());
    return gan_fail(status, "step %lld: %s; %s", (long long)t->state.step, cause,
                    what_is_kept(t, kept));
}
