/* The built command, run as a person would run it. */
#ifndef GANC_TEST_COMMAND_H
#define GANC_TEST_COMMAND_H

#include <stddef.h>
#include <sys/types.h>

typedef struct outcome {
    int code; /* the exit code; 128 + N when signal N ended it */
    char out[16384], err[4096];
} outcome;

enum { MAX_ARGUMENTS = 32 };

/* Runs `ganc ARGUMENT…` in the scratch folder, or in that of command_from(); the list ends with
 * NULL. */
void command(outcome *result, const char *const *arguments);

/* Commands after this start in scratch(folder); "." as they did before. A constant. */
void command_from(const char *folder);

/* Fails the test unless `ganc ARGUMENT…` exits with `code` after saying one line on stderr that
 * holds `part`. The list ends with NULL. */
void command_refused(int code, const char *part, const char *const *arguments);
void command_done(const char *const *arguments);

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Starts it without waiting, silent; returns its process, for support/process.h. */
pid_t command_start(const char *const *arguments);

#endif
