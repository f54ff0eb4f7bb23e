#include "graph/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/philox.h"
#include "graph/op.h"

enum { LINE = 64 }; /* bytes a variable is padded to */

static const char *const role_names[] = {
    [GAN_WEIGHT] = "weight",
    [GAN_FIRST_MOMENT] = "first_moment",
    [GAN_SECOND_MOMENT] = "second_moment",
    [GAN_AVERAGE] = "average",
    [GAN_STATISTIC] = "statistic",
    [GAN_COUNTER] = "counter",
    [GAN_DATA] = "data",
    [GAN_RECORD] = "record",
};

const char *gan_role_name(gan_role role) { return role_names[role]; }

gan_status gan_store_create(gan_store **out, uint64_t seed) {
    *out = NULL;
    gan_store *s = calloc(1, sizeof *s);
    if (s) s->memory = gan_arena_create();
    if (!s || !s->memory) {
        free(s);
        return gan_fail(GAN_ERROR_MEMORY, "store: out of memory");
    }
    s->seed = seed;
    *out = s;
    return GAN_OK;
}

uint64_t gan_store_seed(const gan_store *store) { return store->seed; }
void gan_store_set_seed(gan_store *store, uint64_t seed) { store->seed = seed; }
size_t gan_store_count(const gan_store *store) { return store->n_variables; }
const gan_variable *gan_store_at(const gan_store *store, size_t index) {
    return store->variable[index];
}

const char *gan_variable_name(const gan_variable *variable) { return variable->name; }
gan_role gan_variable_role(const gan_variable *variable) { return variable->arena->role; }
gan_dtype gan_variable_dtype(const gan_variable *variable) { return variable->dtype; }
gan_shape gan_variable_shape(const gan_variable *variable) { return variable->shape; }

const gan_variable *gan_store_find(const gan_store *store, gan_role role, const char *name) {
    for (size_t i = 0; i < store->n_variables; i++)
        if (store->variable[i]->arena->role == role && strcmp(store->variable[i]->name, name) == 0)
            return store->variable[i];
    return NULL;
}

/* ---- declaring ---- */

static void *out_of_memory(void) {
    gan_fail(GAN_ERROR_MEMORY, "store: out of memory");
    return NULL;
}

/* The list with room for one more pointer; NULL, the old list intact, when memory is exhausted. */
static void *grown(void *list, size_t n, size_t *capacity) {
    if (n < *capacity) return list;
    size_t wanted = *capacity ? 2 * *capacity : 64;
    void *more = realloc(list, wanted * sizeof(void *));
    if (more) *capacity = wanted;
    return more;
}

static gan_variable_arena *find_arena(const gan_store *s, gan_role role, const char *group,
                                      size_t length) {
    for (size_t i = 0; i < s->n_arenas; i++) {
        gan_variable_arena *a = s->arenas[i];
        if (a->role == role && strlen(a->group) == length && memcmp(a->group, group, length) == 0)
            return a;
    }
    return NULL;
}

static gan_variable_arena *open_arena(gan_store *s, gan_role role, const char *group,
                                      size_t length) {
    gan_variable_arena *a = find_arena(s, role, group, length);
    if (a) return a;
    a = gan_arena_alloc(s->memory, sizeof *a);
    char *name = gan_arena_alloc(s->memory, length + 1);
    gan_variable_arena **list = grown(s->arenas, s->n_arenas, &s->arena_capacity);
    if (list) s->arenas = list;
    if (!a || !name || !list) return out_of_memory();
    memcpy(name, group, length);
    a->role = role;
    a->group = name;
    s->arenas[s->n_arenas++] = a;
    return a;
}

static size_t variable_bytes(const gan_variable *v) {
    return (size_t)gan_shape_size(v->shape) * gan_dtype_size(v->dtype);
}

gan_variable *gan_store_declare(gan_store *s, gan_role role, const char *name, gan_dtype dtype,
                                gan_shape shape, gan_init init) {
    char given[GAN_SHAPE_TEXT], known[GAN_SHAPE_TEXT];
    gan_shape_text(given, dtype, shape);
    gan_variable *v = (gan_variable *)(uintptr_t)gan_store_find(s, role, name);
    if (v) {
        if (v->dtype == dtype && gan_shape_equal(v->shape, shape)) return v;
        gan_fail(GAN_ERROR_SHAPE, "%s %s: %s asked for, but it is %s", gan_role_name(role), name,
                 given, gan_shape_text(known, v->dtype, v->shape));
        return NULL;
    }
    const char *slash = strchr(name, '/');
    if (!slash || slash == name || !slash[1]) {
        gan_fail(GAN_ERROR_ARGUMENT, "variable '%s': expected a name of the form GROUP/NAME", name);
        return NULL;
    }
    gan_variable_arena *a = open_arena(s, role, name, (size_t)(slash - name));
    if (!a) return NULL;
    if (a->fixed || a->data) {
        gan_fail(GAN_ERROR_ARGUMENT, "%s %s: group '%s' is complete, nothing can join it",
                 gan_role_name(role), name, a->group);
        return NULL;
    }
    v = gan_arena_alloc(s->memory, sizeof *v);
    const char *copy = gan_arena_printf(s->memory, "%s", name);
    gan_variable **list = grown(s->variable, s->n_variables, &s->capacity);
    if (list) s->variable = list;
    if (!v || !copy || !list) return out_of_memory();
    *v = (gan_variable){
        .name = copy, .dtype = dtype, .shape = shape, .init = init, .arena = a, .offset = a->bytes};
    a->bytes += (variable_bytes(v) + LINE - 1) / LINE * LINE;
    s->variable[s->n_variables++] = v;
    return v;
}

/* Moments start at zero; averages start where the weights start. */
static bool mirror_weights(gan_store *s, gan_role role, const gan_variable_arena *weights) {
    const size_t n = s->n_variables;
    for (size_t i = 0; i < n; i++) {
        const gan_variable *w = s->variable[i];
        if (w->arena != weights) continue;
        gan_init init = role == GAN_AVERAGE ? w->init : (gan_init){GAN_INIT_CONSTANT, 0, 0};
        if (!gan_store_declare(s, role, w->name, w->dtype, w->shape, init)) return false;
    }
    return true;
}

gan_variable *gan_store_flat(gan_store *s, gan_role role, const char *group) {
    gan_variable_arena *a = find_arena(s, role, group, strlen(group));
    if (!a && role != GAN_WEIGHT) {
        gan_variable_arena *weights = find_arena(s, GAN_WEIGHT, group, strlen(group));
        if (weights && !mirror_weights(s, role, weights)) return NULL;
        a = find_arena(s, role, group, strlen(group));
    }
    if (!a) {
        gan_fail(GAN_ERROR_ARGUMENT, "group '%s' has no weights", group);
        return NULL;
    }
    if (!a->flat) {
        for (size_t i = 0; i < s->n_variables; i++)
            if (s->variable[i]->arena == a && s->variable[i]->dtype != GAN_F32) {
                gan_fail(GAN_ERROR_ARGUMENT, "%s %s: a flat group holds f32 only",
                         gan_role_name(role), s->variable[i]->name);
                return NULL;
            }
        gan_variable *v = gan_arena_alloc(s->memory, sizeof *v);
        const char *name = gan_arena_printf(s->memory, "%s/*", group);
        if (!v || !name) return out_of_memory();
        *v = (gan_variable){.name = name,
                            .dtype = GAN_F32,
                            .shape = gan_shape1((int64_t)(a->bytes / sizeof(float))),
                            .arena = a,
                            .is_flat = true};
        a->flat = v;
        a->fixed = true;
    }
    return a->flat;
}

gan_variable *gan_store_half(gan_store *s, const gan_variable *flat) {
    gan_variable_arena *of = flat->arena;
    if (of->half) return of->half;
    const char *group = gan_arena_printf(s->memory, "%s/bf16", of->group); /* no name has this */
    gan_variable_arena *a = group ? open_arena(s, GAN_RECORD, group, strlen(group)) : NULL;
    gan_variable *v = gan_arena_alloc(s->memory, sizeof *v);
    const char *name = gan_arena_printf(s->memory, "%s/* in bf16", of->group);
    if (!group || !a || !v || !name) return out_of_memory();
    *v = (gan_variable){
        .name = name, .dtype = GAN_BF16, .shape = flat->shape, .arena = a, .is_flat = true};
    a->bytes = (variable_bytes(v) + LINE - 1) / LINE * LINE;
    a->fixed = true;
    return of->half = v;
}

/* ---- initial values ---- */

static uint64_t hash(const char *text) { /* FNV-1a */
    uint64_t h = 14695981039346656037u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

/* Element i of the stream of variable `h`: kept apart from noise by the block, which noise counts
 * up from 0. */
static double draw(uint64_t seed, uint64_t h, gan_init_kind kind, uint64_t i) {
    gan_philox4 r = gan_philox(seed, gan_philox_subsequence((uint32_t)(h >> 32), i / 4),
                               ((uint64_t)1 << 63) | (h & 0xffffffffu));
    if (kind == GAN_INIT_UNIFORM) return r.v[i % 4] * 0x1p-32; /* in [0, 1) */
    const double tau = 6.283185307179586;
    double u = (r.v[i % 4 & 2u] + 0.5) * 0x1p-32, v = (r.v[i % 4 | 1u] + 0.5) * 0x1p-32;
    double radius = sqrt(-2 * log(u));
    return i % 2 ? radius * cos(tau * v) : radius * sin(tau * v);
}

void gan_variable_initial(const gan_store *store, const gan_variable *v, void *out) {
    const int64_t n = gan_shape_size(v->shape);
    if (v->dtype != GAN_F32) { /* counters, data: bytes of zero, or one integer */
        memset(out, 0, variable_bytes(v));
        for (int64_t i = 0; i < n && v->init.a != 0; i++) {
            if (v->dtype == GAN_I64) ((int64_t *)out)[i] = (int64_t)v->init.a;
            if (v->dtype == GAN_I32) ((int32_t *)out)[i] = (int32_t)v->init.a;
            if (v->dtype == GAN_U8) ((uint8_t *)out)[i] = (uint8_t)v->init.a;
        }
        return;
    }
    float *x = out;
    const uint64_t h = hash(v->name);
    const gan_init init = v->init;
    double length = 0;
    for (int64_t i = 0; i < n; i++) {
        const bool fixed = init.kind == GAN_INIT_CONSTANT || init.kind == GAN_INIT_RANGE;
        double d = fixed ? 0 : draw(store->seed, h, init.kind, (uint64_t)i);
        switch (init.kind) {
        case GAN_INIT_CONSTANT:
            x[i] = init.a;
            break;
        case GAN_INIT_UNIFORM:
            x[i] = (float)(init.a + ((double)init.b - init.a) * d);
            break;
        case GAN_INIT_NORMAL:
            x[i] = (float)(init.a + init.b * d);
            break;
        case GAN_INIT_UNIT:
            x[i] = (float)d;
            break;
        case GAN_INIT_RANGE:
            x[i] = (float)(init.a + (double)init.b * (double)i);
            break;
        }
        length += (double)x[i] * x[i];
    }
    if (init.kind == GAN_INIT_UNIT && length > 0)
        for (int64_t i = 0; i < n; i++) x[i] = (float)(x[i] / sqrt(length));
}
