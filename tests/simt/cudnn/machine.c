#include "machine.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/libraries.h"

enum { OLDEST = 90800, PLANS = 4096 };

gpu_answers gpu_said;

static gan_cuda_libraries real, fake;
static cudnnBackendDescriptor_t properties;
static const gpu *asked_for;
static struct {
    cudnnBackendDescriptor_t plan;
    bool restored;
} begun[PLANS];
static int n_begun;

/* ---- what is put in place of what ---- */

static cudnnStatus_t refer(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name) {
    return real.cudnnBackendSetAttribute(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &properties);
}

static int find_begun(cudnnBackendDescriptor_t d) {
    int i = n_begun - 1;
    while (i >= 0 && begun[i].plan != d) i--;
    return i;
}

/* Where there would be a handle, there are the properties. */
static cudnnStatus_t set_attribute(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                   cudnnBackendAttributeType_t type, int64_t n,
                                   const void *values) {
    if (name == CUDNN_ATTR_OPERATIONGRAPH_HANDLE) return CUDNN_STATUS_SUCCESS;
    if (name == CUDNN_ATTR_EXECUTION_PLAN_HANDLE) {
        if (n_begun == PLANS) return CUDNN_STATUS_INTERNAL_ERROR;
        begun[n_begun].plan = d;
        begun[n_begun++].restored = false;
        return refer(d, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
    }
    if (name == CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION && find_begun(d) >= 0)
        begun[find_begun(d)].restored = true;
    if (name == CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH) {
        gpu_said.searches++;
        const cudnnStatus_t status = refer(d, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP);
        if (status != CUDNN_STATUS_SUCCESS) return status;
    }
    return real.cudnnBackendSetAttribute(d, name, type, n, values);
}

/* A compiled plan's kernel is named in its text, and in the name for which generation it was
 * written: "…_sm80_…". */
static void look_at(cudnnBackendDescriptor_t plan) {
    int64_t n = 0;
    if (real.cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                      CUDNN_TYPE_CHAR, 0, &n, NULL) != CUDNN_STATUS_SUCCESS)
        return;
    char *text = calloc(1, (size_t)n + 1);
    if (text &&
        real.cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                      CUDNN_TYPE_CHAR, n, &n, text) == CUDNN_STATUS_SUCCESS) {
        const char *kernel = strstr(text, "\"kernelName\":\"");
        const char *generation = kernel ? strstr(kernel, "_sm") : NULL;
        if (kernel) gpu_said.compiled++;
        if (generation && atoi(generation + 3) / 10 < asked_for->capability / 100) gpu_said.elder++;
    }
    free(text);
}

static cudnnStatus_t finalize(cudnnBackendDescriptor_t d) {
    const cudnnStatus_t status = real.cudnnBackendFinalize(d);
    const int i = find_begun(d);
    if (i < 0 || status != CUDNN_STATUS_SUCCESS) return status;
    if (begun[i].restored) {
        gpu_said.restored++;
    } else {
        gpu_said.plans++;
        look_at(d);
    }
    return status;
}

static cudnnStatus_t destroy(cudnnBackendDescriptor_t d) {
    const int i = find_begun(d);
    if (i >= 0) begun[i] = begun[--n_begun];
    return real.cudnnBackendDestroyDescriptor(d);
}

static cudnnStatus_t no_forward(cudnnHandle_t h, const cudnnTensorDescriptor_t x,
                                const cudnnFilterDescriptor_t w,
                                const cudnnConvolutionDescriptor_t how,
                                const cudnnTensorDescriptor_t y, const int most, int *n,
                                cudnnConvolutionFwdAlgoPerf_t *found) {
    gpu_said.algorithms++;
    return fake.cudnnGetConvolutionForwardAlgorithm_v7(h, x, w, how, y, most, n, found);
}

static cudnnStatus_t no_backward_data(cudnnHandle_t h, const cudnnFilterDescriptor_t w,
                                      const cudnnTensorDescriptor_t y,
                                      const cudnnConvolutionDescriptor_t how,
                                      const cudnnTensorDescriptor_t x, const int most, int *n,
                                      cudnnConvolutionBwdDataAlgoPerf_t *found) {
    gpu_said.algorithms++;
    return fake.cudnnGetConvolutionBackwardDataAlgorithm_v7(h, w, y, how, x, most, n, found);
}

static cudnnStatus_t no_backward_filter(cudnnHandle_t h, const cudnnTensorDescriptor_t x,
                                        const cudnnTensorDescriptor_t y,
                                        const cudnnConvolutionDescriptor_t how,
                                        const cudnnFilterDescriptor_t w, const int most, int *n,
                                        cudnnConvolutionBwdFilterAlgoPerf_t *found) {
    gpu_said.algorithms++;
    return fake.cudnnGetConvolutionBackwardFilterAlgorithm_v7(h, x, y, how, w, most, n, found);
}

/* ---- properties ---- */

/* As cuDNN writes those of a device. */
static cudnnStatus_t describe(const gpu *g) {
    char text[2048];
    const int n = snprintf(
        text, sizeof text,
        "{\"deviceName\":\"%s\",\"cudaDeviceId\":0,\"deviceVer\":%d,\"driverVer\":13000,"
        "\"maxGridSize\":[2147483647,65535,65535],\"maxBlockSize\":[1024,1024,64],"
        "\"regsPerBlock\":65536,\"multiProcessorCount\":%d,\"smClockRateKHz\":%d,"
        "\"memClockRateKHz\":%d,\"l2CacheSize\":%lld,\"warpSize\":32,"
        "\"maxSharedMemoryPerBlock\":49152,\"maxSharedMemoryPerBlockOptin\":%d,"
        "\"reservedSharedMemoryPerBlock\":1024,\"maxRegistersPerSM\":65536,\"pciDeviceId\":0,"
        "\"maxCtasPerSM\":%d,\"maxThreadsPerBlock\":1024,\"maxThreadsPerSM\":%d,"
        "\"isTccDriver\":0,\"supportCoopLaunch\":1,\"totalGlobalMem\":%lld}",
        g->name, g->capability, g->processors, g->clock_khz, g->memory_clock_khz,
        (long long)g->l2_mib << 20, g->shared_bytes, g->threads / 64, g->threads,
        (long long)g->memory_gib << 30);
    const cudnnStatus_t status = real.cudnnBackendSetAttribute(
        properties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, n, text);
    return status == CUDNN_STATUS_SUCCESS ? real.cudnnBackendFinalize(properties) : status;
}

bool gpu_open(const char *driver, const char *library) {
    /* By its soname the library finds it again. */
    void *handle = dlopen(driver, RTLD_NOW | RTLD_GLOBAL);
    if (handle) handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        printf("%s\n", dlerror());
        exit(1);
    }
    fake = real = gan_cuda_library;
#define DNN(name) *(void **)&real.name = dlsym(handle, #name)
    DNN(cudnnBackendCreateDescriptor);
    DNN(cudnnBackendDestroyDescriptor);
    DNN(cudnnBackendFinalize);
    DNN(cudnnBackendGetAttribute);
    DNN(cudnnBackendSetAttribute);
    DNN(cudnnGetVersion);
#undef DNN
    if (!real.cudnnBackendCreateDescriptor || !real.cudnnBackendDestroyDescriptor ||
        !real.cudnnBackendFinalize || !real.cudnnBackendGetAttribute ||
        !real.cudnnBackendSetAttribute || !real.cudnnGetVersion) {
        printf("%s lacks functions of its graph API\n", library);
        exit(1);
    }
    if (real.cudnnGetVersion() >= OLDEST) return true;
    printf("cuDNN %zu takes no properties of devices yet\n", real.cudnnGetVersion());
    return false;
}

void gpu_take(const gpu *g) {
    gpu_said = (gpu_answers){0};
    asked_for = g;
    if (real.cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &properties) !=
            CUDNN_STATUS_SUCCESS ||
        describe(g) != CUDNN_STATUS_SUCCESS) {
        printf("cuDNN does not take the properties of %s\n", g->name);
        abort();
    }
    gan_cuda_libraries *l = &gan_cuda_library;
    l->cudnnBackendCreateDescriptor = real.cudnnBackendCreateDescriptor;
    l->cudnnBackendDestroyDescriptor = destroy;
    l->cudnnBackendFinalize = finalize;
    l->cudnnBackendGetAttribute = real.cudnnBackendGetAttribute;
    l->cudnnBackendSetAttribute = set_attribute;
    l->cudnnGetConvolutionForwardAlgorithm_v7 = no_forward;
    l->cudnnGetConvolutionBackwardDataAlgorithm_v7 = no_backward_data;
    l->cudnnGetConvolutionBackwardFilterAlgorithm_v7 = no_backward_filter;
}

void gpu_give_back(void) {
    real.cudnnBackendDestroyDescriptor(properties);
    gan_cuda_library = fake;
}
