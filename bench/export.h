/* A case as a file: everything that a peer needs to repeat ganc's iterations with its own means,
 * and what ganc made of them. */
#ifndef GANC_BENCH_EXPORT_H
#define GANC_BENCH_EXPORT_H

#include "case.h"

/* Runs `steps` iterations on `device` and writes a safetensors file. Its metadata are the fields of
 * bench_case, and low and high, the range of G's pixels; its tensors (m: batch, k: D-steps):
 *
 *     data             u8  (examples, H, W, C)
 *     weight/NAME      f32 initial values
 *     statistic/NAME   f32 initial values
 *     index            i32 (steps, k, m)     examples of each D-step
 *     z                f32 (steps, k+1, m, z) noise of the D-steps, then of the G-step
 *     keep/N           u8  (steps, …)        masks of dropout in D: first of the D-step, then of
 * the G-step; only of maxout gradient/NAME    f32 of the first iteration: D's of its first D-step,
 * and G's losses           f32 (steps, 2)        of D's last step and of G
 *
 * The iterations are those of a graph with extra outputs; the losses of the graph that is measured,
 * without them, must agree with it to 1e-3, or it is an error. */
gan_status bench_export(const char *path, const bench_case *c, gan_device *device, int64_t steps);

#endif
