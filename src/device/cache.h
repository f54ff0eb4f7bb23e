/* What a device found out at some cost, kept on disk from one process to the next.
 *
 * One file an identity (which device, which libraries), of entries {key, value}, both plain bytes.
 * Keys are compared in full. A file that is not whole, of another format or another identity counts
 * as none and is replaced by the next save, which writes beside it and renames: a reader sees the
 * old file or the new one. Several processes may share a file: a save keeps what others have
 * written since, and what two of them write in the same moment is found out again by whoever lacks
 * it. Nothing here fails but with a false from gan_cache_save(): a folder that cannot be read or
 * written means that nothing is kept.
 */
#ifndef GANC_DEVICE_CACHE_H
#define GANC_DEVICE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct gan_cache gan_cache;

/* Bytes of a file at most; what the last process to save did not use makes room. */
enum { GAN_CACHE_MOST = 64 << 20 };

/* Reads the file for `identity` in `folder`. NULL, which all functions take, where `folder` is NULL
 * or "". */
gan_cache *gan_cache_open(const char *folder, const char *identity);

/* The value of a key, until the key is put again or the cache is saved; NULL when there is none. */
const void *gan_cache_find(gan_cache *cache, const void *key, size_t key_bytes,
                           size_t *value_bytes);

/* Sets a key's value. Both are copied. */
void gan_cache_put(gan_cache *cache, const void *key, size_t key_bytes, const void *value,
                   size_t value_bytes);

/* Writes the file, where something was put since the last time; makes the folder first, with those
 * above it. False when it could not. */
bool gan_cache_save(gan_cache *cache);

/* Saves, and frees. */
void gan_cache_close(gan_cache *cache);

#endif
