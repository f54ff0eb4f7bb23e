/* Line plots: the views of the panels, their places, and the file. */
#include <math.h>
#include <stdlib.h>

#include "ganc/io.h"
#include "io/plot_panel.h"
#include "io/png.h"

enum { SMALLEST = 120, LARGEST = 8192 };

/* The range of the curves' values, a little wider. */
static void fit(double *low, double *high, const gan_panel *p, bool across) {
    double least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < p->curve_count; i++)
        for (int64_t j = 0; j < p->curves[i].count; j++) {
            const double x = p->curves[i].x[j], y = p->curves[i].y[j];
            if (!isfinite(x) || !isfinite(y)) continue;
            least = fmin(least, across ? x : y);
            most = fmax(most, across ? x : y);
        }
    const double margin = across ? 0 : 0.05 * (most - least);
    *low = least - margin;
    *high = most + margin;
    if (least == most) {
        *low = least - 1;
        *high = most + 1;
    }
}

static gan_status settle(gan_panel *out, const gan_panel *p, const char *path, int64_t index) {
    *out = *p;
    if (p->curve_count < 1)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: panel %lld has no curves", path, (long long)index);
    if (!(p->x_low < p->x_high || p->x_high < p->x_low)) fit(&out->x_low, &out->x_high, p, true);
    if (!(p->y_low < p->y_high || p->y_high < p->y_low)) fit(&out->y_low, &out->y_high, p, false);
    const double width = out->x_high - out->x_low, height = out->y_high - out->y_low;
    if (!(width > 0 && isfinite(width) && height > 0 && isfinite(height)))
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: panel %lld: view [%g, %g] x [%g, %g] is empty",
                        path, (long long)index, out->x_low, out->x_high, out->y_low, out->y_high);
    const double range = out->from_high - out->from_low;
    if (p->from && !(p->to && range > 0 && isfinite(range)))
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: panel %lld: arrows from [%g, %g] lead nowhere",
                        path, (long long)index, out->from_low, out->from_high);
    return GAN_OK;
}

static gan_status draw(const char *path, const gan_plot *plot, const gan_panel *panels,
                       int64_t columns, int64_t width, int64_t height) {
    const int64_t rows = (plot->count + columns - 1) / columns;
    const size_t values = (size_t)(3 * columns * width * rows * height);
    gan_canvas c;
    GAN_TRY(gan_canvas_open(&c, columns * width, rows * height, path));
    for (int64_t i = 0; i < plot->count; i++)
        gan_panel_draw(&c, &panels[i], (double)(i % columns * width),
                       (double)(i / columns * height), (double)width, (double)height);
    uint8_t *pixels = malloc(values);
    gan_status status = GAN_OK;
    if (pixels) {
        for (size_t i = 0; i < values; i++) pixels[i] = (uint8_t)(c.rgb[i] * 255.0f + 0.5f);
        status = gan_png_write(path, pixels, c.height, c.width, 3);
    } else {
        status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    }
    free(pixels);
    gan_canvas_close(&c);
    return status;
}

gan_status gan_png_write_plot(const char *path, const gan_plot *plot) {
    if (plot->count < 1) return gan_fail(GAN_ERROR_ARGUMENT, "%s: a plot without panels", path);
    const int64_t width = plot->width ? plot->width : GAN_PANEL_WIDTH;
    const int64_t height = plot->height ? plot->height : GAN_PANEL_HEIGHT;
    const int64_t columns = plot->columns ? plot->columns : plot->count;
    const int64_t rows = columns > 0 ? (plot->count - 1) / columns + 1 : 0;
    if (width < SMALLEST || height < SMALLEST || columns < 1 || columns > LARGEST / width ||
        rows > LARGEST / height)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "%s: %lld columns of panels of %lldx%lld pixels: from %d a panel to %d a "
                        "picture expected",
                        path, (long long)columns, (long long)width, (long long)height, SMALLEST,
                        LARGEST);
    gan_panel *panels = calloc((size_t)plot->count, sizeof *panels);
    if (!panels) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    gan_status status = GAN_OK;
    for (int64_t i = 0; i < plot->count && status == GAN_OK; i++)
        status = settle(&panels[i], &plot->panels[i], path, i);
    if (status == GAN_OK) status = draw(path, plot, panels, columns, width, height);
    free(panels);
    return status;
}
