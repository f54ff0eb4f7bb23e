/* One iteration of the game as nodes: D-steps, a G-step, the moving average, the counter. */
#include "graph/graph.h"

#include "adversarial/play.h"
#include "base/error.h"

gan_node *gan_game_counter(gan_graph *g) {
    return gan_variable_node(g, GAN_COUNTER, "train/iteration", GAN_I64, gan_shape0(),
                             gan_init_constant(0));
}

/* ---- steps ---- */

static gan_status same_shape(const gan_play *play) {
    const gan_node *real = play->real.x, *fake = play->fake.x;
    GAN_TRY(gan_graph_status(play->g));
    if (gan_shape_equal(gan_node_shape(real), gan_node_shape(fake))) return GAN_OK;
    char wanted[GAN_SHAPE_TEXT], given[GAN_SHAPE_TEXT];
    return gan_fail(GAN_ERROR_SHAPE, "game: the real batch is %s, but %s generates %s",
                    gan_shape_text(given, gan_node_dtype(real), gan_node_shape(real)),
                    play->o->model->name,
                    gan_shape_text(wanted, gan_node_dtype(fake), gan_node_shape(fake)));
}

static gan_node *reading(gan_graph *g, const gan_objective *of, gan_node *score) {
    return of->reads ? score : gan_sigmoid(g, score);
}

/* D's loss on m real and m fake examples joined, and its gradient. The fakes are constants here,
 * and so are the encoder's codes. */
static gan_status d_step(gan_play *play, bool g_learns_from_fakes, gan_game *out,
                         gan_gradients *d) {
    gan_graph *g = play->g;
    play->of_g = false;
    play->real = gan_play_real(play, false);
    if (play->real.latent.z) play->real.latent.z = gan_stop_gradient(g, play->real.latent.z);
    play->fake = gan_play_generate(play, g_learns_from_fakes);
    play->open_fake = play->fake.x;
    play->fake.x = gan_stop_gradient(g, play->fake.x);
    GAN_TRY(same_shape(play));
    if (play->step == 0) gan_play_keep_reference(play);
    if (play->step == 0) gan_play_keep_contexts(play);
    play->fake.x = gan_play_replay(play, play->fake.x);
    gan_play_judge_both(play, true);
    const gan_objective *of = play->o->objective;
    out->d_real = gan_named(gan_mean(g, reading(g, of, play->real.seen.score)), "d_real");
    out->d_fake = gan_named(gan_mean(g, reading(g, of, play->fake.seen.score)), "d_fake");
    if (of->measure)
        out->measure =
            gan_named(of->measure(g, play->real.seen.score, play->fake.seen.score, &play->o->loss),
                      "%s", of->measure_name);
    out->d_loss = gan_named(gan_play_d_loss(play), "d_loss");
    return gan_play_differentiate(d, play, "discriminator", out->d_loss);
}

/* G's loss and gradient through D, whose statistics it leaves alone. Where real data matter, G sees
 * those of the last D-step. */
static gan_status g_step(gan_play *play, bool fresh, gan_game *out, gan_gradients *d,
                         gan_gradients *of_encoder) {
    gan_graph *g = play->g;
    const gan_game_options *o = play->o;
    const bool both = gan_game_needs_real(o) != NULL;
    play->of_g = true;
    play->step = play->d_steps - 1;
    if (fresh)
        play->fake = gan_play_generate(play, true);
    else
        play->fake.x = play->open_fake;
    play->real = both ? gan_play_real(play, true) : (gan_side){0};
    if (o->unroll) GAN_TRY(gan_play_unroll(play));
    gan_side *fake = &play->fake;
    if (both)
        gan_play_judge_both(play, false);
    else
        fake->seen = gan_play_judge(play, fake->x, NULL, fake->condition, false, 1);
    out->g_loss = gan_named(gan_play_g_loss(play), "g_loss");
    play->n_overlay = 0;
    GAN_TRY(gan_play_differentiate(d, play, "generator", out->g_loss));
    *of_encoder = (gan_gradients){0};
    if (gan_group_weights(g, "encoder", NULL, 0) == 0) return GAN_OK;
    return gan_play_differentiate(of_encoder, play, "encoder", out->g_loss);
}

gan_status gan_game_build(gan_game *out, gan_graph *g, const gan_game_options *options) {
    *out = (gan_game){0};
    GAN_TRY(gan_graph_status(g));
    const gan_head *head;
    GAN_TRY(gan_game_check(options, &head));
    const gan_game_options *o = options;
    gan_play play = {.g = g,
                     .o = o,
                     .head = head,
                     .counter = gan_game_counter(g),
                     .d_steps = o->d_steps > 1 ? o->d_steps : 1};
    gan_gradients d = {0}, of_g = {0}, of_encoder = {0};
    for (int64_t i = 0; i < play.d_steps; i++) {
        const bool last = i + 1 == play.d_steps;
        play.step = i;
        GAN_TRY(d_step(&play, last && (o->simultaneous || o->reuse_noise), out, &d));
        gan_play judged = play;
        /* Simultaneous: G's gradient is taken before D moves. */
        if (last && o->simultaneous) GAN_TRY(g_step(&play, false, out, &of_g, &of_encoder));
        gan_play_update(&judged, "discriminator", &d, out->d_loss);
        gan_play_after_d(&judged);
    }
    if (!o->simultaneous) GAN_TRY(g_step(&play, !o->reuse_noise, out, &of_g, &of_encoder));
    play.of_g = true;
    gan_play_update(&play, "generator", &of_g, out->g_loss);
    if (of_encoder.n) gan_play_update(&play, "encoder", &of_encoder, out->g_loss);
    gan_play_average(&play, "generator", o->average);
    gan_play_average(&play, "discriminator", o->discriminator_average);
    gan_advance(g, play.counter, 1);
    out->counter = play.counter;
    return gan_graph_status(g);
}
