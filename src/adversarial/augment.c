/* The augmentations by name. Adding one is a row here and its functions in a file beside. */
#include "adversarial/augment.h"

#include <string.h>

#include "adversarial/knobs.h"
#include "base/error.h"

static const gan_augment *const table[] = {
    &gan_augment_noise,  &gan_augment_flip,   &gan_augment_translation,
    &gan_augment_cutout, &gan_augment_colour, &gan_augment_ada,
};

size_t gan_augment_count(void) { return sizeof table / sizeof *table; }

const gan_augment *gan_augment_at(size_t index) {
    return index < gan_augment_count() ? table[index] : NULL;
}

const gan_augment *gan_augment_find(const char *name) {
    for (size_t i = 0; i < gan_augment_count(); i++)
        if (strcmp(table[i]->name, name) == 0) return table[i];
    return NULL;
}

static const char *name(size_t row) { return table[row]->name; }
static const gan_knob *knobs(size_t row) { return table[row]->knob; }
static bool whole(size_t row, int knob) { return table[row]->whole[knob]; }

gan_status gan_augments_parse(gan_augment_use *out, int *n, const char *where, const char *text) {
    const gan_rows rows = {"augmentation", gan_augment_count(), name, knobs, whole};
    gan_row_use use[GAN_MAX_AUGMENTS];
    GAN_TRY(gan_knobs_parse(use, n, GAN_MAX_AUGMENTS, where, text, &rows));
    for (int i = 0; i < *n; i++) {
        out[i].augment = table[use[i].row];
        memcpy(out[i].knob, use[i].knob, sizeof use[i].knob);
    }
    return GAN_OK;
}

/* ---- in a game ---- */

gan_node *gan_augment_draw(gan_play *play, gan_node *x, double low, double high) {
    if (!x) return NULL;
    gan_shape s = gan_node_shape(x);
    for (int i = 1; i < s.rank; i++) s.dim[i] = 1;
    return gan_random_uniform(play->g, play->counter, s, low, high);
}

/* What the examples are changed with; NULL: always all. */
static gan_node *probability(gan_play *play) {
    for (int i = 0; i < play->o->n_augments; i++) {
        const gan_augment_use *use = &play->o->augments[i];
        if (use->augment->probability) return use->augment->probability(play, use->knob);
    }
    return NULL;
}

/* `changed` in the examples that are drawn, x in the others. */
static gan_node *sometimes(gan_play *play, gan_node *x, gan_node *changed, gan_node *p) {
    gan_graph *g = play->g;
    gan_node *u = gan_augment_draw(play, x, 0, 1); /* in (0, 1] */
    gan_node *drawn = gan_greater(g, u, gan_shift(g, gan_neg(g, p), 1));
    gan_node *left = gan_shift(g, gan_neg(g, drawn), 1);
    return gan_add(g, gan_mul(g, drawn, changed), gan_mul(g, left, x));
}

gan_node *gan_play_augment(gan_play *play, gan_node *x) {
    const gan_game_options *o = play->o;
    gan_node *p = o->n_augments ? probability(play) : NULL;
    for (int i = 0; x && i < o->n_augments; i++) {
        gan_node *changed = o->augments[i].augment->apply(play, x, o->augments[i].knob);
        x = p && changed != x ? sometimes(play, x, changed, p) : changed;
    }
    return x;
}
