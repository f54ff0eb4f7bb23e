/* Linear algebra of symmetric matrices, in double. */
#ifndef GANC_METRIC_SYMMETRIC_H
#define GANC_METRIC_SYMMETRIC_H

#include <stdint.h>

#include "ganc/status.h"

/* Eigenvalues (d), in no order, and eigenvectors as the rows of (d, d), NULL where they are not
 * wanted, of the symmetric matrix (d, d), which is overwritten: Jacobi's cyclic method. An
 * argument error when it does not converge, which only numbers that are not finite can cause. */
gan_status gan_symmetric_eigen(double *value, double *vectors, double *matrix, int64_t d);

#endif
