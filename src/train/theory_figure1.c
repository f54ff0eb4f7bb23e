/* The paper's figure 1 (2014), of a game that was played, and the order of the pictures. */
#include <stdio.h>

#include "base/error.h"
#include "ganc/io.h"
#include "train/theory_draw.h"

enum { STAGES = 4, ARROWS = 21 };

gan_status gan_theory_draw_game(const char *folder, gan_theory_report *report, gan_device *device) {
    static const int64_t steps[STAGES] = {4, 25, 45, 4000};
    static gan_theory_stage stage[STAGES];
    static double x[GAN_STAGE_GRID];
    double from[ARROWS], to[STAGES][ARROWS];
    gan_curve curves[STAGES][3];
    gan_panel panel[STAGES];
    char title[STAGES][64], path[4200];
    for (int i = 0; i < STAGES; i++) stage[i].step = steps[i];
    GAN_TRY(gan_theory_game(stage, STAGES, device, 2, 0.8, 1));
    for (int i = 0; i < GAN_STAGE_GRID; i++)
        x[i] = stage->x_low + (stage->x_high - stage->x_low) * i / (GAN_STAGE_GRID - 1);
    for (int i = 0; i < STAGES; i++) {
        const gan_theory_stage *s = &stage[i];
        for (int j = 0; j < ARROWS; j++) {
            const int k = j * (GAN_STAGE_Z - 1) / (ARROWS - 1);
            from[j] = s->z[k];
            to[i][j] = s->generated[k];
        }
        const gan_curve three[3] = {
            {x, s->p_data, GAN_STAGE_GRID, GAN_STROKE_DOTTED, GAN_BLACK, "p_data(x)"},
            {x, s->p_g, GAN_STAGE_GRID, GAN_STROKE_SOLID, GAN_GREEN, "p_g(x)"},
            {x, s->d, GAN_STAGE_GRID, GAN_STROKE_DASHED, GAN_BLUE, "D(x)"},
        };
        for (int j = 0; j < 3; j++) curves[i][j] = three[j];
        snprintf(title[i], sizeof title[i], "(%c) step %lld", 'a' + i, (long long)s->step);
        panel[i] = (gan_panel){.title = title[i],
                               .curves = curves[i],
                               .curve_count = 3,
                               .x_low = s->x_low,
                               .x_high = s->x_high,
                               .y_low = 0,
                               .y_high = 1.2,
                               .from = from,
                               .to = to[i],
                               .arrows = ARROWS,
                               .from_low = -1,
                               .from_high = 1,
                               .from_label = "z",
                               .to_label = "x"};
    }
    report->game_jsd = stage[STAGES - 1].jsd;
    report->game_d_from_half = stage[STAGES - 1].d_from_half;
    snprintf(path, sizeof path, "%s/figure1.png", folder);
    return gan_png_write_plot(path, &(gan_plot){.panels = panel, .count = STAGES, .columns = 2});
}

gan_status gan_theory_draw(gan_theory_report *out, const char *folder, gan_device *device) {
    *out = (gan_theory_report){0};
    GAN_TRY(gan_file_make_directory(folder));
    GAN_TRY(gan_theory_draw_discriminator(folder, out, device));
    GAN_TRY(gan_theory_draw_value(folder, out, device));
    GAN_TRY(gan_theory_draw_saturation(folder, out, device));
    GAN_TRY(gan_theory_draw_divergences(folder, out, device));
    return gan_theory_draw_game(folder, out, device);
}
