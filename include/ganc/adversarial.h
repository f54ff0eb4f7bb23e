/* The game: objectives, terms beside them, heads, conditioning, optimisers, and the iteration of D-
 * and G-steps written as nodes.
 *
 *     gan_game game;
 *     gan_game_options o = {.model = gan_model_find("dcgan"),
 *                           .networks = networks,
 *                           .batch = 64,
 *                           .objective = gan_objective_find("hinge"),
 *                           .prior = gan_prior_find("normal"),
 *                           .generator = gan_optimizer_defaults("adam"),
 *                           .discriminator = gan_optimizer_defaults("adam"),
 *                           .real = my_minibatch,
 *                           .user = my_data};
 *     gan_terms_parse(o.terms, &o.n_terms, "terms", "r1(10), feature-matching(1)");
 *     gan_game_build(&game, graph, &o);
 *
 * Everything here is a table of {name, one line, functions}: a new objective, term, head, prior or
 * optimiser is one row.
 */
#ifndef GANC_ADVERSARIAL_H
#define GANC_ADVERSARIAL_H

#include "ganc/graph.h"
#include "ganc/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- objectives ---- */

typedef struct gan_objective_options {
    double scale;  /* of D's loss: 1, or ½ as in the 2014 code; 0 counts as 1. Of G's only where it
                      is D's with the roles swapped (relativistic) */
    double smooth; /* one-sided label smoothing: D's target on real data is 1 - smooth; 0 .. 1 */
    double margin; /* ebgan: how large the energy of fakes need become; 0 counts as 1 */
    double gamma, lambda; /* began: diversity ratio and gain of its balance; 0: 0.5 and 0.001 */
    bool conjugate; /* f-*: G minimises the bound's -E f*(T) and not its counterpart -E T */
} gan_objective_options;

/* Losses from D's scores (m, 1), as scalars to minimise. Scores are logits, or energies where the
 * objective's head is "energy". */
typedef struct gan_objective {
    const char *name, *about;
    gan_node *(*d_loss)(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                        const gan_objective_options *options);
    /* s_real only where `needs_real`, else NULL. */
    gan_node *(*g_loss)(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                        const gan_objective_options *options);
    /* What an encoder minimises beside g_loss on D's scores of (x, E(x)), which it wants to be taken
     * for fake (Donahue et al. 2017, section 3.4). NULL: g_loss has it, or it makes no sense. */
    gan_node *(*e_loss)(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                        const gan_objective_options *options);
    bool needs_real; /* g_loss uses D's scores on real data */
    bool target;     /* has a target for real data, which `smooth` lowers */
    bool conjugate;  /* G has the choice that option `conjugate` makes */
    int energy;      /* 0; else scores are energies, mean |x - D(x)|^energy, of the head "energy" */
    /* What a person reads off a score: NULL: sigmoid(score), for the best score is the log-odds of
     * real against fake, and that is D of the first paper; else the score itself, by this name. */
    const char *reads;
    /* Moves variables of the objective's own when a D-step's gradient has been taken; NULL: none.
     */
    void (*after_d)(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                    const gan_objective_options *options);
    /* A scalar of the scores that tells how far the game is, and what the log calls it; NULLs: the
     * objective has none. */
    const char *measure_name;
    gan_node *(*measure)(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                         const gan_objective_options *options);
} gan_objective;

GAN_API size_t gan_objective_count(void);
GAN_API const gan_objective *gan_objective_at(size_t index);
GAN_API const gan_objective *gan_objective_find(const char *name); /* NULL when unknown */

/* ---- noise ---- */

typedef struct gan_prior {
    const char *name, *about;
    gan_node *(*draw)(gan_graph *g, gan_node *counter, gan_shape shape);
} gan_prior;

GAN_API size_t gan_prior_count(void);
GAN_API const gan_prior *gan_prior_at(size_t index);
GAN_API const gan_prior *gan_prior_find(const char *name); /* NULL when unknown */

/* `count` points of a mixture: a random row of `centres` (R, d) plus N(0, deviation²) -> (count,
 * d). */
GAN_API gan_node *gan_mixture_points(gan_graph *g, gan_node *counter, gan_node *centres,
                                     double deviation, int64_t count);

/* ---- optimisers and their schedules ---- */

typedef struct gan_optimizer gan_optimizer;

typedef struct gan_optimizer_options {
    const gan_optimizer *optimizer;
    /* The rate at update number n (0, 1, …), in iteration t of the game, is
     * max(rate · decay^-n, floor) · max(1 - t / linear, 0), the last factor only where linear > 0.
     */
    double rate;
    double decay;             /* 1.000004 in 2014; 0 counts as 1 */
    double floor;             /* 1e-6 in 2014 */
    int64_t linear;           /* updates until the rate is zero; 0: it does not fall */
    double beta1, beta2, eps; /* adam; eps 0 counts as 1e-8 */
    /* momentum: `momentum` in epoch 1, then linear up to `momentum_final` in epoch
     * `momentum_epochs`, where an epoch has `epoch_updates` updates; constant when momentum_epochs
     * or epoch_updates is 0. */
    double momentum, momentum_final;
    int64_t momentum_epochs, epoch_updates;
} gan_optimizer_options;

struct gan_optimizer {
    const char *name, *about;
    gan_optimizer_options
        initial; /* adam: 2e-4, .5, .999; momentum: the 2014 schedule but epoch_updates */
    /* Adds update number counter·per_iteration + offset of all weights of `group`. */
    void (*update)(gan_graph *g, const char *group, int n, gan_node *const *weights,
                   gan_node *const *gradients, gan_node *counter, int64_t per_iteration,
                   int64_t offset, const gan_optimizer_options *options);
};

GAN_API size_t gan_optimizer_count(void);
GAN_API const gan_optimizer *gan_optimizer_at(size_t index);
GAN_API const gan_optimizer *gan_optimizer_find(const char *name); /* NULL when unknown */

/* The named optimiser's initial options; .optimizer is NULL when the name is unknown. */
GAN_API gan_optimizer_options gan_optimizer_defaults(const char *name);

/* The rate and the momentum at update number counter·per_iteration + offset, scalars computed on
 * the device. */
GAN_API gan_node *gan_rate_schedule(gan_graph *g, gan_node *counter, int64_t per_iteration,
                                    int64_t offset, const gan_optimizer_options *options);
GAN_API gan_node *gan_momentum_schedule(gan_graph *g, gan_node *counter, int64_t per_iteration,
                                        int64_t offset, const gan_optimizer_options *options);

/* ---- terms: what is added to the losses ---- */

/* The inside of a game while its graph is written; src/adversarial/play.h. */
typedef struct gan_play gan_play;

/* A number that a row of a table takes, written NAME(value, name=value, …). */
typedef struct gan_knob {
    const char *name;
    double initial, low, high; /* default, and what is allowed, both ends included */
    const char *about;
} gan_knob;

enum { GAN_KNOBS = 6, GAN_MAX_TERMS = 12, GAN_MAX_AUGMENTS = 8 };

/* A loss beside the objective: a penalty, a regulariser, a classifier's cross-entropy. Its first
 * knob is "weight", the factor of what d() and g() answer. */
typedef struct gan_term {
    const char *name, *about;
    gan_knob knob[GAN_KNOBS]; /* up to the first without a name */
    /* A scalar to minimise beside D's or G's objective, from the step that is being written and the
     * knobs' values; NULL where the term has no part in that loss. */
    gan_node *(*d)(gan_play *play, const double *knob);
    gan_node *(*g)(gan_play *play, const double *knob);
    /* Moves variables of the term's own when a D-step's gradient has been taken; NULL: none. */
    void (*after_d)(gan_play *play, const double *knob);
    bool needs_real;      /* g() looks at real data and what D makes of them */
    bool needs_labels;    /* of real data */
    bool needs_condition; /* a generator that is told the class */
    bool needs_labelled;  /* some labelled examples */
    bool needs_average;   /* of D's weights */
    bool no_pairs;        /* has an encoder: does not go with a discriminator of pairs (x, z) */
    bool diffuses;        /* D sees G(E(x)) in place of real data, E the encoder of the term */
    bool needs_codes;     /* beside z */
    bool needs_context;   /* a generator that completes images */
    bool needs_latent;    /* that fakes were made from, which replay does not keep */
    bool needs_symbols;   /* drawn from a generator's logits: discrete is reinforce */
    bool lazy; /* the second knob is "every", a whole number: written only into iterations that are
                  due */
    const char *head; /* the head it needs, or NULL */
} gan_term;

typedef struct gan_term_use {
    const gan_term *term;
    double knob[GAN_KNOBS];
} gan_term_use;

GAN_API size_t gan_term_count(void);
GAN_API const gan_term *gan_term_at(size_t index);
GAN_API const gan_term *gan_term_find(const char *name); /* NULL when unknown */

/* Reads "wgan-gp(10), r1(10, every=16)" into out[GAN_MAX_TERMS]; a number without a name is that of
 * the knob at its place. Messages begin with `where` and name term, knob, what was given and what
 * is allowed. Argument error. */
GAN_API gan_status gan_terms_parse(gan_term_use *out, int *n, const char *where, const char *text);

/* ---- augmentation of what D sees ---- */

/* A random, differentiable change of D's input, of real and fake examples alike, in every pass
 * (Zhao et al. 2020, section 3.2). */
typedef struct gan_augment {
    const char *name, *about;
    gan_knob knob[GAN_KNOBS];
    bool whole[GAN_KNOBS]; /* knobs that count something, and so have no fraction */
    /* x (n, …) -> the same shape. Draws by play's counter. */
    gan_node *(*apply)(gan_play *play, gan_node *x, const double *knob);
    bool points; /* makes sense of points and sequences too, not only of images */
    /* A scalar: the probability that each of the other augmentations is applied to an example; NULL
     * where a row has no say in it. One row of a game at most has. */
    gan_node *(*probability)(gan_play *play, const double *knob);
    /* Moves variables of the row's own when a D-step's gradient has been taken; NULL: none. */
    void (*after_d)(gan_play *play, const double *knob);
} gan_augment;

typedef struct gan_augment_use {
    const gan_augment *augment;
    double knob[GAN_KNOBS];
} gan_augment_use;

GAN_API size_t gan_augment_count(void);
GAN_API const gan_augment *gan_augment_at(size_t index);
GAN_API const gan_augment *gan_augment_find(const char *name);

/* As gan_terms_parse(), into out[GAN_MAX_AUGMENTS], applied in the order given. */
GAN_API gan_status gan_augments_parse(gan_augment_use *out, int *n, const char *where,
                                      const char *text);

/* ---- heads: from D's features to logits, and from those to one score ---- */

typedef struct gan_head {
    const char *name, *about;
    bool needs_labels;
    /* What D saw, its features (m, …) and condition (m, classes) or NULL -> logits (m, n). */
    gan_node *(*logits)(gan_play *play, gan_scope *scope, gan_node *x, gan_node *features,
                        gan_node *condition);
    /* logits (m, n) -> score (m, 1). NULL: they are the score. */
    gan_node *(*score)(gan_play *play, gan_node *logits);
} gan_head;

GAN_API size_t gan_head_count(void);
GAN_API const gan_head *gan_head_at(size_t index);
GAN_API const gan_head *gan_head_find(const char *name); /* NULL when unknown */

/* How a network is told the class of an example. */
typedef enum gan_condition {
    GAN_UNCONDITIONED,
    GAN_CONDITION_CONCAT, /* one-hot class beside z, or as constant maps beside the image (Mirza and
                             Osindero 2014) */
    GAN_CONDITION_NORM, /* gains and biases of batch norm a class (G only; de Vries et al. 2017) */
} gan_condition;

/* ---- discrete outputs ---- */

typedef struct gan_latent gan_latent;

/* How a generator of sequences gets a gradient, though symbols have none. */
typedef struct gan_discrete {
    const char *name, *about;
    /* What D is shown of G's logits (m, length, symbols), at the temperature of a training step;
     * `noise` has their shape, or is NULL. Vectors instead of logits where `vectors`. */
    gan_node *(*show)(gan_graph *g, gan_node *logits, gan_node *noise, gan_node *temperature);
    bool draws;   /* symbols are drawn, softmax(logits) being their probabilities; else the largest */
    bool samples; /* D is shown symbols that carry no gradient: a term has to bring one */
    bool vectors; /* G makes vectors, and D sees those of the real symbols */
} gan_discrete;

/* - none: softmax(logits / temperature).
 * - gumbel: softmax((logits + Gumbel noise) / temperature) (Jang et al. 2017, eq. 2; Maddison et al.
 *   2017, eq. 10).
 * - straight-through: one-hot symbols, the gradient that of gumbel (Jang et al. 2017, section 2.2).
 * - reinforce: one-hot symbols drawn; the term reinforce brings the gradient (Williams 1992).
 * - embedding: vectors, decoded to the symbol whose own is nearest. */
GAN_API size_t gan_discrete_count(void);
GAN_API const gan_discrete *gan_discrete_at(size_t index);
GAN_API const gan_discrete *gan_discrete_find(const char *name); /* NULL when unknown */

/* One-hot symbols where each row's largest value is, the first of equal ones: (…, n) -> (…, n). */
GAN_API gan_node *gan_hard_symbols(gan_graph *g, gan_node *x);

/* The temperature in iteration t: from `initial` to `final` over `steps` iterations in a geometric
 * row, then `final`; steps 0: always `initial`. */
typedef struct gan_temperature {
    double initial, final; /* above 0; 0 counts as 1 */
    int64_t steps;
} gan_temperature;

GAN_API gan_node *gan_temperature_at(gan_graph *g, gan_node *counter,
                                     const gan_temperature *temperature);

/* ---- the game ---- */

typedef struct gan_game_options {
    const gan_model *model;
    gan_model_options networks;
    gan_precision precision; /* of both networks; samplers always are f32 */
    int64_t batch;           /* m: real examples a D-step, and as many fakes */
    /* Fakes of the G-step (Miyato et al. 2018, their code: 2m); 0: batch. Other than `batch` only
     * where the G-step draws them itself and looks at no real examples. */
    int64_t generator_batch;
    int64_t d_steps;         /* D-steps a G-step; 0 counts as 1 */
    /* The last D-step and the G-step take both gradients from the same parameters and the same
     * fakes, then both are updated (the 2014 code). Otherwise they alternate. */
    bool simultaneous;
    /* Alternating only: the G-step takes the fakes of the last D-step instead of drawing fresh
     * noise, which saves a pass of the generator. */
    bool reuse_noise;
    const gan_objective *objective;
    gan_objective_options loss;
    double generator_scale; /* factor of the objective in G's loss; 0 counts as 1, below 0 as 0 */
    const gan_head *head;   /* NULL: "linear", or what objective and terms need */
    gan_term_use terms[GAN_MAX_TERMS];
    int n_terms;
    /* Terms with a knob every > 1 are written, times every, only where this is set (lazy
     * regularisation, Karras et al. 2020, section 3.1): build a graph of each kind. */
    bool lazy_due;
    gan_augment_use augments[GAN_MAX_AUGMENTS];
    int n_augments;
    const gan_prior *prior;
    gan_optimizer_options generator, discriminator; /* rates of their own: TTUR */
    /* What normalises a network, and how its weights are scaled; NULL: as its paper has it. The
     * reference batch of virtual batch norm is the first one seen, for G the noise of a fixed draw.
     */
    const gan_norm *generator_norm, *discriminator_norm;
    const gan_weight_rule *generator_weight, *discriminator_weight;
    /* How far initial biases are spread (gan_scope_settings.bias); an encoder has D's. 0: zero. */
    double generator_bias, discriminator_bias;
    /* Moving average of G's weights, role average, group generator; 0: none. After n updates the
     * decay is min(average, n / (n + 10)), so that early weights are soon forgotten. */
    double average;
    /* The same of D's weights, group discriminator, moved at the end of every iteration: what
     * gan_class_logits_build() then reads (Salimans et al. 2016, their code for section 6.2;
     * Tarvainen and Valpola 2017, section 2); 0: none. */
    double discriminator_average;
    /* Labels: classes > 0 and `labels` answers those of real()'s examples. Fakes get classes drawn
     * uniformly. */
    int64_t classes;
    gan_condition generator_condition, discriminator_condition;
    /* Share, in [0, 1], of the classes that G makes in its own step which are drawn by how surely D
     * has told the fakes of each class from real ones of late, and not uniformly. */
    double active_classes;
    /* Codes beside z (InfoGAN, Chen et al. 2016): so many categorical ones of `code_classes`
     * values, and so many continuous ones, uniform in (-1, 1). */
    int64_t code_categorical, code_classes, code_continuous;
    int64_t pack;       /* examples that D sees at once (PacGAN, Lin et al. 2018); 0 counts as 1 */
    int64_t generators; /* members of G (MAD-GAN, Ghosh et al. 2018); 0 counts as 1 */
    /* D-steps that G looks ahead through (unrolled GAN, Metz et al. 2017); 0: none. */
    int64_t unroll;
    /* D sees pairs (x, E(x)) and (G(z), z); group encoder learns with G (BiGAN, ALI). */
    bool encoder;
    /* Of models of sequences; NULL: none. */
    const gan_discrete *discrete;
    gan_temperature temperature;
    int64_t embedding_dims;  /* discrete embedding: numbers a symbol's vector has; 0: 8 */
    bool embedding_learned;  /* D learns them; else they stay as drawn */
    double noisy_labels;  /* share of pairs whose real and fake D takes for each other */
    double clip_weights;  /* D's weights are kept in ±this after every update; 0: not */
    double clip_gradient; /* length that a network's gradient is cut to; 0: not */
    double d_lead;        /* D learns only while its loss is above this; 0: always */
    /* Batches of earlier fakes that D sees again, and the share of its fakes that come from there;
     * 0: none. */
    int64_t replay;
    double replay_share;
    /* Answers D-step number `step` (0 .. d_steps - 1) with its real batch (batch, …), made from
     * `counter`. */
    gan_node *(*real)(void *user, gan_graph *g, gan_node *counter, int64_t step);
    /* The classes of that batch, i32 (batch). NULL without labels. */
    gan_node *(*labels)(void *user, gan_graph *g, gan_node *counter, int64_t step);
    /* A batch of the few labelled examples, and its classes; NULL unless a term needs them. */
    gan_node *(*labelled)(void *user, gan_graph *g, gan_node *counter, int64_t step,
                          gan_node **classes);
    void *user;
} gan_game_options;

/* The iteration's nodes. d_loss, d_real, d_fake, measure are those of its last D-step, before its
 * update. */
typedef struct gan_game {
    gan_node *counter;         /* i64 variable train/iteration */
    gan_node *d_loss, *g_loss; /* scalars, to be logged */
    gan_node *d_real, *d_fake; /* means on real and on fake of what the objective reads */
    gan_node *measure;         /* the objective's, a scalar; NULL where it has none */
} gan_game;

/* The i64 variable train/iteration: iterations (G-steps) done. */
GAN_API gan_node *gan_game_counter(gan_graph *g);

/* Writes one iteration into `g`: d_steps D-steps on `batch` real and `batch` fake examples joined,
 * then one G-step; counts train/iteration up at its end, so effects that are added afterwards see
 * the number of iterations done, this one included. Errors name the option. */
GAN_API gan_status gan_game_build(gan_game *out, gan_graph *g, const gan_game_options *options);

/* ---- what the generator starts from ---- */

/* All NULL where the game has none of it. */
struct gan_latent {
    gan_node *z;        /* (m, z_dim) */
    gan_node *label;    /* i32 (m): the class to make */
    gan_node *condition; /* (m, classes): the same one-hot, in place of `label` */
    gan_node *category; /* i32 (m, code_categorical) */
    gan_node *code;     /* (m, code_continuous) */
    gan_node *context;  /* what a model that completes is given, as gan_scope_settings.context */
    gan_node *symbol;   /* (m, length, symbols): Gumbel noise, by which symbols are drawn */
};

/* Draws `count` of them, all parts that the options ask for but the context. */
GAN_API gan_latent gan_latent_draw(gan_graph *g, const gan_game_options *options, gan_node *counter,
                                   int64_t count);

/* Samples in evaluation mode: what the generator makes of `latent`, of sequences one-hot symbols. `average`: by the moving
 * average of the weights, which the store then holds. Member i of n generators makes rows i·m/n to
 * (i+1)·m/n - 1. */
GAN_API gan_node *gan_sampler_build(gan_graph *g, const gan_game_options *options,
                                    const gan_latent *latent, bool average);

/* Of a game whose model completes images: GAN_CONTEXTS examples of the run's first real batch (or all
 * of a smaller one), kept in the store so that every picture shows the same. Rows `index`, i32 (m),
 * of their contexts (m, height, width, channels + 1), and into `whole` (may be NULL) of the examples
 * themselves. */
enum { GAN_CONTEXTS = 16 };
GAN_API gan_node *gan_context_build(gan_graph *g, const gan_game_options *options, gan_node *index,
                                    gan_node **whole);

/* The encoder of a game with one, in evaluation mode: x (m, …) -> (m, z_dim). */
GAN_API gan_node *gan_encoder_build(gan_graph *g, const gan_game_options *options, gan_node *x);

/* The class that D reads off x (m, …), in evaluation mode, as logits (m, classes): those of head
 * classes, or of the term ac-gan; by the moving average of D's weights where the game has one.
 * Argument error of the graph where D tells no class, or is told it. */
GAN_API gan_node *gan_class_logits_build(gan_graph *g, const gan_game_options *options,
                                         gan_node *x);

#ifdef __cplusplus
}
#endif
#endif
