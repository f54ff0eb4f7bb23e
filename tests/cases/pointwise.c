/* Every pointwise function of the table, by itself: over shapes, at ties, and broadcast by its
 * builder. */
#include <string.h>

#include "cases/case.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

/* Where a function is asked, and with which constants. Functions that are not here take [-3, 3]. */
static const struct {
    const char *name;
    double low_a, high_a, low_b, high_b;
    double k[2];
} domains[] = {
    {"div", -3, 3, 0.4, 2.6, {0, 0}},
    {"sqrt", 0.2, 4, 0, 0, {0, 0}},
    {"rsqrt", 0.2, 4, 0, 0, {0, 0}},
    {"reciprocal", 0.3, 3, 0, 0, {0, 0}},
    {"log", 0.1, 5, 0, 0, {0, 0}},
    {"power", 0.2, 3, 0, 0, {2.5, -0.75}},
    {"leaky_relu", -3, 3, 0, 0, {0.2f, 0.01f}},
    {"leaky_step", -3, 3, 0, 0, {0.2f, 0}},
    {"scale", -3, 3, 0, 0, {-1.75, 0}},
    {"shift", -3, 3, 0, 0, {0.625, -7}},
};

static void domain_of(const char *name, double *low, double *high, double *k) {
    low[0] = low[1] = -3;
    high[0] = high[1] = 3;
    k[0] = k[1] = 0;
    for (int i = 0; i < COUNT(domains); i++)
        if (strcmp(domains[i].name, name) == 0) {
            low[0] = domains[i].low_a;
            high[0] = domains[i].high_a;
            low[1] = domains[i].low_b;
            high[1] = domains[i].high_b;
            memcpy(k, domains[i].k, sizeof domains[i].k);
        }
}

static const gan_shape shapes[] = {{0, {0}},          {1, {1}},        {1, {5003}},
                                   {2, {3, 7}},       {2, {1027, 3}},  {2, {0, 5}},
                                   {4, {2, 3, 5, 7}}, {3, {1, 1, 64}}, {6, {2, 1, 3, 1, 2, 2}},
                                   {1, {40009}}};

/* Functions of one or two operands; `value`, of none, is only met inside fused programs. */
static int functions(gan_fn *list) {
    int n = 0;
    for (int fn = 0; fn < GAN_FN_COUNT; fn++)
        if (gan_fn_table[fn].arity > 0) {
            if (list) list[n] = (gan_fn)fn;
            n++;
        }
    return n;
}

static int pointwise_count(void) { return functions(NULL) * COUNT(shapes); }

static void pointwise_build(test_case *t, int i) {
    gan_fn list[GAN_FN_COUNT];
    functions(list);
    const gan_fn fn = list[i / COUNT(shapes)];
    const gan_shape shape = shapes[i % COUNT(shapes)];
    double low[2], high[2], k[2];
    char text[64];
    case_title(t, "%s %s", gan_fn_table[fn].name, case_shape_text(shape, text));
    domain_of(gan_fn_table[fn].name, low, high, k);
    gan_node *a = case_apart(t, shape, low[0], high[0], 0.05, 0.45), *b = NULL;
    if (gan_fn_table[fn].arity == 2) b = case_apart(t, shape, low[1], high[1], 0.55, 0.95);
    case_output(t, gan_pointwise(t->g, fn, a, b, k[0]));
    if (k[1] != 0) case_output(t, gan_pointwise(t->g, fn, a, b, k[1]));
}

const case_family cases_pointwise = {"pointwise", pointwise_count, pointwise_build};

/* ---- ties, zeros and far ends ---- */

static const char *const tied[] = {"maximum", "minimum", "greater",    "equal",      "sign",
                                   "floor",   "relu",    "leaky_relu", "leaky_step", "abs"};
static const char *const saturating[] = {"exp",      "tanh", "sigmoid",
                                         "softplus", "relu", "leaky_relu"};

static gan_fn function_named(const char *name) {
    int fn = 0;
    while (strcmp(gan_fn_table[fn].name, name) != 0) fn++;
    return (gan_fn)fn;
}

static int ties_count(void) { return COUNT(tied) + COUNT(saturating); }

static void ties_build(test_case *t, int i) {
    case_not_smooth(t);
    const bool far = i >= COUNT(tied);
    const gan_fn fn = function_named(far ? saturating[i - COUNT(tied)] : tied[i]);
    case_title(t, "%s at %s", gan_fn_table[fn].name, far ? "far ends" : "ties");
    gan_node *a =
        far ? case_uniform(t, gan_shape1(777), -95, 40) : case_whole(t, gan_shape2(9, 31), -2, 2);
    gan_node *b = gan_fn_table[fn].arity == 2 ? case_whole(t, gan_shape2(9, 31), -2, 2) : NULL;
    case_output(t, gan_pointwise(t->g, fn, a, b, 0.25));
}

const case_family cases_pointwise_ties = {"ties", ties_count, ties_build};

/* ---- the builders broadcast as NumPy does ---- */

static const struct {
    gan_shape a, b;
} pairs[] = {
    {{2, {5, 7}}, {1, {7}}},
    {{2, {5, 7}}, {2, {5, 1}}},
    {{2, {5, 7}}, {0, {0}}},
    {{0, {0}}, {2, {5, 7}}},
    {{2, {5, 1}}, {2, {1, 7}}},
    {{4, {2, 3, 5, 4}}, {1, {4}}},
    {{4, {2, 3, 5, 4}}, {4, {2, 1, 1, 1}}},
    {{4, {2, 3, 5, 4}}, {4, {1, 3, 1, 4}}},
    {{3, {3, 1, 5}}, {2, {4, 1}}},
    {{2, {0, 7}}, {1, {7}}},
    {{2, {300, 67}}, {1, {67}}},
    {{2, {67, 300}}, {2, {67, 1}}},
};

typedef gan_node *(*binary)(gan_graph *, gan_node *, gan_node *);
static const binary binaries[] = {gan_add,     gan_sub,     gan_mul,     gan_div,
                                  gan_maximum, gan_minimum, gan_greater, gan_equal};

static int broadcasting_count(void) { return COUNT(pairs) * 2; }

static void broadcasting_build(test_case *t, int i) {
    const int p = i % COUNT(pairs);
    char a_text[64], b_text[64];
    case_title(t, "%s with %s", case_shape_text(pairs[p].a, a_text),
               case_shape_text(pairs[p].b, b_text));
    gan_node *a = case_apart(t, pairs[p].a, 0.3, 3, 0.05, 0.45),
             *b = case_apart(t, pairs[p].b, 0.3, 3, 0.55, 0.95);
    for (int f = 0; f < COUNT(binaries); f++)
        if (i < COUNT(pairs)) case_output(t, binaries[f](t->g, a, b));
    if (i >= COUNT(pairs)) {
        case_title(t, "builders");
        case_output(t, gan_sigmoid(t->g, gan_mul(t->g, gan_leaky_relu(t->g, a, 0.2),
                                                 gan_scale(t->g, b, -2))));
        case_output(t, gan_power(t->g, gan_add(t->g, gan_abs(t->g, a), gan_square(t->g, b)), 1.5));
        case_output(t, gan_div(t->g, gan_sub(t->g, gan_sin(t->g, a), gan_cos(t->g, b)),
                               gan_shift(t->g, b, 4)));
    }
}

const case_family cases_broadcasting = {"broadcasting", broadcasting_count, broadcasting_build};
