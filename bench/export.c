#include "export.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the file, gathered in memory ---- */

enum { TENSORS = 1024 };

typedef struct content {
    size_t n;
    gan_tensor_info info[TENSORS];
    char name[TENSORS][112];
    char *bytes[TENSORS];
} content;

static size_t size_of(gan_dtype dtype, gan_shape shape) {
    return (size_t)gan_shape_size(shape) * gan_dtype_size(dtype);
}

/* Room for one more tensor, zeros. */
static void *add(content *f, gan_dtype dtype, gan_shape shape, const char *prefix,
                 const char *name) {
    if (f->n == TENSORS) exit(1);
    const size_t i = f->n++;
    snprintf(f->name[i], sizeof f->name[i], "%s%s", prefix, name);
    f->info[i] = (gan_tensor_info){f->name[i], dtype, shape};
    f->bytes[i] = calloc(1, size_of(dtype, shape) + 1);
    if (!f->bytes[i]) exit(1);
    return f->bytes[i];
}

static void discard(content *f) {
    for (size_t i = 0; i < f->n; i++) free(f->bytes[i]);
    free(f);
}

static void add_variables(content *f, gan_store *store, gan_role role, const char *prefix) {
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (gan_variable_role(v) != role) continue;
        const gan_shape shape = gan_variable_shape(v);
        void *to = add(f, gan_variable_dtype(v), shape, prefix, gan_variable_name(v));
        bench_check(gan_variable_read(store, v, to, size_of(gan_variable_dtype(v), shape)));
    }
}

/* ---- dropout ---- */

/* The masks that the 2014 discriminator draws, from a graph of their own: a node's noise depends on
 * how many random nodes its graph had before, so those are made here too. */
typedef struct masks {
    gan_graph *g;
    gan_program *program;
    int n;
    gan_node *mask[8];
    char *bytes[8];
} masks;

static int64_t g_rows(const bench_case *c) {
    return c->generator_batch ? c->generator_batch : c->batch;
}

static void count_stream(masks *m, gan_node *counter) {
    gan_random_uniform(m->g, counter, gan_shape1(1), 0, 1);
}

static void draw_masks(masks *m, gan_node *counter, int64_t rows, const bench_case *c) {
    const int64_t units = c->features ? c->features : 240;
    const int64_t width[3] = {c->size * c->size * c->channels, units, units};
    const double keep[3] = {0.8, 0.5, 0.5};
    for (int i = 0; i < 3; i++) {
        const gan_shape shape = gan_shape2(rows, width[i]);
        gan_node *noise = gan_random_uniform(m->g, counter, shape, 0, 1);
        gan_node *mask = gan_greater(m->g, gan_constant(m->g, keep[i], shape), noise);
        m->mask[m->n++] = gan_output(m->g, mask);
    }
}

static void open_masks(masks *m, gan_store *store, gan_device *device, const bench_case *c) {
    bench_check(gan_graph_create(&m->g, store));
    gan_node *counter = gan_game_counter(m->g);
    count_stream(m, counter); /* the mini-batch */
    count_stream(m, counter); /* noise of the D-step */
    draw_masks(m, counter, 2 * c->batch, c);
    count_stream(m, counter); /* noise of the G-step */
    draw_masks(m, counter, g_rows(c), c);
    bench_check(gan_compile(&m->program, m->g, device));
    bench_check(gan_program_load(m->program));
}

static void add_masks(content *f, masks *m, int64_t steps) {
    for (int i = 0; i < m->n; i++) {
        const gan_shape shape = gan_node_shape(m->mask[i]);
        const char name[2] = {(char)('0' + i), 0};
        m->bytes[i] = add(f, GAN_U8, gan_shape3(steps, shape.dim[0], shape.dim[1]), "keep/", name);
    }
}

static void read_masks(masks *m, int64_t step) {
    if (!m->program) return;
    bench_check(gan_program_run(m->program, 1));
    for (int i = 0; i < m->n; i++) {
        const size_t n = (size_t)gan_shape_size(gan_node_shape(m->mask[i]));
        float *mask = malloc(n * sizeof *mask);
        if (!mask) exit(1);
        bench_check(gan_program_read(m->program, m->mask[i], mask, n * sizeof *mask));
        for (size_t j = 0; j < n; j++) m->bytes[i][(size_t)step * n + j] = mask[j] > 0.5f;
        free(mask);
    }
}

/* ---- the run ---- */

typedef struct run {
    gan_store *store;
    gan_graph *g;
    gan_game game;
    gan_program *program;
} run;

static void open_run(run *r, const bench_case *c, gan_device *device, bench_watch *watch) {
    bench_check(gan_store_create(&r->store, 1));
    bench_check(gan_graph_create(&r->g, r->store));
    bench_check(bench_case_build(&r->game, r->g, c, watch));
    bench_check(gan_compile(&r->program, r->g, device));
    bench_check(gan_program_load(r->program));
    bench_check(bench_case_fill(r->store, c));
}

static void close_run(run *r) {
    gan_program_destroy(r->program);
    gan_graph_destroy(r->g);
    gan_store_destroy(r->store);
}

static void step(run *r, float losses[2]) {
    bench_check(gan_program_run(r->program, 1));
    bench_check(gan_program_read(r->program, r->game.d_loss, &losses[0], sizeof(float)));
    bench_check(gan_program_read(r->program, r->game.g_loss, &losses[1], sizeof(float)));
}

/* The measured graph, which nobody watches, does the same. */
static gan_status compare(const bench_case *c, gan_device *device, const float *losses,
                          int64_t steps) {
    run r;
    open_run(&r, c, device, NULL);
    for (int64_t i = 0; i < steps; i++) {
        float now[2];
        step(&r, now);
        for (int j = 0; j < 2; j++) {
            const double wanted = losses[2 * i + j];
            if (fabs(now[j] - wanted) <= 1e-3 * (1 + fabs(wanted))) continue;
            fprintf(stderr, "bench: %s: loss %d of iteration %lld is %g, with outputs it is %g\n",
                    c->name, j, (long long)i, (double)now[j], wanted);
            close_run(&r);
            return GAN_ERROR_DEVICE;
        }
    }
    close_run(&r);
    return GAN_OK;
}

/* ---- metadata ---- */

static gan_status write_file(const char *path, content *f, const bench_case *c) {
    const gan_model *model = gan_model_find(c->model);
    const struct {
        const char *key;
        double value;
    } number[] = {{"size", (double)c->size},
                  {"channels", (double)c->channels},
                  {"z", (double)c->z},
                  {"features", (double)c->features},
                  {"batch", (double)c->batch},
                  {"generator_batch", (double)g_rows(c)},
                  {"d_steps", (double)c->d_steps},
                  {"examples", (double)c->examples},
                  {"rate", c->rate},
                  {"beta1", c->beta1},
                  {"beta2", c->beta2},
                  {"eps", 1e-8},
                  {"momentum", c->momentum},
                  {"loss_scale", c->loss_scale > 0 ? c->loss_scale : 1},
                  {"low", model->low},
                  {"high", model->high},
                  {"spectral_norm", c->spectral_norm}};
    enum { NUMBERS = sizeof number / sizeof *number };
    char text[NUMBERS][32];
    gan_metadata metadata[NUMBERS + 5] = {{"case", c->name},
                                          {"model", c->model},
                                          {"objective", c->objective},
                                          {"prior", c->prior},
                                          {"optimizer", c->optimizer}};
    for (int i = 0; i < NUMBERS; i++) {
        snprintf(text[i], sizeof text[i], "%.17g", number[i].value);
        metadata[5 + i] = (gan_metadata){number[i].key, text[i]};
    }
    gan_safetensors_writer *w;
    gan_status status = gan_safetensors_create(&w, path, f->info, f->n, metadata, NUMBERS + 5);
    for (size_t i = 0; status == GAN_OK && i < f->n; i++)
        status = gan_safetensors_write(w, f->name[i], f->bytes[i],
                                       size_of(f->info[i].dtype, f->info[i].shape));
    if (status == GAN_OK) return gan_safetensors_finish(w);
    return status;
}

gan_status bench_export(const char *path, const bench_case *c, gan_device *device, int64_t steps) {
    content *f = calloc(1, sizeof *f);
    if (!f) exit(1);
    bench_watch watch = {0};
    masks m = {0};
    run r;
    open_run(&r, c, device, &watch);
    if (strcmp(c->model, "maxout") == 0) open_masks(&m, r.store, device, c);
    add_variables(f, r.store, GAN_DATA, "");
    snprintf(f->name[0], sizeof f->name[0], "data");
    add_variables(f, r.store, GAN_WEIGHT, "weight/");
    add_variables(f, r.store, GAN_STATISTIC, "statistic/");
    char *index = add(f, GAN_I32, gan_shape3(steps, watch.n_index, c->batch), "index", "");
    const int last = watch.n_z - 1; /* the G-step's */
    char *z = add(f, GAN_F32, gan_shape4(steps, last, c->batch, c->z), "z", "");
    char *g_z = add(f, GAN_F32, gan_shape3(steps, g_rows(c), c->z), "g_z", "");
    void *first_z = add(f, GAN_F32, gan_shape2(c->batch, c->z), "samples/", "z");
    const gan_shape pixels = gan_node_shape(watch.samples);
    void *samples = add(f, GAN_F32, pixels, "samples/", "x");
    void *examples = add(f, GAN_I32, gan_shape1(c->batch), "samples/", "index");
    float *losses = add(f, GAN_F32, gan_shape2(steps, 2), "losses", "");
    add_masks(f, &m, steps);
    const size_t index_bytes = sizeof(int32_t) * (size_t)c->batch;
    const size_t z_bytes = sizeof(float) * (size_t)(c->batch * c->z);
    const size_t g_z_bytes = sizeof(float) * (size_t)(g_rows(c) * c->z);
    for (int64_t i = 0; i < steps; i++) {
        read_masks(&m, i);
        step(&r, losses + 2 * i);
        for (int j = 0; j < watch.n_index; j++, index += index_bytes)
            bench_check(gan_program_read(r.program, watch.index[j], index, index_bytes));
        for (int j = 0; j < last; j++, z += z_bytes)
            bench_check(gan_program_read(r.program, watch.z[j], z, z_bytes));
        bench_check(gan_program_read(r.program, watch.z[last], g_z, g_z_bytes));
        g_z += g_z_bytes;
        for (int j = 0; i == 0 && j < watch.n_gradient; j++) {
            const gan_shape shape = gan_node_shape(watch.gradient[j]);
            void *to = add(f, GAN_F32, shape, "gradient/", watch.name[j]);
            bench_check(
                gan_program_read(r.program, watch.gradient[j], to, size_of(GAN_F32, shape)));
        }
    }
    /* One iteration more, for what G makes after its last update, and real examples beside it. */
    bench_check(gan_program_run(r.program, 1));
    bench_check(gan_program_read(r.program, watch.z[0], first_z, z_bytes));
    bench_check(gan_program_read(r.program, watch.index[0], examples, index_bytes));
    bench_check(gan_program_read(r.program, watch.samples, samples, size_of(GAN_F32, pixels)));
    if (m.program) gan_program_destroy(m.program);
    if (m.g) gan_graph_destroy(m.g);
    close_run(&r);
    gan_status status = compare(c, device, losses, steps);
    if (status == GAN_OK) {
        status = write_file(path, f, c);
        if (status != GAN_OK) fprintf(stderr, "bench: %s\n", gan_last_error());
    }
    discard(f);
    return status;
}
