/* What reading and writing a configuration share. */
#ifndef GANC_IO_CONFIG_H
#define GANC_IO_CONFIG_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "ganc/io.h"

enum { GAN_CONFIG_LIMIT = 1 << 20, GAN_CONFIG_ENTRIES = 4096, GAN_CONFIG_KEY = 200 };

struct gan_config {
    gan_arena *arena; /* of all text */
    gan_config_entry *entries;
    size_t count;
};

/* Appends a key that is not there yet. The message of a failure does not say where. */
gan_status gan_config_append(gan_config *config, const char *key, const char *value,
                             const char *where, int line);

/* The Unicode character at `text` and, in `*length`, its bytes; 0 and 0 when it is no UTF-8. */
uint32_t gan_config_character(const char *text, int *length);

#endif
