/* Files: pictures, tensors, configuration, logs.
 *
 * Whatever is written as a whole (a picture, a checkpoint, a configuration) goes to PATH.tmp, is
 * flushed to the disk and renamed over PATH: a reader sees the old file or the new one, never a
 * part of either, and a failure leaves the old file and nothing else behind. A PATH.tmp left by a
 * killed run is overwritten by the next. When PATH is a device or a pipe (/dev/stdout), the bytes
 * go straight to it.
 */
#ifndef GANC_IO_H
#define GANC_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ganc/graph.h"
#include "ganc/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- files and folders ---- */

/* Makes the folder and those above it; fine when it is there already. I/O error otherwise. */
GAN_API gan_status gan_file_make_directory(const char *path);

/* Whether something of that name is there, of any kind. */
GAN_API bool gan_file_exists(const char *path);

/* Whether the file could be written now: its folder is there, and nothing else has its name. Tried
 * beside it, so what is there stays as it is. I/O error, with the reason, otherwise. */
GAN_API gan_status gan_file_check_writable(const char *path);

/* Replaces the file by `size` bytes, as described above. */
GAN_API gan_status gan_file_write(const char *path, const void *bytes, size_t size);

/* Reads a file of at most `limit` bytes. `*bytes` is the caller's to free() and has a zero after
 * its end that `*size` (NULL: not wanted) does not count. I/O error; format error when longer. */
GAN_API gan_status gan_file_read(char **bytes, size_t *size, const char *path, size_t limit);

/* ---- PNG ---- */

/* Images in host memory: (count, height, width, channels), row-major, channels 1 (grey) or 3 (RGB).
 */
typedef struct gan_images {
    const void *pixels;
    gan_dtype dtype; /* GAN_U8, or GAN_F32 */
    int64_t count, height, width, channels;
    float low, high; /* f32: the values of black and white; beyond them is clamped, NaN is black */
} gan_images;

/* Writes the images row by row into a grid of `columns` (0: about as many as rows), with gaps of
 * two pixels. Argument error for a shape, type or range that cannot be drawn; I/O error. */
GAN_API gan_status gan_png_write_grid(const char *path, const gan_images *images, int64_t columns);

/* Points in the plane. */
typedef struct gan_scatter {
    const float *points; /* (count, 2); those that are not finite or out of view are left out */
    int64_t count;
    const float *centres; /* (modes, 2): each is drawn as a faint ring; may be NULL */
    int64_t modes;
    float ring; /* radius of the rings, in units of the data; drawn with 9 pixels at least */
    float x_low, x_high; /* the view */
    float y_low, y_high;
    int64_t size; /* pixels a side; 0: 640 */
} gan_scatter;

/* Draws the points on white, with a thin frame and thin axes. Argument error for an empty view; I/O
 * error. */
GAN_API gan_status gan_png_write_scatter(const char *path, const gan_scatter *scatter);

/* Line plots: curves in panels, panels in a grid. */
typedef enum gan_stroke {
    GAN_STROKE_SOLID,
    GAN_STROKE_DASHED,
    GAN_STROKE_DOTTED,
    GAN_STROKE_POINTS /* a disc at every point, no line */
} gan_stroke;

typedef enum gan_colour {
    GAN_BLACK,
    GAN_BLUE,
    GAN_GREEN,
    GAN_RED,
    GAN_ORANGE,
    GAN_PURPLE,
    GAN_GREY
} gan_colour;

typedef struct gan_curve {
    const double *x, *y; /* (count) each; a point that is not finite interrupts the line */
    int64_t count;
    gan_stroke stroke;
    gan_colour colour;
    const char *label; /* in the legend; NULL: not there. ASCII; "p_data" lowers "data" */
} gan_curve;

/* All zero but the curves is a panel without words that shows all of them. */
typedef struct gan_panel {
    const char *title, *x_label, *y_label; /* ASCII, or NULL */
    const gan_curve *curves;               /* drawn in this order, the last on top */
    int64_t curve_count;
    double x_low, x_high, y_low, y_high; /* the view; where low equals high: that of the curves */
    /* A map drawn below the axis as arrows (from[i], to[i]), from a line of its own, whose ends are
     * from_low and from_high, up to the axis; NULL: none. */
    const double *from, *to;
    int64_t arrows;
    double from_low, from_high;
    const char *from_label, *to_label; /* of the two lines, or NULL */
} gan_panel;

typedef struct gan_plot {
    const gan_panel *panels;
    int64_t count, columns; /* columns 0: all in one row */
    int64_t width, height;  /* pixels a panel; 0: 640 and 440 */
} gan_plot;

/* Draws the panels, row by row, on white. Argument error for no panels or curves, or a view that is
 * empty or not finite; memory error; I/O error. */
GAN_API gan_status gan_png_write_plot(const char *path, const gan_plot *plot);

/* One image in host memory: (height, width, channels), channels 1 or 3. */
typedef struct gan_picture {
    uint8_t *pixels;
    int64_t height, width, channels;
} gan_picture;

/* Reads a PNG of any type: palettes are expanded, 16 bits become 8, transparency is laid on white.
 * Free with gan_png_free(). I/O error; format error when it is damaged or larger than 2^30 bytes.
 */
GAN_API gan_status gan_png_read(gan_picture *out, const char *path);
GAN_API void gan_png_free(gan_picture *picture);

/* ---- safetensors: named tensors in one file ---- */

typedef struct gan_tensor_info {
    const char *name;
    gan_dtype dtype;
    gan_shape shape;
} gan_tensor_info;

/* A string of the file's __metadata__. */
typedef struct gan_metadata {
    const char *key, *value;
} gan_metadata;

typedef struct gan_safetensors gan_safetensors;
typedef struct gan_safetensors_writer gan_safetensors_writer;

/* Opens a file and checks all of it but the numbers: header, names, types, shapes, and that the
 * tensors lie one after the other and fill the file exactly. I/O error; format error. Close with
 * _close(). */
GAN_API gan_status gan_safetensors_open(gan_safetensors **out, const char *path);
GAN_API void gan_safetensors_close(gan_safetensors *file);

/* Tensors in the order of the file; find returns NULL when absent. Owned by `file`. */
GAN_API size_t gan_safetensors_count(const gan_safetensors *file);
GAN_API const gan_tensor_info *gan_safetensors_at(const gan_safetensors *file, size_t index);
GAN_API const gan_tensor_info *gan_safetensors_find(const gan_safetensors *file, const char *name);

/* The value of a metadata key, owned by `file`; NULL when absent. */
GAN_API const char *gan_safetensors_metadata(const gan_safetensors *file, const char *key);
GAN_API size_t gan_safetensors_metadata_count(const gan_safetensors *file);
GAN_API gan_metadata gan_safetensors_metadata_at(const gan_safetensors *file, size_t index);

/* Reads a tensor that _at() or _find() gave; `bytes` must be its size. Argument error; I/O error.
 */
GAN_API gan_status gan_safetensors_read(gan_safetensors *file, const gan_tensor_info *tensor,
                                        void *to, size_t bytes);

/* Begins a file that will hold `tensors`, in this order, and `metadata`. The arrays are needed
 * during the call only. The same arguments and data give the same bytes. Argument error for a name
 * given twice or not UTF-8; I/O error. */
GAN_API gan_status gan_safetensors_create(gan_safetensors_writer **out, const char *path,
                                          const gan_tensor_info *tensors, size_t tensor_count,
                                          const gan_metadata *metadata, size_t metadata_count);

/* Writes the next tensor, which must be `name` and `bytes` long. Argument error; I/O error. */
GAN_API gan_status gan_safetensors_write(gan_safetensors_writer *writer, const char *name,
                                         const void *data, size_t bytes);

/* Puts the file in its place and frees the writer, whatever the outcome. Argument error when a
 * tensor is missing; I/O error. */
GAN_API gan_status gan_safetensors_finish(gan_safetensors_writer *writer);

/* Gives up: removes what was written and frees the writer. NULL is fine. */
GAN_API void gan_safetensors_abandon(gan_safetensors_writer *writer);

/* ---- configuration: an ordered list of key and text, in YAML ---- */

/* In a file, keys may be nested; they are joined by dots, so `g: {lr: 1}` and `g.lr: 1` are the
 * same. A sequence of scalars becomes its texts joined by commas: `[64, 32]` is `64,32`. Keys are
 * letters, digits, `_` and `-`. Refused, with file and line: a key given twice, anchors, aliases,
 * tags, more than one document, sequences in sequences. */
typedef struct gan_config gan_config;

typedef struct gan_config_entry {
    const char *key;   /* "optimiser.g.lr" */
    const char *value; /* its text, without quotes */
    const char *where; /* for messages: "FILE:LINE", or "--set" */
    int line;          /* 1-based; 0 when it is not from a file */
} gan_config_entry;

/* An empty list; entries are added by the functions below. */
GAN_API gan_status gan_config_create(gan_config **out);
GAN_API void gan_config_destroy(gan_config *config);

/* Reads a file, or text in memory that messages call `name`. I/O error; format error. */
GAN_API gan_status gan_config_read(gan_config **out, const char *path);
GAN_API gan_status gan_config_read_memory(gan_config **out, const void *text, size_t size,
                                          const char *name);

/* Entries in order; find returns NULL when absent. Owned by `config`, valid until it is changed. */
GAN_API size_t gan_config_count(const gan_config *config);
GAN_API const gan_config_entry *gan_config_at(const gan_config *config, size_t index);
GAN_API const gan_config_entry *gan_config_find(const gan_config *config, const char *key);

/* Replaces the value of `key`, or appends it. `where` as in gan_config_entry. Argument error for a
 * key or value that cannot be written. */
GAN_API gan_status gan_config_set(gan_config *config, const char *key, const char *value,
                                  const char *where);

/* The same from "key=value", as after --set. */
GAN_API gan_status gan_config_assign(gan_config *config, const char *assignment);

/* The list as YAML, one line an entry with its full key; read again it gives the same list. `*text`
 * is the caller's to free(). Memory error. */
GAN_API gan_status gan_config_text(char **text, const gan_config *config);

/* Writes that text to a file. I/O error. */
GAN_API gan_status gan_config_write(const gan_config *config, const char *path);

/* Of `count` known names the one that `given` was probably meant to be; NULL when none is near. */
GAN_API const char *gan_config_nearest(const char *given, const char *const *known, size_t count);

/* ---- log: a JSON object a line ---- */

typedef struct gan_journal gan_journal;

typedef enum gan_journal_kind {
    GAN_JOURNAL_INTEGER,
    GAN_JOURNAL_REAL,
    GAN_JOURNAL_TEXT
} gan_journal_kind;

typedef struct gan_journal_field {
    const char *name;
    gan_journal_kind kind;
    union {
        int64_t integer;
        double real; /* written with as many digits as an f32 needs to be read back; null if not
                        finite */
        const char *text;
    } as;
} gan_journal_field;

GAN_API gan_journal_field gan_journal_integer(const char *name, int64_t value);
GAN_API gan_journal_field gan_journal_real(const char *name, double value);
GAN_API gan_journal_field gan_journal_text(const char *name, const char *value);

/* Opens a log for appending. Of a log that is there, the lines with `"step"` <= `last_step` are
 * kept, the others and a line that a killed run left unfinished are removed first; -1 starts anew.
 * I/O error. */
GAN_API gan_status gan_journal_open(gan_journal **out, const char *path, int64_t last_step);
GAN_API void gan_journal_close(gan_journal *journal);

/* Appends one line and hands it to the system. I/O error. */
GAN_API gan_status gan_journal_append(gan_journal *journal, const gan_journal_field *fields,
                                      size_t count);

/* The last complete line, the caller's to free(). Format error when there is none; I/O error. */
GAN_API gan_status gan_journal_last(char **line, const char *path);

/* The number called `name` in a line; NaN when it is null. Format error when it is absent. */
GAN_API gan_status gan_journal_number(double *out, const char *line, const char *name);

#ifdef __cplusplus
}
#endif
#endif
