/* The pages of allocations.
 *
 * Under the address sanitizer and the race detector, an allocation is one of the host's, which they
 * watch. Otherwise it ends at a page that cannot be accessed, lies between bytes that must not
 * change, and can be made inaccessible; a fault says what was there.
 */
#pragma once

#include "runtime.h"

namespace simt {

/* Sets a.data and the map around it; false when there is no memory. Accessible at first. */
bool pages_obtain(allocation &a);
void pages_give_back(const allocation &a);

void pages_allow(const allocation &a, bool access);

/* Ends the program when the bytes around it have changed. It is accessible. */
void pages_check(const allocation &a);

/* Whose map holds an address, or NULL. */
const allocation *allocation_around(const char *p);

} // namespace simt
