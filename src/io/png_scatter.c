/* Points in the plane as a picture: every shape is a distance, and its edge is softened over a
 * pixel. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ganc/io.h"
#include "io/png.h"

enum { DEFAULT_SIZE = 640, SMALLEST = 32, LARGEST = 8192 };

typedef struct canvas {
    float *rgb; /* (size, size, 3), 0 to 1 */
    int64_t size;
    double unit; /* line widths and radii are given for 640 pixels and grow with the picture */
} canvas;

typedef struct ink {
    float rgb[3], alpha;
} ink;

static const ink point_ink = {{0.07f, 0.13f, 0.33f}, 0.45f};
static const ink ring_ink = {{0.90f, 0.42f, 0.18f}, 0.60f};
static const ink axis_ink = {{0.0f, 0.0f, 0.0f}, 0.12f};
static const ink frame_ink = {{0.0f, 0.0f, 0.0f}, 0.45f};

static void blend(canvas *c, int64_t x, int64_t y, const ink *with, double coverage) {
    if (!(coverage > 0)) return;
    const float a = with->alpha * (float)(coverage < 1 ? coverage : 1);
    float *p = c->rgb + (y * c->size + x) * 3;
    for (int i = 0; i < 3; i++) p[i] += a * (with->rgb[i] - p[i]);
}

static int64_t clamped(double v, int64_t size) {
    return v < 0 ? 0 : v > (double)(size - 1) ? size - 1 : (int64_t)v;
}

/* A circle about (x, y) in pixels: its edge, `width` wide, or filled when `width` is 0. */
static void circle(canvas *c, double x, double y, double radius, double width, const ink *with) {
    const double reach = radius + width + 1;
    if (x < -reach || y < -reach || x > (double)c->size + reach || y > (double)c->size + reach)
        return;
    const int64_t x0 = clamped(x - reach, c->size), x1 = clamped(x + reach, c->size);
    const int64_t y0 = clamped(y - reach, c->size), y1 = clamped(y + reach, c->size);
    for (int64_t py = y0; py <= y1; py++)
        for (int64_t px = x0; px <= x1; px++) {
            const double d = hypot((double)px + 0.5 - x, (double)py + 0.5 - y);
            const double out = width > 0 ? fabs(d - radius) - width / 2 : d - radius;
            blend(c, px, py, with, 0.5 - out);
        }
}

/* A filled rectangle; the edges may lie between pixels. */
static void rectangle(canvas *c, double x0, double y0, double x1, double y1, const ink *with) {
    const int64_t left = clamped(x0, c->size), right = clamped(x1, c->size);
    const int64_t top = clamped(y0, c->size), bottom = clamped(y1, c->size);
    for (int64_t py = top; py <= bottom; py++)
        for (int64_t px = left; px <= right; px++) {
            const double w = fmin(x1, (double)px + 1) - fmax(x0, (double)px);
            const double h = fmin(y1, (double)py + 1) - fmax(y0, (double)py);
            if (w > 0 && h > 0) blend(c, px, py, with, w * h);
        }
}

/* From the data's coordinates to pixels, y upwards. */
typedef struct view {
    double low[2], scale[2], margin, side;
} view;

static double across(const view *v, double x) {
    return v->margin + (x - v->low[0]) * v->scale[0];
}
static double down(const view *v, double y) {
    return v->margin + v->side - (y - v->low[1]) * v->scale[1];
}

/* A distance between ticks, 1, 2 or 5 times a power of ten, that gives four to nine of them. */
static double tick_step(double range) {
    const double power = pow(10, floor(log10(range / 4))), mantissa = range / 4 / power;
    return power * (mantissa < 2 ? 1 : mantissa < 5 ? 2 : 5);
}

static void draw_frame(canvas *c, const view *v, const double high[2]) {
    const double t = fmax(1, round(c->unit)), a = v->margin, b = v->margin + v->side,
                 tick = 5 * c->unit;
    if (v->low[0] < 0 && high[0] > 0) {
        const double x = round(across(v, 0) - t / 2);
        rectangle(c, x, a, x + t, b, &axis_ink);
    }
    if (v->low[1] < 0 && high[1] > 0) {
        const double y = round(down(v, 0) - t / 2);
        rectangle(c, a, y, b, y + t, &axis_ink);
    }
    for (int axis = 0; axis < 2; axis++) {
        const double step = tick_step(high[axis] - v->low[axis]);
        const double first = ceil(v->low[axis] / step), last = floor(high[axis] / step);
        for (double i = first; i <= last && last - first < 100; i++) {
            if (axis == 0) {
                const double x = round(across(v, i * step) - t / 2);
                rectangle(c, x, b, x + t, b + tick, &frame_ink);
            } else {
                const double y = round(down(v, i * step) - t / 2);
                rectangle(c, a - tick, y, a, y + t, &frame_ink);
            }
        }
    }
    rectangle(c, a - t, a - t, b + t, a, &frame_ink);
    rectangle(c, a - t, b, b + t, b + t, &frame_ink);
    rectangle(c, a - t, a, a, b, &frame_ink);
    rectangle(c, b, a, b + t, b, &frame_ink);
}

static void draw(canvas *c, const gan_scatter *s) {
    view v = {.low = {s->x_low, s->y_low}, .margin = round((double)c->size * 0.04)};
    const double high[2] = {s->x_high, s->y_high};
    v.side = (double)c->size - 2 * v.margin;
    for (int i = 0; i < 2; i++) v.scale[i] = v.side / (high[i] - v.low[i]);

    draw_frame(c, &v, high);
    const double ring = fmax(9 * c->unit, (double)s->ring * fmin(v.scale[0], v.scale[1]));
    for (int64_t i = 0; s->centres && i < s->modes; i++) {
        const double x = s->centres[2 * i], y = s->centres[2 * i + 1];
        if (isfinite(x) && isfinite(y))
            circle(c, across(&v, x), down(&v, y), ring, 1.3 * c->unit, &ring_ink);
    }
    for (int64_t i = 0; i < s->count; i++) {
        const double x = s->points[2 * i], y = s->points[2 * i + 1];
        if (x >= v.low[0] && x <= high[0] && y >= v.low[1] && y <= high[1])
            circle(c, across(&v, x), down(&v, y), 1.6 * c->unit, 0, &point_ink);
    }
}

gan_status gan_png_write_scatter(const char *path, const gan_scatter *s) {
    const float width = s->x_high - s->x_low, height = s->y_high - s->y_low;
    if (!(width > 0 && isfinite(width) && height > 0 && isfinite(height)))
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: view [%g, %g] x [%g, %g] is empty", path,
                        (double)s->x_low, (double)s->x_high, (double)s->y_low, (double)s->y_high);
    const int64_t size = s->size ? s->size : DEFAULT_SIZE;
    if (size < SMALLEST || size > LARGEST)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: %lld pixels a side, expected %d to %d", path,
                        (long long)size, SMALLEST, LARGEST);
    if (s->count < 0 || s->modes < 0 || !(s->ring >= 0 && isfinite(s->ring)))
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: counts and ring radius cannot be negative", path);

    const size_t values = (size_t)(size * size * 3);
    canvas c = {malloc(values * sizeof(float)), size, (double)size / DEFAULT_SIZE};
    uint8_t *pixels = malloc(values);
    gan_status status = GAN_OK;
    if (c.rgb && pixels) {
        for (size_t i = 0; i < values; i++) c.rgb[i] = 1;
        draw(&c, s);
        for (size_t i = 0; i < values; i++) pixels[i] = (uint8_t)(c.rgb[i] * 255.0f + 0.5f);
        status = gan_png_write(path, pixels, size, size, 3);
    } else {
        status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    }
    free(pixels);
    free(c.rgb);
    return status;
}
