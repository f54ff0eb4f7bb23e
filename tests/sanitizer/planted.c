/* A sound OpenMP program, and the same with one fault planted by name. */
#include <limits.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000 };

int main(int argc, char **argv) {
    const char *fault = argc == 2 ? argv[1] : "none";
    volatile size_t n = N; /* not to be known when compiling */
    int *a = malloc(n * sizeof *a), shared = 0;
    if (!a) return 1;
#pragma omp parallel for
    for (int i = 0; i < N; i++) a[i] = i;
#pragma omp parallel for
    for (int i = 0; i < N; i++) a[i] += i;
#pragma omp parallel num_threads(4)
    {
        if (!strcmp(fault, "race"))
            shared++;
        else {
#pragma omp atomic
            shared++;
        }
    }
    if (!strcmp(fault, "address")) shared += a[n];
    if (!strcmp(fault, "overflow")) shared += INT_MAX;
    if (!strcmp(fault, "leak")) {
        a = malloc(N * sizeof *a); /* the first block is lost */
        if (a) a[0] = 0;
    }
    printf("%d %d\n", a ? a[argc] : 0, shared);
    free(a);
    return 0;
}
