#include "adversarial/knobs.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"

enum { NAME = 64 };

static void skip_spaces(const char **p) {
    while (isspace((unsigned char)**p)) ++*p;
}

/* A name of letters, digits and dashes; empty when there is none. */
static void take_name(const char **p, char name[NAME]) {
    size_t n = 0;
    while (isalnum((unsigned char)**p) || **p == '-' || **p == '_') {
        if (n + 1 < NAME) name[n++] = **p;
        ++*p;
    }
    name[n] = '\0';
}

static int knob_count(const gan_knob *knobs) {
    int n = 0;
    while (n < GAN_KNOBS && knobs[n].name) n++;
    return n;
}

static gan_status unknown_row(const char *where, const char *name, const gan_rows *rows) {
    const char *names[128] = {0};
    const size_t n = rows->count < 128 ? rows->count : 128;
    for (size_t i = 0; i < n; i++) names[i] = rows->name(i);
    const char *near = gan_nearest(name, names, n);
    if (near)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: '%s' is no %s; did you mean '%s'?", where, name,
                        rows->what, near);
    char list[768] = "";
    for (size_t i = 0; i < n; i++) {
        if (i) strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, names[i], sizeof list - strlen(list) - 1);
    }
    return gan_fail(GAN_ERROR_ARGUMENT, "%s: '%s' is no %s, expected one of %s", where, name,
                    rows->what, list);
}

static gan_status unknown_knob(const char *where, const char *row, const char *name,
                               const gan_knob *knobs) {
    char list[256] = "";
    for (int i = 0; i < knob_count(knobs); i++) {
        if (i) strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, knobs[i].name, sizeof list - strlen(list) - 1);
    }
    return gan_fail(GAN_ERROR_ARGUMENT, "%s: %s has no '%s', only %s", where, row, name,
                    *list ? list : "its name");
}

static gan_status unclosed(const char *where, const char *row) {
    return gan_fail(GAN_ERROR_ARGUMENT, "%s: %s: the closing ) is missing", where, row);
}

/* One "value" or "name=value" inside the brackets; `position` counts those without a name. */
static gan_status take_value(const char **p, int *position, const char *where, const char *row,
                             const gan_knob *knobs, const bool *whole, double *value) {
    const char *start = *p;
    char name[NAME];
    take_name(p, name);
    skip_spaces(p);
    int k = *position;
    if (**p == '=') {
        for (k = 0; k < knob_count(knobs) && strcmp(knobs[k].name, name) != 0;) k++;
        if (k == knob_count(knobs)) return unknown_knob(where, row, name, knobs);
        ++*p;
    } else {
        *p = start;
        ++*position;
        if (k >= knob_count(knobs))
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: %s takes %d values, more given", where, row,
                            knob_count(knobs));
    }
    char *end;
    const double x = strtod(*p, &end);
    const gan_knob *knob = &knobs[k];
    if (end == *p)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: %s: %s is '%.20s', expected a number", where, row,
                        knob->name, *p);
    if (!(x >= knob->low && x <= knob->high) || (whole[k] && x != floor(x)))
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: %s: %s is %g, expected %s%g to %g", where, row,
                        knob->name, x, whole[k] ? "a whole number from " : "", knob->low,
                        knob->high);
    value[k] = x;
    *p = end;
    skip_spaces(p);
    return GAN_OK;
}

static gan_status take_values(const char **p, const char *where, const char *row,
                              const gan_knob *knobs, const bool *whole, double *value) {
    int position = 0;
    for (++*p, skip_spaces(p); **p != ')';) {
        if (!**p) return unclosed(where, row);
        GAN_TRY(take_value(p, &position, where, row, knobs, whole, value));
        if (**p == ',') {
            ++*p;
            skip_spaces(p);
        } else if (!**p) {
            return unclosed(where, row);
        } else if (**p != ')') {
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: %s: '%.20s', expected , or )", where, row, *p);
        }
    }
    ++*p;
    skip_spaces(p);
    return GAN_OK;
}

/* Takes the first row of *text, and moves *text behind it and its comma. */
static gan_status take_row(const char **text, gan_row_use *use, const char *where,
                           const gan_rows *rows) {
    const char *p = *text;
    char name[NAME];
    take_name(&p, name);
    if (!*name)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: '%.20s', expected the name of a %s", where, p,
                        rows->what);
    size_t row = 0;
    while (row < rows->count && strcmp(rows->name(row), name) != 0) row++;
    if (row == rows->count) return unknown_row(where, name, rows);
    const gan_knob *knobs = rows->knobs(row);
    bool whole[GAN_KNOBS];
    for (int i = 0; i < GAN_KNOBS; i++) {
        use->knob[i] = i < knob_count(knobs) ? knobs[i].initial : 0;
        whole[i] = rows->whole(row, i);
    }
    skip_spaces(&p);
    if (*p == '(') GAN_TRY(take_values(&p, where, name, knobs, whole, use->knob));
    if (*p == ',')
        p++;
    else if (*p)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: '%.20s' behind %s, expected a comma", where, p,
                        name);
    use->row = row;
    *text = p;
    return GAN_OK;
}

gan_status gan_knobs_parse(gan_row_use *out, int *n, int most, const char *where, const char *text,
                           const gan_rows *rows) {
    for (*n = 0;; ++*n) {
        gan_row_use use;
        skip_spaces(&text);
        if (!*text) return GAN_OK;
        GAN_TRY(take_row(&text, &use, where, rows));
        if (*n == most)
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: more than %d %ss given", where, most,
                            rows->what);
        for (int i = 0; i < *n; i++)
            if (out[i].row == use.row)
                return gan_fail(GAN_ERROR_ARGUMENT, "%s: %s is given twice", where,
                                rows->name(use.row));
        out[*n] = use;
    }
}
