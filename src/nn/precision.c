/* The precisions by name. */
#include <string.h>

#include "ganc/nn.h"

static const char *const name_of[] = {"f32", "tf32", "bf16"};

const char *gan_precision_name(gan_precision precision) { return name_of[precision]; }

bool gan_precision_find(gan_precision *out, const char *name) {
    for (size_t i = 0; i < sizeof name_of / sizeof *name_of; i++) {
        if (strcmp(name, name_of[i]) != 0) continue;
        *out = (gan_precision)i;
        return true;
    }
    return false;
}
