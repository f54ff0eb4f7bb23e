/* Sequences of symbols by small automata, drawn so that all that are allowed are equally likely. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/philox.h"
#include "ganc/data.h"

/* next[state * symbols + symbol]: the state after the symbol, or -1 where it may not stand. A
 * sequence begins in state 0 and ends in a state of `ends` (a bit each). */
struct gan_automaton {
    int states;
    uint32_t ends;
    const int8_t *next;
};

/* ( [ open, ) ] close what was opened last, three deep at most. The states are what is open:
 * nothing, (, [, ((, ([, [(, [[, (((, … [[[. */
static const int8_t brackets[15][4] = {
    /*        (   )   [   ] */
    /*  0 */ {1, -1, 2, -1},
    /*  1 */ {3, 0, 4, -1},   {5, -1, 6, 0},
    /*  3 */ {7, 1, 8, -1},   {9, -1, 10, 1},  {11, 2, 12, -1}, {13, -1, 14, 2},
    /*  7 */ {-1, 3, -1, -1}, {-1, -1, -1, 3}, {-1, 4, -1, -1}, {-1, -1, -1, 4},
    /* 11 */ {-1, 5, -1, -1}, {-1, -1, -1, 5}, {-1, 6, -1, -1}, {-1, -1, -1, 6},
};

/* S -> x | S + S | S - S | S * S | S / S, filled up with blanks: operand, operator, blanks. */
static const int8_t expressions[3][6] = {
    /*        x   +   -   *   /  blank */
    /*  0 */ {1, -1, -1, -1, -1, -1},
    /*  1 */ {-1, 0, 0, 0, 0, 2},
    /*  2 */ {-1, -1, -1, -1, -1, 2},
};

/* Reber's automaton, filled up with blanks. */
static const int8_t reber[9][8] = {
    /*        B   T   S   X   P   V   E  blank */
    /*  0 */ {1, -1, -1, -1, -1, -1, -1, -1},
    /*  1 */ {-1, 2, -1, -1, 3, -1, -1, -1},
    /*  2 */ {-1, -1, 2, 4, -1, -1, -1, -1},
    /*  3 */ {-1, 3, -1, -1, -1, 5, -1, -1},
    /*  4 */ {-1, -1, 6, 3, -1, -1, -1, -1},
    /*  5 */ {-1, -1, -1, -1, 4, 6, -1, -1},
    /*  6 */ {-1, -1, -1, -1, -1, -1, 7, -1},
    /*  7 */ {-1, -1, -1, -1, -1, -1, -1, 8},
    /*  8 */ {-1, -1, -1, -1, -1, -1, -1, 8},
};

static const gan_automaton automata[] = {
    {15, 1u << 0, brackets[0]},
    {3, 1u << 1 | 1u << 2, expressions[0]},
    {9, 1u << 7 | 1u << 8, reber[0]},
};

enum { STATES = 15, LONGEST = 16 };

static const gan_grammar grammars[] = {
    {"brackets", "( ) [ ] in pairs, three deep at most, 16 symbols", "()[]", 4, 16, &automata[0]},
    {"expressions", "x with + - * / between, 12 symbols with blanks behind", "x+-*/ ", 6, 12,
     &automata[1]},
    {"reber", "Reber's grammar over B T S X P V E, 16 symbols with blanks behind", "BTSXPVE ", 8,
     16, &automata[2]},
};

const gan_grammar *gan_grammar_at(size_t index) {
    return index < sizeof grammars / sizeof *grammars ? &grammars[index] : NULL;
}

const gan_grammar *gan_grammar_find(const char *name) {
    for (size_t i = 0; gan_grammar_at(i); i++)
        if (strcmp(grammars[i].name, name) == 0) return &grammars[i];
    return NULL;
}

/* ---- counting and drawing ---- */

static int next(const gan_grammar *g, int state, int64_t symbol) {
    return g->automaton->next[state * g->symbols + symbol];
}

/* ways[n][state]: how many sequences of n symbols lead from `state` to an end. Whole numbers below
 * 2^53, so exact. */
typedef double table[LONGEST + 1][STATES];

static void count_ways(table ways, const gan_grammar *g) {
    const gan_automaton *a = g->automaton;
    for (int s = 0; s < a->states; s++) ways[0][s] = a->ends >> s & 1;
    for (int64_t n = 1; n <= g->length; n++)
        for (int s = 0; s < a->states; s++) {
            ways[n][s] = 0;
            for (int64_t k = 0; k < g->symbols; k++)
                if (next(g, s, k) >= 0) ways[n][s] += ways[n - 1][next(g, s, k)];
        }
}

double gan_grammar_size(const gan_grammar *g) {
    table ways;
    count_ways(ways, g);
    return ways[g->length][0];
}

/* The sequence of number `rank`, in the order of the symbols. */
static void unrank(int32_t *to, const gan_grammar *g, table ways, double rank) {
    int state = 0;
    for (int64_t i = 0; i < g->length; i++) {
        for (int64_t k = 0; k < g->symbols; k++) {
            const int after = next(g, state, k);
            const double here = after < 0 ? 0 : ways[g->length - 1 - i][after];
            if (rank < here) {
                to[i] = (int32_t)k;
                state = after;
                break;
            }
            rank -= here;
        }
    }
}

void gan_grammar_draw(const gan_grammar *g, int32_t *symbols, int64_t count, uint64_t seed) {
    table ways;
    count_ways(ways, g);
    for (int64_t i = 0; i < count; i++) {
        const gan_philox4 r = gan_philox(seed, 0, (uint64_t)i);
        const uint64_t bits = (uint64_t)r.v[0] << 21 | r.v[1] >> 11; /* 53 */
        const double rank = floor(ldexp((double)bits, -53) * ways[g->length][0]);
        unrank(symbols + i * g->length, g, ways, rank);
    }
}

/* ---- judging ---- */

bool gan_grammar_accepts(const gan_grammar *g, const int32_t *symbols) {
    int state = 0;
    for (int64_t i = 0; state >= 0 && i < g->length; i++) {
        if (symbols[i] < 0 || symbols[i] >= g->symbols) return false;
        state = next(g, state, symbols[i]);
    }
    return state >= 0 && g->automaton->ends >> state & 1;
}

double gan_grammar_violations(const gan_grammar *g, const int32_t *symbols, int64_t count) {
    int64_t broken = 0;
    for (int64_t i = 0; i < count; i++) broken += !gan_grammar_accepts(g, symbols + i * g->length);
    return count > 0 ? (double)broken / (double)count : 0;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The inverse of unrank(). */
static double rank_of(const int32_t *symbols, const gan_grammar *g, table ways) {
    double rank = 0;
    int state = 0;
    for (int64_t i = 0; i < g->length; i++) {
        for (int64_t k = 0; k < symbols[i]; k++)
            if (next(g, state, k) >= 0) rank += ways[g->length - 1 - i][next(g, state, k)];
        state = next(g, state, symbols[i]);
    }
    return rank;
}

gan_status gan_grammar_distinct(int64_t *out, const gan_grammar *g, const int32_t *symbols,
                                int64_t count) {
    table ways;
    count_ways(ways, g);
    *out = 0;
    double *rank = malloc((size_t)(count > 0 ? count : 1) * sizeof *rank);
    if (!rank) return gan_fail(GAN_ERROR_MEMORY, "grammar '%s': out of memory", g->name);
    size_t n = 0;
    for (int64_t i = 0; i < count; i++)
        if (gan_grammar_accepts(g, symbols + i * g->length))
            rank[n++] = rank_of(symbols + i * g->length, g, ways);
    qsort(rank, n, sizeof *rank, by_value);
    for (size_t i = 0; i < n; i++) *out += i == 0 || rank[i] > rank[i - 1];
    free(rank);
    return GAN_OK;
}

void gan_grammar_text(const gan_grammar *g, const int32_t *symbols, char *text) {
    for (int64_t i = 0; i < g->length; i++)
        text[i] = symbols[i] >= 0 && symbols[i] < g->symbols ? g->letters[symbols[i]] : '?';
    text[g->length] = 0;
}
