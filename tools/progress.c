#include "progress.h"

#include <stdio.h>
#include <unistd.h>

void progress_begin(progress_line *line) { *line = (progress_line){.terminal = isatty(2) != 0}; }

/* Seconds as 42s, 3:05 or 1:02:03. */
static void duration(char text[32], double seconds) {
    const long long s = seconds < 1e9 ? (long long)(seconds + 0.5) : 999999999;
    if (s < 60)
        snprintf(text, 32, "%llds", s);
    else if (s < 3600)
        snprintf(text, 32, "%lld:%02lld", s / 60, s % 60);
    else
        snprintf(text, 32, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

void progress_show(void *context, const gan_progress *p) {
    progress_line *line = context;
    char left[32] = "?";
    line->last = *p;
    if (!line->begun) {
        line->begun = true;
        line->first_step = p->step;
        line->first_seconds = p->seconds;
    }
    if (!line->terminal) return;
    if (p->step > line->first_step) {
        const double per_step =
            (p->seconds - line->first_seconds) / (double)(p->step - line->first_step);
        duration(left, per_step * (double)(p->steps - p->step));
    }
    fprintf(stderr,
            "\rstep %lld/%lld %3.0f%%  loss D %.3f G %.3f  D(real) %.2f D(fake) %.2f  %.0f "
            "images/s  %s left\033[K",
            (long long)p->step, (long long)p->steps, 100.0 * (double)p->step / (double)p->steps,
            p->d_loss, p->g_loss, p->d_real, p->d_fake, p->images_per_second, left);
    fflush(stderr);
    line->shown = true;
}

void progress_end(progress_line *line) {
    const gan_progress *p = &line->last;
    char taken[32];
    if (line->shown) fputc('\n', stderr);
    if (line->terminal || !line->begun) return;
    duration(taken, p->seconds);
    fprintf(stderr,
            "ganc: step %lld of %lld after %s: loss D %.3f G %.3f, D(real) %.2f D(fake) %.2f, "
            "%.0f images/s\n",
            (long long)p->step, (long long)p->steps, taken, p->d_loss, p->g_loss, p->d_real,
            p->d_fake, p->images_per_second);
}
