/* Bump allocation for things that die together: the nodes of a graph, the steps of a plan. */
#ifndef GANC_BASE_ARENA_H
#define GANC_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

typedef struct gan_arena gan_arena;

/* NULL when memory is exhausted. */
gan_arena *gan_arena_create(void);
void gan_arena_destroy(gan_arena *arena);

/* `size` zeroed bytes aligned for any type, freed with the arena; NULL when memory is exhausted. */
void *gan_arena_alloc(gan_arena *arena, size_t size);

/* Copies owned by the arena; NULL when memory is exhausted. */
void *gan_arena_copy(gan_arena *arena, const void *bytes, size_t size);
char *gan_arena_vprintf(gan_arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
char *gan_arena_printf(gan_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
