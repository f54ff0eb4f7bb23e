/* The best one-to-one assignment (Kuhn 1955, Munkres 1957), by shortest augmenting paths with
 * potentials: O(n³). */
#include <stdlib.h>

#include "base/error.h"
#include "ganc/metric.h"

enum { NOBODY = -1 };

typedef struct state {
    int64_t n;
    const int64_t *table;
    int64_t *row_of; /* of a column, or NOBODY; column n stands for the row that looks for one */
    int64_t *from;   /* the column before on the path */
    int64_t *u, *v;  /* potentials of rows and columns: u + v <= cost, = on the path */
    int64_t *least;
    bool *seen;
} state;

static int64_t reduced(const state *s, int64_t row, int64_t column) {
    return -s->table[row * s->n + column] - s->u[row] - s->v[column];
}

/* Extends the path to the column that costs least more; answers it. */
static int64_t step(state *s, int64_t column) {
    const int64_t row = s->row_of[column];
    int64_t next = NOBODY;
    s->seen[column] = true;
    for (int64_t j = 0; j < s->n; j++) {
        if (s->seen[j]) continue;
        const int64_t cost = reduced(s, row, j);
        if (s->least[j] < 0 || cost < s->least[j]) {
            s->least[j] = cost;
            s->from[j] = column;
        }
        if (next == NOBODY || s->least[j] < s->least[next]) next = j;
    }
    const int64_t delta = s->least[next];
    for (int64_t j = 0; j <= s->n; j++) {
        if (s->seen[j]) {
            s->u[s->row_of[j]] += delta;
            s->v[j] -= delta;
        } else if (j < s->n && s->least[j] >= 0) {
            s->least[j] -= delta;
        }
    }
    return next;
}

static void place(state *s, int64_t row) {
    int64_t column = s->n;
    s->row_of[column] = row;
    for (int64_t j = 0; j <= s->n; j++) {
        s->least[j] = -1;
        s->seen[j] = false;
    }
    do column = step(s, column);
    while (s->row_of[column] != NOBODY);
    while (column != s->n) {
        s->row_of[column] = s->row_of[s->from[column]];
        column = s->from[column];
    }
}

gan_status gan_metric_matching(int64_t *column, int64_t *total, const int64_t *table, int64_t n) {
    const size_t size = (size_t)n + 1;
    state s = {.n = n,
               .table = table,
               .row_of = malloc(size * sizeof(int64_t)),
               .from = calloc(size, sizeof(int64_t)),
               .u = calloc(size, sizeof(int64_t)),
               .v = calloc(size, sizeof(int64_t)),
               .least = malloc(size * sizeof(int64_t)),
               .seen = malloc(size * sizeof(bool))};
    gan_status status = s.row_of && s.from && s.u && s.v && s.least && s.seen
                            ? GAN_OK
                            : gan_fail(GAN_ERROR_MEMORY, "matching: out of memory");
    int64_t sum = 0;
    if (status == GAN_OK) {
        for (int64_t i = 0; i < n; i++) {
            int64_t most = 0;
            for (int64_t j = 0; j < n; j++)
                if (table[i * n + j] > most) most = table[i * n + j];
            s.u[i] = -most; /* so that no reduced cost is below zero */
        }
        for (int64_t j = 0; j <= n; j++) s.row_of[j] = NOBODY;
        for (int64_t i = 0; i < n; i++) place(&s, i);
        for (int64_t j = 0; j < n; j++) {
            column[s.row_of[j]] = j;
            sum += table[s.row_of[j] * n + j];
        }
        if (total) *total = sum;
    }
    free(s.row_of);
    free(s.from);
    free(s.u);
    free(s.v);
    free(s.least);
    free(s.seen);
    return status;
}
