/* The same with ten times as many kills. */
#define GANC_KILLS 200
#include "test_cli_kill.c"
