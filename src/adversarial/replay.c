/* Earlier fakes shown to D again (Shrivastava et al. 2017, section 2.3). */
#include "adversarial/play.h"

/* The buffer holds `replay` batches, the latest first. Until it is full D sees fresh fakes only. */
gan_node *gan_play_replay(gan_play *play, gan_node *fake) {
    const gan_game_options *o = play->o;
    gan_graph *g = play->g;
    const int64_t m = o->batch;
    if (!o->replay || !fake) return fake;
    gan_shape s = gan_node_shape(fake), each = s;
    s.dim[0] = m * o->replay;
    for (int i = 1; i < each.rank; i++) each.dim[i] = 1;
    gan_node *buffer = gan_variable_node(g, GAN_STATISTIC, "discriminator/replay", GAN_F32, s,
                                         gan_init_constant(0));
    gan_node *old =
        gan_gather(g, buffer, gan_random_index(g, play->counter, gan_shape1(m), s.dim[0]));
    gan_node *u = gan_random_uniform(g, play->counter, each, 0, 1);
    gan_node *chosen = gan_greater(g, gan_constant(g, o->replay_share, each), u);
    const double full = (double)((o->replay + play->d_steps - 1) / play->d_steps);
    gan_node *is_full =
        gan_greater(g, gan_play_time(play), gan_constant(g, full - 0.5, gan_shape0()));
    gan_node *shown =
        gan_add(g, fake, gan_mul(g, gan_mul(g, chosen, is_full), gan_sub(g, old, fake)));
    gan_node *next = fake;
    if (o->replay > 1)
        next = gan_concat(g, 0, 2, (gan_node *[2]){fake, gan_slice(g, buffer, 0, 0, s.dim[0] - m)});
    gan_assign(g, buffer, next);
    return shown;
}
