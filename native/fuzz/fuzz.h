/* What the fuzzers share. */
#ifndef FUZZ_H
#define FUZZ_H
#include <stdio.h>
#include <stdlib.h>
#include "helpers.h"

#define FUZZ_CHECK(what) do { if (!(what)) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); abort(); } } while (0)

static inline uint32_t fuzz_below(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

static inline void fuzz_mix(uint64_t *h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    while (n--) *h = (*h ^ *p++) * 1099511628211u;
}

#endif
