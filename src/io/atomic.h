/* Writing a file so that a reader sees the old one or the new one, never a part of either. */
#ifndef GANC_IO_ATOMIC_H
#define GANC_IO_ATOMIC_H

#include <stddef.h>

#include "base/error.h"

typedef struct gan_atomic gan_atomic;

/* Begins PATH.tmp. A symbolic link is followed, so that the rename replaces what it points to; a
 * device or a pipe is written directly. */
gan_status gan_atomic_open(gan_atomic **out, const char *path);

gan_status gan_atomic_write(gan_atomic *file, const void *bytes, size_t size);

/* Flushes to the disk, renames, flushes the folder; frees `file` and, on a failure, leaves nothing.
 */
gan_status gan_atomic_commit(gan_atomic *file);

/* Removes what was written and frees `file`; NULL is fine. */
void gan_atomic_abandon(gan_atomic *file);

#endif
