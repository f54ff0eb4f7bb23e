/* Four numbers of each kind as cuRAND's device functions give them. */
#ifndef SIMT_CURAND_NUMBERS_H
#define SIMT_CURAND_NUMBERS_H

#ifdef __cplusplus
extern "C"
#endif
    void
    curand_numbers(unsigned long long seed, unsigned long long subsequence,
                   unsigned long long offset, unsigned bits[4], float uniform[4], float normal[4]);

#endif
