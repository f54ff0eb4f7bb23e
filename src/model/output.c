/* From a discriminator's features to its outputs. */
#include "graph/op.h"
#include "model/model.h"

static const gan_init xavier = {0};

static bool same(gan_init a, gan_init b) { return a.kind == b.kind && a.a == b.a && a.b == b.b; }

gan_node *gan_model_output(const gan_model *model, gan_scope *scope, const char *name,
                           gan_node *features, int64_t units, const gan_model_options *options) {
    /* Biases are left out beside batch norm, whose place spectral norm takes. */
    const bool spectral = options->spectral_norm || model->spectral_norm;
    gan_node *y = gan_layer_linear(
        scope, name, features, units,
        &(gan_layer_options){.weight = same(model->output, xavier) ? NULL : &model->output,
                             .no_bias = model->output_no_bias && !spectral,
                             .spectral_norm = spectral,
                             .equalized = spectral ? 0 : model->output_equalized});
    return gan_cast(gan_scope_graph(scope), y, GAN_F32);
}

/* [f, o]: how close each example is to the others of its batch, beside its features. */
static gan_node *discriminated(gan_scope *scope, gan_node *f, const gan_model_options *options,
                               bool spectral) {
    const int64_t dims = options->minibatch_dims ? options->minibatch_dims : 5;
    return gan_layer_minibatch_discrimination(scope, "minibatch", f, options->minibatch_kernels,
                                              dims, options->minibatch_mean,
                                              &(gan_layer_options){.spectral_norm = spectral});
}

gan_node *gan_inner_minibatch(gan_scope *scope, gan_node *h, const gan_model_options *options) {
    if (!options->minibatch_inner || !options->minibatch_kernels) return h;
    return discriminated(scope, h, options, options->spectral_norm);
}

gan_node *gan_model_features(const gan_model *model, gan_scope *scope, gan_node *x,
                             const gan_model_options *options) {
    if (scope && options->minibatch_inner && !model->inner)
        return gan_graph_error(gan_scope_graph(scope), GAN_ERROR_ARGUMENT,
                               "%s: minibatch discrimination before the last hidden layer; "
                               "expected a fully connected model, given %s",
                               gan_scope_name(scope), model->name);
    gan_node *f = model->features(scope, x, options);
    if (options->minibatch_std) f = gan_layer_minibatch_std(scope, f, 0);
    if (!options->minibatch_kernels || options->minibatch_inner) return f;
    return discriminated(scope, f, options, options->spectral_norm || model->spectral_norm);
}

gan_node *gan_model_logits(const gan_model *model, gan_scope *scope, gan_node *x,
                           const gan_model_options *options) {
    gan_node *features = gan_model_features(model, scope, x, options);
    return gan_model_output(model, scope, "output", features, 1, options);
}
