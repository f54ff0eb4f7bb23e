/* Any bytes as a configuration: what is accepted can be written and is read back as it was. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ganc/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gan_config *config, *again;
    gan_status status = gan_config_read_memory(&config, data, size, "fuzz");
    if (status != GAN_OK) {
        if (config || !*gan_last_error() || strchr(gan_last_error(), '\n')) abort();
        return 0;
    }
    char *text;
    if (gan_config_text(&text, config) != GAN_OK) abort();
    const size_t length = strlen(text);
    if (length <= 1 << 20) { /* quotes may make it longer than what is read */
        if (gan_config_read_memory(&again, text, length, "again") != GAN_OK) abort();
        if (gan_config_count(again) != gan_config_count(config)) abort();
        for (size_t i = 0; i < gan_config_count(config); i++) {
            const gan_config_entry *a = gan_config_at(config, i), *b = gan_config_at(again, i);
            if (strcmp(a->key, b->key) != 0 || strcmp(a->value, b->value) != 0) abort();
        }
        gan_config_destroy(again);
    }
    free(text);
    gan_config_destroy(config);
    return 0;
}
