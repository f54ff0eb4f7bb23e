/* The inside of a classifier. */
#ifndef GANC_METRIC_CLASSIFIER_H
#define GANC_METRIC_CLASSIFIER_H

#include "ganc/metric.h"

enum { GAN_CLASSIFIER_BATCH = 256 };

struct gan_classifier {
    gan_device *device;
    int64_t height, width, channels, classes;
    gan_classifier_options options; /* the network's part of it */
    gan_model_options networks;
    double low, high; /* of the pixels that the network takes */
    gan_store *store;
    gan_graph *graph;
    gan_program *program;
    gan_node *input, *logits,
        *hidden; /* (GAN_CLASSIFIER_BATCH, …); hidden: not of a discriminator */
};

/* x (m, height, width, channels) in [low, high] -> logits (m, classes); `hidden` (may be NULL): the
 * units before the last layer, NULL of a discriminator. */
gan_node *gan_classifier_network(const gan_classifier *c, gan_scope *scope, gan_node *x,
                                 gan_node **hidden);

/* With sizes and network set, its weights as they are initialised; ready to classify. Frees it on
 * an error. */
gan_status gan_classifier_open(gan_classifier **out, const gan_classifier *like);

/* Shape error, which begins with `whose`, where it was trained on images of other sizes. */
gan_status gan_classifier_fits(const gan_classifier *c, const gan_model_options *images,
                               const char *whose);

/* Every weight and statistic, in the order of creation: NULL past the last. */
const gan_variable *gan_classifier_variable(const gan_classifier *c, size_t *at);

#endif
