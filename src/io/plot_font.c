/* Letters as strokes on a grid: each point is two digits, x from 0 to 4 and y from 0 to 8, with the
 * base line at 2, capitals up to 8, small letters up to 6 and tails down to 0; a space lifts the
 * pen.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "io/plot_canvas.h"

enum { BASE = 2, CAPITAL = 6, GAP = 2, SPACE = 4 };

static const double subscript_size = 0.72, subscript_drop = 2.0;

static const char *const strokes[128] = {
    ['!'] = "0804 02",
    ['"'] = "0806 1816",
    ['#'] = "1218 3238 0444 0646",
    ['$'] = "4717061534433303 2820",
    ['%'] = "0248 08 42",
    ['&'] = "4216172837360403122244",
    ['\''] = "0806",
    ['('] = "18070312",
    [')'] = "08171302",
    ['*'] = "0628 0826 1519",
    ['+'] = "0545 2327",
    [','] = "1201",
    ['-'] = "0535",
    ['.'] = "02",
    ['/'] = "0238",
    ['0'] = "122233372818070312",
    ['1'] = "072822 1232",
    ['2'] = "07183847460242",
    ['3'] = "07183847463525 354443321203",
    ['4'] = "32380444",
    ['5'] = "480805354443321203",
    ['6'] = "473818070312324344351504",
    ['7'] = "084812",
    ['8'] = "15060718384746351504031232434435",
    ['9'] = "031232434738180706153546",
    [':'] = "02 05",
    [';'] = "1201 15",
    ['<'] = "370533",
    ['='] = "0444 0646",
    ['>'] = "073503",
    ['?'] = "071838474624 22",
    ['@'] = "36261524333647481807031232",
    ['A'] = "022842 1434",
    ['B'] = "02083847463505 3544433202",
    ['C'] = "4738180703123243",
    ['D'] = "02082846442202",
    ['E'] = "48080242 0535",
    ['F'] = "480802 0535",
    ['G'] = "47381807031232434525",
    ['H'] = "0208 4248 0545",
    ['I'] = "0222 1218 0828",
    ['J'] = "4843321203",
    ['K'] = "0208 4804 1542",
    ['L'] = "080242",
    ['M'] = "0208254842",
    ['N'] = "02084248",
    ['O'] = "123243473818070312",
    ['P'] = "02083847463505",
    ['Q'] = "123243473818070312 2442",
    ['R'] = "02083847463505 2542",
    ['S'] = "473818070615354443321203",
    ['T'] = "0848 2822",
    ['U'] = "080312324348",
    ['V'] = "082248",
    ['W'] = "0812253248",
    ['X'] = "0248 0842",
    ['Y'] = "082548 2522",
    ['Z'] = "08480242",
    ['['] = "18080212",
    ['\\'] = "0832",
    [']'] = "08181202",
    ['^'] = "062846",
    ['_'] = "0141",
    ['`'] = "0816",
    ['a'] = "3526160503122233 3632",
    ['b'] = "0802 0516263533221203",
    ['c'] = "3526160503122233",
    ['d'] = "3832 3526160503122233",
    ['e'] = "04343526160503122233",
    ['f'] = "28181702 0626",
    ['g'] = "3526160503122233 36312000",
    ['h'] = "0802 0516263532",
    ['i'] = "0602 08",
    ['j'] = "161100 18",
    ['k'] = "0802 3603 1432",
    ['l'] = "0802",
    ['m'] = "0602 05162522 25364542",
    ['n'] = "0602 0516263532",
    ['o'] = "122233352616050312",
    ['p'] = "0600 0516263533221203",
    ['q'] = "3630 3526160503122233",
    ['r'] = "0602 051626",
    ['s'] = "35261605142433221203",
    ['t'] = "18132232 0626",
    ['u'] = "0603122233 3632",
    ['v'] = "062246",
    ['w'] = "0612253246",
    ['x'] = "0632 0236",
    ['y'] = "0622 4610",
    ['z'] = "06360232",
    ['{'] = "28171605141322",
    ['|'] = "0801",
    ['}'] = "08171625141302",
    ['~'] = "04153445",
};

/* What has no letter is drawn as a box. */
static const char *strokes_of(char letter) {
    const char *s = letter > 0 ? strokes[(int)letter] : NULL;
    return s ? s : "0208484202";
}

static void extent(const char *s, int *low, int *high) {
    *low = 9;
    *high = 0;
    for (; *s; s += *s == ' ' ? 1 : 2) {
        if (*s == ' ') continue;
        const int x = *s - '0';
        if (x < *low) *low = x;
        if (x > *high) *high = x;
    }
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Where text goes: units of the grid to pixels. */
typedef struct pen {
    gan_canvas *canvas; /* NULL: only measured */
    double x, y, unit;
    bool upwards;
} pen;

static void draw(const pen *p, const char *s, double at, double drop, double scale) {
    const double width = fmax(1.15, 0.72 * p->unit * (scale < 1 ? 0.9 : 1));
    double ax = 0, ay = 0;
    bool down = false;
    for (;; s += 2) {
        const bool lifted = !*s || *s == ' ';
        if (lifted && !*s) return;
        if (lifted) {
            s++;
            down = false;
        }
        const double u = (at + scale * (s[0] - '0')) * p->unit;
        const double v = (scale * (s[1] - '0' - BASE) - drop) * p->unit;
        const double bx = p->upwards ? p->x - v : p->x + u, by = p->upwards ? p->y - u : p->y - v;
        const bool alone = !down && (!s[2] || s[2] == ' ');
        if (down || alone)
            gan_canvas_stroke(p->canvas, down ? ax : bx, down ? ay : by, bx, by,
                              alone ? 1.3 * width : width);
        ax = bx;
        ay = by;
        down = true;
    }
}

/* Draws, or with no canvas only measures; returns the width in units. */
static double run(const pen *p, const char *text) {
    double at = 0;
    bool lowered = false;
    for (; *text; text++) {
        if (*text == '_' && is_word(text[1])) {
            lowered = true;
            at -= 0.5;
            continue;
        }
        if (lowered && !is_word(*text)) lowered = false;
        if (*text == ' ') {
            at += SPACE;
            continue;
        }
        const double scale = lowered ? subscript_size : 1;
        int low, high;
        const char *s = strokes_of(*text);
        extent(s, &low, &high);
        if (p->canvas) draw(p, s, at - scale * low, lowered ? subscript_drop : 0, scale);
        at += scale * (high - low + GAP);
    }
    return at > GAP ? at - GAP : 0;
}

double gan_text_width(const char *text, double size) {
    const pen p = {.unit = size / CAPITAL};
    return run(&p, text) * p.unit;
}

void gan_canvas_text(gan_canvas *canvas, double x, double y, const char *text, double size,
                     gan_align align, bool upwards) {
    pen p = {.canvas = canvas, .x = x, .y = y, .unit = size / CAPITAL, .upwards = upwards};
    const double width = align == GAN_ALIGN_LEFT ? 0 : gan_text_width(text, size);
    const double back = align == GAN_ALIGN_CENTRE ? width / 2 : width;
    if (upwards)
        p.y += back;
    else
        p.x -= back;
    run(&p, text);
}
