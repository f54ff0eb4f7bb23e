/* Any bytes as a safetensors file: what is accepted can be read in full and is as large as the
 * file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gan_safetensors *file;
    gan_status status = gan_safetensors_open_memory(&file, data, size, "fuzz");
    if (status != GAN_OK) {
        if (file || !*gan_last_error() || strchr(gan_last_error(), '\n')) abort();
        return 0;
    }
    size_t header = 8;
    for (int i = 0; i < 8; i++) header += (size_t)data[i] << (8 * i);
    for (size_t i = 0; i < gan_safetensors_count(file); i++) {
        const gan_tensor_info *info = gan_safetensors_at(file, i);
        uint64_t bytes;
        if (!gan_safetensors_bytes(&bytes, info->dtype, info->shape) || bytes > size - header)
            abort();
        unsigned char *values = malloc((size_t)bytes + 1);
        if (!values || gan_safetensors_read(file, info, values, (size_t)bytes) != GAN_OK) abort();
        if (bytes && memcmp(values, data + header, (size_t)bytes) != 0) abort();
        free(values);
        header += (size_t)bytes;
    }
    if (header != size) abort();
    for (size_t i = 0; i < gan_safetensors_metadata_count(file); i++) {
        const gan_metadata m = gan_safetensors_metadata_at(file, i);
        if (strlen(m.key) + strlen(m.value) > size) abort();
    }
    gan_safetensors_close(file);
    return 0;
}
