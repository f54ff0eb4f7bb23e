/* What kernels/gpu.h includes when a C++ compiler, not nvcc, reads a kernel: CUDA's language on the
 * host.
 *
 * The threads of a block are fibres that change at barriers and warp collectives, in an order that
 * the environment chooses: SIMT_ORDER=fwd|rev|rand, SIMT_SEED=n. Memory is what the host has, so
 * that the compiler's sanitizers see every access of a kernel. What the language leaves undefined
 * and a test can notice ends the program with exit code 70 and a line that names kernel, block,
 * thread, file and line.
 *
 * A test instrument: not fast, but strict.
 */
#pragma once

#include <cuda_runtime_api.h> /* types; simt's runtime defines the functions */

#include <cuda_bf16.h>
#include <vector_functions.h>

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "simt_language.h"
#include "simt_launch.h"
#include "simt_sync.h"

#include "simt_atomic.h"
#include "simt_math.h"
