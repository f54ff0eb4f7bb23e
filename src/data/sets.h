/* Readers of sets, a kind each. Each fills images, count, sizes and, where there are any, labels of
 * a set whose other fields are zero; after an error the caller destroys what there is. */
#ifndef GANC_DATA_SETS_H
#define GANC_DATA_SETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "ganc/data.h"

bool gan_is_folder(const char *path);

/* Whether a set known by name is found by it from any folder. */
bool gan_dataset_installed(const char *name);

/* IDX: a folder of four files, or one file of images. `classes`: 0 if they are to be counted. */
bool gan_idx_set_in(const char *folder);
gan_status gan_idx_set_open(gan_dataset *set, const char *folder, gan_split split, int classes);
gan_status gan_idx_set_open_file(gan_dataset *set, const char *file);

/* CIFAR-10 or CIFAR-100, binary version: a folder of their files, or one file. */
bool gan_cifar_in(const char *folder);
gan_status gan_cifar_open(gan_dataset *set, const char *folder, gan_split split);
gan_status gan_cifar_open_file(gan_dataset *set, const char *file);

/* Appends the records of a file in memory that messages call `name`: labels (1: CIFAR-10, 2:
 * CIFAR-100, 0: whichever it is) and 3072 bytes each. */
gan_status gan_cifar_append(gan_dataset *set, const void *bytes, size_t size, int labels,
                            const char *name);

/* PNG and JPEG pictures in a folder and those below it, made the size and the number of channels
 * that `options` ask for. */
gan_status gan_images_open(gan_dataset *set, const char *folder,
                           const gan_dataset_options *options);

#endif
