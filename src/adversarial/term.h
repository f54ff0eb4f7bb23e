/* The rows of the table of terms; a family is a file. */
#ifndef GANC_ADVERSARIAL_TERM_H
#define GANC_ADVERSARIAL_TERM_H

#include "adversarial/play.h"

/* term_gradient.c */
extern const gan_term gan_term_wgan_gp, gan_term_one_sided_gp, gan_term_zero_centred_gp,
    gan_term_dragan, gan_term_r1, gan_term_r2;
/* term_consistency.c */
extern const gan_term gan_term_cr, gan_term_bcr, gan_term_zcr;
/* term_reinforce.c */
extern const gan_term gan_term_reinforce;
/* term_history.c */
extern const gan_term gan_term_lecam, gan_term_historical;
/* term_drift.c */
extern const gan_term gan_term_drift;
/* term_weight.c */
extern const gan_term gan_term_orthogonal;
/* term_mode.c */
extern const gan_term gan_term_mrgan, gan_term_mdgan;
/* term_feature.c */
extern const gan_term gan_term_feature_matching, gan_term_pulling_away;
/* term_class.c */
extern const gan_term gan_term_ac_gan, gan_term_supervised;
/* term_interpolation.c */
extern const gan_term gan_term_ict;
/* term_code.c */
extern const gan_term gan_term_infogan;
/* term_completion.c */
extern const gan_term gan_term_reconstruction;
/* term_member.c */
extern const gan_term gan_term_mad_gan;

#endif
