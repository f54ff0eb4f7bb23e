/* What layers need of a scope beyond the public interface. */
#ifndef GANC_NN_SCOPE_H
#define GANC_NN_SCOPE_H

#include "ganc/nn.h"

/* True the first time it is asked about `node` in this tree of scopes: for effects that belong to a
 * pass, however often a layer is called in it. */
bool gan_scope_first(gan_scope *scope, const gan_node *node);

/* The type of gan_scope_activation(). */
gan_dtype gan_scope_dtype(const gan_scope *scope);

#endif
