/* Small things to train on: a set of small images in the scratch folder, settings for a few steps,
 * runs, and what tests of runs need beside. */
#ifndef GANC_TEST_TINY_H
#define GANC_TEST_TINY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ganc/data.h"
#include "ganc/io.h"
#include "ganc/train.h"

/* Writes `count` grey images of size × size, a bright bar on a dark ground each, as IDX. */
void tiny_images(const char *name, int64_t count, int64_t size);

enum { TINY_PAIRS = 10 };

/* What a test changes: pairs of key and value, up to the first NULL. */
typedef const char *tiny_pairs[TINY_PAIRS][2];

/* Settings for small networks and a few steps, with what `pairs` (may be NULL) change. */
gan_settings *tiny_settings(const char *data, const tiny_pairs *pairs);

/* Trains from where the folder scratch(NAME) is, or afresh, up to `steps`; fails the test on an
 * error. */
void tiny_run(const gan_settings *settings, const char *name, int64_t steps, int threads,
              bool resume);

/* The checkpoint in the folder scratch(NAME); valid as long as scratch() says. */
const char *tiny_checkpoint(const char *name);

/* Trains a preset for `steps` by the command, with other "key=value"s, at most TINY_PAIRS up to the
 * first NULL (`other` may be NULL); its checkpoint. */
const char *tiny_preset(const char *preset, int seed, int steps, const char *const *other);

/* The CPU, with `threads` threads (0: all); fails the test on an error. */
gan_device *tiny_device(int threads);

/* Whether Fashion-MNIST is not on this machine, which it prints as the reason to skip. */
bool tiny_without_fashion(void);

/* Fails the test unless two files hold the same tensors, byte for byte; returns how many. */
size_t tiny_same_tensors(const char *one, const char *other);

#endif
