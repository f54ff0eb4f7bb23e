/* Networks: scopes that name and share weights, layers, and whole generators and discriminators by
 * name.
 *
 * A layer is a function that adds nodes. Its weights belong to a scope and a name, so a layer
 * called twice under the same name shares them, and a network is a plain C function from a scope
 * and a node to a node. As everywhere in a graph, NULL operands give NULL and the graph keeps the
 * first error.
 */
#ifndef GANC_NN_H
#define GANC_NN_H

#include "ganc/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- precision ---- */

/* What layers compute in. Weights, optimisers, statistics, losses and every sum are f32 in all of
 * them, and so is what a generator and a discriminator hand out. */
typedef enum gan_precision {
    GAN_PRECISION_F32,
    GAN_PRECISION_TF32, /* products may round their f32 operands to 11 bits where a device is faster
                           so (CUDA's tensor cores); as f32 elsewhere */
    GAN_PRECISION_BF16, /* products of bf16 weights and activations, activations stored as bf16 */
} gan_precision;

GAN_API const char *gan_precision_name(gan_precision precision);       /* "f32", "tf32", "bf16" */
GAN_API bool gan_precision_find(gan_precision *out, const char *name); /* false when unknown */

/* ---- scopes ---- */

/* A place in the tree of names ("generator/block1") together with the settings of one pass. Belongs
 * to its graph. Make a new root for every pass of a network: variables are found again by name. */
typedef struct gan_scope gan_scope;
typedef struct gan_norm gan_norm;
typedef struct gan_weight_rule gan_weight_rule;

typedef struct gan_scope_settings {
    /* Training: batch norm uses the batch's statistics and dropout drops. Otherwise batch norm uses
     * its running statistics and dropout does nothing. */
    bool training;
    /* This pass updates running statistics (in training) and takes one power iteration a normalised
     * weight. */
    bool update_statistics;
    /* Equal consecutive parts of the batch with batch statistics of their own: 2 when a
     * discriminator sees [real; fake] joined. 0 counts as 1. */
    int groups;
    /* i64 variable that dropout draws its noise by; needed only where a network drops in training.
     */
    gan_node *counter;
    gan_precision precision;
    /* One-hot classes (m, classes) of the batch's rows, f32, or NULL; with condition_norm, batch
     * norm has gains and biases a class. */
    gan_node *condition;
    bool condition_norm;
    /* What a generator that completes images is given of each: (m, height, width, channels + 1),
     * the known pixels, zero elsewhere, and a map that is 1 where they are known; or NULL. */
    gan_node *context;
    /* What normalises between layers and how weights are scaled, in place of what the network's own
     * paper has; NULL: as that paper has it. */
    const gan_norm *norm;
    const gan_weight_rule *weight;
    /* Biases of layers that have no initial bias of their own start as gan_init_spread(bias, inputs
     * of an output as the weight's initialiser counts them); 0: at zero. */
    double bias;
    /* Leading rows of the batch that are the reference batch of virtual batch norm. `groups` part
     * the rows after them. */
    int64_t reference;
} gan_scope_settings;

/* The root of `group` ("generator"). `settings` are copied; NULL means evaluation. NULL with the
 * graph's error set when memory is exhausted. */
GAN_API gan_scope *gan_scope_create(gan_graph *g, const char *group,
                                    const gan_scope_settings *settings);

/* A child; it inherits settings and overlay. */
GAN_API gan_scope *gan_scope_enter(gan_scope *scope, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

GAN_API gan_graph *gan_scope_graph(const gan_scope *scope);
GAN_API const char *gan_scope_name(const gan_scope *scope); /* "generator/block1" */
GAN_API const gan_scope_settings *gan_scope_get(const gan_scope *scope);

/* From here on every scope of this tree answers `replacement` where a layer asks for the weight
 * `variable` (both nodes of the scope's graph, of equal shape): averaged weights, or weights after
 * unrolled updates. */
GAN_API void gan_scope_overlay(gan_scope *scope, gan_node *variable, gan_node *replacement);

/* The f32 weight SCOPE/name, or what the overlay has for it. Created with `init` when it is not
 * there. */
GAN_API gan_node *gan_scope_weight(gan_scope *scope, const char *name, gan_shape shape,
                                   gan_init init);

/* x, f32 or bf16, in the type that the layers of this scope compute and store in: bf16 where their
 * precision is, else f32. Layers cast what enters a product; weights remain f32 variables. */
GAN_API gan_node *gan_scope_activation(gan_scope *scope, gan_node *x);

/* Marks y = gan_matmul(), gan_conv2d() … as a product of this scope's precision (tf32); its
 * gradients are so, too. Returns y. */
GAN_API gan_node *gan_scope_product(gan_scope *scope, gan_node *y);

/* The f32 variable SCOPE/name of role statistic. */
GAN_API gan_node *gan_scope_statistic(gan_scope *scope, const char *name, gan_shape shape,
                                      gan_init init);

/* ---- initial values ---- */

GAN_API gan_init gan_init_constant(double value);
GAN_API gan_init gan_init_uniform(double low, double high);
GAN_API gan_init gan_init_normal(double mean, double deviation);
GAN_API gan_init gan_init_range(double first, double step); /* first, first + step, … */

/* U(±sqrt(6 / (fan_in + fan_out))) (Glorot and Bengio 2010, eq. 16). */
GAN_API gan_init gan_init_xavier(int64_t fan_in, int64_t fan_out);

/* U(±spread / sqrt(fan_in)): for biases; with zero ones every kink of a first layer of rectifiers
 * goes through the origin. */
GAN_API gan_init gan_init_spread(double spread, int64_t fan_in);

/* U(±sqrt(6 / ((1 + slope²)·fan_in))), for (leaky) rectifiers (He et al. 2015, eq. 15). */
GAN_API gan_init gan_init_he(int64_t fan_in, double slope);

/* ---- layers: (scope, name of the layer, x, …); variables are SCOPE/name/…; results have the type
 * of gan_scope_activation() ---- */

typedef struct gan_layer_options {
    bool no_bias;
    /* Divide the weight by its largest singular value, estimated by power iteration (Miyato et al.
     * 2018, algorithm 1): variables u and v of role statistic; constants for the gradient. The
     * weight counts as the matrix (out, everything else), for a transposed convolution, whose
     * filter is (in, R, S, out), as (in·R·S, out), which has the same singular values as (out,
     * in·R·S). */
    bool spectral_norm;
    /* Not 0: equalised learning rate with this gain. */
    double equalized;
    const gan_init *weight; /* NULL: Xavier */
    const gan_init *bias;   /* NULL: as the scope has it */
} gan_layer_options;        /* all layers take NULL for the defaults */

/* How a layer's weight comes from the variables that are trained. A layer's own rule
 * (spectral_norm, equalized) and another one of its scope do not go together: each sets the
 * weight's scale.
 * - plain: the variable itself.
 * - spectral: as spectral_norm above.
 * - weight-norm: w = g·v/‖v‖ with a length g an output, weights "weight" (v) and "gain" (g)
 * (Salimans and Kingma 2016, eq. 2); g starts as v's expected length, so w starts as plain weights
 * do.
 * - equalized: the variable starts as N(0, 1) and is multiplied by gain/sqrt(fan_in), gain sqrt(2)
 *   unless the layer has its own (Karras et al. 2018, section 4.1). */
struct gan_weight_form;
struct gan_weight_rule {
    const char *name, *about; /* about: one line */
    gan_node *(*apply)(gan_scope *scope, const struct gan_weight_form *form);
};

GAN_API size_t gan_weight_rule_count(void);
GAN_API const gan_weight_rule *gan_weight_rule_at(size_t index);
GAN_API const gan_weight_rule *gan_weight_rule_find(const char *name); /* NULL when unknown */

/* x (m, …), taken as (m, in) -> (m, units). weight (units, in), bias (units). */
GAN_API gan_node *gan_layer_linear(gan_scope *scope, const char *name, gan_node *x, int64_t units,
                                   const gan_layer_options *options);

/* x (m,H,W,C) -> (m,P,Q,channels), size × size filters. weight (channels, size, size, C), bias
 * (channels). */
GAN_API gan_node *gan_layer_conv2d(gan_scope *scope, const char *name, gan_node *x,
                                   int64_t channels, int size, gan_window window,
                                   const gan_layer_options *options);

/* The transposed convolution: x (m,P,Q,C) -> (m,height,width,channels), the adjoint of a
 * convolution from (height, width) to (P, Q) with `window`. weight (C, size, size, channels), bias
 * (channels). */
GAN_API gan_node *gan_layer_conv2d_transpose(gan_scope *scope, const char *name, gan_node *x,
                                             int64_t channels, int size, gan_window window,
                                             int64_t height, int64_t width,
                                             const gan_layer_options *options);

/* gan_upsample() by 2, then gan_layer_conv2d() with stride 1 and padding size/2, as one transposed
 * convolution by gan_fold_up() of the same weight: x (m,H,W,C) -> (m,2H,2W,channels). `size` is
 * odd. */
GAN_API gan_node *gan_layer_conv2d_up(gan_scope *scope, const char *name, gan_node *x,
                                      int64_t channels, int size, const gan_layer_options *options);

/* gan_layer_conv2d() with stride 1 and padding size/2, then the mean over 2x2, as one convolution
 * by gan_fold_down() of the same weight: x (m,H,W,C), H and W even -> (m,H/2,W/2,channels). `size`
 * is odd. */
GAN_API gan_node *gan_layer_conv2d_down(gan_scope *scope, const char *name, gan_node *x,
                                        int64_t channels, int size,
                                        const gan_layer_options *options);

typedef struct gan_norm_options {
    double momentum; /* of batch norm: share of the new statistics in the running ones; 0: 0.1 */
    double eps;      /* 0: 1e-5, of pixel norm 1e-8 */
    const gan_init *gamma; /* NULL: 1 */
    const gan_init *beta;  /* NULL: 0 */
} gan_norm_options;

/* A norm: (m, …, C) -> the same shape. All but pixel and none end in a
 * gain and a bias a channel, weights gamma and beta (C); with condition_norm these are (classes,
 * C), gains from 1 and biases from 0, and every row takes those of its class (de Vries et al. 2017,
 * section 3; Miyato and Koyama 2018).
 * - batch: statistics of a channel over its group of rows (Ioffe and Szegedy 2015), in evaluation
 *   running_mean and running_variance (unbiased), which a pass with update_statistics moves by each
 *   group's in turn.
 * - layer: of an example, all its pixels and channels (Ba et al. 2016).
 * - instance: of a channel of an example (Ulyanov et al. 2016); maps only.
 * - group: of an example and one of at most 32 equal groups of two or more channels (Wu and He
 * 2018).
 * - pixel: x / sqrt(mean of x² over the channels + eps) (Karras et al. 2018, section 4.2).
 * - virtual: n/(n+1) of the moments of the scope's `reference` leading rows and 1/(n+1) of the
 *   example's own, n = reference; those rows by their own moments alone (Salimans et al. 2016,
 * section 3.5). A pass with update_statistics keeps the reference's moments, and evaluation without
 * a reference batch goes by them.
 * - none: x. */
struct gan_norm {
    const char *name, *about; /* about: one line */
    bool shifts;              /* adds a bias, so that the layer before needs none */
    gan_node *(*apply)(gan_scope *scope, gan_node *x, const gan_norm_options *options);
};

GAN_API size_t gan_norm_count(void);
GAN_API const gan_norm *gan_norm_at(size_t index);
GAN_API const gan_norm *gan_norm_find(const char *name); /* NULL when unknown */

/* The norm that the scope's settings ask for, or else the one that the network's paper has here:
 * `own` ("batch", "none"). NULL when unknown. */
GAN_API const gan_norm *gan_scope_norm(const gan_scope *scope, const char *own);

/* That norm as the layer SCOPE/name. */
GAN_API gan_node *gan_layer_norm(gan_scope *scope, const char *name, gan_node *x, const char *own,
                                 const gan_norm_options *options);

/* Batch norm, whatever the settings ask for. */
GAN_API gan_node *gan_layer_batch_norm(gan_scope *scope, const char *name, gan_node *x,
                                       const gan_norm_options *options);

/* In training each element is kept with probability `keep` and then divided by `keep`, else zero;
 * the scaling at training time is that of the 2014 set-up too (input_scales 1.25 = 1/.8 and 2 =
 * 1/.5). Every call draws its own noise. */
GAN_API gan_node *gan_layer_dropout(gan_scope *scope, gan_node *x, double keep);

/* Maxout (Goodfellow et al. 2013): (m, …) -> (m, units), the maximum over `pieces` linear units
 * each. weight (units·pieces, in). */
GAN_API gan_node *gan_layer_maxout(gan_scope *scope, const char *name, gan_node *x, int64_t units,
                                   int64_t pieces, const gan_layer_options *options);

/* softmax over the last axis, f32: exp(x - max) / Σ exp(x - max). */
GAN_API gan_node *gan_softmax(gan_graph *g, gan_node *x);

/* ---- layers over all places of a map ---- */

/* How two places of a map belong together (Wang et al. 2018, section 3.2): theta (m,N,K) and phi
 * (m,M,K) -> weights (m,N,M). Softmax makes them sum to 1 over the M; the others are divided by M.
 * - gaussian: softmax of x·x'; no embedding.
 * - embedded-gaussian: softmax of theta·phi.
 * - dot-product: theta·phi.
 * - concatenation: relu(w·[theta, phi]). */
typedef struct gan_pairwise {
    const char *name, *about; /* about: one line */
    bool embeds;              /* theta and phi are 1x1 convolutions of x, else x itself */
    gan_node *(*weights)(gan_scope *scope, gan_node *theta, gan_node *phi);
} gan_pairwise;

GAN_API size_t gan_pairwise_count(void);
GAN_API const gan_pairwise *gan_pairwise_at(size_t index);
GAN_API const gan_pairwise *gan_pairwise_find(const char *name); /* NULL when unknown */

/* The non-local block (Wang et al. 2018, eq. 6 and figure 2): x (m,H,W,C) -> x + output(Σ_j f(x_i,
 * x_j) g(x_j)), theta, phi and g of C/2 channels. With `pool`, 2x2 maximum pooling of phi and g,
 * where the map halves. The output convolution starts at zero, so the block starts as the identity;
 * it has no spectral norm, which divides by what is zero. */
GAN_API gan_node *gan_layer_nonlocal(gan_scope *scope, const char *name, gan_node *x,
                                     const gan_pairwise *pairs, bool pool,
                                     const gan_layer_options *options);

/* Self-attention (Zhang et al. 2019, section 3): x (m,H,W,C) -> x +
 * factor·output(softmax(theta·phi')·g) with keys of C/8 and values of C/2 channels, phi and g
 * pooled to half the map where it halves. The weight factor (the paper's gamma) starts at 0. */
GAN_API gan_node *gan_layer_attention(gan_scope *scope, const char *name, gan_node *x,
                                      bool spectral_norm);

/* ---- layers over the examples of a batch, each group of the settings and the reference batch by
 * itself ---- */

/* Minibatch discrimination (Salimans et al. 2016, section 3.2): x (m,…), taken as (m,A) -> (m,A +
 * kernels), [x, o]: M = x·T as (m, kernels, dims), o_ik = Σ_{j≠i} exp(-‖M_ik - M_jk‖₁) + b_k.
 * `mean`: the mean over j ≠ i in place of the sum, so that o is of one size whatever the batch's.
 * weights tensor/weight (kernels·dims, A), bias (kernels). */
GAN_API gan_node *gan_layer_minibatch_discrimination(gan_scope *scope, const char *name,
                                                     gan_node *x, int64_t kernels, int64_t dims,
                                                     bool mean, const gan_layer_options *options);

/* Minibatch standard deviation (Karras et al. 2018, section 3): x (m,…,C) -> (m,…,C + 1). The new
 * channel is one number a group, the deviation of every feature over the group, averaged. `size`:
 * that many consecutive examples at a time, where a group has more; 0: the whole group. */
GAN_API gan_node *gan_layer_minibatch_std(gan_scope *scope, gan_node *x, int64_t size);

/* A pointwise function between layers. `slope` matters to leaky_relu alone. */
typedef struct gan_activation {
    const char *name;
    gan_node *(*apply)(gan_graph *g, gan_node *x, double slope);
} gan_activation;

GAN_API size_t gan_activation_count(void);
GAN_API const gan_activation *gan_activation_at(size_t index);
GAN_API const gan_activation *gan_activation_find(const char *name); /* NULL when unknown */

/* ---- networks by name ---- */

typedef struct gan_model_options {
    int64_t height, width,
        channels; /* of images; points: channels is their dimension, the others unused; sequences:
                     height is their length, channels how many symbols there are, width is 1 */
    int64_t z_dim;
    /* Width of a network: of dcgan, sngan, infogan-net, sagan and of resnet above 32 pixels the
     * channels of G's last and D's first hidden layer, of resnet up to 32 pixels of every layer, of
     * progressive those of the last level; else the units of a hidden layer; mlp scales all its
     * layers with it. 0: the model's own. */
    int64_t generator_features, discriminator_features;
    bool spectral_norm; /* on all layers of D, whose batch norm it then replaces */
    /* The last z_late of z's first z_dim values enter G at a later layer, as more channels: at
     * layer z_layer, counted from the one after the first; 0: in the middle. */
    int64_t z_late, z_layer;
    /* Share of the hidden values that dropout keeps; 0: as the model's paper has it. */
    double generator_keep, discriminator_keep;
    /* What D's features end in: minibatch discrimination with so many kernels (0: none) of so many
     * dimensions (0: 5), averaged over the batch or summed; minibatch standard deviation. `inner`:
     * discrimination comes before the last hidden layer, of models that are `inner`; that layer can
     * weigh closeness by where an example is. */
    int64_t minibatch_kernels, minibatch_dims;
    bool minibatch_mean, minibatch_inner, minibatch_std;
    /* Of residual networks (resnet, sagan): a non-local block of these pairs in G and in D, where
     * sagan has its self-attention and in its place; NULL: none, or that. */
    const gan_pairwise *nonlocal;
    /* Of models that grow: the level in play, 1 (the smallest map) … levels(); 0: the last. And the
     * share, a scalar node in [0, 1], that the newest level has of it as it fades in; NULL: all. */
    int level;
    gan_node *alpha;
} gan_model_options;

typedef struct gan_model {
    const char *name, *about; /* about: one line */
    /* What the data are, images (m, height, width, channels) if not: */
    bool points;      /* (m, channels) */
    bool sequences;   /* of one-hot symbols, (m, height, channels); G makes logits, width is 1 */
    double low, high; /* range of pixels that the generator makes: scale the data to it */
    gan_model_options initial; /* what to take where nothing else is asked for */
    /* z (m, z_dim) -> (m, height, width, channels), for points (m, channels), for sequences (m,
     * height, channels). */
    gan_node *(*generator)(gan_scope *scope, gan_node *z, const gan_model_options *options);
    /* The discriminator up to its last hidden layer: x as made by the generator -> (m, …). A linear
     * layer, gan_model_output(), makes the logits; what labels, codes and penalties on features
     * need of D is taken from gan_model_features() too. */
    gan_node *(*features)(gan_scope *scope, gan_node *x, const gan_model_options *options);
    gan_init output; /* initial weights of that linear layer; all zero: Xavier */
    bool output_no_bias;
    bool spectral_norm; /* in G and D whatever the options say */
    /* Not 0: that layer has an equalised learning rate with this gain. */
    double output_equalized;
    bool inner;     /* D's last hidden layer can take minibatch discrimination in */
    bool completes; /* G fills in what its scope's context leaves open */
    bool linear;    /* G ends without tanh or sigmoid: pixels may leave low … high */
    /* Of a model that grows (NULL: it does not): its number of levels. At level l its images, made
     * and taken, are height and width >> (levels - l); all levels have their weights at any level.
     */
    int (*levels)(const gan_model_options *options);
} gan_model;

/* The layer SCOPE/name from D's features (m, …) to (m, units), initialised as the model does its
 * logits and with spectral norm where `options` ask for it; f32. */
GAN_API gan_node *gan_model_output(const gan_model *model, gan_scope *scope, const char *name,
                                   gan_node *features, int64_t units,
                                   const gan_model_options *options);

/* D's features with what the options end them in: x -> (m, …). */
GAN_API gan_node *gan_model_features(const gan_model *model, gan_scope *scope, gan_node *x,
                                     const gan_model_options *options);

/* The whole discriminator: x -> f32 logits (m, 1). */
GAN_API gan_node *gan_model_logits(const gan_model *model, gan_scope *scope, gan_node *x,
                                   const gan_model_options *options);

/* Real images (m, height, width, channels) as a model that grows takes them at `options`' level:
 * averaged down and, while a level fades in, mixed with the next smaller ones (Karras et al. 2018,
 * section 2). */
GAN_API gan_node *gan_progressive_real(gan_graph *g, gan_node *x, const gan_model_options *options);

/* What the data of a model are: "images", "points" or "sequences". */
GAN_API const char *gan_model_kind(const gan_model *model);

/* The shape of m examples as a model takes and makes them. */
GAN_API gan_shape gan_model_shape(const gan_model *model, const gan_model_options *options,
                                  int64_t m);

GAN_API size_t gan_model_count(void);
GAN_API const gan_model *gan_model_at(size_t index);
GAN_API const gan_model *gan_model_find(const char *name); /* NULL when unknown */

/* For a generator whose output layer has a bias a pixel and a sigmoid (maxout): sets that bias, and
 * its moving average if there is one, to log(p / (1-p)), p the mean of each pixel over the data, in
 * [0, 1], kept off both ends by 1e-7 (the 2014 set-up). `mean` has height·width·channels numbers.
 * The store is placed. */
GAN_API gan_status gan_model_set_marginals(gan_store *store, const float *mean, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
