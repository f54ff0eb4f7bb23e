/* Settings from and to YAML, by way of the flat list of keys and texts. */
#include <string.h>

#include "base/error.h"
#include "ganc/io.h"
#include "train/settings.h"

static gan_status apply(gan_settings *settings, gan_config *list) {
    gan_status status = GAN_OK;
    gan_settings changed = *settings; /* all or nothing */
    for (size_t i = 0; i < gan_config_count(list) && status == GAN_OK; i++) {
        const gan_config_entry *e = gan_config_at(list, i);
        status = gan_settings_set(&changed, e->key, e->value, e->where);
    }
    gan_config_destroy(list);
    if (status == GAN_OK) *settings = changed;
    return status;
}

gan_status gan_settings_read(gan_settings *settings, const char *path) {
    gan_config *list;
    GAN_TRY(gan_config_read(&list, path));
    return apply(settings, list);
}

gan_status gan_settings_read_memory(gan_settings *settings, const void *text, size_t size,
                                    const char *name) {
    gan_config *list;
    GAN_TRY(gan_config_read_memory(&list, text, size, name));
    return apply(settings, list);
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

gan_status gan_settings_write(const gan_settings *settings, const char *path) {
    gan_config *list;
    char value[GAN_SETTING_TEXT];
    GAN_TRY(gan_config_create(&list));
    gan_status status = GAN_OK;
    for (size_t i = 0; i < gan_settings_key_count() && status == GAN_OK; i++) {
        const char *key = gan_settings_key_at(i).name;
        status = gan_settings_get(settings, key, value, sizeof value);
        if (status == GAN_OK) status = gan_config_set(list, key, value, NULL);
    }
    if (status == GAN_OK) status = gan_config_write(list, path);
    gan_config_destroy(list);
    return status;
}
