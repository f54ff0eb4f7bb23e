/* Single ops of the shapes that occur in the cases.
 *
 *     bench_ops [--device NAME] [--threads N] [--seconds S] [--paced 1]
 *
 * One line an op: what it is, the seconds of a run (the shortest of many), operations, and bytes
 * that it must read and write. A convolution counts every filter element, padding or not.
 * On CUDA those of few channels come twice more in f32 and bf16, by ganc's own kernels and by the
 * library: what the rule that chooses between them is to be held against.
 * With --paced it waits for a line on standard input before it goes on to the next op, so that
 * another program can be timed in between. bench/ops holds the lines against the device's limits
 * and the library's own calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "ops.h"

int main(int argc, char **argv) {
    bench b = {.name = "cpu", .seconds = 0.2, .dtype = GAN_F32};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--device") == 0) b.name = argv[i + 1];
        if (strcmp(argv[i], "--threads") == 0) b.options.threads = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--seconds") == 0) b.seconds = atof(argv[i + 1]);
        if (strcmp(argv[i], "--paced") == 0) b.paced = atoi(argv[i + 1]) != 0;
    }
    bench_check(gan_device_open(&b.device, b.name, &b.options));
    gan_device_info info;
    bench_check(gan_device_describe(b.device, &info));
    b.cuda = strcmp(info.kind, "cuda") == 0;
    ops_products(&b);
    ops_convs(&b);
    ops_moves(&b);
    ops_norms(&b);
    gan_device_close(b.device);
    return 0;
}
