/* The device table: the one place that knows which backends this build has. The first one that has
 * a usable device is the default. */
#include "device/backend.h"

extern const gan_backend gan_cpu_backend;
#ifdef GANC_HAVE_CUDA
extern const gan_backend gan_cuda_backend;
#endif

const gan_backend *const gan_backends[] = {
#ifdef GANC_HAVE_CUDA
    &gan_cuda_backend,
#endif
    &gan_cpu_backend,
};
const int gan_backend_count = (int)(sizeof gan_backends / sizeof *gan_backends);
