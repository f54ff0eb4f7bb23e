/* Noise of every kind, shuffles and mini-batches: the values themselves, since every device draws
 * the same. */
#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const gan_shape shapes[] = {{0, {0}},       {1, {1}},     {1, {7}}, {2, {5, 3}},
                                   {2, {67, 100}}, {1, {70001}}, {1, {0}}};

static int random_count(void) { return 3 * COUNT(shapes) + 2; }

static void random_build(test_case *t, int i) {
    gan_graph *g = t->g;
    if (i >= 3 * COUNT(shapes)) {
        const bool far = i > 3 * COUNT(shapes);
        case_title(t, far ? "a counter beyond 32 bits" : "streams differ");
        gan_node *counter = case_counter(t, "c/count", far ? (int64_t)5 << 33 : 17);
        case_output(t, gan_random_normal(g, counter, gan_shape2(3, 4), 0, 1));
        case_output(t, gan_random_uniform(g, counter, gan_shape2(3, 4), 0, 1));
        case_output(t, gan_random_normal(g, counter, gan_shape2(3, 4), 0, 1));
        gan_advance(g, counter, 2);
        case_output(t, gan_random_index(g, counter, gan_shape2(3, 4), 1000000007));
        return;
    }
    static const char *const names[] = {"uniform", "normal", "index"};
    const gan_shape shape = shapes[i / 3];
    char text[64];
    case_title(t, "%s %s", names[i % 3], case_shape_text(shape, text));
    gan_node *counter = case_counter(t, "c/count", 3);
    if (i % 3 == 0) case_output(t, gan_random_uniform(g, counter, shape, -1.5, 2.25));
    if (i % 3 == 1) case_output(t, gan_random_normal(g, counter, shape, 0.5, 2));
    if (i % 3 == 2) case_output(t, gan_random_index(g, counter, shape, 10));
    gan_advance(g, counter, 1);
}

const case_family cases_random = {"random", random_count, random_build};

/* ---- shuffles and mini-batches ---- */

static const struct {
    int64_t n, count, per_iteration, offset;
    uint32_t stream;
} shuffles[] = {{1, 5, 5, 0, 0},         {7, 3, 3, 0, 1},     {7, 20, 20, 0, 1},
                {64, 64, 64, 0, 2},      {65, 32, 96, 32, 3}, {1000, 128, 256, 128, 9},
                {70000, 128, 128, 0, 4}, {2, 9, 9, 1, 5},     {17, 0, 4, 0, 6}};
static const struct {
    gan_shape data;
    int64_t m;
    bool flip;
} batches[] = {{{4, {9, 4, 6, 3}}, 5, false},
               {{4, {9, 4, 7, 3}}, 33, true},
               {{4, {60, 28, 28, 1}}, 32, true},
               {{4, {3, 1, 1, 2}}, 7, false},
               {{4, {3, 2, 5, 1}}, 1, true}};

static int data_count(void) { return COUNT(shuffles) + COUNT(batches) + 1; }

static void data_build(test_case *t, int i) {
    gan_graph *g = t->g;
    gan_node *counter = case_counter(t, "c/count", 11);
    if (i < COUNT(shuffles)) {
        case_title(t, "shuffled_index %lld of %lld", (long long)shuffles[i].count,
                   (long long)shuffles[i].n);
        case_output(t, gan_shuffled_index(g, counter, shuffles[i].n, shuffles[i].count,
                                          shuffles[i].per_iteration, shuffles[i].offset,
                                          shuffles[i].stream));
        gan_advance(g, counter, 1);
        return;
    }
    i -= COUNT(shuffles);
    if (i == COUNT(batches)) {
        case_title(t, "shuffled mini-batches with labels");
        gan_node *data = case_bytes(t, "d/pixels", gan_shape4(50, 5, 4, 1)),
                 *labels = case_bytes(t, "d/labels", gan_shape1(50));
        gan_node *index = gan_shuffled_index(g, counter, 50, 16, 16, 7, 0);
        case_output(t, gan_minibatch(g, data, index, counter, 2.0 / 255, -1, true));
        case_output(
            t,
            gan_gather(g, gan_reshape(g, gan_cast(g, labels, GAN_F32), gan_shape2(50, 1)), index));
        case_output(t, index);
        gan_advance(g, counter, 1);
        return;
    }
    char text[64];
    case_title(t, "minibatch %lld of %s%s", (long long)batches[i].m,
               case_shape_text(batches[i].data, text), batches[i].flip ? " flip" : "");
    gan_node *data = case_bytes(t, "d/pixels", batches[i].data);
    gan_node *index = case_indices(t, gan_shape1(batches[i].m), 0, batches[i].data.dim[0] - 1);
    case_output(t, gan_minibatch(g, data, index, counter, 1 / 127.5, -1, batches[i].flip));
    gan_advance(g, counter, 3);
}

const case_family cases_data = {"data", data_count, data_build};
