/* The objectives by name. Adding one is a row here and its functions in a file beside. */
#include "adversarial/objective.h"

#include <string.h>

static const gan_objective *const table[] = {
    &gan_objective_non_saturating, &gan_objective_minimax,   &gan_objective_maximum_likelihood,
    &gan_objective_relativistic,   &gan_objective_hinge,     &gan_objective_least_squares,
    &gan_objective_wasserstein,    &gan_objective_ebgan,     &gan_objective_began,
    &gan_objective_f_kl,           &gan_objective_f_reverse, &gan_objective_f_pearson,
    &gan_objective_f_hellinger,    &gan_objective_f_jensen,  &gan_objective_f_gan,
};

size_t gan_objective_count(void) { return sizeof table / sizeof *table; }

const gan_objective *gan_objective_at(size_t index) {
    return index < gan_objective_count() ? table[index] : NULL;
}

const gan_objective *gan_objective_find(const char *name) {
    for (size_t i = 0; i < gan_objective_count(); i++)
        if (strcmp(table[i]->name, name) == 0) return table[i];
    return NULL;
}
