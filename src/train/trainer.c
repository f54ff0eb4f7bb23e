/* Opening a trainer: data, variables, graphs, programs, folder. The loop is in run.c. */
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ganc/adversarial.h"
#include "train/folder.h"

static const char *const ring_name = "train/ring";
static const char *const counter_name = "train/iteration";

/* ---- the training graph ---- */

static gan_status build(gan_trainer *t, gan_graph *g, int level, bool due) {
    gan_game game;
    gan_game_options options = t->game;
    options.lazy_due = due;
    gan_schedule_grow(&t->schedule, &options, g, level, 1);
    GAN_TRY(gan_game_build(&game, g, &options));
    gan_node *ring = gan_variable_node(g, GAN_RECORD, ring_name, GAN_F32,
                                       gan_shape2(GAN_RING, t->scalars), gan_init_constant(0));
    gan_node *const scalar[GAN_SCALARS] = {game.d_loss, game.g_loss, game.d_real, game.d_fake,
                                           game.measure};
    gan_record(g, ring, game.counter, 1, t->scalars, scalar);
    GAN_TRY(gan_graph_status(g));
    t->ring = gan_store_find(t->store, GAN_RECORD, ring_name);
    t->counter = gan_store_find(t->store, GAN_COUNTER, counter_name);
    return GAN_OK;
}

/* The last level's kinds come first: they read all weights. */
static gan_status open_kinds(gan_trainer *t) {
    const gan_schedule *s = &t->schedule;
    t->kind = calloc(2 * (size_t)s->levels, sizeof *t->kind);
    if (!t->kind) return gan_fail(GAN_ERROR_MEMORY, "no memory for a trainer");
    for (int level = s->levels; level > 0; level--)
        for (int due = 0; due < (s->every > 1 ? 2 : 1); due++) {
            gan_kind *kind = &t->kind[2 * (level - 1) + due];
            GAN_TRY(gan_graph_create(&kind->graph, t->store));
            GAN_TRY(build(t, kind->graph, level, due));
            GAN_TRY(gan_compile(&kind->program, kind->graph, t->device));
        }
    return GAN_OK;
}

static gan_status open_samplers(gan_trainer *t, int64_t samples) {
    const int levels = t->schedule.levels;
    t->samplers = calloc((size_t)levels, sizeof *t->samplers);
    if (!t->samplers) return gan_fail(GAN_ERROR_MEMORY, "no memory for a trainer");
    for (int level = 1; level <= levels; level++)
        GAN_TRY(gan_sampler_open(&t->samplers[level - 1], t->store, t->device, &t->game,
                                 &t->schedule, level, samples, (uint64_t)t->settings->seed));
    return GAN_OK;
}

/* ---- does it fit ---- */

static size_t bytes_of(const gan_program *program) {
    gan_program_info info;
    gan_program_describe(program, &info);
    return info.activation_bytes + info.workspace_bytes;
}

static gan_status check_memory(const gan_trainer *t) {
    gan_program_info train;
    gan_device_info device;
    GAN_TRY(gan_device_describe(t->device, &device));
    size_t run = 0, picture = 0;
    for (int i = 0; i < 2 * t->schedule.levels; i++)
        if (t->kind[i].program) run += bytes_of(t->kind[i].program);
    for (int i = 0; i < t->schedule.levels; i++) picture += bytes_of(t->samplers[i].program);
    gan_trainer_describe(t, &train);
    const size_t wanted = train.variable_bytes + run + picture;
    if (wanted <= device.memory_free) return GAN_OK;
    const double mib = 1024 * 1024;
    return gan_fail(GAN_ERROR_MEMORY,
                    "the run needs %.0f MiB (variables %.0f, an iteration %.0f, samples %.0f), but "
                    "%s %d has %.0f "
                    "MiB free of %.0f; a smaller batch (now %lld) needs less",
                    (double)wanted / mib, (double)train.variable_bytes / mib, (double)run / mib,
                    (double)picture / mib, device.kind, device.index,
                    (double)device.memory_free / mib, (double)device.memory_total / mib,
                    (long long)t->settings->batch);
}

/* ---- the start: fresh, or from a checkpoint ---- */

static gan_status set_marginals(gan_trainer *t) {
    const gan_model_options *n = &t->source.networks;
    if (!t->source.set || t->source.model->low < 0 || t->source.model->high > 1)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "model.marginals: true given, but model '%s' does not end in a sigmoid",
                        t->settings->model);
    float *mean = gan_source_mean(&t->source);
    if (!mean) return gan_fail(GAN_ERROR_MEMORY, "model.marginals: out of memory");
    const gan_status status =
        gan_model_set_marginals(t->store, mean, n->height * n->width * n->channels);
    free(mean);
    return status;
}

static gan_status same_run(const gan_trainer *t, const gan_checkpoint *c) {
    char given[GAN_SETTING_TEXT], kept[GAN_SETTING_TEXT];
    const char *key = gan_settings_difference(t->settings, c->settings);
    if (key) {
        GAN_TRY(gan_settings_get(t->settings, key, given, sizeof given));
        GAN_TRY(gan_settings_get(c->settings, key, kept, sizeof kept));
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: %s: '%.200s' given, but this run has '%.200s' and keeps it", c->path,
                        key, given, kept);
    }
    if (c->state.fingerprint == t->source.fingerprint) return GAN_OK;
    return gan_fail(GAN_ERROR_ARGUMENT, "%s: data '%.200s' are not those that this run began with",
                    c->path, t->settings->data);
}

static bool differ(const gan_settings *a, const gan_settings *b) {
    char x[GAN_SETTING_TEXT], y[GAN_SETTING_TEXT];
    for (size_t i = 0; i < gan_settings_key_count(); i++) {
        const char *key = gan_settings_key_at(i).name;
        if (gan_settings_get(a, key, x, sizeof x) || gan_settings_get(b, key, y, sizeof y) ||
            strcmp(x, y))
            return true;
    }
    return false;
}

gan_status gan_trainer_load(gan_trainer *t, const char *path) {
    gan_checkpoint c;
    GAN_TRY(gan_checkpoint_read(&c, path));
    int64_t iteration = 0;
    gan_status status = same_run(t, &c);
    if (status == GAN_OK) status = gan_checkpoint_restore(&c, t->store, true);
    if (status == GAN_OK)
        status = gan_variable_read(t->store, t->counter, &iteration, sizeof iteration);
    if (status == GAN_OK && iteration != c.state.step)
        status = gan_fail(GAN_ERROR_FORMAT, "%s: step %lld given, but its counter is at %lld", path,
                          (long long)c.state.step, (long long)iteration);
    if (status == GAN_OK) {
        t->state = c.state;
        t->queued = c.state.step;
        t->amended = differ(t->settings, c.settings);
        t->line_step = c.state.step;
        t->line_seconds = c.state.seconds;
    }
    gan_checkpoint_close(&c);
    return status;
}

gan_status gan_trainer_save(gan_trainer *t, const char *path) {
    if (t->queued != t->state.step)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: the run failed at step %lld, and its variables are beyond it", path,
                        (long long)t->state.step);
    return gan_checkpoint_write(path, t->store, t->settings, &t->state);
}

static gan_status open_folder(gan_trainer *t, bool resume) {
    GAN_TRY(gan_folder_make(t->folder, t->settings));
    char *log = gan_folder_path(t->folder, "log.jsonl");
    if (!log) return GAN_ERROR_MEMORY;
    gan_status status = gan_journal_open(&t->journal, log, resume ? t->state.step : -1);
    free(log);
    return status;
}

/* ---- open ---- */

static gan_status open_graphs(gan_trainer *t, int64_t samples) {
    GAN_TRY(gan_store_create(&t->store, (uint64_t)t->settings->seed));
    GAN_TRY(open_kinds(t));
    return open_samplers(t, samples);
}

static gan_status place(gan_trainer *t, const gan_trainer_options *options) {
    GAN_TRY(check_memory(t));
    GAN_TRY(gan_store_place(t->store, t->device));
    for (int i = 0; i < 2 * t->schedule.levels; i++)
        if (t->kind[i].program) GAN_TRY(gan_program_load(t->kind[i].program));
    for (int i = 0; i < t->schedule.levels; i++) GAN_TRY(gan_program_load(t->samplers[i].program));
    GAN_TRY(gan_source_place(&t->source, t->store));
    if (!options->resume && t->settings->marginals) GAN_TRY(set_marginals(t));
    /* Before the checkpoint is read: nobody must train on from another one meanwhile. */
    if (t->folder) GAN_TRY(gan_folder_lock(&t->lock, t->folder, options->resume));
    if (options->resume) {
        GAN_TRY(gan_trainer_load(t, t->checkpoint_path));
        t->saved_step = t->state.step;
        if (t->settings->steps < t->state.step)
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: steps: %lld given, but step %lld is done",
                            t->checkpoint_path, (long long)t->settings->steps,
                            (long long)t->state.step);
        /* config.yaml follows, and the two are to say the same. */
        if (t->amended) GAN_TRY(gan_trainer_save(t, t->checkpoint_path));
    }
    gan_source_close(&t->source);
    return t->folder ? open_folder(t, options->resume) : GAN_OK;
}

static gan_status open_game(gan_trainer *t, bool resume) {
    gan_source *source = &t->source;
    GAN_TRY(gan_settings_game(&t->game, t->settings, source->model, &source->networks,
                              source->classes, source->count));
    if (!resume) GAN_TRY(gan_game_check_taught(&t->game)); /* runs of before go on */
    GAN_TRY(gan_schedule_make(&t->schedule, t->settings, &t->game));
    t->scalars = t->game.objective->measure ? GAN_SCALARS : GAN_SCALARS - 1;
    t->game.real = gan_source_batch;
    t->game.user = source;
    if (!t->game.classes) return GAN_OK;
    t->game.labels = gan_source_labels;
    t->game.labelled = source->set ? gan_source_labelled : NULL;
    return gan_source_use_labels(source);
}

static gan_status open_trainer(gan_trainer *t, const gan_settings *settings,
                               const gan_trainer_options *options) {
    t->saved_step = t->lock = -1;
    if (options->folder) {
        GAN_TRY(gan_folder_check(options->folder, options->resume));
        t->checkpoint_path = gan_folder_path(options->folder, "checkpoint.safetensors");
        t->folder = gan_folder_path(options->folder, ".");
        if (!t->checkpoint_path || !t->folder) return GAN_ERROR_MEMORY;
        t->folder[strlen(options->folder)] = 0;
    } else if (options->resume) {
        return gan_fail(GAN_ERROR_ARGUMENT, "resume: no folder given");
    }
    GAN_TRY(gan_settings_copy(&t->settings, settings));
    if (options->resume) GAN_TRY(gan_source_named(t->settings, NULL, t->checkpoint_path));
    GAN_TRY(gan_source_open(&t->source, t->settings));
    GAN_TRY(gan_source_pin(t->settings));
    GAN_TRY(open_game(t, options->resume));
    const gan_model_options *n = &t->source.networks;
    t->state = (gan_run_state){.example = {n->height, n->width, n->channels},
                               .classes = t->game.classes,
                               .fingerprint = t->source.fingerprint};
    GAN_TRY(open_graphs(t, t->settings->sample_count));
    return options->plan ? GAN_OK : place(t, options);
}

gan_status gan_trainer_open(gan_trainer **out, const gan_settings *settings, gan_device *device,
                            const gan_trainer_options *options) {
    static const gan_trainer_options none = {0};
    *out = NULL;
    gan_trainer *t = calloc(1, sizeof *t);
    if (!t) return gan_fail(GAN_ERROR_MEMORY, "no memory for a trainer");
    t->device = device;
    const gan_status status = open_trainer(t, settings, options ? options : &none);
    if (status == GAN_OK)
        *out = t;
    else
        gan_trainer_close(t);
    return status;
}

void gan_trainer_close(gan_trainer *t) {
    if (!t) return;
    gan_source_close(&t->source);
    if (t->journal) gan_journal_close(t->journal);
    for (int i = 0; i < 2; i++) {
        gan_download_close(&t->stretch[i].ring, t->device);
        if (t->samplers) gan_sampler_close_draw(&t->samplers[0], &t->stretch[i].samples);
    }
    for (int i = 0; t->samplers && i < t->schedule.levels; i++) gan_sampler_close(&t->samplers[i]);
    free(t->samplers);
    for (int i = 0; t->kind && i < 2 * t->schedule.levels; i++) {
        if (t->kind[i].program) gan_program_destroy(t->kind[i].program);
        if (t->kind[i].graph) gan_graph_destroy(t->kind[i].graph);
    }
    free(t->kind);
    if (t->store) gan_store_destroy(t->store);
    gan_settings_destroy(t->settings);
    gan_folder_unlock(t->lock);
    free(t->checkpoint_path);
    free(t->folder);
    free(t);
}

int64_t gan_trainer_step(const gan_trainer *t) { return t->state.step; }

void gan_trainer_describe(const gan_trainer *t, gan_program_info *out) {
    gan_program_describe(t->kind[2 * (t->schedule.levels - 1)].program, out);
}

gan_status gan_trainer_print(const gan_trainer *t, FILE *file) {
    return gan_program_print(t->kind[2 * (t->schedule.levels - 1)].program, file);
}
