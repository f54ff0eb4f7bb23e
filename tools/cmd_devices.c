/* ganc devices: what can train here, and why the rest cannot. */
#include <stdio.h>

#include "cli.h"

static const option options[] = {{0}};

static const usage devices_usage = {
    .command = "devices",
    .operands = "",
    .about = "Lists the devices of this machine, and says why a kind of device is missing.",
    .options = options,
};

enum { MAX_DEVICES = 64 };

static double gib(size_t bytes) { return (double)bytes / (1024.0 * 1024.0 * 1024.0); }

int cmd_devices(int argc, char **argv) {
    int n_operands;
    int code = read_arguments(&devices_usage, argc, argv, 0, NULL, &n_operands);
    if (code >= 0) return code;
    gan_device_info info[MAX_DEVICES];
    int n = gan_device_list(info, MAX_DEVICES);
    for (int i = 0; i < n && i < MAX_DEVICES; i++)
        printf("%s: %.1f of %.1f GiB free; %s\n", device_text(&info[i]), gib(info[i].memory_free),
               gib(info[i].memory_total), info[i].version);
    char reason[512];
    gan_device_absence("cuda", reason, sizeof reason);
    if (reason[0]) printf("cuda: none, %s\n", reason);
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}
