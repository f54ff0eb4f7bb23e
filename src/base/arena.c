#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

typedef struct block {
    struct block *next;
    size_t used, size;
    _Alignas(max_align_t) unsigned char bytes[];
} block;

struct gan_arena {
    block *head;
};

gan_arena *gan_arena_create(void) { return calloc(1, sizeof(gan_arena)); }

void gan_arena_destroy(gan_arena *arena) {
    if (!arena) return;
    for (block *b = arena->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(arena);
}

void *gan_arena_alloc(gan_arena *arena, size_t size) {
    const size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + align - 1) / align * align;
    block *b = arena->head;
    if (!b || b->size - b->used < size) {
        size_t capacity = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        b = calloc(1, sizeof *b + capacity);
        if (!b) return NULL;
        b->size = capacity;
        b->next = arena->head;
        arena->head = b;
    }
    void *p = b->bytes + b->used;
    b->used += size;
    return p;
}

void *gan_arena_copy(gan_arena *arena, const void *bytes, size_t size) {
    void *p = gan_arena_alloc(arena, size);
    if (p && size) memcpy(p, bytes, size);
    return p;
}

char *gan_arena_vprintf(gan_arena *arena, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *s = n < 0 ? NULL : gan_arena_alloc(arena, (size_t)n + 1);
    if (s) vsnprintf(s, (size_t)n + 1, format, again);
    va_end(again);
    return s;
}

char *gan_arena_printf(gan_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *s = gan_arena_vprintf(arena, format, args);
    va_end(args);
    return s;
}
