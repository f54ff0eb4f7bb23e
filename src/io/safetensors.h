/* The safetensors format: 8 bytes length of the header, little-endian; the header, a JSON object
 * {"__metadata__": {string: string}, NAME: {"dtype", "shape", "data_offsets": [begin, end]}, ...};
 * the tensors, without gaps. */
#ifndef GANC_IO_SAFETENSORS_H
#define GANC_IO_SAFETENSORS_H

#include <stdio.h>

#include "base/error.h"
#include "ganc/io.h"

enum { GAN_SAFETENSORS_HEADER_LIMIT = 100 * 1000 * 1000 }; /* that of the format's own library */

/* The format's name of a type ("F32"); NULL for a value that is no gan_dtype. */
const char *gan_safetensors_dtype_name(gan_dtype dtype);

/* The type of that name; false when it is none of ours. */
bool gan_safetensors_dtype(gan_dtype *out, const char *name);

/* Bytes of a tensor; false when they cannot be counted or the shape is none. */
bool gan_safetensors_bytes(uint64_t *out, gan_dtype dtype, gan_shape shape);

/* As gan_safetensors_open(), from memory that messages call `name` and that outlives the reader. */
gan_status gan_safetensors_open_memory(gan_safetensors **out, const void *bytes, size_t size,
                                       const char *name);

#endif
