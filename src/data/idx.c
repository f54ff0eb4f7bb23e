#include "data/idx.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { UNSIGNED_BYTE = 0x08, FIRST_PIECE = 1 << 20 };

/* Where the bytes come from: a file through zlib, which passes plain files on, or memory. */
typedef struct stream {
    const char *name;
    gzFile file;
    const uint8_t *memory;
    size_t left; /* of the memory */
} stream;

/* Reads up to `size` bytes; fewer only at the end. */
static gan_status take(stream *s, void *to, size_t size, size_t *got) {
    *got = 0;
    if (!s->file) {
        *got = size < s->left ? size : s->left;
        if (*got) memcpy(to, s->memory, *got);
        s->memory += *got;
        s->left -= *got;
        return GAN_OK;
    }
    while (*got < size) {
        const size_t rest = size - *got;
        const int n =
            gzread(s->file, (char *)to + *got, rest < FIRST_PIECE ? (unsigned)rest : FIRST_PIECE);
        if (n > 0) {
            *got += (size_t)n;
            continue;
        }
        int code;
        const int error = errno;
        const char *text = gzerror(s->file, &code);
        if (code == Z_BUF_ERROR)
            return gan_fail(GAN_ERROR_FORMAT, "%s: is cut off: the gzip data end too early",
                            s->name);
        if (code == Z_ERRNO)
            return gan_fail(GAN_ERROR_IO, "%s: cannot read: %s", s->name, strerror(error));
        if (code == Z_MEM_ERROR) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", s->name);
        if (n < 0 || code != Z_OK)
            return gan_fail(GAN_ERROR_FORMAT, "%s: damaged gzip data: %s", s->name, text);
        break;
    }
    return GAN_OK;
}

static const char *type_name(int type) {
    switch (type) {
    case 0x08:
        return "unsigned byte";
    case 0x09:
        return "signed byte";
    case 0x0b:
        return "16-bit integer";
    case 0x0c:
        return "32-bit integer";
    case 0x0d:
        return "32-bit float";
    case 0x0e:
        return "64-bit float";
    default:
        return NULL;
    }
}

static gan_status take_header(stream *s, gan_idx *out, int least, int most, int64_t *total) {
    uint8_t magic[4], dims[4 * GAN_IDX_MAX_RANK];
    size_t got;
    GAN_TRY(take(s, magic, sizeof magic, &got));
    if (got < sizeof magic)
        return gan_fail(GAN_ERROR_FORMAT, "%s: not an IDX file: %zu bytes, expected at least 4",
                        s->name, got);
    const char *picture = !memcmp(magic, "\x89PNG", 4)        ? "PNG"
                          : !memcmp(magic, "\xff\xd8\xff", 3) ? "JPEG"
                                                              : NULL;
    if (picture)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: is a single %s picture, expected a set of them: a data set by name, "
                        "its folder, or an IDX file of images, plain or gzip",
                        s->name, picture);
    const char *type = type_name(magic[2]);
    if (magic[0] || magic[1] || !type)
        return gan_fail(
            GAN_ERROR_FORMAT,
            "%s: not an IDX file: begins with %02x %02x %02x %02x, expected 00 00 08 and a rank",
            s->name, magic[0], magic[1], magic[2], magic[3]);
    if (magic[2] != UNSIGNED_BYTE)
        return gan_fail(GAN_ERROR_FORMAT, "%s: elements of type %s, expected unsigned byte",
                        s->name, type);
    if (magic[3] < least || magic[3] > most)
        return gan_fail(GAN_ERROR_FORMAT, "%s: has %d dimensions, expected %d%s", s->name, magic[3],
                        least, least == most ? least == 1 ? " (labels)" : "" : " or 4 (images)");
    out->rank = magic[3];
    GAN_TRY(take(s, dims, 4 * (size_t)out->rank, &got));
    if (got < 4 * (size_t)out->rank)
        return gan_fail(GAN_ERROR_FORMAT, "%s: is cut off within its header", s->name);
    bool empty = false;
    for (int i = 0; i < out->rank; i++) {
        const uint8_t *d = dims + 4 * i;
        out->dim[i] = (int64_t)d[0] << 24 | (int64_t)d[1] << 16 | (int64_t)d[2] << 8 | d[3];
        if (!out->dim[i]) empty = true;
    }
    if (empty)
        return gan_fail(GAN_ERROR_FORMAT, "%s: is empty, expected at least one element", s->name);
    *total = 1;
    for (int i = 0; i < out->rank; i++)
        if (__builtin_mul_overflow(*total, out->dim[i], total))
            return gan_fail(GAN_ERROR_FORMAT, "%s: more elements than can be counted", s->name);
    return GAN_OK;
}

/* Memory grows with what is read, so that a header that lies cannot ask for more than the file has.
 */
static gan_status take_elements(stream *s, gan_idx *out, int64_t total) {
    size_t used = 0, capacity = 0, got = 0;
    while (used < (size_t)total) {
        if (used == capacity) {
            capacity = capacity ? 2 * capacity : FIRST_PIECE;
            if (capacity > (size_t)total) capacity = (size_t)total;
            uint8_t *more = realloc(out->bytes, capacity);
            if (!more) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", s->name);
            out->bytes = more;
        }
        GAN_TRY(take(s, out->bytes + used, capacity - used, &got));
        used += got;
        if (used < capacity)
            return gan_fail(GAN_ERROR_FORMAT,
                            "%s: is cut off: %zu elements, its header says %" PRId64, s->name, used,
                            total);
    }
    uint8_t extra;
    GAN_TRY(take(s, &extra, 1, &got)); /* also makes zlib check its sum */
    if (got)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: has bytes after the %" PRId64 " elements its header says", s->name,
                        total);
    return GAN_OK;
}

static gan_status read_stream(stream *s, gan_idx *out, int least, int most) {
    int64_t total = 0;
    GAN_TRY(take_header(s, out, least, most, &total));
    return take_elements(s, out, total);
}

gan_status gan_idx_read_memory(gan_idx *out, const void *bytes, size_t size, const char *name,
                               int least_rank, int most_rank) {
    stream s = {.name = name, .memory = bytes, .left = size};
    *out = (gan_idx){0};
    gan_status status = read_stream(&s, out, least_rank, most_rank);
    if (status != GAN_OK) gan_idx_free(out);
    return status;
}

gan_status gan_idx_read(gan_idx *out, const char *path, int least_rank, int most_rank) {
    *out = (gan_idx){0};
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return gan_fail(GAN_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return gan_fail(GAN_ERROR_IO, "%s: is a folder, expected an IDX file", path);
    }
    stream s = {.name = path, .file = gzdopen(fd, "rb")};
    if (!s.file) {
        close(fd);
        return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    }
    gzbuffer(s.file, 1 << 16);
    gan_status status = read_stream(&s, out, least_rank, most_rank);
    gzclose(s.file);
    if (status != GAN_OK) gan_idx_free(out);
    return status;
}

void gan_idx_free(gan_idx *idx) {
    free(idx->bytes);
    *idx = (gan_idx){0};
}
