/* Convolution in five ways: as one matrix product where it is one; by phases where windows are 4×4
 * every two pixels; as a sum of products, a filter element each, where the image has few positions;
 * by oneDNN's primitives; and by copying windows into a matrix. Which way is taken depends on
 * shapes alone. */
#ifndef GANC_CPU_CONV_H
#define GANC_CPU_CONV_H

#include "cpu/gemm.h"
#include "cpu/program.h"
#include "cpu/tasks.h"

typedef enum gan_cpu_conv_kind {
    GAN_CPU_CONV_Y,
    GAN_CPU_CONV_DX,
    GAN_CPU_CONV_DW
} gan_cpu_conv_kind;

/* y (n,p,q,k) = x (n,h,w,c) * w (k,r,s,c), or one of its two adjoints, and what follows it. */
typedef struct gan_cpu_conv {
    gan_cpu_conv_kind kind;
    int64_t n, h, w, c, p, q, k, r, s;
    gan_window window;
    gan_cpu_epilogue epilogue; /* of y and dx */
} gan_cpu_conv;

/* Copies the windows of positions [begin,end) of the n·p·q, filter rows [r0,r1), into
 * columns (end - begin, (r1 - r0)·s·c); what lies in the padding is 0. */
void gan_cpu_gather_windows(const gan_cpu_conv *conv, const float *x, int64_t begin, int64_t end,
                            int64_t r0, int64_t r1, float *columns);

/* The adjoint for whole filters: adds columns (end - begin, r·s·c) to dx. */
void gan_cpu_scatter_windows(const gan_cpu_conv *conv, float *dx, int64_t begin, int64_t end,
                             const float *columns);

/* By windows. */
size_t gan_cpu_conv_windows_workspace(const gan_cpu_conv *conv, int threads);
bool gan_cpu_conv_windows(const gan_device *device, const gan_cpu_conv *conv, const gan_call *call);

/* By taps. */
size_t gan_cpu_conv_taps_workspace(const gan_cpu_conv *conv, int threads);
bool gan_cpu_conv_taps(const gan_device *device, const gan_cpu_conv *conv, const gan_call *call);

/* By phases, if gan_cpu_conv_phases_can(). */
bool gan_cpu_conv_phases_can(const gan_cpu_conv *conv);
size_t gan_cpu_conv_phases_workspace(const gan_device *device, const gan_cpu_conv *conv);
bool gan_cpu_conv_phases(const gan_device *device, const gan_cpu_conv *conv, const gan_call *call);

/* By a library. NULL when there is none, or none that is fast here; then take another way. */
typedef struct gan_cpu_library_conv gan_cpu_library_conv;
gan_cpu_library_conv *gan_cpu_library_conv_create(const gan_device *device,
                                                  const gan_cpu_conv *conv,
                                                  size_t *workspace_bytes);
bool gan_cpu_library_conv_run(const gan_device *device, const gan_cpu_conv *conv,
                              gan_cpu_library_conv *library, const gan_call *call);
void gan_cpu_library_conv_destroy(gan_cpu_library_conv *library); /* takes NULL */

/* conv2d, conv2d_grad_input, conv2d_grad_weight (in the order of gan_cpu_conv_kind) by one way
 * whatever the shape. For tests: the ops themselves take these ways only where they are the
 * fastest, or where there is no library. */
extern const gan_kernel gan_cpu_conv_by_windows[3], gan_cpu_conv_by_taps[3];
extern const gan_kernel gan_cpu_conv_by_phases[3]; /* by windows where it cannot be */

#endif
