/* Training: a configuration, a trainer that carries it out on a device, and the checkpoint in
 * between.
 *
 *     gan_settings *settings;
 *     gan_settings_create(&settings);
 *     gan_settings_read(settings, "my.yaml");
 *     gan_settings_set(settings, "steps", "5000", NULL);
 *     gan_trainer *trainer;
 *     gan_trainer_open(&trainer, settings, device, &(gan_trainer_options){.folder = "runs/my"});
 *     gan_trainer_run(trainer, NULL);
 *     gan_trainer_close(trainer);
 */
#ifndef GANC_TRAIN_H
#define GANC_TRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ganc/device.h"
#include "ganc/metric.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- settings: a configuration, checked ---- */

/* A value for every key of one table; reading, checks, help, config.yaml and the checkpoint's
 * metadata all come from that table. Keys are flat, with dots: "generator.rate". */
typedef struct gan_settings gan_settings;

/* A row of the table of keys. Strings are constants. */
typedef struct gan_settings_key {
    const char *name, *initial, *about; /* the key, its default, one line */
    bool free;                          /* may differ between a run and its continuation */
} gan_settings_key;

GAN_API size_t gan_settings_key_count(void);
GAN_API gan_settings_key gan_settings_key_at(size_t index);

/* What the key at `index` accepts ("an integer from 1 to 1000", "one of adam, momentum") into
 * `text`. */
GAN_API void gan_settings_key_allowed(size_t index, char *text, size_t size);

/* One line that says which key is meant by what other programs call so ("lr", "batch_size"), or
 * which word by "KEY=WORD" ("objective=lsgan"); NULL when that is not known. Neither case nor _ - .
 * matter. gan_settings_set() refuses with it. */
GAN_API const char *gan_settings_meant(const char *name);

/* Every key at its default. */
GAN_API gan_status gan_settings_create(gan_settings **out);
GAN_API gan_status gan_settings_copy(gan_settings **out, const gan_settings *settings);
GAN_API void gan_settings_destroy(gan_settings *settings);

/* Sets the keys that a YAML file (or text, which messages call `name`) gives; refuses one that gives
 * none, and a key, not at its default, that has no effect beside the others (gan_settings_check()).
 * Messages begin with "FILE:LINE: " and name the key, the value given, what is allowed and, for an
 * unknown key or word, the nearest known one. */
GAN_API gan_status gan_settings_read(gan_settings *settings, const char *path);
GAN_API gan_status gan_settings_read_memory(gan_settings *settings, const void *text, size_t size,
                                            const char *name);

/* Sets one key from text; messages begin with `where`, which may be NULL. Argument error. */
GAN_API gan_status gan_settings_set(gan_settings *settings, const char *key, const char *value,
                                    const char *where);

/* The same from "key=value", as after --set. */
GAN_API gan_status gan_settings_assign(gan_settings *settings, const char *assignment);

/* Refuses a key that has no effect beside the values of the others, with the reason: adam.beta1
 * where the optimizer is momentum. Messages begin with `where`, which may be NULL. Argument error. */
GAN_API gan_status gan_settings_check(const gan_settings *settings, const char *key,
                                      const char *where);

/* Sets every key without effect back to its default, so that a written configuration is free of
 * them. */
GAN_API void gan_settings_tidy(gan_settings *settings);

/* The value of `key` as text, cut to `size`; an error when there is no such key. */
GAN_API gan_status gan_settings_get(const gan_settings *settings, const char *key, char *value,
                                    size_t size);

/* Writes every key as YAML that gan_settings_read() takes back unchanged. */
GAN_API gan_status gan_settings_write(const gan_settings *settings, const char *path);

/* ---- checkpoints ---- */

/* A checkpoint is a safetensors file: the tensors ROLE/GROUP/NAME for every variable but data and
 * records, and as metadata its format, ganc's version, the step and the whole configuration. */
typedef struct gan_checkpoint_info {
    int64_t step;     /* generator updates done */
    char version[32]; /* of the ganc that wrote it */
} gan_checkpoint_info;

/* Reads a checkpoint's metadata: its configuration, the caller's to destroy, and `info` (may be
 * NULL). */
GAN_API gan_status gan_checkpoint_open(gan_settings **settings, gan_checkpoint_info *info,
                                       const char *path);

/* ---- trainer ---- */

typedef struct gan_trainer gan_trainer;

typedef struct gan_trainer_options {
    /* The run folder: config.yaml, log.jsonl, samples/step-N.png, checkpoint.safetensors. Created
     * when absent, refused when it holds anything and `resume` is false. NULL: nothing is written.
     */
    const char *folder;
    /* Continue from the folder's checkpoint. Refused when `settings` differs from the checkpoint's
     * in a key that is not free, or when the data are others. What differs in a free key goes into
     * the checkpoint, too. */
    bool resume;
    /* Only compile, to describe and print: nothing is allocated on the device, nothing can be run.
     */
    bool plan;
} gan_trainer_options;

/* The state of a run: means over the steps since the last line of the log. */
typedef struct gan_progress {
    int64_t step, steps;      /* done, of the whole run */
    double seconds;           /* spent training, earlier parts of a resumed run included */
    double images_per_second; /* real examples shown a second since the trainer was opened */
    double d_loss, g_loss;
    double d_real, d_fake; /* means of what D says of real and of fake examples */
    const char *reads;     /* what that is: "D", the probability that an example is real; "score",
                              "energy" of an objective that has none */
} gan_progress;

typedef struct gan_trainer_callbacks {
    void *context;
    /* Called after every stretch of iterations, some times a second; true ends the run there, with
     * a checkpoint written. May be NULL. */
    bool (*stop)(void *context);
    /* Called as often, with how far the run is. May be NULL. */
    void (*progress)(void *context, const gan_progress *progress);
} gan_trainer_callbacks;

/* Opens data, variables and graphs for `settings`, compiles them and makes the run folder; nothing
 * is trained yet. Refuses, with the figures, what does not fit into the device. `settings` is
 * copied, `device` borrowed. `options` may be NULL. */
GAN_API gan_status gan_trainer_open(gan_trainer **out, const gan_settings *settings,
                                    gan_device *device, const gan_trainer_options *options);
GAN_API void gan_trainer_close(gan_trainer *trainer);

/* Trains up to the setting `steps`, writing log, pictures and checkpoints when they are due and at
 * the end. GAN_ERROR_NOT_FINITE when a loss becomes infinite or not a number: the last checkpoint
 * then stays as it was. GAN_ERROR_INTERRUPTED when `stop` asked for it. `callbacks` may be NULL. */
GAN_API gan_status gan_trainer_run(gan_trainer *trainer, const gan_trainer_callbacks *callbacks);

/* Generator updates done so far. */
GAN_API int64_t gan_trainer_step(const gan_trainer *trainer);

/* Writes or reads the whole state; `path` is replaced only once the new file is complete and on
 * disk. */
GAN_API gan_status gan_trainer_save(gan_trainer *trainer, const char *path);
GAN_API gan_status gan_trainer_load(gan_trainer *trainer, const char *path);

/* The compiled iteration's figures, and its plan as a table. */
GAN_API void gan_trainer_describe(const gan_trainer *trainer, gan_program_info *out);
GAN_API gan_status gan_trainer_print(const gan_trainer *trainer, FILE *file);

/* ---- sampling ---- */

typedef struct gan_sample_options {
    /* 0: as many as a picture of the run has. Of images in classes, a row each: at least as many as
     * there are classes; whole rows of every class, then what remains. */
    int64_t count;
    const uint64_t
        *seed; /* of the noise; NULL: the run's, which gives the picture of the run folder */
    const int64_t
        *only; /* the class of all samples; NULL: a class a row, where the run has classes */
} gan_sample_options;

/* Draws samples from a checkpoint's generator and writes them as a PNG: a grid of images, or for
 * points in the plane a scatter plot over the modes, for sequences strips with a colour a symbol, or
 * text, one sequence a line, where `path` ends in ".txt". Equal seeds give equal pictures. `options`
 * may be NULL. */
GAN_API gan_status gan_sample_checkpoint(const char *checkpoint, const char *path,
                                         gan_device *device, const gan_sample_options *options);

/* ---- classes ---- */

enum { GAN_AGREEMENT_CLASSES = 100 };

/* Whether samples are of the class that they were asked to be. */
typedef struct gan_agreement {
    int64_t samples, classes; /* as many samples of one class as of another, but for the remainder */
    bool codes; /* they were asked for by the first categorical code, not by class; the best
                   one-to-one naming of codes (gan_metric_matching()) then counts */
    double agreement;                    /* the share that is, in [0, 1] */
    double each[GAN_AGREEMENT_CLASSES];  /* of those of one class, or code */
    int64_t name[GAN_AGREEMENT_CLASSES]; /* the class of each, or what a code came to be */
    double accuracy; /* of the classifier on the test set; NAN for points, which need none */
    int64_t tested;  /* images in that */
    uint64_t hash;   /* gan_classifier_hash() */
} gan_agreement;

typedef struct gan_agreement_options {
    int64_t count;        /* samples; 0: 2000 */
    const uint64_t *seed; /* of the noise; NULL: the run's */
    const char *data;     /* the classifier's; NULL: what the run was trained on */
    const char *classifier; /* a file: read where it is there, else written; NULL: none */
    /* Called when what was given has been found good and a classifier begins to be trained. NULL:
     * not. */
    void (*begin)(void *context);
    void *context;
} gan_agreement_options;

/* Draws samples from a checkpoint's generator, a class each, and lets a classifier that was trained
 * on the data (gan_classifier_train()) name them; of points, the mode within three standard
 * deviations does. `options` may be NULL. Argument error for a generator without classes or codes;
 * errors of gan_sample_checkpoint(), gan_dataset_open(), gan_classifier_load(). */
GAN_API gan_status gan_agreement_checkpoint(gan_agreement *out, const char *checkpoint,
                                            gan_device *device,
                                            const gan_agreement_options *options);

/* How samples as a whole compare with the test set, to the eye of a classifier that was trained on
 * the data (gan_classifier_train()). */
typedef struct gan_score {
    int64_t samples, examples; /* compared; examples: the whole test part */
    double distance; /* gan_metric_frechet() of what the classifier sees in them
                        (gan_classifier_features()): not that of Inception's, though the same formula */
    double own;      /* the same of as many images of the training part: what a generator that made
                        those would get */
    int64_t classes;
    double each[GAN_AGREEMENT_CLASSES]; /* the share of samples that are taken for each class */
    double accuracy;                    /* of the classifier on the test part */
    uint64_t hash;                      /* gan_classifier_hash() */
} gan_score;

/* Draws samples from a checkpoint's generator, as many of one class as of another where it is told
 * one, and compares them with the test part of the data. `options` may be NULL. Argument error for
 * points and sequences, and for a model that completes images; errors of gan_agreement_checkpoint(). */
GAN_API gan_status gan_score_checkpoint(gan_score *out, const char *checkpoint, gan_device *device,
                                        const gan_agreement_options *options);

/* What a discriminator that tells classes makes of the test set. */
typedef struct gan_recognition {
    int64_t examples; /* in it */
    double error;     /* share of them that it takes for another class */
    double alone;     /* that of the same network taught the same labels alone; NAN: not asked */
    int64_t labels;   /* how many these were */
    int64_t updates;  /* of that network; 0: two epochs */
} gan_recognition;

typedef struct gan_recognition_options {
    const char *data; /* NULL: what the run was trained on */
    bool alone;       /* also train that network on its own */
    /* Called when what was given has been found good and that begins. NULL: not. */
    void (*begin)(void *context);
    void *context;
} gan_recognition_options;

/* The error of a checkpoint's discriminator (gan_class_logits_build()) on the test part of the
 * data. With `alone` also trains that network on its own by Adam, the
 * run's rate falling to 0 in a line: two epochs where all labels were given, else 250, 500, 1000 and
 * 2000 updates, of which those count that do best on the last 5,000 images of the training part (its
 * labels are used for that choice only). `options` may be NULL. Argument error for one that tells
 * no class; errors as above. */
GAN_API gan_status gan_recognition_checkpoint(gan_recognition *out, const char *checkpoint,
                                              gan_device *device,
                                              const gan_recognition_options *options);

/* ---- inference ---- */

/* How well an encoder and its generator invert each other, on the first images of the test part. */
typedef struct gan_encoding {
    int64_t examined;     /* images: 2000, or all where they are fewer */
    double error;         /* mean (x - G(E(x)))², a pixel's, pixels in [0, 1] */
    double error_of_mean; /* the same of the mean image in place of G(E(x)) */
    double nearest; /* share whose nearest code, of the part trained on, has their class (Donahue et
                       al. 2017, section 4.2); NAN: not asked */
} gan_encoding;

typedef struct gan_encode_options {
    int64_t count;     /* pairs in the picture; 0: 32 */
    const char *data;  /* NULL: what the run was trained on */
    const char *codes; /* a file of safetensors to write: "codes" (examined, z_dim); NULL: none */
    bool nearest;      /* also look for nearest codes */
} gan_encode_options;

/* Encodes images by a checkpoint's encoder (key encoder, or terms mrgan and mdgan) and writes them, each with
 * G(E(x)) to its right, as a PNG; `png` and `out` may be NULL, and so may `options`. Argument error
 * for a run without an encoder; errors of gan_sample_checkpoint(), gan_dataset_open(). */
GAN_API gan_status gan_encode_checkpoint(gan_encoding *out, const char *checkpoint, const char *png,
                                         gan_device *device, const gan_encode_options *options);

/* ---- looking into a generator ---- */

typedef enum gan_walk {
    GAN_WALK_AUTO,      /* spherical where the noise is normal, else linear */
    GAN_WALK_LINEAR,    /* (1 - t)·a + t·b */
    GAN_WALK_SPHERICAL, /* sin((1 - t)·w)/sin(w)·a + sin(t·w)/sin(w)·b, w the angle between a and b
                           (White 2016, "Sampling generative networks", section 2.1): the length
                           stays that of noise, which on a straight line would shrink */
} gan_walk;

typedef struct gan_interpolate_options {
    int64_t rows, steps; /* 0: 8 and 10; steps 2 or more, both ends included */
    gan_walk walk;
    const uint64_t *seed; /* of the ends; NULL: the run's */
} gan_interpolate_options;

/* Walks from one z to another in each row and draws what the generator makes of it: a grid of
 * images, or for points in the plane the paths over the modes. Equal seeds give equal pictures.
 * `options` may be NULL. Argument error; errors of gan_sample_checkpoint(). */
GAN_API gan_status gan_interpolate_checkpoint(const char *checkpoint, const char *png,
                                              gan_device *device,
                                              const gan_interpolate_options *options);

/* z at `t` of the way from a to b, all of `n` numbers. */
GAN_API void gan_walk_between(float *z, const float *a, const float *b, int64_t n, double t,
                              bool spherical);

typedef struct gan_neighbours_options {
    int64_t count;        /* samples; 0: 24 */
    const uint64_t *seed; /* of the noise; NULL: the run's */
    const char *data;     /* where to look; NULL: the data that the run was trained on */
    bool mirrored;        /* mirrored examples count as well */
} gan_neighbours_options;

/* Draws samples from a checkpoint's generator, each with the nearest example of the data to its
 * right (gan_metric_nearest()), as a PNG; `out` (`count`, may be NULL) says which. Images only.
 * `options` may be NULL. Argument error; errors of gan_sample_checkpoint() and
 * gan_dataset_open(). */
GAN_API gan_status gan_neighbours_checkpoint(gan_neighbour *out, const char *checkpoint,
                                             const char *png, gan_device *device,
                                             const gan_neighbours_options *options);

#ifdef __cplusplus
}
#endif
#endif
