/* Data: sets of images in host memory, and mixtures of Gaussians in the plane. */
#ifndef GANC_DATA_H
#define GANC_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "ganc/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- images ---- */

typedef struct gan_dataset {
    char *name;
    uint8_t *images; /* (count, height, width, channels), channels 1 or 3 */
    int64_t count, height, width, channels;
    int32_t *labels; /* (count), each in [0, classes); NULL when the set has none */
    int classes;     /* 0 when the set has no labels */
} gan_dataset;

typedef enum gan_split { GAN_SPLIT_TRAIN, GAN_SPLIT_TEST } gan_split;

typedef enum gan_fit {
    GAN_FIT_PAD,    /* a black border around smaller images, the centre of larger ones */
    GAN_FIT_RESIZE, /* the largest square in the centre, scaled: box filter down, linear filter up
                     */
} gan_fit;

/* All zero is the default: the training split as it is, looked for where Debian puts it. */
typedef struct gan_dataset_options {
    gan_split split;  /* of sets that have one; a single file is taken whole */
    int64_t size;     /* pixels a side wanted; 0: as they are */
    gan_fit fit;      /* how to get there */
    int64_t channels; /* 1 or 3 wanted; 0: as they are */
    const char *const
        *folders; /* where to look for sets by name, before Debian's place: FOLDER/NAME */
    size_t folder_count;
} gan_dataset_options;

/* Opens a set by name ("fashion-mnist", "mnist"), or the path of a folder that holds the four IDX
 * files of such a set, or the path of one IDX file of images (N,H,W) or (N,H,W,C); all plain or
 * gzip. Labels of a single file are taken from the file beside it whose name says labels-idx1 for
 * images-idx3 (idx4), if there is one. `options` may be NULL. Argument error for an unknown name;
 * I/O error; format error for files that are damaged, empty or do not belong together. */
GAN_API gan_status gan_dataset_open(gan_dataset **out, const char *name_or_path,
                                    const gan_dataset_options *options);
GAN_API void gan_dataset_destroy(gan_dataset *dataset);

/* The names gan_dataset_open() knows; NULL past the last. */
GAN_API const char *gan_dataset_known(size_t index);

/* Makes every image size x size. The set is unchanged on an error. Argument error; memory error. */
GAN_API gan_status gan_dataset_fit(gan_dataset *dataset, int64_t size, gan_fit fit);

/* Makes every image grey (1: Rec. 601 luma) or RGB (3). The set is unchanged on an error. */
GAN_API gan_status gan_dataset_convert(gan_dataset *dataset, int64_t channels);

/* ---- mixtures of Gaussians in the plane, all modes with equal weight and the same deviation ----
 */

typedef struct gan_mixture {
    const char *name;
    const char *summary; /* one line */
    int64_t modes;
    const float *centres; /* (modes, 2) */
    float sigma;          /* of each coordinate about its centre */
    float extent;         /* a picture from -extent to extent in x and y shows all of it */
} gan_mixture;

/* "ring8": 8 modes on a circle of radius 1, sigma 0.01. "grid25": {-4,-2,0,2,4}^2, sigma 0.05.
 * NULL when unknown, or past the last. Constant. */
GAN_API const gan_mixture *gan_mixture_find(const char *name);
GAN_API const gan_mixture *gan_mixture_at(size_t index);

#ifdef __cplusplus
}
#endif
#endif
