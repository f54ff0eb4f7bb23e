/* The residual networks of Miyato et al. 2018 ("Spectral normalization", appendix B.4), which later
 * papers take over with changes of their own. */
#ifndef GANC_MODEL_RESIDUAL_H
#define GANC_MODEL_RESIDUAL_H

#include "model/model.h"

/* What a paper changes. */
typedef struct gan_residual_style {
    const char *name;   /* of the model, for messages */
    bool spectral_norm; /* in G too, and in D whatever the options say */
    bool attention;     /* one block of it in G and one in D, where maps are half the image, at most
                           32 pixels high (Zhang et al. 2019) */
    bool tapering;      /* images of less than 48 pixels as larger ones: the smaller a map, the more
                           channels it has */
} gan_residual_style;

gan_node *gan_residual_generator(gan_scope *scope, gan_node *z, const gan_model_options *options,
                                 const gan_residual_style *style);
gan_node *gan_residual_features(gan_scope *scope, gan_node *x, const gan_model_options *options,
                                const gan_residual_style *style);

#endif
