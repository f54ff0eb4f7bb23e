/* ganc presets: the configurations that come with the command. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const option options[] = {{0}};

static const usage presets_usage = {
    .command = "presets",
    .operands = "[PRESET]",
    .about = "Lists the presets, or prints one as YAML: a start for a configuration of one's own.\n"
             "A step is one update of the generator, a batch as many real examples as each update "
             "of the\ndiscriminator sees. What a step takes on this machine the progress line of "
             "`ganc train` says.",
    .options = options,
};

static int longest_name(void) {
    size_t width = 0;
    for (int i = 0; i < n_presets; i++)
        if (strlen(presets[i].name) > width) width = strlen(presets[i].name);
    return (int)width;
}

static int print_list(void) {
    static const char row[] = "%-*s  %-13s  %5s  %6s  %s\n";
    const int width = longest_name();
    printf(row, width, "PRESET", "DATA", "BATCH", "STEPS", "WHAT IT TRAINS");
    for (int i = 0; i < n_presets; i++) {
        static const char *const keys[] = {"data", "batch", "steps", "description"};
        gan_settings *settings;
        char value[4][256];
        int code = open_settings(&presets_usage, &settings, presets[i].name);
        if (code >= 0) return code;
        for (int k = 0; k < 4; k++) gan_settings_get(settings, keys[k], value[k], sizeof value[k]);
        printf(row, width, presets[i].name, value[0], value[1], value[2], value[3]);
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
