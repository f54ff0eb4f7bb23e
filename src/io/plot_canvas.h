/* A picture that line plots are drawn on: strokes are distances to lines, softened over a pixel. */
#ifndef GANC_IO_PLOT_CANVAS_H
#define GANC_IO_PLOT_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct gan_ink {
    float rgb[3], alpha;
} gan_ink;

/* Strokes collect in `mask` and are then inked at once, so that a line that crosses itself, or is
 * made of many pieces, is equally dark everywhere. */
typedef struct gan_canvas {
    float *rgb;  /* (height, width, 3), 0 to 1, white at first */
    float *mask; /* (height, width), 0 to 1, all 0 between two lines */
    int64_t width, height;
    int64_t x0, y0, x1, y1; /* where the mask is not 0: [x0, x1) × [y0, y1) */
} gan_canvas;

gan_status gan_canvas_open(gan_canvas *out, int64_t width, int64_t height, const char *path);
void gan_canvas_close(gan_canvas *canvas);

/* A piece of a line with round ends into the mask, in pixels; a point where both ends are equal. */
void gan_canvas_stroke(gan_canvas *canvas, double ax, double ay, double bx, double by,
                       double width);

/* The filled rectangle [x0, x1] × [y0, y1], whose edges may lie between pixels, into the mask. */
void gan_canvas_fill(gan_canvas *canvas, double x0, double y0, double x1, double y1);

/* A filled triangle into the mask. */
void gan_canvas_triangle(gan_canvas *canvas, const double x[3], const double y[3]);

/* Empties the mask outside of a rectangle of whole pixels. */
void gan_canvas_clip(gan_canvas *canvas, double x0, double y0, double x1, double y1);

/* Lays the ink where the mask is, and empties the mask. */
void gan_canvas_ink(gan_canvas *canvas, gan_ink ink);

/* ---- text ---- */

typedef enum gan_align { GAN_ALIGN_LEFT, GAN_ALIGN_CENTRE, GAN_ALIGN_RIGHT } gan_align;

/* How wide a text is, in pixels; `size`: height of a capital. */
double gan_text_width(const char *text, double size);

/* ASCII text into the mask, its base line at y; "_" lowers the letters and digits after it:
 * "p_data". With `upwards` it is turned left by a right angle about (x, y). */
void gan_canvas_text(gan_canvas *canvas, double x, double y, const char *text, double size,
                     gan_align align, bool upwards);

#endif
