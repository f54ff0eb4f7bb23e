/* The inside of a store: variables, and the arenas they are placed in. */
#ifndef GANC_GRAPH_STORE_H
#define GANC_GRAPH_STORE_H

#include "ganc/graph.h"

/* Variables of one (role, group), contiguous. Weights, moments and averages of a group share one
 * layout. */
typedef struct gan_variable_arena {
    gan_role role;
    const char *group;
    bool fixed;         /* a flat node exists: nothing may join */
    size_t bytes;       /* so far */
    void *data;         /* on the device, NULL until placed */
    gan_variable *flat; /* the pseudo-variable that is the whole arena, or NULL */
    gan_variable *half; /* the arena's values in bf16, kept beside it for programs; or NULL */
    bool half_is_current; /* it shows what the arena holds */
} gan_variable_arena;

struct gan_variable {
    const char *name;
    gan_dtype dtype;
    gan_shape shape;
    gan_init init;
    gan_variable_arena *arena;
    size_t offset; /* bytes from the arena's start, a multiple of 64 */
    bool is_flat;  /* stands for its whole arena; not listed by gan_store_at() */
};

struct gan_store {
    struct gan_arena *memory;
    uint64_t seed;
    gan_variable **variable;
    size_t n_variables, capacity;
    gan_variable_arena **arenas;
    size_t n_arenas, arena_capacity;
    struct gan_device *device; /* where the arenas are, NULL until placed */
};

/* Finds or creates; NULL with the thread's message set on a conflict or when memory is exhausted.
 */
gan_variable *gan_store_declare(gan_store *store, gan_role role, const char *name, gan_dtype dtype,
                                gan_shape shape, gan_init init);
gan_variable *gan_store_flat(gan_store *store, gan_role role, const char *group);

/* The bf16 copy of a flat variable: an arena of its own with the same layout, which no list and no
 * checkpoint names, since it can be made afresh at any time. */
gan_variable *gan_store_half(gan_store *store, const gan_variable *flat);

/* A variable's bytes in the arena's memory; the arena is placed. */
static inline void *gan_variable_data(const gan_variable *v) {
    return (char *)v->arena->data + v->offset;
}

/* The initial value of a variable, gan_shape_size() elements of its dtype, into host memory. */
void gan_variable_initial(const gan_store *store, const gan_variable *variable, void *out);

#endif
