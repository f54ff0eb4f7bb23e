/* The class that D reads off an example. */
#include <string.h>

#include "adversarial/play.h"
#include "graph/op.h"

/* The name of the layer with D's class logits, or NULL. */
static const char *layer_of(const gan_game_options *o) {
    const gan_head *classes = gan_head_find("classes");
    const char *name = o->head == classes ? "output" : NULL;
    for (int i = 0; i < o->n_terms; i++) {
        const gan_term *t = o->terms[i].term;
        if (t->head && gan_head_find(t->head) == classes) name = "output";
        if (!strcmp(t->name, "ac-gan")) name = "class";
    }
    return name;
}

typedef gan_scope *(*opener)(gan_graph *g, const char *group, const gan_scope_settings *settings);

static gan_node *read_off(gan_graph *g, const gan_game_options *o, const char *name, gan_node *x,
                          opener open) {
    gan_scope *scope = open(
        g, "discriminator",
        &(gan_scope_settings){.norm = o->discriminator_norm, .weight = o->discriminator_weight});
    gan_node *h = gan_model_features(o->model, scope, x, &o->networks);
    return gan_model_output(o->model, scope, name, h, o->classes, &o->networks);
}

gan_node *gan_class_logits_build(gan_graph *g, const gan_game_options *o, gan_node *x) {
    const char *name = o ? layer_of(o) : NULL;
    if (!g || !o || !x) return NULL;
    if (!name)
        return gan_graph_error(
            g, GAN_ERROR_ARGUMENT,
            "the discriminator tells no class: that takes terms: supervised (head "
            "classes) or ac-gan");
    if (o->discriminator_condition || o->encoder || o->pack > 1)
        return gan_graph_error(
            g, GAN_ERROR_ARGUMENT,
            "the discriminator's class cannot be asked for: it sees more than an "
            "example, %s",
            o->discriminator_condition ? "its class (discriminator.condition)"
            : o->encoder               ? "its z (encoder)"
                                       : "several of them (pack)");
    gan_node *logits = read_off(g, o, name, x, gan_scope_create);
    /* With averages that first pass only declares the weights. */
    if (o->discriminator_average > 0) logits = read_off(g, o, name, x, gan_averaged_scope);
    return gan_named(logits, "class");
}
