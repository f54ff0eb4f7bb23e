/* A classifier in a file of safetensors. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ganc/io.h"
#include "metric/classifier.h"

static const char *const format = "ganc-classifier-1";
enum { SIZES = 4, TENSORS = 16 };
static const char *const size_name[SIZES] = {"height", "width", "channels", "classes"};

static gan_status each(gan_classifier *c, const gan_variable *v, gan_safetensors_writer *to,
                       gan_safetensors *from) {
    const size_t bytes = (size_t)gan_shape_size(gan_variable_shape(v)) * sizeof(float);
    float *value = malloc(bytes);
    if (!value) return gan_fail(GAN_ERROR_MEMORY, "classifier: out of memory");
    gan_status status;
    if (to) {
        status = gan_variable_read(c->store, v, value, bytes);
        if (status == GAN_OK)
            status = gan_safetensors_write(to, gan_variable_name(v), value, bytes);
    } else {
        status = gan_safetensors_read(from, gan_safetensors_find(from, gan_variable_name(v)), value,
                                      bytes);
        if (status == GAN_OK) status = gan_variable_write(c->store, v, value, bytes);
    }
    free(value);
    return status;
}

gan_status gan_classifier_save(gan_classifier *c, const char *path) {
    if (c->options.model)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: a classifier that is the discriminator of model %s is not written",
                        path, c->options.model->name);
    gan_tensor_info tensor[TENSORS];
    size_t n = 0, at = 0;
    for (const gan_variable *v; n < TENSORS && (v = gan_classifier_variable(c, &at)); n++)
        tensor[n] = (gan_tensor_info){gan_variable_name(v), GAN_F32, gan_variable_shape(v)};
    const int64_t size[SIZES] = {c->height, c->width, c->channels, c->classes};
    char text[SIZES][24];
    gan_metadata metadata[SIZES + 1] = {{"format", format}};
    for (int i = 0; i < SIZES; i++) {
        snprintf(text[i], sizeof text[i], "%" PRId64, size[i]);
        metadata[i + 1] = (gan_metadata){size_name[i], text[i]};
    }
    gan_safetensors_writer *file;
    GAN_TRY(gan_safetensors_create(&file, path, tensor, n, metadata, SIZES + 1));
    at = 0;
    for (const gan_variable *v; (v = gan_classifier_variable(c, &at));) {
        const gan_status status = each(c, v, file, NULL);
        if (status == GAN_OK) continue;
        gan_safetensors_abandon(file);
        return status;
    }
    return gan_safetensors_finish(file);
}

static gan_status read_sizes(int64_t size[SIZES], const gan_safetensors *file, const char *path) {
    const char *kind = gan_safetensors_metadata(file, "format");
    if (!kind || strcmp(kind, format) != 0)
        return gan_fail(GAN_ERROR_FORMAT, "%s: format '%.40s' given, expected %s", path,
                        kind ? kind : "", format);
    for (int i = 0; i < SIZES; i++) {
        const char *text = gan_safetensors_metadata(file, size_name[i]);
        size[i] = text ? strtoll(text, NULL, 10) : 0;
        if (size[i] < 1 || size[i] > 65536)
            return gan_fail(GAN_ERROR_FORMAT, "%s: %s is '%.40s', expected 1 to 65536", path,
                            size_name[i], text ? text : "");
    }
    return GAN_OK;
}

static gan_status read_weights(gan_classifier *c, gan_safetensors *file, const char *path) {
    size_t at = 0, n = 0;
    for (const gan_variable *v; (v = gan_classifier_variable(c, &at)); n++) {
        const gan_tensor_info *t = gan_safetensors_find(file, gan_variable_name(v));
        if (!t || t->dtype != GAN_F32 || !gan_shape_equal(t->shape, gan_variable_shape(v)))
            return gan_fail(GAN_ERROR_FORMAT, "%s: tensor %s is %s", path, gan_variable_name(v),
                            t ? "of another type or shape" : "missing");
        GAN_TRY(each(c, v, NULL, file));
    }
    if (n == gan_safetensors_count(file)) return GAN_OK;
    return gan_fail(GAN_ERROR_FORMAT, "%s: %zu tensors given, expected %zu", path,
                    gan_safetensors_count(file), n);
}

static gan_status read_file(gan_classifier **out, gan_device *device, gan_safetensors *file,
                            const char *path) {
    int64_t size[SIZES];
    GAN_TRY(read_sizes(size, file, path));
    const gan_classifier like = {.device = device,
                                 .height = size[0],
                                 .width = size[1],
                                 .channels = size[2],
                                 .classes = size[3],
                                 .low = -1,
                                 .high = 1};
    GAN_TRY(gan_classifier_open(out, &like));
    const gan_status status = read_weights(*out, file, path);
    if (status == GAN_OK) return GAN_OK;
    gan_classifier_close(*out);
    *out = NULL;
    return status;
}

gan_status gan_classifier_load(gan_classifier **out, gan_device *device, const char *path) {
    *out = NULL;
    gan_safetensors *file;
    GAN_TRY(gan_safetensors_open(&file, path));
    const gan_status status = read_file(out, device, file, path);
    gan_safetensors_close(file);
    return status;
}
