/* The inside of a game while its iteration is written: what terms, heads and augmentations see. */
#ifndef GANC_ADVERSARIAL_PLAY_H
#define GANC_ADVERSARIAL_PLAY_H

#include "ganc/adversarial.h"

/* What D makes of a batch. */
typedef struct gan_verdict {
    gan_node *features; /* (m, …), D's last hidden layer */
    gan_node *logits;   /* (m, n), the head's */
    gan_node *score;    /* (m, 1) */
} gan_verdict;

/* Real or fake examples. */
typedef struct gan_side {
    gan_node *x;         /* (m, …) as data or generator made them; in D-steps constant */
    gan_latent latent;   /* real: only the label, and z = E(x) where there is an encoder */
    gan_node *condition; /* the label one-hot (m, classes), or NULL */
    gan_node *logits;    /* fakes of sequences: G's own (m, length, …), gradients open; else NULL */
    gan_verdict seen;    /* NULLs in a G-step for real data that nothing asks for */
} gan_side;

/* A weight of D as the G-step shall see it (unrolled updates). */
typedef struct gan_overlay {
    gan_node *variable, *replacement;
} gan_overlay;

struct gan_play {
    gan_graph *g;
    const gan_game_options *o;
    const gan_head *head;
    gan_node *counter;
    int64_t d_steps, step; /* of the iteration, and the one that is being written */
    bool of_g;             /* the G-step is being written */
    gan_side real, fake;
    gan_node *data;      /* the real examples themselves, where a term shows D others (`diffuses`) */
    gan_node *back;      /* and those others, G(E(x)), gradients open; else NULL */
    const char *part;    /* of D, with weights of its own, that judges; NULL: D itself */
    bool ahead;          /* D's loss is written for an update that is not made (unroll) */
    gan_node *whole;     /* what the fakes' context was taken from */
    gan_node *open_fake; /* the last D-step's fakes, gradients into G open */
    int64_t reference;   /* rows of D's reference batch in the pass being written */
    const gan_overlay *overlay;
    int n_overlay;
};

/* The one-hot classes of `label`, or NULL. */
gan_node *gan_play_condition(gan_play *play, gan_node *label);

/* A pass of a network in training; D's has the overlay. */
gan_scope *gan_play_scope(gan_play *play, const char *group, bool update_statistics, int groups);

/* Fakes from fresh noise, `update_statistics` as for scopes. */
gan_side gan_play_generate(gan_play *play, bool update_statistics);

/* G on a latent of the caller's. */
gan_node *gan_play_generator(gan_play *play, const gan_latent *latent, bool update_statistics);

/* Real examples of the step, with their labels and, where there is an encoder, their codes. */
gan_side gan_play_real(gan_play *play, bool update_statistics);

/* E(x) (m, z_dim). */
gan_node *gan_play_encode(gan_play *play, gan_node *x, bool update_statistics);

/* G(E(x)), the labels being those of `real`; E and G as in training. term_mode.c */
gan_node *gan_play_rebuild(gan_play *play, const gan_side *real, gan_node *x,
                           bool update_statistics);

/* D on x (m, …) with its condition and, where D sees pairs, its z; both may be NULL. `groups`:
 * parts of the batch with statistics of their own. Terms judge with update_statistics false. */
gan_verdict gan_play_judge(gan_play *play, gan_node *x, gan_node *z, gan_node *condition,
                           bool update_statistics, int groups);

/* D's score of x beside the labels and z of `side`, in a pass of its own. */
gan_node *gan_play_score(gan_play *play, const gan_side *side, gan_node *x);

/* Judges both sides in one pass over [real; fake]. */
void gan_play_judge_both(gan_play *play, bool update_statistics);

/* The losses of the step: the objective's and the terms', of the sides as they are. */
gan_node *gan_play_d_loss(gan_play *play);
gan_node *gan_play_g_loss(gan_play *play);

/* What objective and terms move when a D-step is done. */
void gan_play_after_d(gan_play *play);

/* The linear layer discriminator/NAME from D's features (m, …) to (m, units). */
gan_node *gan_play_output(gan_play *play, const char *name, gan_node *features, int64_t units);

/* ---- moving averages of weights; average.c ---- */

/* The average of `group`'s weights moves by 1 - min(most, n / (n + 10)) towards them after n
 * updates; nothing where `most` is 0. */
void gan_play_average(gan_play *play, const char *group, double most);

/* A scope whose weights are the averages of those that `group` has so far. */
gan_scope *gan_averaged_scope(gan_graph *g, const char *group, const gan_scope_settings *settings);

bool gan_is_virtual(const gan_norm *norm);

/* Makes the run's first real batch the reference of D's virtual batch norm. */
void gan_play_keep_reference(gan_play *play);

/* Whether all layers of D have spectral norm. */
static inline bool gan_play_spectral(const gan_play *play) {
    return play->o->networks.spectral_norm || play->o->model->spectral_norm;
}

/* x behind the augmentations. */
gan_node *gan_play_augment(gan_play *play, gan_node *x);

/* The weights of `group`, and how many; NULL on an error. */
gan_node **gan_play_weights(gan_play *play, const char *group, int *n);

/* ---- parts of the iteration in files of their own ---- */

/* Refuses options that are out of range or do not go together, with the reason; else answers the
 * head. check.c */
gan_status gan_game_check(const gan_game_options *options, const gan_head **head);

/* What makes the G-step look at real examples, too, as a message calls it; NULL where nothing does.
 * check.c */
const char *gan_game_needs_real(const gan_game_options *options);

/* The context of x (m, height, width, channels) by a random mask, for a model that completes; and
 * keeping some of the first batch's for pictures. completion.c */
gan_node *gan_play_context(gan_play *play, gan_node *x);
void gan_play_keep_contexts(gan_play *play);

/* Known pixels from `context`, the others from x. */
gan_node *gan_context_complete(gan_graph *g, gan_node *context, gan_node *x);

/* One-hot classes (count, classes), more often of those whose fakes D recognises; and what D's last
 * step says about them. active.c */
gan_node *gan_play_active_classes(gan_play *play, int64_t count);
void gan_play_learn_classes(gan_play *play);

enum { GAN_EMBEDDING_DIMS = 8 }; /* where nothing else is asked for */

/* The row of a game of sequences, NULL of others. discrete.c */
const gan_discrete *gan_play_discrete(const gan_game_options *options);

/* The vectors (symbols, dims) of the symbols, all of length 1. discrete.c */
gan_node *gan_symbol_vectors(gan_graph *g, const gan_game_options *options);

/* What D sees of one-hot symbols (m, length, symbols): themselves, or their vectors. discrete.c */
gan_node *gan_play_symbols(gan_play *play, gan_node *x);

/* What D sees of G's output, and what a sampler makes of it: one-hot symbols. discrete.c */
gan_node *gan_play_relax(gan_play *play, gan_node *logits, gan_node *noise);
gan_node *gan_symbols_of(gan_graph *g, const gan_game_options *options, gan_node *logits,
                         gan_node *noise);

/* Mixes earlier fakes into D's; then remembers the fresh ones. replay.c */
gan_node *gan_play_replay(gan_play *play, gan_node *fake);

/* Lets `play` see D as it would be after `unroll` further updates on the sides of the G-step, and
 * G's gradient go through them. unroll.c */
gan_status gan_play_unroll(gan_play *play);

typedef struct gan_gradients {
    int n;
    gan_node **weight, **gradient;
} gan_gradients;

/* The gradient of `loss` with respect to all weights of `group`. update.c */
gan_status gan_play_differentiate(gan_gradients *out, gan_play *play, const char *group,
                                  gan_node *loss);

/* Updates `group` by gradients, clipped or held back as the options say. update.c */
void gan_play_update(gan_play *play, const char *group, const gan_gradients *d, gan_node *loss);

/* The gradients by min(1, most / their length together), in place; as they are where `most` is 0.
 * update.c */
void gan_play_clip_gradient(gan_graph *g, int n, gan_node **gradient, double most);

/* A weight back into ±c (Arjovsky et al. 2017, algorithm 1); as it is where c is 0. update.c */
gan_node *gan_play_clip_weight(gan_graph *g, gan_node *weight, double c);

/* 1 where D learns by option d_lead, else 0. update.c */
gan_node *gan_play_leads(gan_play *play, gan_node *loss);

/* A weight as the step that is being written sees it: the overlay's where there is one. unroll.c */
gan_node *gan_play_overlaid(const gan_play *play, gan_node *weight);

/* ---- shared arithmetic ---- */

/* log sum_j exp(x_ij) of rows (m, n), as (m, 1), without overflow. */
gan_node *gan_play_logsumexp(gan_graph *g, gan_node *x);

/* 0, 1, … n - 1 as (n), f32. */
gan_node *gan_play_range(gan_graph *g, int64_t n);

/* Sums of x's first, first two, first three … elements along `axis`. */
gan_node *gan_play_running_sum(gan_graph *g, gan_node *x, int axis);

/* x (m, …) as (m, everything else). */
gan_node *gan_play_rows(gan_graph *g, gan_node *x);

/* The iterations done, as an f32 scalar. */
gan_node *gan_play_time(gan_play *play);

#endif
