/* Every objective, penalty and technique against collapse that the project sets out to have: each
 * is a row of a table or a key of the settings, at work in a preset, and named in a test. */
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

enum kind { OBJECTIVE, TERM, AUGMENT, KEY };

static const struct row {
    const char *what;
    enum kind kind;
    const char *name;   /* of the row or key */
    const char *value;  /* KEY: what a preset sets it to; NULL: anything */
    const char *tested; /* a word that a test of it holds; NULL: the name */
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
    {"BEGAN", OBJECTIVE, "began", NULL, NULL},
    {"half of D's loss", KEY, "loss_scale", "0.5", ".scale = 0.5"},
    {"one-sided label smoothing", KEY, "label_smoothing", NULL, ".smooth"},
    {"simultaneous updates", KEY, "schedule", "simultaneous", "simultaneous_game"},
    {"k D-steps", KEY, "d_steps", NULL, "d_steps"},
    /* penalties and regularisers */
    {"WGAN-GP", TERM, "wgan-gp", NULL, NULL},
    {"DRAGAN", TERM, "dragan", NULL, NULL},
    {"R1", TERM, "r1", NULL, "\"r1\""},
    {"lazy R1", KEY, "terms", "every=16", "every=4"},
    {"R2", TERM, "r2", NULL, "\"r2\""},
    {"zero-centred penalty", TERM, "zero-centred-gp", NULL, NULL},
    {"one-sided penalty", TERM, "one-sided-gp", NULL, NULL},
    {"consistency", TERM, "cr", NULL, "every_term"},
    {"balanced consistency", TERM, "bcr", NULL, "every_term"},
    {"latent consistency", TERM, "zcr", NULL, "\"zcr\""},
    {"spectral normalisation", KEY, "spectral_norm", "true", "spectral_norm"},
    {"LeCam", TERM, "lecam", NULL, NULL},
    {"DiffAugment, translation", AUGMENT, "translation", NULL, "every_augmentation"},
    {"DiffAugment, cutout", AUGMENT, "cutout", NULL, "every_augmentation"},
    {"DiffAugment, colour", AUGMENT, "colour", NULL, NULL},
    {"ADA", AUGMENT, "ada", NULL, "\"ada\""},
    {"orthogonal regularisation", TERM, "orthogonal", NULL, NULL},
    {"gradient clipping", KEY, "clip.gradient", NULL, "clip_gradient"},
    {"weight clipping", KEY, "clip.weights", NULL, "clip_weights"},
    {"averaged weights of G", KEY, "generator.average", NULL, ".average"},
    /* against collapse */
    {"minibatch discrimination", KEY, "minibatch.kernels", NULL, "minibatch_kernels"},
    {"minibatch deviation", KEY, "minibatch.std", "true", "minibatch_std"},
    {"feature matching", TERM, "feature-matching", NULL, NULL},
    {"historical averaging", TERM, "historical-averaging", NULL, NULL},
    {"virtual batch norm", KEY, "generator.norm", "virtual", "virtual"},
    {"unrolled, 5 steps", KEY, "unroll", "5", ".unroll"},
    {"unrolled, 10 steps", KEY, "unroll", "10", ".unroll"},
    {"MRGAN", TERM, "mrgan", NULL, NULL},
    {"MAD-GAN", TERM, "mad-gan", NULL, NULL},
    {"its generators", KEY, "generators", NULL, ".generators"},
    {"PacGAN", KEY, "pack", NULL, ".pack"},
    {"replay", KEY, "replay", NULL, ".replay"},
    {"noisy labels", KEY, "noisy_labels", NULL, "noisy_labels"},
    {"instance noise", AUGMENT, "noise", NULL, "noise"},
    {"D's lead", KEY, "d_lead", NULL, "d_lead"},
    {"two time scales", KEY, "discriminator.rate", "0.002", "discriminator.rate"},
    {"falling rates", KEY, "rate.linear", NULL, ".linear"},
    {"BiGAN, ALI", KEY, "encoder", "true", "encoder"},
    {"active sampling of classes", KEY, "classes.active", NULL, "active_classes"},
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
    case KEY:
        return gan_settings_get(s, row->name, value, sizeof value) == GAN_OK;
    }
    return false;
}

static void every_row_is_there(void **state) {
    static const char *const key_of[] = {"objective", "terms", "augment"};
    (void)state;
    char *presets = text_of("tools/presets", ".yaml", NULL);
    char *tests = text_of("tests", ".c", "test_adversarial_rows.c");
    gan_settings *s;
    int missing = 0;
    expect_ok(gan_settings_create(&s));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        const bool is_key = row->kind == KEY;
        const char *key = is_key ? row->name : key_of[row->kind];
        const bool there = exists(row, s),
                   preset = sets(presets, key, is_key ? row->value : row->name);
        const bool tested = strstr(tests, row->tested ? row->tested : row->name) != NULL;
        if (there && preset && tested) continue;
        print_error("%s (%s):%s%s%s\n", row->what, row->name, there ? "" : " not implemented",
                    preset ? "" : " in no preset", tested ? "" : " in no test");
        missing++;
    }
    gan_settings_destroy(s);
    free(presets), free(tests);
    assert_int_equal(missing, 0);
}

/* And nothing of the tables is missing from the list. */
static void every_objective_is_listed(void **state) {
    (void)state;
    for (size_t i = 0; i < gan_objective_count(); i++) {
        bool listed = false;
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            listed |= rows[k].kind == OBJECTIVE && !strcmp(rows[k].name, gan_objective_at(i)->name);
        if (!listed) fail_msg("objective %s is not in this test", gan_objective_at(i)->name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_there),
        cmocka_unit_test(every_objective_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
