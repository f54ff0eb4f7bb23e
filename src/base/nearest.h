/* "Did you mean": the known name nearest to a mistyped one. */
#ifndef GANC_BASE_NEAREST_H
#define GANC_BASE_NEAREST_H

#include <stddef.h>

/* Of `count` names the one that takes the fewest changed, missing, added or swapped letters to get
 * from `given`, letter case counting for nothing; the first of equals. NULL when it takes more than
 * a third of the longer name's letters (but one is always allowed). */
const char *gan_nearest(const char *given, const char *const *known, size_t count);

#endif
