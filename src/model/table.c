/* The models by name. */
#include "model/model.h"

#include <string.h>

static const gan_model *const table[] = {
    &gan_model_mlp,
    &gan_model_maxout,
    &gan_model_dcgan,
    &gan_model_infogan,
    &gan_model_sngan,
    &gan_model_resnet,
    &gan_model_sagan,
    &gan_model_progressive,
    &gan_model_completion,
    &gan_model_toy,
};

size_t gan_model_count(void) {
    return sizeof table / sizeof *table;
}

const gan_model *gan_model_at(size_t index) {
    return index < gan_model_count() ? table[index] : NULL;
}

const gan_model *gan_model_find(const char *name) {
    for (size_t i = 0; i < gan_model_count(); i++)
        if (strcmp(table[i]->name, name) == 0) return table[i];
    return NULL;
}
