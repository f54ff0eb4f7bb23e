/* Data: sets of images in host memory, mixtures of Gaussians in the plane, sequences by a grammar.
 */
#ifndef GANC_DATA_H
#define GANC_DATA_H

#include <stdbool.h>
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
    int32_t *labels;    /* (count), each in [0, classes); NULL when the set has none */
    int classes;        /* 0 when the set has no labels */
    char **class_names; /* (classes): what a folder's classes are called; else NULL */
} gan_dataset;

typedef enum gan_split { GAN_SPLIT_TRAIN, GAN_SPLIT_TEST } gan_split;

/* How a picture gets to height x width. Down by the mean over areas (a box filter), up by a cubic
 * (Catmull-Rom), each axis by itself, on the bytes as they are (no gamma). */
typedef enum gan_fit {
    GAN_FIT_PAD,     /* as it is: a border around what is smaller, the centre of what is larger */
    GAN_FIT_RESIZE,  /* the largest part in the centre that has the shape wanted, scaled */
    GAN_FIT_CONTAIN, /* all of it, scaled until it fits, and a border where it does not reach */
    GAN_FIT_STRETCH, /* all of it, scaled to height and to width */
} gan_fit;

/* All zero is the default: the training split as it is, looked for where Debian puts it. */
typedef struct gan_dataset_options {
    gan_split split;  /* of sets that have one; others are taken whole */
    int64_t size;     /* pixels a side wanted, or the height; 0: as they are */
    int64_t width;    /* pixels; 0: as `size`, a square */
    gan_fit fit;      /* how to get there */
    int border;       /* grey level, 0 .. 255, of the border that pad and contain add */
    int64_t channels; /* 1 or 3 wanted; 0: as they are */
    const char *const
        *folders; /* where to look for sets by name, before Debian's place: FOLDER/NAME */
    size_t folder_count;
} gan_dataset_options;

/* Opens a set by name ("fashion-mnist", "mnist", "cifar-10", "cifar-100") or path:
 *
 * - a folder with the four IDX files of MNIST, or one IDX file of images (N,H,W) or (N,H,W,C); all
 *   plain or gzip. Labels of a single file are taken from the file beside it whose name says
 *   labels-idx1 for images-idx3 (idx4), if there is one.
 * - a folder with the binary files of CIFAR-10 (data_batch_1.bin …, test_batch.bin) or of CIFAR-100
 *   (train.bin, test.bin; the fine labels), or one such file, NAME.bin.
 * - any other folder: all pictures in it and below, NAME.png, .jpg or .jpeg, in the order of their
 *   paths. PNG of every type, transparency laid on white; JPEG grey or colour. Where no picture
 *   lies in FOLDER itself, the folders in it are the classes, numbered from 0 in the order of their
 *   names. When FOLDER has both "train" and "test", the split chooses one. Pictures of
 *   different sizes need `size`; grey ones among coloured become RGB.
 *
 * `options` may be NULL. Argument error for an unknown name and for options that cannot be; I/O
 * error; format error for files that are damaged, empty or do not belong together: the message
 * names the file. */
GAN_API gan_status gan_dataset_open(gan_dataset **out, const char *name_or_path,
                                    const gan_dataset_options *options);
GAN_API void gan_dataset_destroy(gan_dataset *dataset);

/* The names gan_dataset_open() knows; NULL past the last. */
GAN_API const char *gan_dataset_known(size_t index);

/* Makes every image height x width, sides in 1 .. 4096. The set is unchanged on an error. Argument
 * error; memory error. */
GAN_API gan_status gan_dataset_fit(gan_dataset *dataset, int64_t height, int64_t width, gan_fit fit,
                                   int border);

/* Makes every image grey (1: Rec. 601 luma) or RGB (3). The set is unchanged on an error. */
GAN_API gan_status gan_dataset_convert(gan_dataset *dataset, int64_t channels);

/* The positions of `count` examples into `index`: the first of each class in the order of the set,
 * class by class in turn, so as many of one as of another but for the remainder and for classes that
 * run out. Argument error for a set without labels or with fewer examples; memory error. */
GAN_API gan_status gan_dataset_balanced(int32_t *index, const gan_dataset *set, int64_t count);

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

/* ---- sequences of symbols, of fixed length, by a grammar that is known ----
 *
 * Success at making discrete sequences is then a number: the share that breaks the grammar, beside
 * how many different ones there are. */

typedef struct gan_automaton gan_automaton;

typedef struct gan_grammar {
    const char *name;
    const char *summary; /* one line */
    const char *letters; /* a character a symbol */
    int64_t symbols, length;
    const gan_automaton *automaton;
} gan_grammar;

/* "brackets": ( ) [ ] nested correctly, three deep at most, 16 symbols. "expressions": x with
 * operators between, the context-free grammar S -> x | S+S | S-S | S*S | S/S (Kusner and
 * Hernandez-Lobato 2016), 12 symbols. "reber": the finite automaton of Reber 1967, 16 symbols. The
 * latter two end in blanks. NULL when unknown, or past the last. Constant. */
GAN_API const gan_grammar *gan_grammar_find(const char *name);
GAN_API const gan_grammar *gan_grammar_at(size_t index);

/* How many sequences the grammar allows; exact. */
GAN_API double gan_grammar_size(const gan_grammar *grammar);

/* Draws `count` sequences into `symbols` (count, length), each allowed one with equal probability,
 * independently. Equal seeds give equal sequences. */
GAN_API void gan_grammar_draw(const gan_grammar *grammar, int32_t *symbols, int64_t count,
                              uint64_t seed);

/* Whether one sequence (length) is allowed; what is no symbol is not. */
GAN_API bool gan_grammar_accepts(const gan_grammar *grammar, const int32_t *symbols);

/* The share, in [0, 1], of sequences (count, length) that are not allowed; 0 for none. */
GAN_API double gan_grammar_violations(const gan_grammar *grammar, const int32_t *symbols,
                                      int64_t count);

/* How many different allowed sequences are among them. Memory error. */
GAN_API gan_status gan_grammar_distinct(int64_t *out, const gan_grammar *grammar,
                                        const int32_t *symbols, int64_t count);

/* One sequence as text of `length` letters and a zero. */
GAN_API void gan_grammar_text(const gan_grammar *grammar, const int32_t *symbols, char *text);

#ifdef __cplusplus
}
#endif
#endif
