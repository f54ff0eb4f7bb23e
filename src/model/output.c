/* From a discriminator's features to its outputs. */
#include "model/model.h"

static const gan_init xavier = {0};

static bool same(gan_init a, gan_init b) { return a.kind == b.kind && a.a == b.a && a.b == b.b; }

gan_node *gan_model_output(const gan_model *model, gan_scope *scope, const char *name,
                           gan_node *features, int64_t units, const gan_model_options *options) {
    /* Biases are left out beside batch norm, whose place spectral norm takes. */
    const bool spectral = options->spectral_norm;
    gan_node *y = gan_layer_linear(
        scope, name, features, units,
        &(gan_layer_options){.weight = same(model->output, xavier) ? NULL : &model->output,
                             .no_bias = model->output_no_bias && !spectral,
                             .spectral_norm = spectral});
    return y ? gan_cast(gan_scope_graph(scope), y, GAN_F32) : NULL;
}

gan_node *gan_model_logits(const gan_model *model, gan_scope *scope, gan_node *x,
                           const gan_model_options *options) {
    gan_node *features = model->features(scope, x, options);
    return gan_model_output(model, scope, "output", features, 1, options);
}
