/* How far a device's f32 may be from the reference. */
#ifndef GANC_TESTS_SUPPORT_TOLERANCE_H
#define GANC_TESTS_SUPPORT_TOLERANCE_H

#include "cases/case.h"

typedef struct tolerance {
    double absolute, relative; /* |error| <= absolute + relative·|reference| */
} tolerance;

/* The largest of the ops that the graph's outputs and effects need, times the case's own factor. A
 * graph that only moves values has 0: bits must be equal. */
tolerance case_tolerance(const test_case *t);

#endif
