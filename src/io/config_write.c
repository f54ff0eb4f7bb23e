#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/config.h"

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

static void put_quoted(FILE *file, const char *text) {
    int length;
    fputc('"', file);
    for (const char *p = text; *p; p += length) {
        const uint32_t c = gan_config_character(p, &length);
        if (c == '"' || c == '\\')
            fprintf(file, "\\%c", (int)c);
        else if (is_printable(c))
            fwrite(p, 1, (size_t)length, file);
        else
            fprintf(file, "\\u%04X", (unsigned)c);
    }
    fputc('"', file);
}

gan_status gan_config_text(char **out, const gan_config *config) {
    size_t size;
    *out = NULL;
    FILE *file = open_memstream(out, &size);
    if (!file) return gan_fail(GAN_ERROR_MEMORY, "configuration: out of memory");
    for (size_t i = 0; i < config->count; i++) {
        const gan_config_entry *entry = &config->entries[i];
        fprintf(file, "%s: ", entry->key);
        if (is_plain(entry->value))
            fputs(entry->value, file);
        else
            put_quoted(file, entry->value);
        fputc('\n', file);
    }
    const bool complete = !ferror(file);
    if (fclose(file) == 0 && complete) return GAN_OK;
    free(*out);
    *out = NULL;
    return gan_fail(GAN_ERROR_MEMORY, "configuration: out of memory");
}

gan_status gan_config_write(const gan_config *config, const char *path) {
    char *text;
    GAN_TRY(gan_config_text(&text, config));
    gan_status status = gan_file_write(path, text, strlen(text));
    free(text);
    return status;
}
