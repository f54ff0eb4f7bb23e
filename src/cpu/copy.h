/* Moving bytes with all threads. */
#ifndef GANC_CPU_COPY_H
#define GANC_CPU_COPY_H

#include "device/backend.h"

/* `bytes` bytes; nothing when the places are the same. */
void gan_cpu_copy(const gan_device *device, void *to, const void *from, size_t bytes);

/* `rows` rows of `bytes` bytes, the given numbers of bytes apart. from NULL: zeros. */
void gan_cpu_copy_rows(const gan_device *device, void *to, int64_t to_pitch, const void *from,
                       int64_t from_pitch, int64_t rows, int64_t bytes);

#endif
