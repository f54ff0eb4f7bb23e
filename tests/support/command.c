#include "support/command.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/process.h"
#include "support/scratch.h"

static const char *start = ".";

void command_from(const char *folder) { start = folder; }

/* Becomes the command, with stdout and stderr going to these files. */
static void become(const char *const *arguments, int out, int err) {
    char *argv[MAX_ARGUMENTS + 2] = {(char *)(uintptr_t)GANC_TEST_COMMAND};
    int n = 1;
    for (; arguments[n - 1]; n++) {
        if (n > MAX_ARGUMENTS) _exit(125);
        argv[n] = (char *)(uintptr_t)arguments[n - 1];
    }
    if (out < 0 || err < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 || chdir(scratch(start)))
        _exit(126);
    execv(argv[0], argv);
    _exit(127);
}

pid_t command_start(const char *const *arguments) {
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        const int null = open("/dev/null", O_WRONLY);
        become(arguments, null, null);
    }
    return process;
}

/* Reads both pipes to their ends; what does not fit is dropped. */
static void read_both(const int from[2], char *const to[2], const size_t size[2]) {
    size_t used[2] = {0, 0};
    struct pollfd pipes[2] = {{.fd = from[0], .events = POLLIN}, {.fd = from[1], .events = POLLIN}};
    while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
        assert_true(poll(pipes, 2, -1) > 0);
        for (int i = 0; i < 2; i++) {
            char some[4096];
            if (pipes[i].fd < 0 || !pipes[i].revents) continue;
            const ssize_t n = read(from[i], some, sizeof some);
            if (n <= 0) pipes[i].fd = -1;
            for (ssize_t j = 0; j < n && used[i] + 1 < size[i]; j++) to[i][used[i]++] = some[j];
        }
    }
    for (int i = 0; i < 2; i++) to[i][used[i]] = 0;
}

/* By pipes, so that a limit on the size of files does not hold for what the command says. */
void command(outcome *result, const char *const *arguments) {
    int out[2], err[2];
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        close(out[0]);
        close(err[0]);
        become(arguments, out[1], err[1]);
    }
    close(out[1]);
    close(err[1]);
    read_both((int[]){out[0], err[0]}, (char *[]){result->out, result->err},
              (size_t[]){sizeof result->out, sizeof result->err});
    close(out[0]);
    close(err[0]);
    result->code = process_wait(process);
}

static void wrong(const outcome *r, const char *const *arguments, const char *expected) {
    fprintf(stderr, "ganc");
    for (int i = 0; arguments[i]; i++) fprintf(stderr, " %s", arguments[i]);
    fail_msg("exit code %d, stderr:\n%s(expected: %s)", r->code, r->err, expected);
}

void command_refused(int code, const char *part, const char *const *arguments) {
    outcome r;
    command(&r, arguments);
    const char *end = strchr(r.err, '\n');
    if (r.code != code || !strstr(r.err, part)) wrong(&r, arguments, part);
    if (!end || end[1]) wrong(&r, arguments, "one line");
}

void command_done(const char *const *arguments) {
    outcome r;
    command(&r, arguments);
    if (r.code) wrong(&r, arguments, "exit code 0");
}
