/* What a preset is said to reach in a short run, as the mean of three seeds. */
#ifndef GANC_TEST_CLAIM_H
#define GANC_TEST_CLAIM_H

#include "ganc/device.h"

enum { CLAIM_SEEDS = 3 };

typedef struct claim {
    const char *preset;
    int steps;
    double least, most; /* the mean is between */
} claim;

/* A number of a run; says it on the line that was begun. `classifier`: the file that keeps it. */
typedef double (*claim_measure)(const char *checkpoint, gan_device *device, const char *classifier);

/* Trains the preset, `other` as for tiny_preset(), once a seed, and fails the test unless the mean
 * of what is measured is as claimed. */
void claim_check(const claim *c, const char *const *other, claim_measure measure,
                 gan_device *device, const char *classifier);

/* How far samples are from the test images, by gan_score_checkpoint(). */
double claim_distance(const char *checkpoint, gan_device *device, const char *classifier);

#endif
