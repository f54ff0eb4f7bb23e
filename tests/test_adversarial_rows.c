/* Everything from the papers that the project sets out to have, sections 1 to 5 of its reading
 * list: objectives, penalties, what is done against collapse, conditioning and inference, networks.
 * Each is a row of a table or a key of the settings, at work in a preset, tested, and has a line
 * with what was measured in a table of the README. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ganc/ganc.h"
#include "support/scratch.h"

enum kind { OBJECTIVE, TERM, AUGMENT, HEAD, DISCRETE, MODEL, NORM, KEY };

static const struct row {
    const char *what;
    enum kind kind;
    const char *name;   /* of the row or key */
    const char *value;  /* KEY: what a preset sets it to; NULL: anything */
    const char *tested; /* what a test of it is called or holds; NULL: the name, as a string */
} rows[] = {
    /* objectives */
    {"minimax", OBJECTIVE, "minimax", NULL, NULL},
    {"non-saturating", OBJECTIVE, "non-saturating", NULL, NULL},
    {"maximum likelihood", OBJECTIVE, "maximum-likelihood", NULL, NULL},
    {"hinge", OBJECTIVE, "hinge", NULL, NULL},
    {"least squares", OBJECTIVE, "least-squares", NULL, NULL},
    {"Wasserstein", OBJECTIVE, "wasserstein", NULL, NULL},
    {"relativistic average", OBJECTIVE, "relativistic", NULL, NULL},
    {"EBGAN", OBJECTIVE, "ebgan", NULL, NULL},
    {"EBGAN's pulling-away term", TERM, "pulling-away", NULL, NULL},
    {"f-GAN, KL", OBJECTIVE, "f-kl", NULL, NULL},
    {"f-GAN, reverse KL", OBJECTIVE, "f-reverse-kl", NULL, NULL},
    {"f-GAN, Pearson", OBJECTIVE, "f-pearson", NULL, NULL},
    {"f-GAN, Hellinger", OBJECTIVE, "f-hellinger", NULL, NULL},
    {"f-GAN, JS", OBJECTIVE, "f-js", NULL, NULL},
    {"f-GAN, GAN", OBJECTIVE, "f-gan", NULL, NULL},
    {"f-GAN, the bound for G", KEY, "objective.conjugate", "true", ".conjugate"},
    {"BEGAN", OBJECTIVE, "began", NULL, NULL},
    {"half of D's loss", KEY, "loss_scale", "0.5", ".scale = 0.5"},
    {"one-sided label smoothing", KEY, "label_smoothing", NULL, ".smooth"},
    {"simultaneous updates", KEY, "schedule", "simultaneous", "simultaneous_game"},
    {"k D-steps", KEY, "d_steps", NULL, "alternating_game_of_three_steps"},
    /* penalties and regularisers */
    {"WGAN-GP", TERM, "wgan-gp", NULL, NULL},
    {"DRAGAN", TERM, "dragan", NULL, NULL},
    {"R1", TERM, "r1", NULL, "r1_and_r2_are_half_the_slope"},
    {"lazy R1", KEY, "terms", "every=16", "losses_are_sums"},
    {"R2", TERM, "r2", NULL, "r1_and_r2_are_half_the_slope"},
    {"zero-centred penalty", TERM, "zero-centred-gp", NULL, NULL},
    {"one-sided penalty", TERM, "one-sided-gp", NULL, NULL},
    {"consistency", TERM, "cr", NULL, "cr_looks_at_real_examples"},
    {"balanced consistency", TERM, "bcr", NULL, "bcr_looks_at_both"},
    {"latent consistency", TERM, "zcr", NULL, "zcr_looks_at_noise"},
    {"spectral normalisation", KEY, "spectral_norm", "true", "a_scope_normalises_spectrally"},
    {"LeCam", TERM, "lecam", NULL, NULL},
    {"DiffAugment, translation", AUGMENT, "translation", NULL, "translations_move_by_whole_pixels"},
    {"DiffAugment, cutout", AUGMENT, "cutout", NULL, "cutout_cuts_a_rectangle"},
    {"DiffAugment, colour", AUGMENT, "colour", NULL, "colours_change_as_the_paper_has_it"},
    {"mirrored examples", AUGMENT, "flip", NULL, "flips_mirror_some"},
    {"ADA", AUGMENT, "ada", NULL, "ada_moves_its_probability"},
    {"orthogonal regularisation", TERM, "orthogonal", NULL, NULL},
    {"gradient clipping", KEY, "clip.gradient", NULL, "gradients_are_cut_to_a_length"},
    {"weight clipping", KEY, "clip.weights", NULL, "weights_are_kept_in_a_box"},
    {"averaged weights of G", KEY, "generator.average", NULL, ".average"},
    {"averaged weights of D", KEY, "discriminator.average", NULL, "discriminator_average"},
    /* against collapse */
    {"minibatch discrimination", KEY, "minibatch.kernels", NULL,
     "discrimination_sums_over_the_group"},
    {"its mean", KEY, "minibatch.mean", "true", "discrimination_averages_over_the_group"},
    {"a layer after it", KEY, "minibatch.inner", "true", "discrimination_may_come_before_a_layer"},
    {"minibatch deviation", KEY, "minibatch.std", "true", "deviation_is_of_the_group"},
    {"feature matching", TERM, "feature-matching", NULL, NULL},
    {"historical averaging", TERM, "historical-averaging", NULL, NULL},
    {"virtual batch norm", KEY, "generator.norm", "virtual",
     "virtual_norm_mixes_reference_and_example"},
    {"unrolled, 5 steps", KEY, "unroll", "5", "unrolling_is_updates_then_the_loss"},
    {"unrolled, 10 steps", KEY, "unroll", "10", "unrolling_is_updates_then_the_loss"},
    {"MRGAN", TERM, "mrgan", NULL, NULL},
    {"MRGAN, manifold and diffusion", TERM, "mdgan", NULL, NULL},
    {"MAD-GAN", TERM, "mad-gan", NULL, NULL},
    {"its generators", KEY, "generators", NULL, ".generators"},
    {"PacGAN", KEY, "pack", NULL, "images_are_packed_in_channels"},
    {"replay", KEY, "replay", NULL, "replay_holds_the_latest_batches"},
    {"noisy labels", KEY, "noisy_labels", NULL, "noisy_labels_exchange_a_share"},
    {"instance noise", AUGMENT, "noise", NULL, "noise_falls_in_a_line"},
    {"D's lead", KEY, "d_lead", NULL, "a_leading_discriminator_waits"},
    {"two time scales", KEY, "discriminator.rate", "0.002", "discriminator.rate"},
    {"falling rates", KEY, "rate.linear", NULL, "schedules_follow_the_counter"},
    {"BiGAN, ALI", KEY, "encoder", "true", "pairs_are_of_an_example_and_its_code"},
    /* conditioning, inference, semi-supervised, discrete, completion */
    {"cGAN, the class beside z", KEY, "generator.condition", "concat",
     "the_class_stands_beside_noise_and_points"},
    {"cGAN, the class beside x", KEY, "discriminator.condition", "concat",
     "the_class_stands_beside_the_image"},
    {"conditional batch norm", KEY, "generator.condition", "norm", "classes_have_gains_and_biases"},
    {"projection", HEAD, "projection", NULL, NULL},
    {"AC-GAN", TERM, "ac-gan", NULL, NULL},
    {"active sampling of classes", KEY, "classes.active", NULL,
     "hard_classes_are_drawn_more_often"},
    {"InfoGAN", TERM, "infogan", NULL, NULL},
    {"its categorical codes", KEY, "code.categorical", NULL, "codes_stand_beside_noise"},
    {"its continuous codes", KEY, "code.continuous", NULL, "codes_stand_beside_noise"},
    {"K classes and no logit for fakes", HEAD, "classes", NULL, "semi_supervised"},
    {"few labels", TERM, "supervised", NULL, NULL},
    {"classes between examples", TERM, "ict", NULL, "\"ict("},
    {"how few", KEY, "labels.count", NULL, "few_examples_are_balanced"},
    {"G by its terms alone", KEY, "generator.objective", "0", "generator_scale"},
    {"encoder", KEY, "encoder", "true", "every_objective_teaches_the_encoder"},
    {"Gumbel softmax", DISCRETE, "gumbel", NULL, NULL},
    {"straight-through symbols", DISCRETE, "straight-through", NULL, NULL},
    {"a falling temperature", KEY, "temperature.steps", NULL, "gan_temperature_at"},
    {"symbols that are drawn", DISCRETE, "reinforce", NULL, NULL},
    {"REINFORCE", TERM, "reinforce", NULL, NULL},
    {"symbols as vectors", DISCRETE, "embedding", NULL, NULL},
    {"p(x_S | x_rest)", MODEL, "completion", NULL, NULL},
    {"what G fills in", TERM, "reconstruction", NULL, "reconstruction_is_of_what_was_hidden"},
    {"z in two parts", KEY, "z.late", NULL, "late_noise_reaches_the_picture"},
    /* networks */
    {"the networks of 2014", MODEL, "maxout", NULL, NULL},
    {"the bias of their output", KEY, "model.marginals", "true",
     "marginals_become_the_output_bias"},
    {"their noise", KEY, "z.distribution", "unit-uniform", "priors_have_their_moments"},
    {"their optimiser", KEY, "optimizer", "momentum", NULL},
    {"its decaying rate", KEY, "rate.decay", NULL, "schedules_follow_the_counter"},
    {"its growing momentum", KEY, "momentum.epochs", NULL, "schedules_follow_the_counter"},
    {"fully connected networks", MODEL, "mlp", NULL, NULL},
    {"DCGAN", MODEL, "dcgan", NULL, NULL},
    {"InfoGAN's networks", MODEL, "infogan-net", NULL, NULL},
    {"SN-GAN's convolutions", MODEL, "sngan", NULL, NULL},
    {"SN-GAN's residual blocks", MODEL, "resnet", NULL, "networks_are_those_of_the_paper"},
    {"SAGAN", MODEL, "sagan", NULL, NULL},
    {"its self-attention", MODEL, "sagan", NULL, "attention_follows_its_formula"},
    {"the non-local block", KEY, "model.nonlocal", NULL, "blocks_follow_their_formulas"},
    {"progressive growing", MODEL, "progressive", NULL, NULL},
    {"its fading in", KEY, "growing.fade", NULL, "pictures_fade_in"},
    {"its equalised learning rate", MODEL, "progressive", NULL,
     "equalized_weights_are_scaled_as_they_run"},
    {"its pixel norm", MODEL, "progressive", NULL, "pixel_norm_has_no_weights"},
    {"its drift term", TERM, "drift", NULL, NULL},
    {"networks of points", MODEL, "toy", NULL, NULL},
    {"those of the unrolled game", MODEL, "toy-tanh", NULL, NULL},
    {"networks of symbols", MODEL, "sequence", NULL, NULL},
    {"dropout in G", KEY, "generator.keep", NULL, "dropout_drops_in_both_networks"},
    {"dropout", KEY, "discriminator.keep", NULL, "dropout_keeps_the_share_asked_for"},
    {"layer norm", NORM, "layer", NULL, NULL},
    {"instance norm", NORM, "instance", NULL, NULL},
    {"group norm", NORM, "group", NULL, NULL},
    {"virtual norm", NORM, "virtual", NULL, NULL},
    {"no norm", NORM, "none", NULL, NULL},
    {"weight norm", KEY, "discriminator.weight", "weight-norm",
     "weight_norm_is_a_length_and_a_direction"},
};

/* All files of FOLDER that end in `end` but `not`, one after another; the caller frees. */
static char *text_of(const char *folder, const char *end, const char * not ) {
    char path[1024], *all = calloc(1, 1);
    size_t n = 0;
    snprintf(path, sizeof path, GANC_TEST_SOURCE "/%s", folder);
    DIR *d = opendir(path);
    assert_true(d && all);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        const size_t length = strlen(e->d_name);
        if (length < strlen(end) || strcmp(e->d_name + length - strlen(end), end) != 0) continue;
        if (not &&!strcmp(e->d_name, not )) continue;
        snprintf(path, sizeof path, GANC_TEST_SOURCE "/%s/%s", folder, e->d_name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        for (size_t got = 1; got > 0; n += got) {
            all = realloc(all, n + 65537);
            assert_non_null(all);
            got = fread(all + n, 1, 65536, f);
        }
        fclose(f);
        all[n] = '\0';
    }
    closedir(d);
    return all;
}

static bool letter(char c) { return c == '-' || c == '_' || (c >= 'a' && c <= 'z'); }

/* A line `key: …` of a preset with `word` in its value. */
static bool sets(const char *presets, const char *key, const char *word) {
    for (const char *p = presets; (p = strstr(p, key)) != NULL; p++) {
        if ((p > presets && p[-1] != '\n') || p[strlen(key)] != ':') continue;
        if (!word) return true;
        const char *value = p + strlen(key) + 1, *end = strchr(value, '\n');
        for (const char *at = value; (at = strstr(at, word)) != NULL && end && at < end; at++)
            if (!letter(at[-1]) && !letter(at[strlen(word)])) return true;
    }
    return false;
}

static bool exists(const struct row *row, gan_settings *s) {
    char value[4096];
    switch (row->kind) {
    case OBJECTIVE:
        return gan_objective_find(row->name) != NULL;
    case TERM:
        return gan_term_find(row->name) != NULL;
    case AUGMENT:
        return gan_augment_find(row->name) != NULL;
    case HEAD:
        return gan_head_find(row->name) != NULL;
    case DISCRETE:
        return gan_discrete_find(row->name) != NULL;
    case MODEL:
        return gan_model_find(row->name) != NULL;
    case NORM:
        return gan_norm_find(row->name) != NULL;
    case KEY:
        return gan_settings_get(s, row->name, value, sizeof value) == GAN_OK;
    }
    return false;
}

/* The keys of the settings that name a row of each kind. */
static bool has_preset(const char *presets, const struct row *row) {
    static const char *const key_of[] = {"objective", "terms", "augment",       "head",
                                         "discrete",  "model", "generator.norm"};
    if (row->kind == KEY) return sets(presets, row->name, row->value);
    return sets(presets, key_of[row->kind], row->name) ||
           (row->kind == NORM && sets(presets, "discriminator.norm", row->name));
}

static bool has_test(const char *tests, const struct row *row) {
    char quoted[64];
    if (row->tested) return strstr(tests, row->tested) != NULL;
    snprintf(quoted, sizeof quoted, "\"%s\"", row->name);
    const bool bare = row->kind == OBJECTIVE || row->kind == TERM || row->kind == AUGMENT;
    return strstr(tests, bare ? row->name : quoted) != NULL;
}

/* A line of a table with the name in code, whose last cell holds a number. */
static bool has_line(const char *readme, const struct row *row) {
    const char *word = row->value && strchr(row->value, '=') ? row->value : row->name;
    for (const char *line = readme; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        const size_t length = strcspn(line, "\n");
        if (*line != '|' || length < 2) continue;
        const char *cell = line + length - 1; /* the bar at the end */
        while (cell[-1] != '|') cell--;
        if (strcspn(cell, "0123456789") >= (size_t)(line + length - cell)) continue;
        bool code = false;
        for (const char *at = line; at < line + length; at++) {
            code ^= *at == '`';
            const size_t n = strlen(word);
            if (code && !strncmp(at, word, n) && !letter(at[-1]) && at[-1] != '.' &&
                !letter(at[n]) && at[n] != '.')
                return true;
        }
    }
    return false;
}

static void every_row_is_there(void **state) {
    (void)state;
    char *presets = text_of("tools/presets", ".yaml", NULL);
    char *tests = text_of("tests", ".c", "test_adversarial_rows.c");
    char *readme = text_of("", "README.md", NULL);
    gan_settings *s;
    int missing = 0;
    expect_ok(gan_settings_create(&s));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        const bool there = exists(row, s), preset = has_preset(presets, row);
        const bool tested = has_test(tests, row);
        const bool line = has_line(readme, row);
        if (there && preset && tested && line) continue;
        print_error("%s (%s):%s%s%s%s\n", row->what, row->name, there ? "" : " not implemented",
                    preset ? "" : " in no preset", tested ? "" : " in no test",
                    line ? "" : " in no line of the README with a number");
        missing++;
    }
    gan_settings_destroy(s);
    free(presets), free(tests), free(readme);
    assert_int_equal(missing, 0);
}

static int unlisted(enum kind kind, const char *name) {
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        if (rows[k].kind == kind && !strcmp(rows[k].name, name)) return 0;
    print_error("%s is not in this test\n", name);
    return 1;
}

/* And nothing of the tables is missing from the list, but heads and norms that come by themselves.
 */
static void every_table_is_listed(void **state) {
    int missing = 0;
    (void)state;
    for (size_t i = 0; i < gan_objective_count(); i++)
        missing += unlisted(OBJECTIVE, gan_objective_at(i)->name);
    for (size_t i = 0; i < gan_term_count(); i++) missing += unlisted(TERM, gan_term_at(i)->name);
    for (size_t i = 0; i < gan_augment_count(); i++)
        missing += unlisted(AUGMENT, gan_augment_at(i)->name);
    for (size_t i = 0; i < gan_model_count(); i++)
        missing += unlisted(MODEL, gan_model_at(i)->name);
    for (size_t i = 1; i < gan_discrete_count(); i++) /* the first is "none" */
        missing += unlisted(DISCRETE, gan_discrete_at(i)->name);
    assert_int_equal(missing, 0);
}

/* What has no preset, no test or no line is found. */
static void a_row_that_is_missing_is_found(void **state) {
    (void)state;
    static const struct row made_up = {"x", MODEL, "dcgan", NULL, NULL};
    assert_true(has_preset("model: dcgan\n", &made_up));
    assert_false(has_preset("model: dcgan-big\nname: dcgan\n", &made_up));
    assert_true(has_test("f(\"dcgan\")", &made_up));
    assert_false(has_test("f(\"dcgan32\")", &made_up));
    assert_true(has_line("a\n| `model: dcgan` | 3 | 81 |\n", &made_up));
    assert_false(has_line("| `dcgan` | 3 |  |\n| `fashion-dcgan` | 4 |\n`dcgan` 5\n| dcgan | 6 |\n",
                          &made_up));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_there),
        cmocka_unit_test(every_table_is_listed),
        cmocka_unit_test(a_row_that_is_missing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
