#include <stdio.h>
#include <string.h>

#include "io/atomic.h"
#include "io/config.h"

static gan_status put(gan_atomic *file, const char *text) {
    return gan_atomic_write(file, text, strlen(text));
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Whether YAML takes the text for itself without quotes. Stricter than YAML's own rules. */
static bool is_plain(const char *text) {
    const char *p = text + strspn(text, "+-./_");
    return p - text <= 2 && *p && strchr(LETTERS, *p) && strspn(p, LETTERS "._-+/,") == strlen(p);
}

static bool is_printable(uint32_t c) {
    return (c >= 0x20 && c <= 0x7e) ||
           (c >= 0xa0 && c <= 0xfffd && c != 0x2028 && c != 0x2029 && c != 0xfeff) || c >= 0x10000;
}

static gan_status put_quoted(gan_atomic *file, const char *text) {
    GAN_TRY(put(file, "\""));
    int length;
    for (const char *p = text; *p; p += length) {
        const uint32_t c = gan_config_character(p, &length);
        char escaped[16];
        if (c == '"' || c == '\\') {
            GAN_TRY(put(file, "\\"));
            GAN_TRY(gan_atomic_write(file, p, 1));
        } else if (is_printable(c)) {
            GAN_TRY(gan_atomic_write(file, p, (size_t)length));
        } else {
            snprintf(escaped, sizeof escaped, "\\u%04X", (unsigned)c);
            GAN_TRY(put(file, escaped));
        }
    }
    return put(file, "\"");
}

static gan_status put_all(gan_atomic *file, const gan_config *config) {
    for (size_t i = 0; i < config->count; i++) {
        const gan_config_entry *entry = &config->entries[i];
        GAN_TRY(put(file, entry->key));
        GAN_TRY(put(file, ": "));
        GAN_TRY(is_plain(entry->value) ? put(file, entry->value) : put_quoted(file, entry->value));
        GAN_TRY(put(file, "\n"));
    }
    return GAN_OK;
}

gan_status gan_config_write(const gan_config *config, const char *path) {
    gan_atomic *file;
    GAN_TRY(gan_atomic_open(&file, path));
    gan_status status = put_all(file, config);
    if (status == GAN_OK) return gan_atomic_commit(file);
    gan_atomic_abandon(file);
    return status;
}
