/* The stand-ins for cuBLAS and cuDNN, in place of src/cuda/libraries.c. */
#include "cuda/libraries.h"

gan_cuda_libraries gan_cuda_library = {
#define GAN_CUDA_FUNCTION(library, name) .name = name,
#include "cuda/libraries.def"
#undef GAN_CUDA_FUNCTION
};

gan_status gan_cuda_libraries_open(void) { return GAN_OK; }
