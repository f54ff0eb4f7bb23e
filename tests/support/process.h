/* Children of a test: waited for and killed without a trace. */
#ifndef GANC_TEST_PROCESS_H
#define GANC_TEST_PROCESS_H

#include <sys/types.h>

/* Waits for this child; its exit code, or 128 + N when signal N ended it. */
int process_wait(pid_t child);

/* kill -9 to this child, which must be alive, and waits until it is gone. */
void process_kill(pid_t child);

#endif
