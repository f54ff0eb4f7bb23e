/* The real examples: a data set that lies on the device as bytes, a table of sequences of symbols,
 * or a mixture made on the fly. */
#ifndef GANC_TRAIN_SOURCE_H
#define GANC_TRAIN_SOURCE_H

#include "ganc/data.h"
#include "ganc/nn.h"
#include "train/settings.h"

typedef struct gan_source {
    const gan_model *model;
    gan_model_options networks; /* with the sizes of the examples */
    const gan_mixture *mixture; /* or NULL */
    const gan_grammar *grammar; /* or NULL */
    gan_dataset *set;           /* until placed; NULL for mixtures and grammars */
    int32_t *sequences;         /* (count, length), until placed; NULL but for grammars */
    int64_t count;              /* of examples; 0 for mixtures */
    int64_t classes;            /* that examples have labels of; 0: none */
    bool labelled;              /* gan_source_use_labels() was called */
    int64_t few;                /* examples whose labels may be learnt from; 0: all */
    uint64_t fingerprint;       /* of the examples, so that a resumed run finds the same */
    int64_t batch, d_steps;
    bool flip;
    /* Which examples each step's batch has, in the graph that was built last. */
    const gan_graph *graph;
    gan_node **index; /* (steps) */
    int64_t steps;
} gan_source;

/* Whether there are data by that name: a set that is known, even where it is not installed, a
 * mixture, a grammar, a file or a folder. */
bool gan_source_is_there(const char *name);

/* Fails with what is near to `given`, or all that is expected. */
gan_status gan_source_unknown(const char *given);

/* Data given by a path get its absolute form, so that a checkpoint's are found from any folder. */
gan_status gan_source_pin(gan_settings *settings);

/* A checkpoint's settings get `data`, where they are not NULL. I/O error, which begins with
 * `checkpoint`, where they are and its own are no longer there. */
gan_status gan_source_named(gan_settings *settings, const char *data, const char *checkpoint);

/* Opens what `settings` name and checks that model, batch and data go together. */
gan_status gan_source_open(gan_source *out, const gan_settings *settings);
void gan_source_close(gan_source *source);

/* The images that `settings` name: those it is trained on, or those kept for the test. */
gan_status gan_source_set(gan_dataset **out, const gan_settings *settings, gan_split split);

/* The model with its options, for examples of height × width × channels (points: channels alone).
 */
gan_status gan_source_networks(const gan_model **model, gan_model_options *options,
                               const gan_settings *settings, const int64_t example[3]);

/* Labels will be asked for: checks that there are some and takes them into the fingerprint. To be
 * called before any graph is built; without it no label goes to the device. */
gan_status gan_source_use_labels(gan_source *source);

/* gan_game_options.real: the examples of D-step `step`. Images (m, height, width, channels) in the
 * model's range, points (m, 2), or sequences as one-hot symbols (m, length, symbols). */
gan_node *gan_source_batch(void *source, gan_graph *g, gan_node *counter, int64_t step);

/* gan_game_options.labels: the classes i32 (m), in [0, classes), of the examples that
 * gan_source_batch() made for the same step, which comes first. Of a point: the number of its
 * centre. An error of the graph without gan_source_use_labels(). */
gan_node *gan_source_labels(void *source, gan_graph *g, gan_node *counter, int64_t step);

/* gan_game_options.labelled: a batch of examples drawn from the `few`, and their classes i32 (m).
 * The few are the first of each class in the order of the set, as many of one class as of another
 * but for the remainder. An error of the graph where the data are no images with labels. */
gan_node *gan_source_labelled(void *source, gan_graph *g, gan_node *counter, int64_t step,
                              gan_node **classes);

/* Writes the examples into the placed store. The host's copy is no longer needed then. */
gan_status gan_source_place(gan_source *source, gan_store *store);

/* The mean of every pixel in [0, 1], height·width·channels numbers, the caller's to free. NULL when
 * memory is exhausted. The set is open still. */
float *gan_source_mean(const gan_source *source);

#endif
