/* memcpy and memset for the one target that has no C library, as strong symbols: a weak one (pw_mem.c) would be called by way of an
 * import. */
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    while (n--) *t++ = *f++;
    return to;
}

void *memset(void *to, int value, size_t n)
{
    unsigned char *t = to;
    while (n--) *t++ = (unsigned char)value;
    return to;
}
