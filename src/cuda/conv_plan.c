#include "cuda/conv_plan.h"

#include <stdlib.h>

enum { CONFIGS = 64 };

/* Whether a configuration's engine gives the same bits each time, and those that are asked for. */
static cudnnStatus_t engine_fits(gan_cuda_bag *b, cudnnBackendDescriptor_t config, bool exact,
                                 bool *fits) {
    cudnnBackendNumericalNote_t note[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    cudnnBackendDescriptor_t engine;
    int64_t n = 0;
    GAN_CUDNN_FORWARD(gan_cuda_bag_create(b, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine));
    GAN_CUDNN_FORWARD(cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                               CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine));
    GAN_CUDNN_FORWARD(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                               CUDNN_TYPE_NUMERICAL_NOTE,
                                               CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &n, note));
    *fits = true;
    for (int64_t i = 0; i < n; i++)
        if (note[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC ||
            note[i] == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
            (exact && (note[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE ||
                       note[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)))
            *fits = false;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finish(cudnnBackendDescriptor_t plan, size_t *workspace) {
    int64_t n = 0, bytes = 0;
    GAN_CUDNN_FORWARD(cudnnBackendFinalize(plan));
    GAN_CUDNN_FORWARD(cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                               CUDNN_TYPE_INT64, 1, &n, &bytes));
    *workspace = (size_t)bytes;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t begin(gan_cuda_bag *b, cudnnHandle_t handle, cudnnBackendDescriptor_t *out) {
    GAN_CUDNN_FORWARD(gan_cuda_bag_create(b, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, out));
    return cudnnBackendSetAttribute(*out, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                                    &handle);
}

static cudnnStatus_t add_plan(gan_cuda_bag *b, cudnnHandle_t handle,
                              cudnnBackendDescriptor_t config, cudnnBackendDescriptor_t *out,
                              size_t *workspace) {
    GAN_CUDNN_FORWARD(begin(b, handle, out));
    GAN_CUDNN_FORWARD(
        gan_cuda_descriptor_refer(*out, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config));
    return finish(*out, workspace);
}

/* Best first, by the library's own guess. */
static cudnnStatus_t configurations(gan_cuda_bag *b, cudnnBackendDescriptor_t graph,
                                    cudnnBackendHeurMode_t mode, cudnnBackendDescriptor_t *config,
                                    int64_t *n) {
    cudnnBackendDescriptor_t heuristics;
    int64_t found = 0;
    GAN_CUDNN_FORWARD(gan_cuda_bag_create(b, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &heuristics));
    GAN_CUDNN_FORWARD(
        gan_cuda_descriptor_refer(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph));
    GAN_CUDNN_FORWARD(cudnnBackendSetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE,
                                               CUDNN_TYPE_HEUR_MODE, 1, &mode));
    GAN_CUDNN_FORWARD(cudnnBackendFinalize(heuristics));
    GAN_CUDNN_FORWARD(cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                               CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &found, NULL));
    if (found > CONFIGS) found = CONFIGS;
    for (int64_t i = 0; i < found; i++)
        GAN_CUDNN_FORWARD(gan_cuda_bag_create(b, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &config[i]));
    return cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, found, n, config);
}

/* A refusal that is about the problem, not about this machine today. */
static bool settles(cudnnStatus_t status) {
    switch (status) {
    case CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER:
    case CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDART:
    case CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING:
    case CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE:
        return false;
    case CUDNN_STATUS_SUCCESS:
    case CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED:
        return true;
    default: /* by thousands: bad parameters and what is not supported */
        return status / 1000 == 2 || status / 1000 == 3;
    }
}

gan_cuda_conv_plan gan_cuda_conv_plan_search(gan_cuda_bag *b, cudnnHandle_t handle,
                                             cudnnBackendDescriptor_t graph, bool exact,
                                             size_t most_workspace, int from) {
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
    gan_cuda_conv_plan found = {.settled = true};
    cudnnBackendDescriptor_t config[CONFIGS], plan;
    for (int m = 0; m < 2; m++) {
        int64_t n = 0;
        cudnnStatus_t status = configurations(b, graph, modes[m], config, &n);
        found.settled = found.settled && settles(status);
        if (status != CUDNN_STATUS_SUCCESS) continue;
        for (int64_t i = 0; i < n; i++, found.number++) {
            bool fits = false;
            if (found.number < from) continue;
            status = engine_fits(b, config[i], exact, &fits);
            if (status == CUDNN_STATUS_SUCCESS && fits)
                status = add_plan(b, handle, config[i], &plan, &found.workspace);
            found.settled = found.settled && settles(status);
            if (status != CUDNN_STATUS_SUCCESS || !fits || found.workspace > most_workspace)
                continue;
            found.plan = plan;
            return found;
        }
    }
    return found;
}

/* ---- as text ---- */

char *gan_cuda_conv_plan_text(cudnnBackendDescriptor_t plan, size_t *bytes) {
    int64_t n = 0;
    if (cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                 CUDNN_TYPE_CHAR, 0, &n, NULL) != CUDNN_STATUS_SUCCESS ||
        n < 1)
        return NULL;
    char *text = malloc((size_t)n);
    if (!text) return NULL;
    if (cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                 CUDNN_TYPE_CHAR, n, &n, text) != CUDNN_STATUS_SUCCESS) {
        free(text);
        return NULL;
    }
    *bytes = (size_t)n;
    return text;
}

gan_cuda_conv_plan gan_cuda_conv_plan_restore(gan_cuda_bag *b, cudnnHandle_t handle,
                                              const char *text, size_t bytes) {
    gan_cuda_conv_plan p = {0};
    cudnnBackendDescriptor_t plan;
    if (begin(b, handle, &plan) == CUDNN_STATUS_SUCCESS &&
        cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION,
                                 CUDNN_TYPE_CHAR, (int64_t)bytes, text) == CUDNN_STATUS_SUCCESS &&
        finish(plan, &p.workspace) == CUDNN_STATUS_SUCCESS)
        p.plan = plan;
    return p;
}
