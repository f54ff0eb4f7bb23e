#include <string.h>

#include "ganc/data.h"

#define H 0.70710678118654752f /* cos 45 degrees */

static const float ring8[8][2] = {{1, 0},  {H, H},   {0, 1},  {-H, H},
                                  {-1, 0}, {-H, -H}, {0, -1}, {H, -H}};

#define ROW(y)                                                                                     \
    {-4, y}, {-2, y}, {0, y}, {2, y}, { 4, y }

static const float grid25[25][2] = {ROW(-4), ROW(-2), ROW(0), ROW(2), ROW(4)};

static const gan_mixture mixtures[] = {
    {"ring8", "8 Gaussians on a circle of radius 1, sigma 0.01", 8, ring8[0], 0.01f, 1.5f},
    {"grid25", "25 Gaussians on a square grid of spacing 2, sigma 0.05", 25, grid25[0], 0.05f,
     5.0f},
};

const gan_mixture *gan_mixture_at(size_t index) {
    return index < sizeof mixtures / sizeof *mixtures ? &mixtures[index] : NULL;
}

const gan_mixture *gan_mixture_find(const char *name) {
    for (size_t i = 0; gan_mixture_at(i); i++)
        if (strcmp(mixtures[i].name, name) == 0) return &mixtures[i];
    return NULL;
}
