/* Running a case on a device, and holding what it leaves behind against the reference. */
#ifndef GANC_TESTS_SUPPORT_DEVICES_H
#define GANC_TESTS_SUPPORT_DEVICES_H

#include "cases/case.h"
#include "device/program.h"
#include "reference/reference.h"

/* What a case computes: all outputs, then all variables of its store, as bytes. */
typedef struct case_bytes_of {
    const char *name;
    gan_dtype dtype;
    int64_t size;
    const gan_node *node;         /* an output, or */
    const gan_variable *variable; /* a variable */
    void *bytes;
} case_bytes_of;

typedef struct case_result {
    int n;
    case_bytes_of part[2 * CASE_OUTPUTS + 2 * CASE_VARIABLES];
} case_result;

typedef struct case_run {
    int64_t iterations;
    bool apart;  /* every value has bytes of its own with sentinels between them */
    bool joined; /* apart: small calls are joined all the same */
} case_run;

/* Compiles, poisons, writes inputs and variables, runs. False, with the reason printed, on an error
 * or when a sentinel is gone. The store is placed on the device by the first run and stays there.
 */
bool case_execute(test_case *t, gan_device *device, const case_run *run, case_result *out);
void case_result_free(case_result *result);

/* Gives all variables of the store the values they start from: the case's, or their initial ones.
 */
void case_start(const test_case *t, reference *r);

/* The same on the reference; every part's bytes are doubles. */
void case_reference(const test_case *t, int64_t iterations, case_result *out);

/* How many parts are not within the tolerance of the ops that made them; prints them. */
int case_compare(const test_case *t, const case_result *got, const case_result *wanted,
                 const char *where);

/* How many parts differ in any bit; prints them. */
int case_compare_bits(const test_case *t, const case_result *a, const case_result *b,
                      const char *where);

/* Every case of a family (NULL: of all) on each of `n` devices, forward, then with first and second
 * order gradients as outputs: after one iteration and after several, with shared and with separate
 * places. Returns the number of disagreements. */
int check_cases(int n, gan_device *const *devices, const char *const *names, const char *family);

#endif
