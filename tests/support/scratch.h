/* A folder of its own for a test, and what tests say about failures and files. */
#ifndef GANC_TEST_SCRATCH_H
#define GANC_TEST_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "ganc/status.h"

/* cmocka's setup and teardown: make a fresh folder, remove it with all that is in it. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* The path of NAME in the folder. Valid until the eighth call after this one. */
const char *scratch(const char *name);

/* How many entries the folder has. */
size_t scratch_count(void);

/* Writes a file there, without the library. */
void scratch_put(const char *name, const void *bytes, size_t size);

/* Its bytes and their number; the caller frees. */
unsigned char *scratch_get(const char *name, size_t *size);

/* Fails the test unless `status` is `expected` and the message is one line that holds every one of
 * the strings after it, up to NULL. */
void expect_failure_(gan_status status, gan_status expected, const char *file, int line, ...)
    __attribute__((sentinel));
#define expect_failure(status, expected, ...)                                                      \
    expect_failure_(status, expected, __FILE__, __LINE__, __VA_ARGS__, (const char *)NULL)

/* Fails the test, with the library's message, unless `status` is GAN_OK. */
void expect_ok_(gan_status status, const char *file, int line);
#define expect_ok(status) expect_ok_(status, __FILE__, __LINE__)

/* From here on no file can grow beyond `bytes`: what a full disk looks like. lift_file_limit() ends
 * it. */
void limit_file_size(size_t bytes);
void lift_file_limit(void);

#endif
