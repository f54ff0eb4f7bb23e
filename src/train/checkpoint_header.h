/* What writing and reading a checkpoint agree on. */
#ifndef GANC_TRAIN_CHECKPOINT_HEADER_H
#define GANC_TRAIN_CHECKPOINT_HEADER_H

#include <stdio.h>
#include <string.h>

#include "train/checkpoint.h"

#define GAN_CHECKPOINT_FORMAT "ganc checkpoint 1"
#define GAN_META "ganc."
#define GAN_META_SETTING "setting."

enum { GAN_TENSOR_NAME = 256, GAN_HASH_DIGITS = 16 };

/* Data and records are no part of the state. */
static inline bool gan_checkpoint_keeps(const gan_variable *v) {
    return gan_variable_role(v) != GAN_DATA && gan_variable_role(v) != GAN_RECORD;
}

/* ROLE/GROUP/NAME */
static inline void gan_checkpoint_name(char name[GAN_TENSOR_NAME], const gan_variable *v) {
    snprintf(name, GAN_TENSOR_NAME, "%s/%s", gan_role_name(gan_variable_role(v)),
             gan_variable_name(v));
}

static inline size_t gan_variable_bytes(const gan_variable *v) {
    return (size_t)gan_shape_size(gan_variable_shape(v)) * gan_dtype_size(gan_variable_dtype(v));
}

/* FNV-1a; the header's hash is the sum over its parts, so that their order in the file is free. */
static inline uint64_t gan_hash_text(uint64_t h, const char *text) {
    do h = (h ^ (unsigned char)*text) * 1099511628211u;
    while (*text++);
    return h;
}

static inline uint64_t gan_checkpoint_hash_entry(gan_metadata entry) {
    return gan_hash_text(gan_hash_text(14695981039346656037u, entry.key), entry.value);
}

static inline uint64_t gan_checkpoint_hash_tensor(const gan_tensor_info *t) {
    char text[160];
    int used = snprintf(text, sizeof text, "%s", gan_dtype_name(t->dtype));
    for (int i = 0; i < t->shape.rank; i++)
        used +=
            snprintf(text + used, sizeof text - (size_t)used, ",%lld", (long long)t->shape.dim[i]);
    return gan_hash_text(gan_hash_text(14695981039346656037u, t->name), text);
}

/* Of a tensor's bytes: FNV-1a over words of eight bytes in four lanes, for a lane alone waits for
 * its multiplications. Every byte reaches the result by steps that can be undone, so no single
 * change is lost. */
static inline uint64_t gan_hash_bytes(const void *data, size_t bytes) {
    const unsigned char *p = data;
    uint64_t lane[4] = {14695981039346656037u, bytes, 1, 2};
    for (; bytes >= 32; bytes -= 32, p += 32) {
        uint64_t word[4];
        memcpy(word, p, sizeof word);
        for (int i = 0; i < 4; i++) {
            lane[i] = (lane[i] ^ word[i]) * 1099511628211u;
            lane[i] ^= lane[i] >> 29;
        }
    }
    for (; bytes; bytes--, p++) lane[0] = (lane[0] ^ *p) * 1099511628211u;
    for (int i = 1; i < 4; i++) {
        lane[0] = (lane[0] ^ lane[i]) * 1099511628211u;
        lane[0] ^= lane[0] >> 29;
    }
    return lane[0];
}

#endif
