/* oneDNN's convolutions. dnnl.c alone knows oneDNN's interface, which differs between versions 2
 * and 3. */
#ifndef GANC_CPU_DNNL_H
#define GANC_CPU_DNNL_H

#include "cpu/conv.h"

/* A convolution of a fixed number of images on one thread. Several workers, each with its own
 * number and scratch memory, may run it at the same time. Filters are in a layout of the library's
 * choice ("packed"). */
typedef struct gan_cpu_dnnl gan_cpu_dnnl;

/* NULL when oneDNN is absent or has no kernel made for this processor. To be called from a task:
 * the library lays out the work for the number of threads that it finds at creation. */
gan_cpu_dnnl *gan_cpu_dnnl_create(const gan_cpu_conv *conv, int64_t images, int workers);
void gan_cpu_dnnl_destroy(gan_cpu_dnnl *dnnl); /* takes NULL */

size_t gan_cpu_dnnl_packed_bytes(const gan_cpu_dnnl *dnnl);
size_t gan_cpu_dnnl_scratch_bytes(const gan_cpu_dnnl *dnnl); /* of each worker */

/* Filters are packed in slices 0 … slices-1, independent of each other. */
int gan_cpu_dnnl_slices(const gan_cpu_dnnl *dnnl);

/* Packs slice `slice` of w (k,r,s,c); for DW the other way, from packed to w. */
bool gan_cpu_dnnl_pack(gan_cpu_dnnl *dnnl, int slice, float *w, float *packed, void *scratch);

/* Computes y from x and the packed filters, or dx from y and them, or packed dw from x and y. */
bool gan_cpu_dnnl_execute(gan_cpu_dnnl *dnnl, int worker, float *x, float *packed, float *y,
                          void *scratch);

#endif
