#include <math.h>

#include "ganc/nn.h"

gan_init gan_init_constant(double value) { return (gan_init){GAN_INIT_CONSTANT, (float)value, 0}; }

gan_init gan_init_uniform(double low, double high) {
    return (gan_init){GAN_INIT_UNIFORM, (float)low, (float)high};
}

gan_init gan_init_normal(double mean, double deviation) {
    return (gan_init){GAN_INIT_NORMAL, (float)mean, (float)deviation};
}

gan_init gan_init_range(double first, double step) {
    return (gan_init){GAN_INIT_RANGE, (float)first, (float)step};
}

gan_init gan_init_xavier(int64_t fan_in, int64_t fan_out) {
    const double limit = sqrt(6.0 / (double)(fan_in + fan_out));
    return gan_init_uniform(-limit, limit);
}

gan_init gan_init_spread(double spread, int64_t fan_in) {
    const double limit = spread / sqrt((double)fan_in);
    return gan_init_uniform(-limit, limit);
}

gan_init gan_init_he(int64_t fan_in, double slope) {
    const double limit = sqrt(6.0 / ((1 + slope * slope) * (double)fan_in));
    return gan_init_uniform(-limit, limit);
}
