#include "cuda/libraries.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { BLAS, DNN, LIBRARIES };

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/* By the name that programs are linked with, and the file of the build, which lies where the system
 * need not look. */
static const struct {
    const char *name, *file;
} library[LIBRARIES] = {
    [BLAS] = {"libcublas.so." TEXT(CUBLAS_VER_MAJOR), GANC_CUBLAS_FILE},
    [DNN] = {"libcudnn.so." TEXT(CUDNN_MAJOR), GANC_CUDNN_FILE},
};

static const struct {
    int library;
    const char *name;
    size_t place; /* in gan_cuda_libraries */
} function[] = {
#define GAN_CUDA_FUNCTION(library, name) {library, #name, offsetof(gan_cuda_libraries, name)},
#include "cuda/libraries.def"
#undef GAN_CUDA_FUNCTION
};
enum { FUNCTIONS = sizeof function / sizeof *function };

gan_cuda_libraries gan_cuda_library;

static char reason[512]; /* why it failed; empty when it did not */

static void *opened(int i) {
    void *handle = dlopen(library[i].name, RTLD_NOW | RTLD_LOCAL);
    if (handle) return handle;
    snprintf(reason, sizeof reason, "cannot open %s: %s", library[i].name, dlerror());
    handle = dlopen(library[i].file, RTLD_NOW | RTLD_LOCAL);
    if (handle) reason[0] = 0;
    return handle;
}

static void open_all(void) {
    void *handle[LIBRARIES];
    gan_cuda_libraries found;
    for (int i = 0; i < LIBRARIES; i++)
        if (!(handle[i] = opened(i))) return;
    for (int i = 0; i < FUNCTIONS; i++) {
        void *address = dlsym(handle[function[i].library], function[i].name);
        memcpy((char *)&found + function[i].place, &address, sizeof address);
        if (address) continue;
        snprintf(reason, sizeof reason, "%s has no %s: another version than this was built for",
                 library[function[i].library].name, function[i].name);
        return;
    }
    gan_cuda_library = found;
}

gan_status gan_cuda_libraries_open(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_all);
    return reason[0] ? gan_fail(GAN_ERROR_DEVICE, "%s", reason) : GAN_OK;
}
