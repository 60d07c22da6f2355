/* What compilers call by themselves where there is no C library.  Words where both sides allow it. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int value, size_t n);

typedef uint32_t __attribute__((may_alias)) word;

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    if ((((uintptr_t)t | (uintptr_t)f) & 3) == 0) {
        for (; n >= 4; n -= 4, t += 4, f += 4) *(word *)(void *)t = *(const word *)(const void *)f;
    }
    while (n--) *t++ = *f++;
    return to;
}

void *memset(void *to, int value, size_t n)
{
    unsigned char *t = to;
    if (((uintptr_t)t & 3) == 0) {
        for (; n >= 4; n -= 4, t += 4) *(word *)(void *)t = (unsigned char)value * 0x01010101u;
    }
    while (n--) *t++ = (unsigned char)value;
    return to;
}
