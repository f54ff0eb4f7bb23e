#include "io/plot_canvas.h"

#include <math.h>
#include <stdlib.h>

gan_status gan_canvas_open(gan_canvas *c, int64_t width, int64_t height, const char *path) {
    const size_t pixels = (size_t)(width * height);
    *c = (gan_canvas){.rgb = malloc(3 * pixels * sizeof *c->rgb),
                      .mask = calloc(pixels, sizeof *c->mask),
                      .width = width,
                      .height = height,
                      .x0 = width,
                      .y0 = height};
    if (!c->rgb || !c->mask) {
        gan_canvas_close(c);
        return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    }
    for (size_t i = 0; i < 3 * pixels; i++) c->rgb[i] = 1;
    return GAN_OK;
}

void gan_canvas_close(gan_canvas *c) {
    free(c->rgb);
    free(c->mask);
    *c = (gan_canvas){0};
}

/* The pixels that a shape may touch; false when there are none. */
typedef struct box {
    int64_t x0, y0, x1, y1;
} box;

static int64_t inside(double v, int64_t size) {
    return v < 0 ? 0 : v > (double)size ? size : (int64_t)v;
}

static bool touch(box *b, gan_canvas *c, double x0, double y0, double x1, double y1) {
    *b = (box){inside(floor(x0), c->width), inside(floor(y0), c->height),
               inside(ceil(x1), c->width), inside(ceil(y1), c->height)};
    if (b->x0 >= b->x1 || b->y0 >= b->y1) return false;
    if (b->x0 < c->x0) c->x0 = b->x0;
    if (b->y0 < c->y0) c->y0 = b->y0;
    if (b->x1 > c->x1) c->x1 = b->x1;
    if (b->y1 > c->y1) c->y1 = b->y1;
    return true;
}

static void cover(gan_canvas *c, int64_t x, int64_t y, double coverage) {
    float *m = c->mask + y * c->width + x;
    const float v = (float)(coverage > 1 ? 1 : coverage);
    if (v > *m) *m = v;
}

void gan_canvas_stroke(gan_canvas *c, double ax, double ay, double bx, double by, double width) {
    const double r = width / 2 + 1, dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
    box b;
    if (!touch(&b, c, fmin(ax, bx) - r, fmin(ay, by) - r, fmax(ax, bx) + r, fmax(ay, by) + r))
        return;
    for (int64_t y = b.y0; y < b.y1; y++)
        for (int64_t x = b.x0; x < b.x1; x++) {
            const double px = (double)x + 0.5 - ax, py = (double)y + 0.5 - ay;
            const double t = length > 0 ? (px * dx + py * dy) / length : 0;
            const double s = t < 0 ? 0 : t > 1 ? 1 : t;
            cover(c, x, y, width / 2 + 0.5 - hypot(px - s * dx, py - s * dy));
        }
}

void gan_canvas_fill(gan_canvas *c, double x0, double y0, double x1, double y1) {
    box b;
    if (!touch(&b, c, x0, y0, x1, y1)) return;
    for (int64_t y = b.y0; y < b.y1; y++)
        for (int64_t x = b.x0; x < b.x1; x++) {
            const double w = fmin(x1, (double)x + 1) - fmax(x0, (double)x);
            const double h = fmin(y1, (double)y + 1) - fmax(y0, (double)y);
            if (w > 0 && h > 0) cover(c, x, y, w * h);
        }
}

void gan_canvas_triangle(gan_canvas *c, const double x[3], const double y[3]) {
    const double turn = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
    box b;
    if (turn == 0 ||
        !touch(&b, c, fmin(x[0], fmin(x[1], x[2])) - 1, fmin(y[0], fmin(y[1], y[2])) - 1,
               fmax(x[0], fmax(x[1], x[2])) + 1, fmax(y[0], fmax(y[1], y[2])) + 1))
        return;
    for (int64_t py = b.y0; py < b.y1; py++)
        for (int64_t px = b.x0; px < b.x1; px++) {
            double depth = 1; /* to the nearest edge, positive inside */
            for (int i = 0; i < 3; i++) {
                const int j = (i + 1) % 3;
                const double ex = x[j] - x[i], ey = y[j] - y[i];
                const double d = (ex * ((double)py + 0.5 - y[i]) - ey * ((double)px + 0.5 - x[i])) /
                                 hypot(ex, ey) * (turn > 0 ? 1 : -1);
                if (d + 0.5 < depth) depth = d + 0.5;
            }
            cover(c, px, py, depth > 0 ? depth : 0);
        }
}

void gan_canvas_clip(gan_canvas *c, double x0, double y0, double x1, double y1) {
    for (int64_t y = c->y0; y < c->y1; y++)
        for (int64_t x = c->x0; x < c->x1; x++)
            if ((double)x < x0 || (double)y < y0 || (double)x >= x1 || (double)y >= y1)
                c->mask[y * c->width + x] = 0;
}

void gan_canvas_ink(gan_canvas *c, gan_ink ink) {
    for (int64_t y = c->y0; y < c->y1; y++)
        for (int64_t x = c->x0; x < c->x1; x++) {
            float *m = c->mask + y * c->width + x, *p = c->rgb + (y * c->width + x) * 3;
            const float a = ink.alpha * *m;
            for (int i = 0; i < 3; i++) p[i] += a * (ink.rgb[i] - p[i]);
            *m = 0;
        }
    c->x0 = c->width;
    c->y0 = c->height;
    c->x1 = c->y1 = 0;
}
