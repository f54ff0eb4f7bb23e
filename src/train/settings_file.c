/* Settings from and to YAML, by way of the flat list of keys and texts. */
#include <string.h>

#include "base/error.h"
#include "ganc/io.h"
#include "train/settings.h"

/* A key at its default asks for nothing, so a run's config.yaml, which has them all, is taken. */
static gan_status check(const gan_settings *settings, const gan_config_entry *e) {
    char given[GAN_SETTING_TEXT], initial[GAN_SETTING_TEXT];
    gan_settings defaults = *settings;
    gan_settings_reset(&defaults, e->key);
    gan_settings_get(settings, e->key, given, sizeof given);
    gan_settings_get(&defaults, e->key, initial, sizeof initial);
    return strcmp(given, initial) ? gan_settings_check(settings, e->key, e->where) : GAN_OK;
}

static gan_status apply(gan_settings *settings, gan_config *list, const char *name) {
    gan_status status = GAN_OK;
    gan_settings changed = *settings; /* all or nothing */
    const size_t n = gan_config_count(list);
    if (!n)
        status = gan_fail(GAN_ERROR_FORMAT,
                          "%s: holds no key; expected lines of the form KEY: VALUE", name);
    for (size_t i = 0; i < n && status == GAN_OK; i++) {
        const gan_config_entry *e = gan_config_at(list, i);
        status = gan_settings_set(&changed, e->key, e->value, e->where);
    }
    for (size_t i = 0; i < n && status == GAN_OK; i++)
        status = check(&changed, gan_config_at(list, i));
    gan_config_destroy(list);
    if (status == GAN_OK) *settings = changed;
    return status;
}

gan_status gan_settings_read(gan_settings *settings, const char *path) {
    gan_config *list;
    GAN_TRY(gan_config_read(&list, path));
    return apply(settings, list, path);
}

gan_status gan_settings_read_memory(gan_settings *settings, const void *text, size_t size,
                                    const char *name) {
    gan_config *list;
    GAN_TRY(gan_config_read_memory(&list, text, size, name));
    return apply(settings, list, name);
}

gan_status gan_settings_assign(gan_settings *settings, const char *assignment) {
    const char *equals = strchr(assignment, '=');
    char key[256];
    if (!equals || (size_t)(equals - assignment) >= sizeof key)
        return gan_fail(GAN_ERROR_ARGUMENT, "--set '%.200s': expected key=value", assignment);
    memcpy(key, assignment, (size_t)(equals - assignment));
    key[equals - assignment] = 0;
    return gan_settings_set(settings, key, equals + 1, "--set");
}

static gan_status list_all(gan_config *list, const gan_settings *settings) {
    char value[GAN_SETTING_TEXT];
    for (size_t i = 0; i < gan_settings_key_count(); i++) {
        const char *key = gan_settings_key_at(i).name;
        GAN_TRY(gan_settings_get(settings, key, value, sizeof value));
        GAN_TRY(gan_config_set(list, key, value, NULL));
    }
    return GAN_OK;
}

gan_status gan_settings_text(char **text, const gan_settings *settings) {
    gan_config *list;
    *text = NULL;
    GAN_TRY(gan_config_create(&list));
    gan_status status = list_all(list, settings);
    if (status == GAN_OK) status = gan_config_text(text, list);
    gan_config_destroy(list);
    return status;
}

gan_status gan_settings_write(const gan_settings *settings, const char *path) {
    gan_config *list;
    GAN_TRY(gan_config_create(&list));
    gan_status status = list_all(list, settings);
    if (status == GAN_OK) status = gan_config_write(list, path);
    gan_config_destroy(list);
    return status;
}
