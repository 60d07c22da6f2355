/* What compilers call for struct copies where there is no C library (the WebAssembly build).  Weak, so that a host's own win. */
#if defined(__wasm__)
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n) __attribute__((weak));
void *memset(void *to, int value, size_t n) __attribute__((weak));

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
#else
typedef int pw_mem_is_the_librarys;
#endif
