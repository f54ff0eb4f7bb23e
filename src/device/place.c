/* Variables on a device. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "device/backend.h"
#include "graph/store.h"

static double megabytes(size_t bytes) { return (double)bytes / (1024 * 1024); }

static size_t variable_bytes(const gan_variable *v) {
    return (size_t)gan_shape_size(v->shape) * gan_dtype_size(v->dtype);
}

static gan_status initialise(gan_store *store, gan_variable_arena *arena) {
    const gan_backend *backend = store->device->backend;
    GAN_TRY(backend->zero(store->device, arena->data, arena->bytes));
    for (size_t i = 0; i < store->n_variables; i++) {
        const gan_variable *v = store->variable[i];
        if (v->arena != arena) continue;
        if (v->init.kind == GAN_INIT_CONSTANT && v->init.a == 0) continue;
        size_t bytes = variable_bytes(v);
        void *host = malloc(bytes ? bytes : 1);
        if (!host) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", v->name);
        gan_variable_initial(store, v, host);
        gan_status status = backend->upload(store->device, gan_variable_data(v), host, bytes);
        free(host);
        GAN_TRY(status);
    }
    return GAN_OK;
}

gan_status gan_store_place(gan_store *store, gan_device *device) {
    if (store->device && store->device != device)
        return gan_fail(GAN_ERROR_ARGUMENT, "store: its variables are on another device");
    if (device->plan_only)
        return gan_fail(GAN_ERROR_DEVICE, "%s: the device was opened for planning only",
                        device->backend->name);
    size_t wanted = 0, available;
    for (size_t i = 0; i < store->n_arenas; i++)
        if (!store->arenas[i]->data) wanted += store->arenas[i]->bytes;
    if (wanted == 0) return GAN_OK;
    GAN_TRY(device->backend->free_memory(device, &available));
    if (wanted > available)
        return gan_fail(GAN_ERROR_MEMORY, "variables need %.1f MiB, %s has %.1f MiB free",
                        megabytes(wanted), device->backend->name, megabytes(available));
    store->device = device;
    for (size_t i = 0; i < store->n_arenas; i++) {
        gan_variable_arena *a = store->arenas[i];
        if (a->data || a->bytes == 0) continue;
        GAN_TRY(device->backend->allocate(device, &a->data, a->bytes));
        GAN_TRY(initialise(store, a));
    }
    return GAN_OK;
}

void gan_store_destroy(gan_store *store) {
    if (!store) return;
    for (size_t i = 0; i < store->n_arenas; i++)
        if (store->arenas[i]->data)
            store->device->backend->free(store->device, store->arenas[i]->data);
    gan_arena_destroy(store->memory);
    free(store->variable);
    free(store->arenas);
    free(store);
}

static gan_status check_access(const gan_store *store, const gan_variable *v, size_t bytes) {
    if (!store->device || !v->arena->data)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: the variable is not on a device yet", v->name);
    if (bytes != variable_bytes(v))
        return gan_fail(GAN_ERROR_SHAPE, "%s: %zu bytes given, the variable has %zu", v->name,
                        bytes, variable_bytes(v));
    return GAN_OK;
}

gan_status gan_variable_read(gan_store *store, const gan_variable *variable, void *to,
                             size_t bytes) {
    GAN_TRY(check_access(store, variable, bytes));
    return store->device->backend->download(store->device, to, gan_variable_data(variable), bytes);
}

gan_status gan_variable_write(gan_store *store, const gan_variable *variable, const void *from,
                              size_t bytes) {
    GAN_TRY(check_access(store, variable, bytes));
    variable->arena->half_is_current = false;
    return store->device->backend->upload(store->device, gan_variable_data(variable), from, bytes);
}
