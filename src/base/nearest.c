#include "base/nearest.h"

#include <string.h>

enum { LONGEST = 63 };

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Edit distance with swaps of neighbours (optimal string alignment), of names up to LONGEST. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb) {
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= nb; j++) above[j] = j;
    for (size_t i = 1; i <= na; i++) {
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = above[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[nb];
}

const char *gan_nearest(const char *given, const char *const *known, size_t count) {
    const char *best = NULL;
    size_t best_distance = 0, n = strlen(given);
    if (!n || n > LONGEST) return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t m = strlen(known[i]);
        if (m > LONGEST) continue;
        size_t allowed = (n > m ? n : m) / 3, d = distance(given, n, known[i], m);
        if (d > (allowed ? allowed : 1) || (best && d >= best_distance)) continue;
        best = known[i];
        best_distance = d;
    }
    return best;
}
