/* What a compiler calls for quotients of 64 bits: the core's own division, which it has with it anyhow, in place of libgcc's (a kilobyte more). */
#include "pw_math.h"

#if defined(__ARM_ARCH_6M__) /* others divide 32 bits themselves, and libgcc's way with that is faster */

uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rest);
uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rest)
{
    struct pw_divisor by = pw_divisor_of((int64_t)d);
    uint64_t q = (uint64_t)pw_divisor_floor(&by, (int64_t)n);
    if (rest) *rest = n - q * d;
    return q;
}

int64_t __divdi3(int64_t n, int64_t d);
int64_t __divdi3(int64_t n, int64_t d)
{
    uint64_t sign = 0 - ((uint64_t)(n ^ d) >> 63);
    return (int64_t)((__udivmoddi4((uint64_t)pw_abs64(n), (uint64_t)pw_abs64(d), 0) ^ sign) - sign);
}

#endif
