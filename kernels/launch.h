/* All launchers: what the host side of the CUDA device calls. Plain C, a header a family.
 *
 * A launcher puts its kernels on the stream and returns what the launch said. It allocates nothing
 * and waits for nothing, so it may be captured. Addresses are the device's; of no elements it
 * launches nothing.
 */
#ifndef GANC_KERNELS_LAUNCH_H
#define GANC_KERNELS_LAUNCH_H

#include "kernels/launch_cast.h"
#include "kernels/launch_code.h"
#include "kernels/launch_conv.h"
#include "kernels/launch_fold.h"
#include "kernels/launch_gather.h"
#include "kernels/launch_joined.h"
#include "kernels/launch_layout.h"
#include "kernels/launch_loss.h"
#include "kernels/launch_norm.h"
#include "kernels/launch_pointwise.h"
#include "kernels/launch_pool.h"
#include "kernels/launch_power.h"
#include "kernels/launch_product.h"
#include "kernels/launch_random.h"
#include "kernels/launch_reduce.h"
#include "kernels/launch_update.h"

#endif
