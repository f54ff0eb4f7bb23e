#include "support/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Clang's OpenMP runtime keeps a shared object named by the process and removes it at exit. A killed
 * process leaves its object behind, perhaps still empty, and whoever is given the number next would
 * refuse to start. */
static void forget(pid_t child) {
    char name[64];
    snprintf(name, sizeof name, "/__KMP_REGISTERED_LIB_%d_%d", (int)child, (int)getuid());
    (void)shm_unlink(name);
}

int process_wait(pid_t child) {
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    forget(child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void process_kill(pid_t child) {
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(process_wait(child), 128 + SIGKILL);
}
