/* cuBLAS and cuDNN, which are opened when a GPU is: to load them takes 0.2 s and 200 MiB, and
 * whoever trains on the CPU need not have them. */
#ifndef GANC_CUDA_LIBRARIES_H
#define GANC_CUDA_LIBRARIES_H

#include <cublas_v2.h>
#include <cudnn.h>

#include "ganc/status.h"

typedef struct gan_cuda_libraries {
#define GAN_CUDA_FUNCTION(library, name) __typeof__(name) *name;
#include "cuda/libraries.def"
#undef GAN_CUDA_FUNCTION
} gan_cuda_libraries;

/* Their functions; NULL before gan_cuda_libraries_open(). */
extern gan_cuda_libraries gan_cuda_library;

/* Opens both libraries once, from any thread: those of the versions that this was compiled for,
 * where the system looks for libraries, else where they were then. Device error, the same ever
 * after, naming what is missing. */
gan_status gan_cuda_libraries_open(void);

#endif
