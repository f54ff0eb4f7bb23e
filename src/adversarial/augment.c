/* The augmentations by name. Adding one is a row here and its functions in a file beside. */
#include "adversarial/augment.h"

#include <string.h>

#include "adversarial/knobs.h"
#include "base/error.h"

static const gan_augment *const table[] = {
    &gan_augment_noise,
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

gan_status gan_augments_parse(gan_augment_use *out, int *n, const char *where, const char *text) {
    const gan_rows rows = {"augmentation", gan_augment_count(), name, knobs};
    *n = 0;
    for (;;) {
        bool found;
        size_t row;
        double knob[GAN_KNOBS];
        GAN_TRY(gan_knobs_parse(&text, &found, &row, knob, where, &rows));
        if (!found) return GAN_OK;
        if (*n == GAN_MAX_AUGMENTS)
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: more than %d augmentations given", where,
                            GAN_MAX_AUGMENTS);
        for (int i = 0; i < *n; i++)
            if (out[i].augment == table[row])
                return gan_fail(GAN_ERROR_ARGUMENT, "%s: %s is given twice", where, name(row));
        out[*n].augment = table[row];
        memcpy(out[*n].knob, knob, sizeof knob);
        ++*n;
    }
}
