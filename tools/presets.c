/* Presets and configuration files. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "ganc/io.h"

const preset *find_preset(const char *name) {
    for (int i = 0; i < n_presets; i++)
        if (!strcmp(presets[i].name, name)) return &presets[i];
    return NULL;
}

int unknown_preset(const usage *u, const char *name, const char *expected) {
    const char *names[256] = {0};
    int n = 0;
    for (; n < n_presets && n < 256; n++) names[n] = presets[n].name;
    const char *near = gan_config_nearest(name, names, (size_t)n), *end = "'?";
    const size_t length = strlen(name);
    for (int i = 0; i < n && !near && length >= 3; i++)
        if (!strncmp(names[i], name, length)) near = names[i], end = "' or another that begins so?";
    return wrong_usage(u, "'%s' is not %s%s%s%s; `ganc presets` lists the presets", name, expected,
                       near ? "; did you mean '" : "", near ? near : "", near ? end : "");
}

int open_settings(const usage *u, gan_settings **out, const char *name) {
    const preset *p = find_preset(name);
    struct stat file;
    *out = NULL;
    if (!p && stat(name, &file)) return unknown_preset(u, name, "a preset or a file");
    if (!p && S_ISDIR(file.st_mode))
        return wrong_usage(u,
                           "'%s' is a folder, expected a preset or a YAML file; a run in it goes "
                           "on with `ganc train --resume --out %s`",
                           name, name);
    if (gan_settings_create(out)) return failed();
    gan_status status = p ? gan_settings_read_memory(*out, p->text, p->length, p->name)
                          : gan_settings_read(*out, name);
    if (status == GAN_OK) return -1;
    gan_settings_destroy(*out);
    *out = NULL;
    return failed();
}

int apply_sets(const usage *u, gan_settings *settings, const repeated *sets) {
    char key[256];
    for (int i = 0; i < sets->n; i++)
        if (gan_settings_assign(settings, sets->value[i]))
            return wrong_usage(u, "%s", gan_last_error());
    for (int i = 0; i < sets->n; i++) {
        snprintf(key, sizeof key, "%.*s", (int)strcspn(sets->value[i], "="), sets->value[i]);
        if (gan_settings_check(settings, key, "--set"))
            return wrong_usage(u, "%s", gan_last_error());
    }
    gan_settings_tidy(settings);
    return -1;
}
