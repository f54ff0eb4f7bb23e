/* How a layer's weight comes from what is trained: as it is, or divided by a norm. */
#include "nn/weight.h"

#include <math.h>
#include <string.h>

#include "graph/op.h"
#include "nn/spectral.h"

static gan_node *plain(gan_scope *s, const gan_weight_form *f) {
    return gan_scope_weight(s, "weight", f->shape, f->init);
}

static gan_node *spectral(gan_scope *s, const gan_weight_form *f) {
    return gan_spectral_weight(s, plain(s, f), f->rows, gan_shape_size(f->shape) / f->rows);
}

/* The root of the mean square of what an initialiser draws. */
static double root_mean_square(gan_init init, double n) {
    const double a = init.a, b = init.b;
    switch (init.kind) {
    case GAN_INIT_CONSTANT:
        return fabs(a);
    case GAN_INIT_UNIFORM:
        return sqrt((a * a + a * b + b * b) / 3);
    case GAN_INIT_NORMAL:
        return sqrt(a * a + b * b);
    case GAN_INIT_UNIT:
        return 1 / sqrt(n);
    case GAN_INIT_RANGE:
        return sqrt(a * a + a * b * (n - 1) + b * b * (n - 1) * (2 * n - 1) / 6);
    }
    return 1;
}

/* w = g·v/‖v‖, a length an output; g starts where v's expected length is, so that w starts as v
 * would. */
static gan_node *weight_norm(gan_scope *s, const gan_weight_form *f) {
    gan_graph *g = gan_scope_graph(s);
    const int64_t out = f->shape.dim[f->out_axis], n = gan_shape_size(f->shape) / out;
    const double length = sqrt((double)n) * root_mean_square(f->init, (double)n);
    gan_node *v = plain(s, f);
    gan_node *gain = gan_scope_weight(s, "gain", gan_shape1(out), gan_init_constant(length));
    const uint32_t rest = ((1u << f->shape.rank) - 1) & ~(1u << f->out_axis);
    gan_shape vector = f->shape;
    for (int i = 0; i < vector.rank; i++)
        if (i != f->out_axis) vector.dim[i] = 1;
    gan_node *square = gan_sum_axes(g, gan_square(g, v), rest);
    gan_node *inverse = gan_rsqrt(g, gan_shift(g, square, 1e-12)); /* finite where v is zero */
    return gan_mul(g, v, gan_mul(g, gan_reshape(g, gain, vector), inverse));
}

static gan_node *equalized(gan_scope *s, const gan_weight_form *f) {
    gan_node *w = gan_scope_weight(s, "weight", f->shape, gan_init_normal(0, 1));
    return gan_scale(gan_scope_graph(s), w, f->gain / sqrt((double)f->fan_in));
}

static const gan_weight_rule table[] = {
    {"plain", "the weight is what is trained", plain},
    {"spectral", "divided by its largest singular value (Miyato et al. 2018)", spectral},
    {"weight-norm", "a direction and a length an output (Salimans and Kingma 2016)", weight_norm},
    {"equalized", "N(0, 1) times He's constant at run time (Karras et al. 2018)", equalized},
};
enum { PLAIN, SPECTRAL, WEIGHT_NORM, EQUALIZED };

size_t gan_weight_rule_count(void) { return sizeof table / sizeof *table; }

const gan_weight_rule *gan_weight_rule_at(size_t index) {
    return index < gan_weight_rule_count() ? &table[index] : NULL;
}

const gan_weight_rule *gan_weight_rule_find(const char *name) {
    for (size_t i = 0; i < gan_weight_rule_count(); i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

gan_node *gan_layer_weight(gan_scope *s, gan_weight_form form, const gan_layer_options *o) {
    if (!s) return NULL;
    const gan_weight_rule *asked = gan_scope_get(s)->weight;
    const gan_weight_rule *rule = &table[o->spectral_norm   ? SPECTRAL
                                         : o->equalized > 0 ? EQUALIZED
                                                            : PLAIN];
    if ((o->spectral_norm && o->equalized > 0) ||
        (asked && asked != &table[PLAIN] && asked != rule && rule != &table[PLAIN]))
        return gan_graph_error(gan_scope_graph(s), GAN_ERROR_ARGUMENT,
                               "%s: the layer's weight is %s, %s asked for besides; both set its "
                               "scale, expected one of them",
                               gan_scope_name(s), rule->name,
                               o->spectral_norm && o->equalized > 0 ? "equalized" : asked->name);
    if (asked && asked != &table[PLAIN]) rule = asked;
    form.gain = o->equalized > 0 ? o->equalized : sqrt(2);
    return rule->apply(s, &form);
}
