/* Small things to train on: a set of small images in the scratch folder, settings for a few steps,
 * runs. */
#ifndef GANC_TEST_TINY_H
#define GANC_TEST_TINY_H

#include <stddef.h>
#include <stdint.h>

#include "ganc/io.h"
#include "ganc/train.h"

/* Writes `count` grey images of size × size, a bright bar on a dark ground each, as IDX. */
void tiny_images(const char *name, int64_t count, int64_t size);

enum { TINY_PAIRS = 8 };

/* What a test changes: pairs of key and value, up to the first NULL. */
typedef const char *tiny_pairs[TINY_PAIRS][2];

/* Settings for small networks and a few steps, with what `pairs` (may be NULL) change. */
gan_settings *tiny_settings(const char *data, const tiny_pairs *pairs);

/* Trains from where the folder scratch(NAME) is, or afresh, up to `steps`; fails the test on an
 * error. */
void tiny_run(const gan_settings *settings, const char *name, int64_t steps, int threads,
              bool resume);

/* Fails the test unless two files hold the same tensors, byte for byte; returns how many. */
size_t tiny_same_tensors(const char *one, const char *other);

#endif
