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
    &gan_model_toy_tanh,
    &gan_model_sequence,
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

const char *gan_model_kind(const gan_model *model) {
    return model->points ? "points" : model->sequences ? "sequences" : "images";
}

gan_shape gan_model_shape(const gan_model *model, const gan_model_options *o, int64_t m) {
    if (model->points) return gan_shape2(m, o->channels);
    if (model->sequences) return gan_shape3(m, o->height, o->channels);
    return gan_shape4(m, o->height, o->width, o->channels);
}
