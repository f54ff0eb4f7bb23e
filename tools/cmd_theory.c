/* ganc theory: what the papers prove, computed and drawn. */
#include <stdio.h>

#include "cli.h"
#include "ganc/theory.h"

static const char *device_name, *out;

static const option options[] = {
    {"--out", .letter = "-o", .argument = "DIR",
     .about = "where the pictures go; else the folder theory", .value = &out},
    {"--device", .argument = "NAME",
     .about = "cpu, cuda or cuda:N; else the first GPU that works, or the CPU",
     .value = &device_name},
    {0},
};

static const usage theory_usage = {
    .command = "theory",
    .operands = "",
    .about = "Computes what is proved about GANs in one dimension, where every density is known, "
             "and draws it:\n"
             "the optimal discriminator, the value of the game, the generator's gradient that "
             "vanishes and the one\n"
             "that does not, KL in both directions, and the stages of a game (figure 1 of 2014). "
             "Takes about a minute.",
    .options = options,
};

static void print_report(const gan_theory_report *r, const char *folder) {
    printf("optimal discriminator  |D - p_data/(p_data+p_g)|, where there is density: mean %.4f, "
           "at most %.4f\n",
           r->d_mean_error, r->d_max_error);
    printf("value of the game      |V(D,G) - (2 JSD - log 4)|: at most %.5f\n", r->value_error);
    printf("saturation             p_g %g away: gradient %.2g by minimax, %.2g by -log D\n",
           r->shift, r->minimax_gradient, r->non_saturating_gradient);
    printf("KL(p||q)               N(%.3f, %.3f), the mean of both modes\n", r->forward.mean,
           r->forward.deviation);
    printf("KL(q||p)               N(%.3f, %.3f), one mode\n", r->reverse.mean,
           r->reverse.deviation);
    printf("a game played          JSD(p_data, p_g) %.3f, E|D - 1/2| %.3f at its end\n",
           r->game_jsd, r->game_d_from_half);
    printf("pictures               %s/*.png\n", folder);
}

int cmd_theory(int argc, char **argv) {
    gan_device *device;
    gan_theory_report report;
    int n_operands;
    const int code = read_arguments(&theory_usage, argc, argv, 0, NULL, &n_operands);
    if (code >= 0) return code;
    const char *folder = out ? out : "theory";
    const int opened =
        open_device(&theory_usage, &device, device_name, &(gan_device_options){.threads = 1});
    if (opened >= 0) return opened;
    const gan_status status = gan_theory_draw(&report, folder, device);
    gan_device_close(device);
    if (status != GAN_OK) return failed();
    print_report(&report, folder);
    return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}
