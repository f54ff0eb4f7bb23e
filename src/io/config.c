#include "io/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

gan_status gan_config_create(gan_config **out) {
    gan_config *config = calloc(1, sizeof *config);
    *out = config;
    if (config) {
        config->arena = gan_arena_create();
        config->entries = calloc(GAN_CONFIG_ENTRIES, sizeof *config->entries);
        if (config->arena && config->entries) return GAN_OK;
    }
    gan_config_destroy(config);
    *out = NULL;
    return gan_fail(GAN_ERROR_MEMORY, "configuration: out of memory");
}

void gan_config_destroy(gan_config *config) {
    if (!config) return;
    gan_arena_destroy(config->arena);
    free(config->entries);
    free(config);
}

size_t gan_config_count(const gan_config *config) {
    return config->count;
}

const gan_config_entry *gan_config_at(const gan_config *config, size_t index) {
    return index < config->count ? &config->entries[index] : NULL;
}

static gan_config_entry *find(const gan_config *config, const char *key) {
    for (size_t i = 0; i < config->count; i++)
        if (strcmp(config->entries[i].key, key) == 0) return &config->entries[i];
    return NULL;
}

const gan_config_entry *gan_config_find(const gan_config *config, const char *key) {
    return find(config, key);
}

uint32_t gan_config_character(const char *text, int *length) {
    const unsigned char *s = (const unsigned char *)text;
    const int n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = n == 1 ? s[0] : n == 0 ? 0 : s[0] & (0xffu >> (n + 1));
    *length = 0;
    if (n == 0 || s[0] > 0xf4) return 0;
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return 0;
    *length = n;
    return c;
}

/* Words of letters, digits, _ and -, joined by single dots. */
static bool key_is_valid(const char *key) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const size_t length = strlen(key);
    if (length > GAN_CONFIG_KEY) return false;
    for (const char *p = key;; p++) {
        const size_t word = strspn(p, allowed);
        if (!word) return false;
        p += word;
        if (!*p) return true;
        if (*p != '.') return false;
    }
}

static gan_status check(const char *key, const char *value) {
    if (!key_is_valid(key))
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "key '%.100s': expected words of letters, digits, _ and -, joined by dots",
                        key);
    int length;
    for (const char *p = value; *p; p += length) {
        gan_config_character(p, &length);
        if (!length) return gan_fail(GAN_ERROR_ARGUMENT, "key '%s': its value is not UTF-8", key);
    }
    return GAN_OK;
}

gan_status gan_config_append(gan_config *config, const char *key, const char *value,
                             const char *where, int line) {
    GAN_TRY(check(key, value));
    if (config->count == GAN_CONFIG_ENTRIES)
        return gan_fail(GAN_ERROR_ARGUMENT, "more than %d keys", GAN_CONFIG_ENTRIES);
    gan_config_entry entry = {gan_arena_printf(config->arena, "%s", key),
                              gan_arena_printf(config->arena, "%s", value),
                              gan_arena_printf(config->arena, "%s", where), line};
    if (!entry.key || !entry.value || !entry.where)
        return gan_fail(GAN_ERROR_MEMORY, "configuration: out of memory");
    config->entries[config->count++] = entry;
    return GAN_OK;
}

gan_status gan_config_set(gan_config *config, const char *key, const char *value,
                          const char *where) {
    gan_config_entry *entry = find(config, key);
    if (!entry) {
        gan_status status = gan_config_append(config, key, value, where, 0);
        return status == GAN_OK ? status : gan_fail_within(status, "%s", where);
    }
    gan_status status = check(key, value);
    if (status != GAN_OK) return gan_fail_within(status, "%s", where);
    const char *new_value = gan_arena_printf(config->arena, "%s", value);
    const char *new_where = gan_arena_printf(config->arena, "%s", where);
    if (!new_value || !new_where) return gan_fail(GAN_ERROR_MEMORY, "configuration: out of memory");
    *entry = (gan_config_entry){entry->key, new_value, new_where, 0};
    return GAN_OK;
}

gan_status gan_config_assign(gan_config *config, const char *assignment) {
    const char *equals = strchr(assignment, '=');
    if (!equals)
        return gan_fail(GAN_ERROR_ARGUMENT, "--set %.100s: expected KEY=VALUE", assignment);
    char key[GAN_CONFIG_KEY + 1];
    const size_t length = (size_t)(equals - assignment);
    if (length > GAN_CONFIG_KEY)
        return gan_fail(GAN_ERROR_ARGUMENT, "--set %.100s: the key is too long", assignment);
    memcpy(key, assignment, length);
    key[length] = 0;
    return gan_config_set(config, key, equals + 1, "--set");
}

const char *gan_config_nearest(const char *given, const char *const *known, size_t count) {
    return gan_nearest(given, known, count);
}
