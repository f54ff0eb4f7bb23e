/* The terms by name. Adding one is a row here and its functions in a file beside. */
#include "adversarial/term.h"

#include <string.h>

#include "adversarial/knobs.h"
#include "base/error.h"

static const gan_term *const table[] = {
    &gan_term_wgan_gp,
    &gan_term_one_sided_gp,
    &gan_term_zero_centred_gp,
    &gan_term_dragan,
    &gan_term_r1,
    &gan_term_r2,
    &gan_term_lecam,
    &gan_term_drift,
    &gan_term_cr,
    &gan_term_bcr,
    &gan_term_zcr,
    &gan_term_orthogonal,
    &gan_term_historical,
    &gan_term_feature_matching,
    &gan_term_pulling_away,
    &gan_term_mad_gan,
    &gan_term_mrgan,
    &gan_term_mdgan,
    &gan_term_ac_gan,
    &gan_term_supervised,
    &gan_term_ict,
    &gan_term_infogan,
    &gan_term_reconstruction,
    &gan_term_reinforce,
};

size_t gan_term_count(void) { return sizeof table / sizeof *table; }

const gan_term *gan_term_at(size_t index) { return index < gan_term_count() ? table[index] : NULL; }

const gan_term *gan_term_find(const char *name) {
    for (size_t i = 0; i < gan_term_count(); i++)
        if (strcmp(table[i]->name, name) == 0) return table[i];
    return NULL;
}

static const char *name(size_t row) { return table[row]->name; }
static const gan_knob *knobs(size_t row) { return table[row]->knob; }
static bool whole(size_t row, int knob) { return table[row]->lazy && knob == 1; }

gan_status gan_terms_parse(gan_term_use *out, int *n, const char *where, const char *text) {
    const gan_rows rows = {"term", gan_term_count(), name, knobs, whole};
    gan_row_use use[GAN_MAX_TERMS];
    GAN_TRY(gan_knobs_parse(use, n, GAN_MAX_TERMS, where, text, &rows));
    for (int i = 0; i < *n; i++) {
        out[i].term = table[use[i].row];
        memcpy(out[i].knob, use[i].knob, sizeof use[i].knob);
    }
    return GAN_OK;
}
