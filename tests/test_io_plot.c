/* Line plots: what is drawn is where the data say, and nowhere else. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/plot_panel.h"
#include "support/scratch.h"

static gan_picture picture;

static void draw(const gan_panel *panel) {
    expect_ok(gan_png_write_plot(scratch("p.png"), &(gan_plot){.panels = panel, .count = 1}));
    expect_ok(gan_png_read(&picture, scratch("p.png")));
    assert_int_equal(picture.width, GAN_PANEL_WIDTH);
    assert_int_equal(picture.height, GAN_PANEL_HEIGHT);
    assert_int_equal(picture.channels, 3);
}

/* Whether a pixel is of blue ink (the words and the grid are grey). */
static bool blue(int64_t x, int64_t y) {
    const uint8_t *p = picture.pixels + (y * picture.width + x) * 3;
    return p[2] > p[0] + 60;
}

static int64_t blue_within(double x0, double y0, double x1, double y1) {
    int64_t n = 0;
    for (int64_t y = 0; y < picture.height; y++)
        for (int64_t x = 0; x < picture.width; x++)
            n += blue(x, y) && (double)x >= x0 && (double)x < x1 && (double)y >= y0 &&
                 (double)y < y1;
    return n;
}

static int64_t blue_anywhere(void) { return blue_within(0, 0, 1e9, 1e9); }

/* The frame of a panel without words, as gan_panel_draw() lays it out; checked by what is found. */
static const gan_frame plain = {.left = 58,
                                .top = 18,
                                .right = 618,
                                .bottom = 406,
                                .x_low = 0,
                                .x_high = 1,
                                .y_low = 0,
                                .y_high = 1,
                                .unit = 1};

static gan_panel unit_square(const gan_curve *curve) {
    return (gan_panel){.curves = curve, .curve_count = 1, .x_high = 1, .y_high = 1};
}

static void a_line_is_where_its_points_are(void **state) {
    const double x[] = {0.1, 0.9}, y[] = {0.2, 0.8};
    const gan_curve curve = {x, y, 2, GAN_STROKE_SOLID, GAN_BLUE, NULL};
    const gan_panel panel = unit_square(&curve);
    (void)state;
    draw(&panel);
    for (int i = 0; i <= 40; i++) {
        const double t = (double)i / 40;
        const double px = gan_frame_x(&plain, 0.1 + 0.8 * t),
                     py = gan_frame_y(&plain, 0.2 + 0.6 * t);
        assert_true(blue((int64_t)px, (int64_t)py));
        assert_false(blue((int64_t)px, (int64_t)py - 6) || blue((int64_t)px, (int64_t)py + 6));
    }
    const double length = hypot(0.8 * 560, 0.6 * 388);
    assert_in_range(blue_anywhere(), (int64_t)(1.5 * length), (int64_t)(3.5 * length));
    gan_png_free(&picture);
}

static void strokes_differ(void **state) {
    const double x[] = {0, 1}, y[] = {0.5, 0.5};
    int64_t n[4];
    (void)state;
    for (int i = 0; i < 4; i++) {
        const gan_curve curve = {x, y, 2, (gan_stroke)i, GAN_BLUE, NULL};
        const gan_panel panel = unit_square(&curve);
        draw(&panel);
        n[i] = blue_anywhere();
        gan_png_free(&picture);
    }
    assert_true(n[GAN_STROKE_SOLID] > 1000);
    assert_true(n[GAN_STROKE_DASHED] < n[GAN_STROKE_SOLID] * 9 / 10);
    assert_true(n[GAN_STROKE_DOTTED] < n[GAN_STROKE_SOLID] * 3 / 4);
    assert_true(n[GAN_STROKE_DASHED] > 400 && n[GAN_STROKE_DOTTED] > 300);
    assert_in_range(n[GAN_STROKE_POINTS], 50, 120); /* two discs */
}

/* Dashes go on from one piece of a line to the next, however short the pieces are. */
static void dashes_do_not_depend_on_the_pieces(void **state) {
    enum { N = 400 };
    double x[N], y[N];
    int64_t n[2];
    (void)state;
    for (int i = 0; i < N; i++) {
        x[i] = (double)i / (N - 1);
        y[i] = 0.5;
    }
    const double ends[] = {0, 1};
    for (int i = 0; i < 2; i++) {
        const gan_curve curve = {i ? x : ends, y, i ? N : 2, GAN_STROKE_DASHED, GAN_BLUE, NULL};
        const gan_panel panel = unit_square(&curve);
        draw(&panel);
        n[i] = blue_anywhere();
        gan_png_free(&picture);
    }
    assert_true(llabs((long long)(n[0] - n[1])) <= 12);
}

static void gaps_and_the_frame_cut_lines(void **state) {
    const double x[] = {0, 0.4, 0.5, 0.6, 0.8, 0.9, 1}, y[] = {.5, .5, NAN, .5, .5, 1e300, -1e300};
    const gan_curve curve = {x, y, 7, GAN_STROKE_SOLID, GAN_BLUE, NULL};
    const gan_panel panel = unit_square(&curve);
    (void)state;
    draw(&panel);
    assert_int_equal(blue_within(gan_frame_x(&plain, 0.42), 0, gan_frame_x(&plain, 0.58), 1e9), 0);
    assert_true(blue((int64_t)gan_frame_x(&plain, 0.7), (int64_t)gan_frame_y(&plain, 0.5)));
    assert_int_equal(blue_anywhere(),
                     blue_within(plain.left - 1, plain.top - 1, plain.right + 2, plain.bottom + 2));
    gan_png_free(&picture);
}

static void the_view_is_that_of_the_curves(void **state) {
    const double x[] = {-1e6, 3e6}, y[] = {1e-9, 2e-9};
    const gan_curve curve = {x, y, 2, GAN_STROKE_SOLID, GAN_BLUE, NULL};
    const gan_panel panel = {.curves = &curve, .curve_count = 1};
    (void)state;
    draw(&panel);
    assert_true(blue((int64_t)plain.left, (int64_t)(plain.bottom - 388 * 0.05 / 1.1)));
    assert_true(blue((int64_t)plain.right, (int64_t)(plain.top + 388 * 0.05 / 1.1)));
    gan_png_free(&picture);
}

/* The legend keeps off the only curve, which lies in the corner that it would take first. */
static void a_legend_hides_no_curve(void **state) {
    enum { N = 50 };
    double x[N], y[N];
    (void)state;
    for (int i = 0; i < N; i++) {
        x[i] = 0.6 + 0.4 * i / (N - 1);
        y[i] = 0.9;
    }
    const gan_curve curve = {x, y, N, GAN_STROKE_SOLID, GAN_BLUE, "p_data(x)"};
    const gan_panel panel = unit_square(&curve);
    draw(&panel);
    const int64_t row = (int64_t)gan_frame_y(&plain, 0.9);
    for (int64_t i = 345 + 58; i < 610; i++) assert_true(blue(i, row));
    const int64_t line = blue_within(0, (double)row - 4, 1e9, (double)row + 5);
    assert_true(blue_anywhere() > line + 40); /* and has a sample of it */
    gan_png_free(&picture);
}

/* An arrow ends under its value on the axis, and is drawn in grey. */
static void arrows_end_at_their_values(void **state) {
    const double xs[] = {0, 1}, ys[] = {0.5, 0.5}, from[] = {-1, 1}, to[] = {0.25, 0.5};
    const gan_curve curve = {xs, ys, 2, GAN_STROKE_SOLID, GAN_BLUE, NULL};
    gan_panel panel = unit_square(&curve);
    (void)state;
    panel.from = from;
    panel.to = to;
    panel.arrows = 2;
    panel.from_low = -1;
    panel.from_high = 1;
    draw(&panel);
    const int64_t top = 440 - 34 - 92 + 32, bottom = 440 - 34 + 8;
    for (int i = 0; i < 2; i++) {
        const double head = gan_frame_x(&plain, to[i]), foot = i ? plain.right : plain.left;
        const double back = 4 / hypot(head - foot, (double)(bottom - top)); /* 4 pixels */
        const int64_t x = (int64_t)(head + back * (foot - head));
        const int64_t y = top + (int64_t)(back * (double)(bottom - top));
        assert_true(picture.pixels[(y * 640 + x) * 3] < 160);
        assert_true(picture.pixels[((bottom - 1) * 640 + (int64_t)foot) * 3] < 200);
    }
    assert_true(picture.pixels[((top + 4) * 640 + 500) * 3] > 240); /* no arrow there */
    gan_png_free(&picture);
}

/* Every printable character has strokes of its own. */
static void letters_are_told_apart(void **state) {
    enum { W = 24, H = 24 };
    static float seen[128][W * H];
    (void)state;
    for (int i = '!'; i <= '~'; i++) {
        gan_canvas c;
        const char text[] = {(char)i, 0};
        expect_ok(gan_canvas_open(&c, W, H, "canvas"));
        gan_canvas_text(&c, 3, 17, text, 12, GAN_ALIGN_LEFT, false);
        memcpy(seen[i], c.mask, sizeof seen[i]);
        float sum = 0;
        for (int p = 0; p < W * H; p++) sum += seen[i][p];
        assert_true(sum > 0.5f);
        for (int j = '!'; j < i; j++)
            if (!memcmp(seen[i], seen[j], sizeof seen[i])) fail_msg("%c is drawn as %c", i, j);
        gan_canvas_close(&c);
    }
}

static void a_subscript_is_lower_and_narrower(void **state) {
    gan_canvas c;
    (void)state;
    assert_true(gan_text_width("p_data", 12) < gan_text_width("pdata", 12));
    assert_true(gan_text_width("p_data", 12) > gan_text_width("p", 12));
    assert_true(gan_text_width("ab", 24) > 1.99 * gan_text_width("ab", 12));
    expect_ok(gan_canvas_open(&c, 40, 40, "canvas"));
    gan_canvas_text(&c, 5, 20, "_H", 12, GAN_ALIGN_LEFT, false); /* nothing but the subscript */
    float above = 0, below = 0;
    for (int64_t y = 0; y < 40; y++)
        for (int64_t x = 0; x < 40; x++) *(y < 14 ? &above : &below) += c.mask[y * 40 + x];
    assert_true(below > 10 && above < 1);
    gan_canvas_close(&c);
}

static void plots_that_cannot_be_drawn(void **state) {
    const double x[] = {0, 1}, y[] = {NAN, INFINITY};
    const gan_curve curve = {x, y, 2, GAN_STROKE_SOLID, GAN_BLUE, NULL};
    const gan_panel good = unit_square(&curve), empty = {.curves = &curve},
                    none = {.curves = &curve, .curve_count = 1};
    gan_panel map = good;
    (void)state;
    map.from = map.to = x;
    expect_failure(gan_png_write_plot(scratch("x.png"), &(gan_plot){.panels = &good}),
                   GAN_ERROR_ARGUMENT, "/x.png", "without panels");
    expect_failure(gan_png_write_plot(scratch("x.png"), &(gan_plot){.panels = &empty, .count = 1}),
                   GAN_ERROR_ARGUMENT, "panel 0 has no curves");
    expect_failure(gan_png_write_plot(scratch("x.png"), &(gan_plot){.panels = &none, .count = 1}),
                   GAN_ERROR_ARGUMENT, "panel 0: view ", "is empty");
    expect_failure(gan_png_write_plot(scratch("x.png"), &(gan_plot){.panels = &map, .count = 1}),
                   GAN_ERROR_ARGUMENT, "panel 0: arrows");
    expect_failure(gan_png_write_plot(scratch("x.png"),
                                      &(gan_plot){.panels = &good, .count = 1, .width = 100}),
                   GAN_ERROR_ARGUMENT, "100x440");
    expect_failure(gan_png_write_plot(scratch("x.png"),
                                      &(gan_plot){.panels = &good, .count = 1, .columns = -1}),
                   GAN_ERROR_ARGUMENT, "-1 columns");
    assert_int_equal(scratch_count(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_where_its_points_are),     TEST(strokes_differ),
        TEST(dashes_do_not_depend_on_the_pieces), TEST(gaps_and_the_frame_cut_lines),
        TEST(the_view_is_that_of_the_curves),     TEST(a_legend_hides_no_curve),
        TEST(arrows_end_at_their_values),         TEST(letters_are_told_apart),
        TEST(a_subscript_is_lower_and_narrower),  TEST(plots_that_cannot_be_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
