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
             "of the\ndiscriminator sees. The time is what one core of an AMD EPYC takes, about; "
             "what this machine does the\nprogress line of `ganc train` says.",
    .options = options,
};

static int longest_name(void) {
    size_t width = 0;
    for (int i = 0; i < n_presets; i++)
        if (strlen(presets[i].name) > width) width = strlen(presets[i].name);
    return (int)width;
}

/* Two digits of it. */
static const char *duration(double seconds) {
    static const struct {
        double seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    static char text[32];
    int i = 0;
    if (seconds <= 0) return "";
    while (i < 3 && seconds < 1.5 * units[i].seconds) i++;
    const double n = seconds / units[i].seconds;
    snprintf(text, sizeof text, n < 9.5 && i < 3 ? "%.1f %s" : "%.0f %s", n, units[i].name);
    return text;
}

static int print_list(void) {
    static const char row[] = "%-*s  %-13s  %5s  %6s  %8s  %s\n";
    const int width = longest_name();
    printf(row, width, "PRESET", "DATA", "BATCH", "STEPS", "ONE CORE", "WHAT IT TRAINS");
    for (int i = 0; i < n_presets; i++) {
        static const char *const keys[] = {"data", "batch", "steps", "description"};
        gan_settings *settings;
        char value[4][256];
        int code = open_settings(&presets_usage, &settings, presets[i].name);
        if (code >= 0) return code;
        for (int k = 0; k < 4; k++) gan_settings_get(settings, keys[k], value[k], sizeof value[k]);
        printf(row, width, presets[i].name, value[0], value[1], value[2],
               duration(presets[i].seconds), value[3]);
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
