#include "progress.h"

#include <stdio.h>
#include <unistd.h>

/* Without a terminal: a line after so many seconds, then each time half as long again has passed,
 * but at least every minute. */
static const double first_line = 2, longest_gap = 60;

void progress_begin(progress_line *line) {
    *line = (progress_line){.terminal = isatty(2) != 0, .next_line = first_line};
}

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

/* What is left by the pace of this part of the run; "?" where there is none yet. */
static void time_left(char text[32], const progress_line *line) {
    const gan_progress *p = &line->last;
    snprintf(text, 32, "?");
    if (p->step <= line->first_step) return;
    const double per_step =
        (p->seconds - line->first_seconds) / (double)(p->step - line->first_step);
    duration(text, per_step * (double)(p->steps - p->step));
}

static void show_here(const progress_line *line) {
    const gan_progress *p = &line->last;
    char left[32];
    time_left(left, line);
    fprintf(stderr,
            "\rstep %lld/%lld %3.0f%%  loss D %.3f G %.3f  %s(real) %.2f %s(fake) %.2f  %.0f "
            "images/s  %s left\033[K",
            (long long)p->step, (long long)p->steps, 100.0 * (double)p->step / (double)p->steps,
            p->d_loss, p->g_loss, p->reads, p->d_real, p->reads, p->d_fake, p->images_per_second,
            left);
    fflush(stderr);
}

/* A line of its own, with what is left or, at the end, without. */
static void show_line(const progress_line *line, bool with_left) {
    const gan_progress *p = &line->last;
    char taken[32], left[32];
    duration(taken, p->seconds);
    time_left(left, line);
    fprintf(stderr,
            "ganc: step %lld of %lld after %s: loss D %.3f G %.3f, %s(real) %.2f %s(fake) %.2f, "
            "%.0f images/s%s%s%s\n",
            (long long)p->step, (long long)p->steps, taken, p->d_loss, p->g_loss, p->reads,
            p->d_real, p->reads, p->d_fake, p->images_per_second, with_left ? ", " : "",
            with_left ? left : "", with_left ? " left" : "");
}

void progress_show(void *context, const gan_progress *p) {
    progress_line *line = context;
    line->last = *p;
    if (!line->begun) {
        line->begun = true;
        line->first_step = p->step;
        line->first_seconds = p->seconds;
    }
    if (line->terminal) {
        show_here(line);
        line->shown = true;
        return;
    }
    const double passed = p->seconds - line->first_seconds;
    if (passed < line->next_line || p->step == p->steps) return;
    show_line(line, true);
    const double gap = passed / 2 < longest_gap ? passed / 2 : longest_gap;
    line->next_line = passed + gap;
}

void progress_end(progress_line *line) {
    if (line->shown) fputc('\n', stderr);
    if (!line->terminal && line->begun) show_line(line, false);
}
