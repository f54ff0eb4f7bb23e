#define _XOPEN_SOURCE 700 /* realpath */
/* What data are called: what is there by that name, and a name that holds from any folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "data/sets.h"
#include "ganc/io.h"
#include "train/source.h"

bool gan_source_is_there(const char *name) {
    for (size_t i = 0; gan_dataset_known(i); i++)
        if (!strcmp(gan_dataset_known(i), name)) return true;
    return gan_mixture_find(name) || gan_grammar_find(name) || gan_file_exists(name);
}

/* Sets, mixtures and grammars share one key; the set's reader does not know of the others. */
gan_status gan_source_unknown(const char *given) {
    const char *names[96];
    char list[512] = "";
    size_t n = 0, used = 0;
    for (size_t i = 0; n < 32 && gan_dataset_known(i); i++) names[n++] = gan_dataset_known(i);
    for (size_t i = 0; n < 64 && gan_mixture_at(i); i++) names[n++] = gan_mixture_at(i)->name;
    for (size_t i = 0; n < 96 && gan_grammar_at(i); i++) names[n++] = gan_grammar_at(i)->name;
    const char *base = strrchr(given, '/') ? strrchr(given, '/') + 1 : given;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(given, names[i]))
            return gan_fail(GAN_ERROR_ARGUMENT,
                            "data: '%s' is made on the fly, images are expected", given);
    if (!strcmp(base, "emoji"))
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "data: there is no folder '%.200s'; `tools/emoji %.200s` makes one of the "
                        "pictures of a font (`tools/setup --emoji` installs that)",
                        given, given);
    const char *near = gan_nearest(given, names, n);
    if (near)
        return gan_fail(
            GAN_ERROR_ARGUMENT,
            "data: '%.200s' is no data set, mixture, grammar, file or folder; did you mean "
            "'%s'?",
            given, near);
    for (size_t i = 0; i < n && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s, ", names[i]);
    if (strchr(given, '/'))
        return gan_fail(
            GAN_ERROR_ARGUMENT,
            "data: there is no file or folder '%.200s'; --data takes its path, or one of "
            "%.*s",
            given, (int)(used > 2 ? used - 2 : 0), list);
    return gan_fail(
        GAN_ERROR_ARGUMENT,
        "data: '%.200s' is no data set, mixture, grammar, file or folder; expected one of "
        "%.500sor a path",
        given, list);
}

gan_status gan_source_pin(gan_settings *settings) {
    const char *name = settings->data;
    if (gan_mixture_find(name) || gan_grammar_find(name) || gan_dataset_installed(name))
        return GAN_OK;
    char *path = realpath(name, NULL);
    if (!path) return GAN_OK; /* opening it says why */
    const gan_status status = gan_settings_set(settings, "data", path, "data");
    free(path);
    return status;
}

gan_status gan_source_named(gan_settings *settings, const char *data, const char *checkpoint) {
    if (data) return gan_settings_set(settings, "data", data, "data");
    if (gan_source_is_there(settings->data)) return GAN_OK;
    return gan_fail(GAN_ERROR_IO,
                    "%s: its data, '%.200s', are not there; where they are now is said by --data",
                    checkpoint, settings->data);
}
