/* The objectives: what D and G minimise, from logits. Adding one is a row and its two functions. */
#include <string.h>

#include "ganc/adversarial.h"

/* scale · (E softplus(-s_r) + E softplus(s_f)), with the real target at 1 - smooth. */
static gan_node *logistic_d(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                            const gan_objective_options *o) {
    gan_node *sum =
        gan_add(g, gan_logits_loss(g, s_real, 1 - o->smooth), gan_logits_loss(g, s_fake, 0));
    return o->scale > 0 && o->scale != 1 ? gan_scale(g, sum, o->scale) : sum;
}

/* E log(1 - sigma(s_f)) = -E softplus(s_f). */
static gan_node *minimax_g(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                           const gan_objective_options *o) {
    (void)s_real;
    (void)o;
    return gan_neg(g, gan_logits_loss(g, s_fake, 0));
}

/* -E log sigma(s_f) = E softplus(-s_f). */
static gan_node *non_saturating_g(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                                  const gan_objective_options *o) {
    (void)s_real;
    (void)o;
    return gan_logits_loss(g, s_fake, 1);
}

/* E en(x) + E max(0, margin - en(G(z))), scores being energies. */
static gan_node *ebgan_d(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                         const gan_objective_options *o) {
    gan_node *short_of = gan_shift(g, gan_neg(g, s_fake), o->margin > 0 ? o->margin : 1);
    return gan_add(g, gan_mean(g, s_real), gan_mean(g, gan_relu(g, short_of)));
}

static gan_node *ebgan_g(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                         const gan_objective_options *o) {
    (void)s_real, (void)o;
    return gan_mean(g, s_fake);
}

static const gan_objective table[] = {
    {"non-saturating", "G maximises E log D(G(z)) (Goodfellow et al. 2014, section 3)", logistic_d,
     non_saturating_g, .target = true},
    {"minimax", "G minimises E log(1 - D(G(z))), the zero-sum game (Goodfellow et al. 2014, eq. 1)",
     logistic_d, minimax_g, .target = true},
    {"ebgan", "energies up to a margin (Zhao et al. 2017, eqs. 1 and 2)", ebgan_d, ebgan_g,
     .energy = 2},
};

size_t gan_objective_count(void) { return sizeof table / sizeof *table; }

const gan_objective *gan_objective_at(size_t index) {
    return index < gan_objective_count() ? &table[index] : NULL;
}

const gan_objective *gan_objective_find(const char *name) {
    for (size_t i = 0; i < gan_objective_count(); i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}
