/* Frame, grid, ticks, words and arrows of a panel. */
#include <math.h>
#include <stdio.h>

#include "io/plot_panel.h"

static const gan_ink grid_ink = {{0, 0, 0}, 0.10f};
static const gan_ink frame_ink = {{0, 0, 0}, 0.55f};
static const gan_ink text_ink = {{0.1f, 0.1f, 0.12f}, 1.0f};
static const gan_ink arrow_ink = {{0.1f, 0.1f, 0.12f}, 0.75f};

enum { STRIP = 92 }; /* height of the arrows below the axis */

/* A distance between ticks, 1, 2 or 5 times a power of ten, that gives four to nine of them. */
static double tick_step(double range) {
    const double power = pow(10, floor(log10(range / 4))), mantissa = range / 4 / power;
    return power * (mantissa < 2 ? 1 : mantissa < 5 ? 2 : 5);
}

static void tick_text(char text[32], double value, double step) {
    const int digits = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    if (fabs(value) < step / 2) value = 0; /* no minus zero */
    if (digits > 6 || fabs(value) >= 1e6)
        snprintf(text, 32, "%g", value);
    else
        snprintf(text, 32, "%.*f", digits, value);
}

static void line(gan_canvas *c, double x0, double y0, double x1, double y1, double width) {
    const double h = width / 2;
    gan_canvas_fill(c, fmin(x0, x1) - h, fmin(y0, y1) - h, fmax(x0, x1) + h, fmax(y0, y1) + h);
}

/* The middle of the pixel, so that thin lines are sharp. */
static double sharp(double v) { return floor(v) + 0.5; }

static void draw_ticks(gan_canvas *c, const gan_frame *f) {
    const double size = 9 * f->unit, gap = 7 * f->unit;
    for (int axis = 0; axis < 2; axis++) {
        const double low = axis ? f->y_low : f->x_low, high = axis ? f->y_high : f->x_high;
        const double step = tick_step(high - low);
        const double first = ceil(low / step - 1e-9), last = floor(high / step + 1e-9);
        for (double i = first; i <= last && last - first < 100; i++) {
            char text[32];
            tick_text(text, i * step, step);
            if (axis) {
                const double y = sharp(gan_frame_y(f, i * step));
                line(c, f->left, y, f->right, y, 1);
                gan_canvas_ink(c, grid_ink);
                gan_canvas_text(c, f->left - gap, y + size / 2, text, size, GAN_ALIGN_RIGHT, false);
            } else {
                const double x = sharp(gan_frame_x(f, i * step));
                line(c, x, f->top, x, f->bottom, 1);
                gan_canvas_ink(c, grid_ink);
                gan_canvas_text(c, x, f->bottom + gap + size, text, size, GAN_ALIGN_CENTRE, false);
            }
            gan_canvas_ink(c, text_ink);
        }
    }
}

static void draw_axes(gan_canvas *c, const gan_frame *f) {
    const double x0 = sharp(f->left), x1 = sharp(f->right), y0 = sharp(f->top),
                 y1 = sharp(f->bottom);
    line(c, x0, y1, x1, y1, 1);
    line(c, x0, y0, x0, y1, 1);
    line(c, x0, y0, x1, y0, 1);
    line(c, x1, y0, x1, y1, 1);
    gan_canvas_ink(c, frame_ink);
}

static void draw_arrow(gan_canvas *c, double ax, double ay, double bx, double by, double unit) {
    const double dx = bx - ax, dy = by - ay, length = hypot(dx, dy), head = 7 * unit;
    if (!(length > 0)) return;
    const double ux = dx / length, uy = dy / length, w = 2.6 * unit;
    const double nx = bx - ux * head, ny = by - uy * head;
    gan_canvas_stroke(c, ax, ay, nx, ny, 1.1 * unit);
    gan_canvas_triangle(c, (double[]){bx, nx - uy * w, nx + uy * w},
                        (double[]){by, ny + ux * w, ny - ux * w});
}

/* Two lines below the axis, the map's domain and under the plot its range, and the arrows. */
static void draw_map(gan_canvas *c, const gan_panel *p, const gan_frame *f, double top,
                     double bottom) {
    const double u = f->unit, range = p->from_high - p->from_low;
    line(c, f->left, sharp(top), f->right, sharp(top), 1);
    line(c, f->left, sharp(bottom), f->right, sharp(bottom), 1);
    gan_canvas_ink(c, frame_ink);
    for (int64_t i = 0; i < p->arrows; i++) {
        const double a = (p->from[i] - p->from_low) / range;
        const double x = gan_frame_x(f, p->to[i]);
        if (!(a >= 0 && a <= 1 && x >= f->left && x <= f->right)) continue;
        draw_arrow(c, f->left + a * (f->right - f->left), bottom, x, top, u);
    }
    gan_canvas_ink(c, arrow_ink);
    const double size = 11 * u;
    if (p->to_label)
        gan_canvas_text(c, f->left - 12 * u, top + size / 3, p->to_label, size, GAN_ALIGN_RIGHT,
                        false);
    if (p->from_label)
        gan_canvas_text(c, f->left - 12 * u, bottom + size / 3, p->from_label, size,
                        GAN_ALIGN_RIGHT, false);
    gan_canvas_ink(c, text_ink);
}

static void draw_words(gan_canvas *c, const gan_panel *p, const gan_frame *f, double x,
                       double bottom) {
    const double u = f->unit, middle = (f->left + f->right) / 2;
    if (p->title)
        gan_canvas_text(c, middle, f->top - 13 * u, p->title, 11.5 * u, GAN_ALIGN_CENTRE, false);
    if (p->x_label)
        gan_canvas_text(c, middle, bottom - 14 * u, p->x_label, 10.5 * u, GAN_ALIGN_CENTRE, false);
    if (p->y_label)
        gan_canvas_text(c, x + 23 * u, (f->top + f->bottom) / 2, p->y_label, 10.5 * u,
                        GAN_ALIGN_CENTRE, true);
    gan_canvas_ink(c, text_ink);
}

void gan_panel_draw(gan_canvas *c, const gan_panel *p, double x, double y, double width,
                    double height) {
    const double u = fmin(width / GAN_PANEL_WIDTH, height / GAN_PANEL_HEIGHT);
    const double strip = p->from ? STRIP * u : 0;
    gan_frame f = {
        .x_low = p->x_low, .x_high = p->x_high, .y_low = p->y_low, .y_high = p->y_high, .unit = u};
    f.left = x + (p->y_label ? 80 : 58) * u;
    f.right = x + width - 22 * u;
    f.top = y + (p->title ? 42 : 18) * u;
    f.bottom = y + height - (p->x_label ? 58 : 34) * u - strip;
    draw_ticks(c, &f);
    draw_axes(c, &f);
    gan_panel_draw_curves(c, p, &f);
    gan_panel_draw_legend(c, p, &f);
    if (p->from) draw_map(c, p, &f, f.bottom + 32 * u, f.bottom + strip + 8 * u);
    draw_words(c, p, &f, x, y + height);
}
