/* ganc presets: the configurations that come with the command. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const option options[] = {{0}};

static const usage presets_usage = {
    .command = "presets",
    .operands = "[PRESET]",
    .about = "Lists the presets, or prints one as YAML: a start for a configuration of one's own.",
    .options = options,
};

static int longest_name(void) {
    size_t width = 0;
    for (int i = 0; i < n_presets; i++)
        if (strlen(presets[i].name) > width) width = strlen(presets[i].name);
    return (int)width;
}

static int print_list(void) {
    const int width = longest_name();
    printf("%-*s  %s\n", width, "PRESET", "WHAT IT TRAINS");
    for (int i = 0; i < n_presets; i++) {
        gan_settings *settings;
        char about[256];
        int code = open_settings(&presets_usage, &settings, presets[i].name);
        if (code >= 0) return code;
        gan_settings_get(settings, "description", about, sizeof about);
        printf("%-*s  %s\n", width, presets[i].name, about);
        gan_settings_destroy(settings);
    }
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

int cmd_presets(int argc, char **argv) {
    const char *name = NULL;
    int n_operands;
    int code = read_arguments(&presets_usage, argc, argv, 1, &name, &n_operands);
    if (code >= 0) return code;
    if (!n_operands) return print_list();
    const preset *p = find_preset(name);
    if (!p) return unknown_preset(&presets_usage, name, "a preset");
    fwrite(p->text, 1, p->length, stdout);
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}
