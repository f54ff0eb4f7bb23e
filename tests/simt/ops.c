/* simt_ops [--brief] [--turns] [--direct] [--first] [--cache KIB] [--elements N] [--only TEXT]
 * [--part K N]: the cases of all ops on the harness, which stands in for a CUDA device, against the
 * reference.
 *
 * --brief: one iteration, every value apart from the others, instead of several with shared places
 * --cache: the device's, so small that what is normalised goes in waves
 * --direct: convolutions of few channels by our own kernels wherever they can
 * --first: the first wrong case ends it
 * --turns: small calls joined in every second case alone, and one by one in the others
 * --elements: without the cases whose largest value has more; how many is said
 * --only: without the cases whose name does not begin with it
 * --part: every Nth case alone, from number K on, counted from 0
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "ganc/device.h"
#include "support/devices.h"
#include "support/gradients.h"

typedef struct options {
    bool brief, turns, direct, first;
    int64_t elements;
    const char *only;
    int part, parts, cache; /* cache: KiB; 0: the harness's own */
} options;

static bool has_effects(const test_case *t) {
    for (int i = 0; i < t->g->n_nodes; i++)
        if (gan_op_of(t->g->node[i])->flags & GAN_OP_EFFECT) return true;
    return false;
}

static bool too_large(const test_case *t, int64_t limit) {
    for (int i = 0; i < t->g->n_nodes; i++)
        if (gan_shape_size(t->g->node[i]->shape) > limit) return true;
    return false;
}

/* Without effects every iteration is the first, and the reference need not be asked again. */
static int check_runs(test_case *t, int number, gan_device *device, const options *o) {
    static const case_run runs[] = {{1, true, false},
                                    {1, true, true},
                                    {3, false, false},
                                    {17, false, false}}; /* 17: sixteen together, and one */
    const bool effects = has_effects(t);
    const int n = o->brief ? 2 : effects ? 4 : 3;
    case_result got, wanted;
    int bad = 0;
    const int first = o->turns ? number % 2 : 0, end = o->turns ? first + 1 : n;
    for (int i = first; i < end; i++) {
        char where[64];
        snprintf(where, sizeof where, "%" PRId64 " iterations%s%s", runs[i].iterations,
                 runs[i].apart ? ", apart" : "", runs[i].joined ? ", joined" : "");
        if (i == first || effects) case_reference(t, runs[i].iterations, &wanted);
        if (case_execute(t, device, &runs[i], &got))
            bad += case_compare(t, &got, &wanted, where);
        else
            bad++;
        case_result_free(&got);
        if (i == end - 1 || effects) case_result_free(&wanted);
    }
    return bad;
}

static int check_case(int i, gan_device *device, const options *o, int *left_out) {
    int bad = 0;
    for (int with_gradients = 0; with_gradients < 2; with_gradients++) {
        test_case t;
        case_open(&t, i);
        if (strncmp(t.name, o->only, strlen(o->only)) != 0) {
            /* not asked for */
        } else if (too_large(&t, o->elements)) {
            *left_out += !with_gradients;
        } else if (!with_gradients) {
            bad += check_runs(&t, i / o->parts, device, o);
        } else if (case_has_gradient(&t)) {
            case_add_gradients(&t);
            case_title(&t, "with gradients");
            t.scaled = true;
            t.looser *= 4;
            bad += check_runs(&t, i / o->parts + 1, device, o);
        }
        case_close(&t);
    }
    return bad;
}

static options parse(int argc, char **argv) {
    options o = {.elements = INT64_MAX, .only = "", .parts = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--brief") == 0) {
            o.brief = true;
        } else if (strcmp(argv[i], "--turns") == 0) {
            o.turns = true;
        } else if (strcmp(argv[i], "--direct") == 0) {
            o.direct = true;
        } else if (strcmp(argv[i], "--first") == 0) {
            o.first = true;
        } else if (strcmp(argv[i], "--cache") == 0 && i + 1 < argc) {
            o.cache = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--elements") == 0 && i + 1 < argc) {
            o.elements = strtoll(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            o.only = argv[++i];
        } else if (strcmp(argv[i], "--part") == 0 && i + 2 < argc) {
            o.part = atoi(argv[++i]);
            o.parts = atoi(argv[++i]);
        } else {
            fprintf(stderr, "simt_ops: what is %s?\n", argv[i]);
            exit(2);
        }
    }
    if (o.parts < 1 || o.part < 0 || o.part >= o.parts) {
        fprintf(stderr, "simt_ops: there is no part %d of %d\n", o.part, o.parts);
        exit(2);
    }
    return o;
}

int main(int argc, char **argv) {
    const options o = parse(argc, argv);
    gan_device *device;
    if (o.cache) simt_set_cache(o.cache << 10);
    const gan_device_options direct = {.direct = GAN_DIRECT_ALWAYS};
    if (gan_device_open(&device, "cuda", o.direct ? &direct : NULL) != GAN_OK) {
        fprintf(stderr, "%s\n", gan_last_error());
        return 1;
    }
    int bad = 0, left_out = 0;
    for (int i = o.part; i < case_count() && !(bad && o.first); i += o.parts)
        bad += check_case(i, device, &o, &left_out);
    gan_device_close(device);

    const simt_counts counts = simt_count();
    printf("%d cases%s, %d left out for their size, %ld launches, %ld operations; %d wrong\n",
           (case_count() - o.part + o.parts - 1) / o.parts, o.parts > 1 ? " of a part" : "",
           left_out, counts.kernels, counts.operations, bad);
    if (counts.allocations || counts.streams || counts.graphs || counts.handles) {
        fprintf(stderr, "left behind: %ld allocations, %ld streams, %ld graphs, %ld handles\n",
                counts.allocations, counts.streams, counts.graphs, counts.handles);
        bad++;
    }
    return bad != 0;
}
