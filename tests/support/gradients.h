/* Gradients of cases, and what they are held against: differences of the reference in double. */
#ifndef GANC_TESTS_SUPPORT_GRADIENTS_H
#define GANC_TESTS_SUPPORT_GRADIENTS_H

#include "cases/case.h"
#include "reference/reference.h"

/* Whether the case has an input to differentiate by and an f32 output, and no effects. */
bool case_has_gradient(const test_case *t);

/* A scalar that every f32 output enters with weights of its own, which are new inputs of the case.
 */
gan_node *case_loss(test_case *t);

/* Adds d(loss)/d(input) for every differentiable input; returns how many, and the inputs' numbers.
 */
int case_gradients(test_case *t, gan_node *loss, int *input, gan_node **grad);

/* Makes the case's first and second gradients outputs of it. */
void case_add_gradients(test_case *t);

/* Sets the reference's inputs and variables to the case's values. */
void case_fill(const test_case *t, reference *r);

/* One array that a function is differentiated by: its values in the reference, and the gradient
 * claimed. */
typedef struct difference_input {
    const char *name;
    double *value;
    int64_t size;
    const gan_node *gradient;
} difference_input;

/* Holds the gradient nodes of `f` against central differences with `step`, in two random directions
 * over all inputs and along some single elements. Returns the number of disagreements, which it
 * prints. */
int check_differences(reference *r, const gan_node *f, int n, const difference_input *input,
                      const char *title, double step, uint64_t seed);

#endif
