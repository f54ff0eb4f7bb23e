/* Metrics: how good samples are. */
#ifndef GANC_METRIC_H
#define GANC_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "ganc/data.h"
#include "ganc/device.h"
#include "ganc/nn.h"
#include "ganc/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mode coverage of points against a known mixture (Srivastava et al., "VEEGAN", 2017, section 5.1;
 * Lin et al., "PacGAN", 2018, section 4.1). A point is of high quality when it lies within three
 * standard deviations of the nearest centre. */
typedef struct gan_mode_coverage {
    int64_t points;      /* how many were judged */
    int64_t modes;       /* of the mixture */
    int64_t captured;    /* modes with at least one point of high quality */
    double high_quality; /* share of points of high quality, in [0, 1] */
    double reverse_kl;   /* KL(p || uniform), in nats, p: how the points of high quality fall on the
                            modes; infinite when there are none */
} gan_mode_coverage;

/* `points` is (count, 2) in host memory, count >= 1; a point that is not finite is of low quality.
 * Argument error for no points; memory error. */
GAN_API gan_status gan_metric_mode_coverage(gan_mode_coverage *out, const float *points,
                                            int64_t count, const gan_mixture *mixture);

/* The example of a set that is nearest to a sample. */
typedef struct gan_neighbour {
    int64_t index;   /* in the set */
    double distance; /* of the pixels, which are in [0, 1]: the square root of the sum of squares */
    bool mirrored;   /* the example is this near when it is mirrored left-right */
} gan_neighbour;

enum { GAN_NEAREST_SAMPLES = 1024 };

/* For each of `count` samples (count, height, width, channels) of the set's shape, whose pixels are
 * in [low, high], the nearest example of the set; with `mirrored` mirrored examples count as well.
 * This is what figure 2 of Goodfellow et al. 2014 shows. Products on `device` find whom to look at,
 * distances are then taken in double. At most GAN_NEAREST_SAMPLES samples. Argument error; memory
 * error. */
GAN_API gan_status gan_metric_nearest(gan_neighbour *out, gan_device *device,
                                      const gan_dataset *set, const float *samples, int64_t count,
                                      double low, double high, bool mirrored);

/* The Fréchet distance of two sets of vectors, as if each were of a Gaussian (Heusel et al. 2017,
 * section 2): ‖m - n‖² + tr(S + T - 2·(S·T)^½), m and n the means, S and T the covariances over count
 * - 1. `a` is (a_count, dims), `b` (b_count, dims), in host memory; computed in double. With few
 * vectors it comes out too large, so it is to be compared between equal counts. Argument error for
 * fewer than two vectors, and for numbers that are not finite; memory error. */
GAN_API gan_status gan_metric_frechet(double *out, const float *a, int64_t a_count, const float *b,
                                      int64_t b_count, int64_t dims);

/* ---- a classifier of images, to judge others by ---- */

/* Two convolutions and two linear layers (4x4/2 of 32 and of 64 channels, 128 units, the classes),
 * rectifiers between, dropout before the last. */
typedef struct gan_classifier gan_classifier;

/* All zero is the default. */
typedef struct gan_classifier_options {
    int64_t count;   /* examples to learn from, as gan_dataset_balanced() chooses; 0: all */
    int64_t updates; /* of Adam, whose rate falls to 0 in a line; 0: two epochs */
    int64_t batch;   /* 0: 64, or all examples where they are fewer */
    double rate;     /* at first; 0: 0.001 */
    uint64_t seed;   /* of weights, order and dropout */
    /* A discriminator in place of the network above, with an output a class; its sizes are those of
     * the set. NULL: none. `networks` and `norm`, `weight` as in gan_game_options. */
    const gan_model *model;
    const gan_model_options *networks;
    const gan_norm *norm;
    const gan_weight_rule *weight;
    /* Called when what was given has been found good and training, which takes a while, begins.
     * NULL: not. */
    void (*begin)(void *context);
    void *context;
} gan_classifier_options;

/* Trains one on a set with labels; the device is borrowed until it is closed. Argument error; memory
 * error. `options` may be NULL. */
GAN_API gan_status gan_classifier_train(gan_classifier **out, gan_device *device,
                                        const gan_dataset *set,
                                        const gan_classifier_options *options);
GAN_API void gan_classifier_close(gan_classifier *classifier);

/* How many classes it tells apart. */
GAN_API int64_t gan_classifier_classes(const gan_classifier *classifier);

/* A hash (FNV-1a) of all weights, to be printed with every number that they gave. */
GAN_API gan_status gan_classifier_hash(uint64_t *out, gan_classifier *classifier);

/* Writes it as safetensors, the tensors' names those of the layers; and reads it back. Argument error
 * for one that is a discriminator; I/O error; format error. */
GAN_API gan_status gan_classifier_save(gan_classifier *classifier, const char *path);
GAN_API gan_status gan_classifier_load(gan_classifier **out, gan_device *device, const char *path);

/* The most likely class of each of `count` images (count, height, width, channels), of the size that
 * it was trained on, whose pixels are in [low, high]. */
GAN_API gan_status gan_classifier_classify(gan_classifier *classifier, int32_t *classes,
                                           const float *images, int64_t count, double low,
                                           double high);

/* What it sees in each of `count` images, given as above: its units before the last layer, written
 * to features (count, GAN_CLASSIFIER_FEATURES). Argument error for one that is a discriminator. */
enum { GAN_CLASSIFIER_FEATURES = 128 };
GAN_API gan_status gan_classifier_features(gan_classifier *classifier, float *features,
                                           const float *images, int64_t count, double low,
                                           double high);

/* The share of a labelled set's images, in [0, 1], that it recognises. Argument error for a set of
 * other sizes or classes. */
GAN_API gan_status gan_classifier_accuracy(double *out, gan_classifier *classifier,
                                           const gan_dataset *set);

/* The one-to-one assignment of `n` rows to `n` columns with the largest sum of table (n, n), entries
 * >= 0 (the Hungarian method): column[row], and the sum into `total` (may be NULL). What a clustering
 * without names is scored by. Memory error. */
GAN_API gan_status gan_metric_matching(int64_t *column, int64_t *total, const int64_t *table,
                                       int64_t n);

#ifdef __cplusplus
}
#endif
#endif
