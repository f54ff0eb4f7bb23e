/* How many modes of the ring of eight a preset finds in a short run. */
#ifndef GANC_TEST_RING_H
#define GANC_TEST_RING_H

/* The mean over three seeds, after a thousand steps of 64-wide networks on batches of 64 (63 where
 * D sees three at once) with rates that fall to zero; each seed's numbers are printed. In a test
 * with scratch_setup(). */
double ring_modes(const char *preset);

#endif
