#define _XOPEN_SOURCE 700 /* mkstemp */

#include "device/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file: this, the identity, and the entries, each two lengths, a key and a value. Numbers are
 * this machine's: one of the other byte order finds another magic. */
typedef struct header {
    uint64_t magic;
    uint64_t bytes; /* of the whole file */
    uint64_t sum;   /* of all that follows */
    uint64_t identity_bytes;
} header;

static const uint64_t magic = UINT64_C(0x31656863616e6167); /* with the format's number, 1 */

typedef struct entry {
    struct entry *next;
    uint64_t key_bytes, value_bytes;
    bool used; /* by this process */
    char bytes[];
} entry;

struct gan_cache {
    char *folder, *file, *identity;
    entry *first, *last; /* what was used longest ago comes first */
    bool changed;
};

/* ---- entries ---- */

static const char *value_of(const entry *e) { return e->bytes + e->key_bytes; }

static entry *create(const void *key, size_t key_bytes, const void *value, size_t value_bytes) {
    if (value_bytes > SIZE_MAX / 2 - key_bytes) return NULL;
    entry *e = malloc(sizeof *e + key_bytes + value_bytes);
    if (!e) return NULL;
    *e = (entry){.key_bytes = key_bytes, .value_bytes = value_bytes};
    if (key_bytes) memcpy(e->bytes, key, key_bytes);
    if (value_bytes) memcpy(e->bytes + key_bytes, value, value_bytes);
    return e;
}

static entry *find(const gan_cache *c, const void *key, size_t key_bytes) {
    for (entry *e = c->first; e; e = e->next)
        if (e->key_bytes == key_bytes && memcmp(e->bytes, key, key_bytes) == 0) return e;
    return NULL;
}

static void append(gan_cache *c, entry *e) {
    e->next = NULL;
    if (c->last)
        c->last->next = e;
    else
        c->first = e;
    c->last = e;
}

static void take_out(gan_cache *c, const entry *e) {
    entry *before = NULL;
    for (entry *f = c->first; f != e; f = f->next) before = f;
    if (before)
        before->next = e->next;
    else
        c->first = e->next;
    if (c->last == e) c->last = before;
}

static void forget(gan_cache *c) {
    while (c->first) {
        entry *e = c->first;
        c->first = e->next;
        free(e);
    }
    c->last = NULL;
}

/* ---- reading ---- */

static uint64_t sum_of(const void *data, size_t n) { /* FNV-1a */
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
    return sum;
}

/* A whole file, or NULL. A pipe or device in its place is not waited for. */
static char *read_file(const char *name, size_t *bytes) {
    struct stat st;
    char *data = NULL;
    const int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof(header) &&
        st.st_size <= GAN_CACHE_MOST)
        data = malloc((size_t)st.st_size);
    size_t done = 0;
    while (data && done < (size_t)st.st_size) {
        const ssize_t n = read(fd, data + done, (size_t)st.st_size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            free(data);
            data = NULL;
        } else {
            done += (size_t)n;
        }
    }
    close(fd);
    *bytes = done;
    return data;
}

static bool is_whole(const gan_cache *c, const char *data, size_t bytes) {
    header h;
    memcpy(&h, data, sizeof h);
    const size_t rest = bytes - sizeof h, identity = strlen(c->identity);
    return h.magic == magic && h.bytes == bytes && h.sum == sum_of(data + sizeof h, rest) &&
           h.identity_bytes == identity && identity <= rest &&
           memcmp(data + sizeof h, c->identity, identity) == 0;
}

/* Adds the entries whose keys `known` has not. */
static void parse(gan_cache *c, const gan_cache *known, const char *data, size_t bytes) {
    const char *at = data + sizeof(header) + strlen(c->identity);
    size_t left = bytes - (size_t)(at - data);
    uint64_t n[2];
    while (left >= sizeof n) {
        memcpy(n, at, sizeof n);
        at += sizeof n;
        left -= sizeof n;
        if (n[0] > left || n[1] > left - n[0]) return;
        entry *e = NULL;
        if (!known || !find(known, at, (size_t)n[0]))
            e = create(at, (size_t)n[0], at + n[0], (size_t)n[1]);
        if (e) append(c, e);
        at += n[0] + n[1];
        left -= (size_t)(n[0] + n[1]);
    }
}

static void load(gan_cache *c, const gan_cache *known) {
    size_t bytes = 0;
    char *data = read_file(c->file, &bytes);
    if (data && is_whole(c, data, bytes)) parse(c, known, data, bytes);
    free(data);
}

/* ---- writing ---- */

static void make_folders(const char *name) {
    char *path = strdup(name);
    for (char *slash = path; path && slash && *slash;) {
        slash = strchr(slash + 1, '/');
        if (slash) *slash = 0;
        mkdir(path, 0700); /* what fails here fails again where the file is made */
        if (slash) *slash = '/';
    }
    free(path);
}

/* What others have written since comes first; then what this process did not need. */
static void put_in_order(gan_cache *c) {
    gan_cache before = *c, now = *c;
    now.first = now.last = NULL;
    load(&now, &before);
    for (int used = 0; used < 2; used++)
        for (entry *e = before.first, *next; e; e = next) {
            next = e->next;
            if (e->used != used) continue;
            take_out(&before, e);
            append(&now, e);
        }
    *c = now;
}

static size_t size_of(const entry *e) {
    return 2 * sizeof(uint64_t) + (size_t)(e->key_bytes + e->value_bytes);
}

static size_t shrink(gan_cache *c) {
    size_t bytes = sizeof(header) + strlen(c->identity);
    for (const entry *e = c->first; e; e = e->next) bytes += size_of(e);
    while (bytes > GAN_CACHE_MOST && c->first) {
        entry *e = c->first;
        bytes -= size_of(e);
        take_out(c, e);
        free(e);
    }
    return bytes;
}

static char *add(char *to, const void *bytes, size_t n) {
    memcpy(to, bytes, n);
    return to + n;
}

static void compose(const gan_cache *c, char *data, size_t bytes) {
    header h = {.magic = magic, .bytes = bytes, .identity_bytes = strlen(c->identity)};
    char *to = add(data + sizeof h, c->identity, strlen(c->identity));
    for (const entry *e = c->first; e; e = e->next) {
        const uint64_t n[2] = {e->key_bytes, e->value_bytes};
        to = add(to, n, sizeof n);
        to = add(to, e->bytes, (size_t)(e->key_bytes + e->value_bytes));
    }
    h.sum = sum_of(data + sizeof h, bytes - sizeof h);
    memcpy(data, &h, sizeof h);
}

static bool write_all(int fd, const char *data, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = write(fd, data + done, bytes - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

/* Not flushed to the disk: what a power cut leaves of it is found out by its sum. */
static bool replace(const gan_cache *c, const char *data, size_t bytes) {
    static const char ending[] = ".XXXXXX";
    const size_t length = strlen(c->file);
    bool written = false;
    char *name = malloc(length + sizeof ending);
    if (!name) return false;
    memcpy(name, c->file, length);
    memcpy(name + length, ending, sizeof ending);
    const int fd = mkstemp(name);
    if (fd >= 0) {
        written = write_all(fd, data, bytes);
        written = close(fd) == 0 && written && rename(name, c->file) == 0;
        if (!written) unlink(name);
    }
    free(name);
    return written;
}

bool gan_cache_save(gan_cache *c) {
    if (!c || !c->changed) return true;
    make_folders(c->folder);
    put_in_order(c);
    const size_t bytes = shrink(c);
    char *data = malloc(bytes);
    if (!data) return false;
    compose(c, data, bytes);
    c->changed = !replace(c, data, bytes);
    free(data);
    return !c->changed;
}

/* ---- the cache ---- */

gan_cache *gan_cache_open(const char *folder, const char *identity) {
    if (!folder || !*folder) return NULL;
    gan_cache *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    const size_t length = strlen(folder) + 32;
    c->folder = strdup(folder);
    c->identity = strdup(identity);
    c->file = malloc(length);
    if (!c->folder || !c->identity || !c->file) {
        gan_cache_close(c);
        return NULL;
    }
    snprintf(c->file, length, "%s/%016llx.cache", folder,
             (unsigned long long)sum_of(identity, strlen(identity)));
    load(c, NULL);
    return c;
}

const void *gan_cache_find(gan_cache *c, const void *key, size_t key_bytes, size_t *value_bytes) {
    entry *e = c ? find(c, key, key_bytes) : NULL;
    if (!e) return NULL;
    e->used = true;
    *value_bytes = (size_t)e->value_bytes;
    return value_of(e);
}

void gan_cache_put(gan_cache *c, const void *key, size_t key_bytes, const void *value,
                   size_t value_bytes) {
    if (!c) return;
    entry *old = find(c, key, key_bytes), *e = create(key, key_bytes, value, value_bytes);
    if (!e) return;
    if (old) take_out(c, old);
    free(old);
    e->used = true;
    append(c, e);
    c->changed = true;
}

void gan_cache_close(gan_cache *c) {
    if (!c) return;
    gan_cache_save(c);
    forget(c);
    free(c->file);
    free(c->identity);
    free(c->folder);
    free(c);
}
