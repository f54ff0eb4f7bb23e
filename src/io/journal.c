#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <inttypes.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "ganc/io.h"

struct gan_journal {
    int fd;
    char *path;
};

gan_journal_field gan_journal_integer(const char *name, int64_t value) {
    return (gan_journal_field){name, GAN_JOURNAL_INTEGER, {.integer = value}};
}

gan_journal_field gan_journal_real(const char *name, double value) {
    return (gan_journal_field){name, GAN_JOURNAL_REAL, {.real = value}};
}

gan_journal_field gan_journal_text(const char *name, const char *value) {
    return (gan_journal_field){name, GAN_JOURNAL_TEXT, {.text = value}};
}

/* ---- writing ---- */

/* The shortest digits that give the same float; all of a double's where a float cannot hold it. */
static void put_real(FILE *file, double value) {
    char text[40];
    if (!isfinite(value)) {
        fputs("null", file);
        return;
    }
    if (fabs(value) > (double)FLT_MAX || (value != 0 && fabs(value) < (double)FLT_MIN)) {
        snprintf(text, sizeof text, "%.17g", value);
    } else {
        for (int digits = 6; digits <= 9; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, value);
            if (strtof(text, NULL) == (float)value) break;
        }
    }
    /* The program's locale may write a decimal comma; JSON does not. */
    const char *point = localeconv()->decimal_point;
    char *at = strcmp(point, ".") != 0 ? strstr(text, point) : NULL;
    if (at)
        fprintf(file, "%.*s.%s", (int)(at - text), text, at + strlen(point));
    else
        fputs(text, file);
}

static void put_text(FILE *file, const char *text) {
    fputc('"', file);
    for (const char *p = text; *p; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            fprintf(file, "\\%c", c);
        else if (c < 0x20)
            fprintf(file, "\\u%04x", c);
        else
            fputc(c, file);
    }
    fputc('"', file);
}

static void put_line(FILE *file, const gan_journal_field *fields, size_t count) {
    fputc('{', file);
    for (size_t i = 0; i < count; i++) {
        if (i) fputc(',', file);
        put_text(file, fields[i].name);
        fputc(':', file);
        if (fields[i].kind == GAN_JOURNAL_INTEGER)
            fprintf(file, "%" PRId64, fields[i].as.integer);
        else if (fields[i].kind == GAN_JOURNAL_REAL)
            put_real(file, fields[i].as.real);
        else
            put_text(file, fields[i].as.text);
    }
    fputs("}\n", file);
}

/* Writes all of it or, on a full disk, nothing: a part of a line is taken back. */
static gan_status append(const gan_journal *journal, const char *line, size_t size) {
    for (size_t done = 0; done < size;) {
        const ssize_t n = write(journal->fd, line + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            const int error = errno;
            const off_t end = lseek(journal->fd, 0, SEEK_END);
            const bool undone =
                end >= (off_t)done && ftruncate(journal->fd, end - (off_t)done) == 0;
            return gan_fail(GAN_ERROR_IO, "%s: cannot write: %s%s", journal->path, strerror(error),
                            undone || !done ? "" : "; the last line is incomplete");
        }
        done += (size_t)n;
    }
    return GAN_OK;
}

gan_status gan_journal_append(gan_journal *journal, const gan_journal_field *fields, size_t count) {
    char *line = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&line, &size);
    if (memory) put_line(memory, fields, count);
    const bool complete = memory && !ferror(memory);
    gan_status status = memory && fclose(memory) == 0 && complete
                            ? append(journal, line, size)
                            : gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", journal->path);
    free(line);
    return status;
}

/* ---- resuming ---- */

static bool is_kept(const char *line, size_t length, int64_t last_step) {
    json_t *object = json_loadb(line, length, 0, NULL);
    const json_t *step = json_object_get(object, "step");
    const bool kept = json_is_integer(step) && json_integer_value(step) <= last_step;
    json_decref(object);
    return kept;
}

/* Copies the lines to keep over the old file, unless all of it is kept. */
static gan_status cut(const char *path, int64_t last_step) {
    char *text;
    size_t size;
    GAN_TRY(gan_file_read(&text, &size, path, SIZE_MAX / 4));
    size_t kept = 0;
    for (size_t begin = 0; begin < size;) {
        const char *end = memchr(text + begin, '\n', size - begin);
        if (!end) break;
        const size_t length = (size_t)(end - text) + 1 - begin;
        if (is_kept(text + begin, length, last_step)) {
            memmove(text + kept, text + begin, length);
            kept += length;
        }
        begin += length;
    }
    gan_status status = kept < size ? gan_file_write(path, text, kept) : GAN_OK;
    free(text);
    return status;
}

gan_status gan_journal_open(gan_journal **out, const char *path, int64_t last_step) {
    *out = NULL;
    struct stat st;
    if (last_step < 0)
        GAN_TRY(gan_file_write(path, "", 0));
    else if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) /* a pipe has no past */
        GAN_TRY(cut(path, last_step));
    gan_journal *journal = calloc(1, sizeof *journal);
    if (journal) journal->path = strdup(path);
    if (!journal || !journal->path) {
        free(journal);
        return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    }
    journal->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (journal->fd < 0) {
        gan_status status = gan_fail(GAN_ERROR_IO, "%s: cannot write: %s", path, strerror(errno));
        gan_journal_close(journal);
        return status;
    }
    *out = journal;
    return GAN_OK;
}

void gan_journal_close(gan_journal *journal) {
    if (!journal) return;
    if (journal->fd >= 0) close(journal->fd);
    free(journal->path);
    free(journal);
}

/* ---- reading ---- */

/* Reads the last `size` bytes of a file and finds the last complete line among them; `*line` stays
 * NULL when its beginning is not there. */
static gan_status last_line_of(char **line, FILE *file, const char *path, int64_t length,
                               int64_t size) {
    char *text = malloc((size_t)size + 1);
    if (!text) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    if (fseeko(file, (off_t)(length - size), SEEK_SET) != 0 ||
        fread(text, 1, (size_t)size, file) != (size_t)size) {
        free(text);
        return gan_fail(GAN_ERROR_IO, "%s: cannot read: %s", path, strerror(errno ? errno : EIO));
    }
    int64_t end = size;
    while (end > 0 && text[end - 1] != '\n') end--;
    int64_t begin = end - 1;
    while (begin > 0 && text[begin - 1] != '\n') begin--;
    if (end > 0 && (begin > 0 || size == length)) {
        memmove(text, text + begin, (size_t)(end - 1 - begin));
        text[end - 1 - begin] = 0;
        *line = text;
        return GAN_OK;
    }
    free(text);
    return GAN_OK;
}

gan_status gan_journal_last(char **line, const char *path) {
    *line = NULL;
    FILE *file = fopen(path, "rb");
    if (!file) return gan_fail(GAN_ERROR_IO, "%s: cannot open: %s", path, strerror(errno));
    gan_status status = GAN_OK;
    int64_t length = -1;
    errno = 0;
    if (fseeko(file, 0, SEEK_END) == 0) length = ftello(file);
    if (length < 0 || length == INT64_MAX)
        status =
            gan_fail(GAN_ERROR_IO, "%s: cannot read: %s", path, strerror(errno ? errno : EISDIR));
    for (int64_t size = 4096; status == GAN_OK && !*line; size *= 4) {
        if (size > length) size = length;
        status = last_line_of(line, file, path, length, size);
        if (size == length) break;
    }
    fclose(file);
    if (status == GAN_OK && !*line)
        return gan_fail(GAN_ERROR_FORMAT, "%s: has no complete line", path);
    return status;
}

gan_status gan_journal_number(double *out, const char *line, const char *name) {
    json_error_t error;
    json_t *object = json_loads(line, 0, &error);
    if (!object) return gan_fail(GAN_ERROR_FORMAT, "log line is not JSON: %s", error.text);
    const json_t *value = json_object_get(object, name);
    gan_status status = GAN_OK;
    if (json_is_number(value))
        *out = json_number_value(value);
    else if (json_is_null(value))
        *out = (double)NAN;
    else
        status = gan_fail(GAN_ERROR_FORMAT, "log line has no number '%s'", name);
    json_decref(object);
    return status;
}
