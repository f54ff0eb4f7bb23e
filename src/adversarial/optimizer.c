/* Optimisers by name, and the schedules of their rate and momentum, computed on the device. */
#include <math.h>
#include <string.h>

#include "ganc/adversarial.h"

static gan_node *scalar(gan_graph *g, double value) { return gan_constant(g, value, gan_shape0()); }

/* counter·per_iteration + offset as f32: exact up to 2^24 updates. */
static gan_node *updates(gan_graph *g, gan_node *counter, int64_t per_iteration, int64_t offset) {
    gan_node *t = gan_reshape(g, gan_cast(g, counter, GAN_F32), gan_shape0());
    if (per_iteration != 1) t = gan_scale(g, t, (double)per_iteration);
    return offset ? gan_shift(g, t, (double)offset) : t;
}

gan_node *gan_rate_schedule(gan_graph *g, gan_node *counter, int64_t per_iteration, int64_t offset,
                            const gan_optimizer_options *o) {
    const bool decays = o->decay > 0 && o->decay != 1;
    if (!decays && o->linear < 1) return scalar(g, o->rate);
    gan_node *rate = scalar(g, o->rate);
    if (decays) {
        gan_node *n = updates(g, counter, per_iteration, offset);
        rate = gan_scale(g, gan_exp(g, gan_scale(g, n, -log(o->decay))), o->rate);
        if (o->floor > 0) rate = gan_maximum(g, rate, scalar(g, o->floor));
    }
    if (o->linear < 1) return rate;
    gan_node *iteration = updates(g, counter, 1, 0);
    gan_node *left = gan_shift(g, gan_scale(g, iteration, -1.0 / (double)o->linear), 1);
    return gan_mul(g, rate, gan_maximum(g, left, scalar(g, 0)));
}

gan_node *gan_momentum_schedule(gan_graph *g, gan_node *counter, int64_t per_iteration,
                                int64_t offset, const gan_optimizer_options *o) {
    if (o->momentum_epochs < 2 || o->epoch_updates < 1) return scalar(g, o->momentum);
    gan_node *n = updates(g, counter, per_iteration, offset);
    gan_node *epoch = gan_floor(g, gan_div(g, n, scalar(g, (double)o->epoch_updates)));
    gan_node *share = gan_scale(g, epoch, 1.0 / (double)(o->momentum_epochs - 1));
    share = gan_minimum(g, share, scalar(g, 1));
    return gan_shift(g, gan_scale(g, share, o->momentum_final - o->momentum), o->momentum);
}

static void adam(gan_graph *g, const char *group, int n, gan_node *const *weights,
                 gan_node *const *gradients, gan_node *counter, int64_t per_iteration,
                 int64_t offset, const gan_optimizer_options *o) {
    gan_adam(g, group, n, weights, gradients,
             &(gan_adam_options){
                 .beta1 = o->beta1,
                 .beta2 = o->beta2,
                 .eps = o->eps > 0 ? o->eps : 1e-8,
                 .rate = gan_rate_schedule(g, counter, per_iteration, offset, o),
                 .counter = counter,
                 .per_iteration = per_iteration,
                 .offset = offset,
             });
}

static void momentum(gan_graph *g, const char *group, int n, gan_node *const *weights,
                     gan_node *const *gradients, gan_node *counter, int64_t per_iteration,
                     int64_t offset, const gan_optimizer_options *o) {
    gan_momentum(g, group, n, weights, gradients,
                 gan_rate_schedule(g, counter, per_iteration, offset, o),
                 gan_momentum_schedule(g, counter, per_iteration, offset, o));
}

static const gan_optimizer table[] = {
    {.name = "adam",
     .about = "Adam (Kingma and Ba 2015)",
     .initial = {.rate = 2e-4, .decay = 1, .beta1 = 0.5, .beta2 = 0.999, .eps = 1e-8},
     .update = adam},
    {.name = "momentum",
     .about = "gradient descent with momentum on the schedule of 2014",
     .initial = {.rate = 0.1,
                 .decay = 1.000004,
                 .floor = 1e-6,
                 .momentum = 0.5,
                 .momentum_final = 0.7,
                 .momentum_epochs = 250},
     .update = momentum},
};

size_t gan_optimizer_count(void) { return sizeof table / sizeof *table; }

const gan_optimizer *gan_optimizer_at(size_t index) {
    return index < gan_optimizer_count() ? &table[index] : NULL;
}

const gan_optimizer *gan_optimizer_find(const char *name) {
    for (size_t i = 0; i < gan_optimizer_count(); i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

gan_optimizer_options gan_optimizer_defaults(const char *name) {
    const gan_optimizer *row = gan_optimizer_find(name);
    gan_optimizer_options options = {0};
    if (!row) return options;
    options = row->initial;
    options.optimizer = row;
    return options;
}
