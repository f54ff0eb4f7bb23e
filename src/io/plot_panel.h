/* One panel of a plot. */
#ifndef GANC_IO_PLOT_PANEL_H
#define GANC_IO_PLOT_PANEL_H

#include "ganc/io.h"
#include "io/plot_canvas.h"

enum { GAN_PANEL_WIDTH = 640, GAN_PANEL_HEIGHT = 440 };

/* Where a panel's data are: [left, right] × [top, bottom] in pixels, and the values at its edges.
 */
typedef struct gan_frame {
    double left, top, right, bottom;
    double x_low, x_high, y_low, y_high;
    double unit; /* widths and sizes are given for 640 pixels a panel */
} gan_frame;

static inline double gan_frame_x(const gan_frame *f, double x) {
    return f->left + (x - f->x_low) / (f->x_high - f->x_low) * (f->right - f->left);
}
static inline double gan_frame_y(const gan_frame *f, double y) {
    return f->bottom - (y - f->y_low) / (f->y_high - f->y_low) * (f->bottom - f->top);
}

/* Draws the panel into the rectangle of `width` × `height` pixels at (x, y). The view has been
 * settled: low < high, all finite. */
void gan_panel_draw(gan_canvas *canvas, const gan_panel *panel, double x, double y, double width,
                    double height);

/* The curves and their legend. */
void gan_panel_draw_curves(gan_canvas *canvas, const gan_panel *panel, const gan_frame *frame);
void gan_panel_draw_legend(gan_canvas *canvas, const gan_panel *panel, const gan_frame *frame);

#endif
