/* Compiling a graph for a device, and running the result. */
#include "device/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "device/download.h"
#include "graph/store.h"

static bool supported(const void *context, gan_op_id op) {
    return ((const gan_device *)context)->backend->kernel[op] != NULL;
}

static bool takes(const void *context, const gan_node *node) {
    const gan_backend *backend = ((const gan_device *)context)->backend;
    return !backend->takes || backend->takes(node);
}

static gan_join joins(const void *context, const gan_node *node) {
    return ((const gan_device *)context)->backend->joins(node);
}

static int phase(const void *context, int n, gan_node *const *calls) {
    const gan_device *device = context;
    return device->backend->phase(device, n, calls);
}

static bool pairs(const void *context, const gan_node *first, const gan_node *second) {
    const gan_device *device = context;
    return device->backend->pairs(device, first, second);
}

static bool forms(const void *context, const gan_node *sum, const gan_node *moments) {
    return ((const gan_device *)context)->backend->forms(sum, moments);
}

/* ---- compiling ---- */

static gan_status make_call(gan_program *p, const gan_node *node, gan_call *call) {
    *call = (gan_call){.node = node, .n_in = node->n_in, .seed = p->source->store->seed};
    call->in = calloc((size_t)(node->n_in ? node->n_in : 1), sizeof *call->in);
    if (!call->in) return gan_fail(GAN_ERROR_MEMORY, "program: out of memory");
    for (int i = 0; i < node->n_in; i++)
        call->in[i] = (gan_array){.dtype = node->in[i]->dtype, .shape = node->in[i]->shape};
    call->out = (gan_array){.dtype = node->dtype, .shape = node->shape};
    const gan_kernel *kernel = p->device->backend->kernel[node->op];
    if (kernel->prepare) GAN_TRY(kernel->prepare(p->device, call));
    if (call->workspace_bytes > p->lane_bytes) p->lane_bytes = call->workspace_bytes;
    return GAN_OK;
}

/* Values up to so many bytes in all get places of their own where that permits branches. */
static const size_t apart_bytes = (size_t)1 << 25;
static size_t aligned(size_t bytes) {
    return (bytes + GAN_PLAN_ALIGN - 1) / GAN_PLAN_ALIGN * GAN_PLAN_ALIGN;
}

/* Where the workspace of the next call of the same launch begins. */
static size_t behind(const gan_call *call, size_t offset) {
    return offset + aligned(call->workspace_bytes);
}

/* A workspace that is larger is there once: its calls wait for each other. */
static const size_t most_lane_bytes = (size_t)1 << 26;

static gan_status find_branches(gan_program *p) {
    const bool several = p->lane_bytes <= most_lane_bytes;
    const int lanes = p->device->branches && several ? p->device->backend->lanes : 1;
    if (lanes > 1) p->lane_bytes = aligned(p->lane_bytes);
    p->workspace_bytes = p->lane_bytes * (size_t)lanes;
    if (!p->device->branches) return GAN_OK;
    return gan_branches_create(&p->branches, p->plan, p->n_calls, p->call, lanes);
}

/* Calls of one stage are one launch, in which each has a workspace of its own. */
static void join_calls(gan_program *p) {
    const gan_plan *plan = p->plan;
    size_t used = 0;
    for (int i = 0, first = 0; i < p->n_calls; i++) {
        if (plan->stage[i] != plan->stage[first]) first = i;
        p->call[first].joined++;
        p->call[i].phase = plan->phase[i];
        p->call[i].chain = plan->chain[i];
        p->call[i].passed = !(gan_op_of(p->call[i].node)->flags & GAN_OP_EFFECT) &&
                            plan->place[p->call[i].node->id].kind == GAN_PLACE_NONE;
        const bool pair = i > first && p->device->backend->joins(p->call[i].node).room == 0;
        if (pair || (p->device->phases && plan->phase[i] > plan->phase[first]))
            p->call[first].gathers = true;
        used = behind(&p->call[i], first == i ? 0 : used);
        if (used > p->lane_bytes) p->lane_bytes = used;
    }
}

static gan_status compile(gan_program **out, gan_graph *graph, gan_device *device, bool keep_apart,
                          bool join) {
    *out = NULL;
    gan_program *p = calloc(1, sizeof *p);
    if (!p) return gan_fail(GAN_ERROR_MEMORY, "program: out of memory");
    p->source = graph;
    p->device = device;
    p->unroll = 16;
    device->seed = graph->store->seed;
    gan_plan_options options = {.supported = supported,
                                .takes = takes,
                                .joins = join && device->backend->joins ? joins : NULL,
                                .join_room = device->backend->join_room,
                                .pairs = device->backend->pairs ? pairs : NULL,
                                .phase = device->backend->phase ? phase : NULL,
                                .forms = device->backend->forms ? forms : NULL,
                                .context = device,
                                .apart_bytes = device->branches ? apart_bytes : 0,
                                .keep_apart = keep_apart};
    gan_status status = gan_plan_create(&p->plan, graph, &options);
    if (status == GAN_OK) {
        p->call = calloc((size_t)p->plan->n_launches + 1, sizeof *p->call);
        p->refresh = calloc((size_t)p->plan->n_refresh + 1, sizeof *p->refresh);
        if (!p->call || !p->refresh) status = gan_fail(GAN_ERROR_MEMORY, "program: out of memory");
    }
    while (status == GAN_OK && p->n_calls < p->plan->n_launches) {
        status = make_call(p, p->plan->order[p->n_calls], &p->call[p->n_calls]);
        p->n_calls++;
    }
    while (status == GAN_OK && p->n_refresh < p->plan->n_refresh) {
        status = make_call(p, p->plan->refresh[p->n_refresh], &p->refresh[p->n_refresh]);
        p->n_refresh++;
    }
    if (status == GAN_OK) {
        join_calls(p);
        status = find_branches(p);
    }
    if (status != GAN_OK) {
        gan_program_destroy(p);
        return status;
    }
    *out = p;
    return GAN_OK;
}

gan_status gan_compile(gan_program **out, gan_graph *graph, gan_device *device) {
    return compile(out, graph, device, false, true);
}

gan_status gan_compile_apart(gan_program **out, gan_graph *graph, gan_device *device) {
    return compile(out, graph, device, true, false);
}

gan_status gan_compile_apart_joined(gan_program **out, gan_graph *graph, gan_device *device) {
    return compile(out, graph, device, true, true);
}

static void release_calls(gan_program *p, int n, gan_call *calls) {
    for (int i = 0; i < n; i++) {
        const gan_kernel *kernel = p->device->backend->kernel[calls[i].node->op];
        if (kernel->release) kernel->release(p->device, &calls[i]);
        free(calls[i].in);
    }
    free(calls);
}

void gan_program_destroy(gan_program *p) {
    if (!p) return;
    const gan_backend *backend = p->device->backend;
    if (p->record) backend->release_record(p->device, p->record);
    if (p->record_many) backend->release_record(p->device, p->record_many);
    release_calls(p, p->n_calls, p->call);
    release_calls(p, p->n_refresh, p->refresh);
    if (p->arena) backend->free(p->device, p->arena);
    if (p->workspace) backend->free(p->device, p->workspace);
    gan_branches_destroy(p->branches);
    gan_plan_destroy(p->plan);
    free(p);
}

/* ---- loading ---- */

static void *address(const gan_program *p, const gan_node *node) {
    const gan_place *place = &p->plan->place[node->id];
    switch (place->kind) {
    case GAN_PLACE_ARENA:
        return (char *)p->arena + place->offset;
    case GAN_PLACE_VARIABLE:
        return (char *)gan_variable_data(place->variable) + place->offset;
    default:
        return NULL;
    }
}

/* Its workspace lies behind the first `used` bytes. */
static void address_call(const gan_program *p, gan_call *call, size_t used) {
    for (int j = 0; j < call->n_in; j++) call->in[j].data = address(p, call->node->in[j]);
    call->out.data = address(p, call->node);
    call->workspace = NULL;
    if (call->workspace_bytes)
        call->workspace = (char *)p->workspace + (size_t)call->lane * p->lane_bytes + used;
}

/* The flat weights of which a refreshing call makes a copy. */
static gan_variable_arena *refreshed(const gan_call *call) {
    return call->node->in[0]->attr.variable.variable->arena;
}

gan_status gan_program_load(gan_program *p) {
    if (p->loaded) return GAN_OK;
    const gan_backend *backend = p->device->backend;
    const double mib = 1024 * 1024;
    const size_t arena = p->plan->arena_bytes, work = p->workspace_bytes;
    size_t available, used = 0;
    if (p->device->plan_only)
        return gan_fail(GAN_ERROR_DEVICE, "program: its device, %s, was opened for planning only",
                        backend->name);
    GAN_TRY(gan_store_place(p->source->store, p->device));
    GAN_TRY(backend->free_memory(p->device, &available));
    if (arena > available || work > available - arena)
        return gan_fail(GAN_ERROR_MEMORY,
                        "activations need %.1f MiB and workspace %.1f MiB, %s has %.1f MiB free",
                        (double)arena / mib, (double)work / mib, backend->name,
                        (double)available / mib);
    if (!p->arena) {
        GAN_TRY(backend->allocate(p->device, &p->arena, arena ? arena : 1));
        GAN_TRY(backend->zero(p->device, p->arena, arena));
    }
    if (work && !p->workspace) GAN_TRY(backend->allocate(p->device, &p->workspace, work));
    for (int i = 0; i < p->n_calls; i++) {
        if (p->call[i].joined) used = 0;
        address_call(p, &p->call[i], used);
        used = behind(&p->call[i], used);
    }
    for (int i = 0; i < p->n_refresh; i++) {
        address_call(p, &p->refresh[i], 0);
        p->refresh[i].out.data = gan_variable_data(refreshed(&p->refresh[i])->half);
    }
    if (backend->record)
        GAN_TRY(backend->record(p->device, p->n_calls, p->call, p->branches, 1, &p->record));
    p->loaded = true;
    return GAN_OK;
}

/* ---- running ---- */

gan_status gan_calls_run(gan_device *device, int n, const gan_call *calls) {
    const gan_backend *backend = device->backend;
    for (int i = 0; i < n; i += calls[i].joined)
        GAN_TRY(calls[i].joined > 1 ? backend->run_joined(device, calls[i].joined, &calls[i])
                                    : backend->kernel[calls[i].node->op]->run(device, &calls[i]));
    return GAN_OK;
}

/* Copies of weights that others have written since. */
static gan_status refresh(gan_program *p) {
    for (int i = 0; i < p->n_refresh; i++) {
        gan_variable_arena *weights = refreshed(&p->refresh[i]);
        if (weights->half_is_current) continue;
        GAN_TRY(p->device->backend->kernel[GAN_OP_cast]->run(p->device, &p->refresh[i]));
    }
    return GAN_OK;
}

/* Which copies are current after a run: those that the last to write the weights has written, too.
 */
static void note_copies(gan_program *p) {
    for (int i = 0; i < p->n_calls; i++) {
        const gan_node *node = p->call[i].node;
        for (int j = 0; j < gan_op_writes(node); j++)
            node->in[j]->attr.variable.variable->arena->half_is_current = false;
        if (gan_op_copy(node)) node->in[0]->attr.variable.variable->arena->half_is_current = true;
    }
}

gan_status gan_program_run(gan_program *p, int64_t iterations) {
    GAN_TRY(gan_program_load(p));
    const gan_backend *backend = p->device->backend;
    if (iterations > 0) {
        GAN_TRY(refresh(p));
        note_copies(p);
    }
    while (iterations > 0) {
        if (p->record && iterations >= p->unroll) {
            if (!p->record_many) /* many programs never run for so long */
                GAN_TRY(backend->record(p->device, p->n_calls, p->call, p->branches, p->unroll,
                                        &p->record_many));
            GAN_TRY(backend->replay(p->device, p->record_many));
            iterations -= p->unroll;
            continue;
        }
        GAN_TRY(p->record ? backend->replay(p->device, p->record)
                          : gan_calls_run(p->device, p->n_calls, p->call));
        iterations--;
    }
    return GAN_OK;
}

/* ---- host access ---- */

static gan_status check_access(gan_program *p, const gan_node *node, size_t bytes) {
    if (!node) return gan_fail(GAN_ERROR_ARGUMENT, "program: no node given");
    const char *name = node->label ? node->label : gan_op_of(node)->name;
    if (node->graph != p->source || node->id >= p->plan->n_source)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: the node is not one of this program's graph",
                        name);
    if (bytes != gan_node_bytes(node))
        return gan_fail(GAN_ERROR_SHAPE, "%s: %zu bytes given, the node has %zu", name, bytes,
                        gan_node_bytes(node));
    return gan_program_load(p);
}

gan_status gan_program_write(gan_program *p, const gan_node *input, const void *from,
                             size_t bytes) {
    GAN_TRY(check_access(p, input, bytes));
    if (input->op != GAN_OP_input)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: not an input", gan_op_of(input)->name);
    const gan_node *copy = p->plan->copy_of[input->id];
    if (!copy) return GAN_OK; /* nothing reads it */
    return p->device->backend->upload(p->device, address(p, copy), from, bytes);
}

static gan_status find_output(gan_program *p, const gan_node *output, size_t bytes,
                              const void **data) {
    GAN_TRY(check_access(p, output, bytes));
    const gan_node *copy = NULL;
    for (int i = 0; i < p->source->n_outputs && !copy; i++)
        if (p->source->output[i] == output) copy = p->plan->copy_of[output->id];
    if (!copy) return gan_fail(GAN_ERROR_ARGUMENT, "%s: not an output", gan_op_of(output)->name);
    *data = address(p, copy);
    return GAN_OK;
}

gan_status gan_program_read(gan_program *p, const gan_node *output, void *to, size_t bytes) {
    const void *data = NULL;
    GAN_TRY(find_output(p, output, bytes, &data));
    return p->device->backend->download(p->device, to, data, bytes);
}

gan_status gan_program_begin_read(gan_program *p, const gan_node *output, gan_download *download) {
    const size_t bytes = gan_node_bytes(output);
    const void *data = NULL;
    GAN_TRY(find_output(p, output, bytes, &data));
    return gan_download_begin(download, p->device, data, bytes);
}

/* ---- what the tests do ---- */

static gan_status fill(gan_program *p, void *data, size_t bytes) {
    void *host = malloc(bytes ? bytes : 1);
    if (!host) return gan_fail(GAN_ERROR_MEMORY, "program: out of memory");
    memset(host, 0xff, bytes);
    gan_status status = bytes ? p->device->backend->upload(p->device, data, host, bytes) : GAN_OK;
    free(host);
    return status;
}

gan_status gan_program_poison(gan_program *p) {
    GAN_TRY(gan_program_load(p));
    GAN_TRY(fill(p, p->arena, p->plan->arena_bytes));
    return fill(p, p->workspace, p->workspace ? p->workspace_bytes : 0);
}

gan_status gan_program_sentinels_intact(gan_program *p, bool *intact) {
    const gan_plan *plan = p->plan;
    const size_t n = plan->arena_bytes;
    unsigned char *bytes = malloc(n ? n : 1);
    if (!bytes) return gan_fail(GAN_ERROR_MEMORY, "program: out of memory");
    gan_status status = n ? p->device->backend->download(p->device, bytes, p->arena, n) : GAN_OK;
    for (int id = 0; id < plan->graph->n_nodes;
         id++) /* what belongs to values is none of our business */
        if (plan->place[id].kind == GAN_PLACE_ARENA)
            memset(bytes + plan->place[id].offset, 0xff, gan_node_bytes(plan->graph->node[id]));
    *intact = true;
    for (size_t i = 0; i < n; i++) *intact = *intact && bytes[i] == 0xff;
    free(bytes);
    return status;
}
