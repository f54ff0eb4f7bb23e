/* Curves and the legend of a panel. */
#include <math.h>

#include "io/plot_panel.h"

/* Colours that stay apart for colour-blind eyes too. */
static const gan_ink inks[] = {
    [GAN_BLACK] = {{0.10f, 0.10f, 0.10f}, 1.0f},  [GAN_BLUE] = {{0.12f, 0.34f, 0.70f}, 1.0f},
    [GAN_GREEN] = {{0.10f, 0.55f, 0.33f}, 1.0f},  [GAN_RED] = {{0.80f, 0.19f, 0.17f}, 1.0f},
    [GAN_ORANGE] = {{0.90f, 0.55f, 0.10f}, 1.0f}, [GAN_PURPLE] = {{0.50f, 0.26f, 0.62f}, 1.0f},
    [GAN_GREY] = {{0.55f, 0.56f, 0.58f}, 1.0f},
};

/* A pen that lifts itself to make dots and dashes: `run` pixels of line drawn so far. */
typedef struct pen {
    gan_canvas *canvas;
    gan_stroke stroke;
    double width, unit, run;
} pen;

static const double dash = 8, dash_gap = 5.5, dot_gap = 6.2; /* pixels, by unit */

static void dots(pen *p, double ax, double ay, double bx, double by, double length) {
    const double gap = dot_gap * p->unit;
    double at = fmod(gap - fmod(p->run, gap), gap);
    for (; at < length; at += gap) {
        const double x = ax + (bx - ax) * at / length, y = ay + (by - ay) * at / length;
        gan_canvas_stroke(p->canvas, x, y, x, y, 1.35 * p->width);
    }
}

static void dashes(pen *p, double ax, double ay, double bx, double by, double length) {
    const double on = dash * p->unit, period = on + dash_gap * p->unit;
    for (double at = -fmod(p->run, period); at < length; at += period) {
        const double a = fmax(at, 0), b = fmin(at + on, length);
        if (a >= b) continue;
        gan_canvas_stroke(p->canvas, ax + (bx - ax) * a / length, ay + (by - ay) * a / length,
                          ax + (bx - ax) * b / length, ay + (by - ay) * b / length, p->width);
    }
}

static void segment(pen *p, double ax, double ay, double bx, double by) {
    const double length = hypot(bx - ax, by - ay);
    if (p->stroke == GAN_STROKE_SOLID)
        gan_canvas_stroke(p->canvas, ax, ay, bx, by, p->width);
    else if (length > 0 && p->stroke == GAN_STROKE_DOTTED)
        dots(p, ax, ay, bx, by, length);
    else if (length > 0 && p->stroke == GAN_STROKE_DASHED)
        dashes(p, ax, ay, bx, by, length);
    p->run += length;
}

static double width_of(const gan_frame *f) { return fmax(1.2, 2.1 * f->unit); }

static double radius_of(const gan_frame *f) { return fmax(2, 3.4 * f->unit); }

/* Values far outside of the view are brought near it, so that no line is endless. */
static double near(double v, double low, double high) {
    const double margin = 4 * (high - low);
    return v < low - margin ? low - margin : v > high + margin ? high + margin : v;
}

static void draw_curve(gan_canvas *c, const gan_curve *curve, const gan_frame *f) {
    pen p = {.canvas = c, .stroke = curve->stroke, .width = width_of(f), .unit = f->unit};
    double ax = 0, ay = 0;
    bool down = false;
    for (int64_t i = 0; i < curve->count; i++) {
        if (!isfinite(curve->x[i]) || !isfinite(curve->y[i])) {
            down = false;
            continue;
        }
        const double x = gan_frame_x(f, near(curve->x[i], f->x_low, f->x_high));
        const double y = gan_frame_y(f, near(curve->y[i], f->y_low, f->y_high));
        if (curve->stroke == GAN_STROKE_POINTS)
            gan_canvas_stroke(c, x, y, x, y, 2 * radius_of(f));
        else if (down)
            segment(&p, ax, ay, x, y);
        ax = x;
        ay = y;
        down = true;
    }
    const double margin = curve->stroke == GAN_STROKE_POINTS ? radius_of(f) : 1;
    gan_canvas_clip(c, f->left - margin, f->top - margin, f->right + margin, f->bottom + margin);
    gan_canvas_ink(c, inks[curve->colour]);
}

void gan_panel_draw_curves(gan_canvas *c, const gan_panel *p, const gan_frame *f) {
    for (int64_t i = 0; i < p->curve_count; i++) draw_curve(c, &p->curves[i], f);
}

/* ---- legend ---- */

typedef struct rectangle {
    double x, y, width, height;
} rectangle;

/* How many points of curves lie under a legend there. */
static int64_t hidden(const gan_panel *p, const gan_frame *f, const rectangle *r) {
    int64_t n = 0;
    for (int64_t i = 0; i < p->curve_count; i++)
        for (int64_t j = 0; j < p->curves[i].count; j++) {
            const double x = gan_frame_x(f, p->curves[i].x[j]) - r->x;
            const double y = gan_frame_y(f, p->curves[i].y[j]) - r->y;
            if (x >= 0 && x <= r->width && y >= 0 && y <= r->height) n++;
        }
    return n;
}

/* Of six places along the top and the bottom the one that hides least. */
static rectangle place(const gan_panel *p, const gan_frame *f, double width, double height) {
    const double m = 9 * f->unit;
    const double xs[] = {f->right - m - width, f->left + m, (f->left + f->right - width) / 2};
    const double ys[] = {f->top + m, f->bottom - m - height};
    rectangle best = {0};
    int64_t least = INT64_MAX;
    for (int i = 0; i < 6; i++) {
        const rectangle r = {floor(xs[i % 3]), floor(ys[i / 3]), width, height};
        const int64_t n = hidden(p, f, &r);
        if (n < least) {
            least = n;
            best = r;
        }
    }
    return best;
}

void gan_panel_draw_legend(gan_canvas *c, const gan_panel *p, const gan_frame *f) {
    const double u = f->unit, size = 9.5 * u, row = 20 * u, sample = 30 * u, m = 9 * u;
    double width = 0;
    int64_t n = 0;
    for (int64_t i = 0; i < p->curve_count; i++)
        if (p->curves[i].label) {
            width = fmax(width, gan_text_width(p->curves[i].label, size));
            n++;
        }
    if (!n) return;
    const rectangle r = place(p, f, ceil(width + sample + 3 * m), ceil((double)n * row + 0.6 * m));
    gan_canvas_fill(c, r.x, r.y, r.x + r.width, r.y + r.height);
    gan_canvas_ink(c, (gan_ink){{0.75f, 0.76f, 0.78f}, 1});
    gan_canvas_fill(c, r.x + 1, r.y + 1, r.x + r.width - 1, r.y + r.height - 1);
    gan_canvas_ink(c, (gan_ink){{1, 1, 1}, 1});
    double y = r.y + 0.3 * m + row / 2;
    for (int64_t i = 0; i < p->curve_count; i++) {
        const gan_curve *curve = &p->curves[i];
        if (!curve->label) continue;
        pen line = {.canvas = c, .stroke = curve->stroke, .width = width_of(f), .unit = u};
        const double x = r.x + m;
        if (curve->stroke == GAN_STROKE_POINTS)
            gan_canvas_stroke(c, x + sample / 2, y, x + sample / 2, y, 2 * radius_of(f));
        else
            segment(&line, x, y, x + sample, y);
        gan_canvas_ink(c, inks[curve->colour]);
        gan_canvas_text(c, x + sample + m, y + size / 2, curve->label, size, GAN_ALIGN_LEFT, false);
        gan_canvas_ink(c, (gan_ink){{0.1f, 0.1f, 0.12f}, 1});
        y += row;
    }
}
