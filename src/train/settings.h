/* The inside of settings: one field a key, made from the table in settings.def. */
#ifndef GANC_TRAIN_SETTINGS_H
#define GANC_TRAIN_SETTINGS_H

#include "ganc/train.h"

enum { GAN_SETTING_WORD = 64, GAN_SETTING_TEXT = 4096 };

typedef int64_t gan_settings_INT;
typedef double gan_settings_REAL;
typedef bool gan_settings_FLAG;
typedef char gan_settings_WORD[GAN_SETTING_WORD];
typedef char gan_settings_TEXT[GAN_SETTING_TEXT];

struct gan_settings {
#define GAN_KEY(kind, field, ...) gan_settings_##kind field;
#include "train/settings.def"
#undef GAN_KEY
};

/* What gan_settings_write() writes; the caller frees. */
gan_status gan_settings_text(char **text, const gan_settings *settings);

/* Sets a key back to its default. */
void gan_settings_reset(gan_settings *settings, const char *key);

/* The first key, not free and with an effect, whose value differs between two settings, or NULL. */
const char *gan_settings_difference(const gan_settings *a, const gan_settings *b);

#endif
