/* Ctrl-C and SIGTERM as a question that a run asks now and then. */
#ifndef GANC_TOOLS_SIGNALS_H
#define GANC_TOOLS_SIGNALS_H

#include <stdbool.h>

/* From here on the first signal only raises a flag; the second ends the process at once. Call it
 * before any other thread is there. */
void signals_catch(void);

/* gan_trainer_callbacks.stop; `context` is not used. */
bool signals_stop(void *context);

#endif
