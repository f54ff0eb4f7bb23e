/* The functions of the logistic loss, in double, for any score. */
#ifndef GANC_TESTS_SUPPORT_LOGISTIC_H
#define GANC_TESTS_SUPPORT_LOGISTIC_H

#include <math.h>

static inline double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static inline double sigmoid(double x) { return 1 / (1 + exp(-x)); }

#endif
