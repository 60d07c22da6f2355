#include "pw_math.h"

/* Newton's iteration from a linear estimate of a normalised argument: 4 % -> 8e-4 -> 3e-7 -> below one, then one correction. */
uint32_t pw_isqrt64(uint64_t x)
{
    uint64_t m, r;
    int sh;
    if (x == 0) return 0;
    sh = pw_clz64(x) & ~1;
    m = x << sh; /* 2^62 <= m < 2^64 */
    /* sqrt(m) for m in [1/4, 1) of 2^64 is near (0.5833 m + 0.354): within 5 % */
    r = (m >> 33) + (m >> 36) + (m >> 37) + UINT64_C(0x60000000);
    r = (r + m / r) >> 1;
    r = (r + m / r) >> 1;
    r = (r + m / r) >> 1;
    if (r > UINT64_C(0xFFFFFFFF)) r = UINT64_C(0xFFFFFFFF);
    r >>= sh / 2;
    while (r * r > x) r--;
    while (r < UINT64_C(0xFFFFFFFF) && (r + 1) * (r + 1) <= x) r++;
    return (uint32_t)r;
}

static int64_t pw_sqrt_scaled(int64_t x, int frac)
{
    int sh, half;
    uint64_t r;
    if (x <= 0) return 0;
    sh = pw_clz64((uint64_t)x);
    if ((sh + frac) & 1) sh--;
    r = pw_isqrt64((uint64_t)x << sh); /* sqrt(x) in units of 2^-((frac + sh) / 2) */
    half = (frac + sh) / 2;
    return half >= 32 ? (int64_t)(r >> (half - 32)) : (int64_t)(r << (32 - half));
}

int64_t pw_sqrt_q32(int64_t x_q32) { return pw_sqrt_scaled(x_q32, 32); }
int64_t pw_sqrt_q48(int64_t x_q48) { return pw_sqrt_scaled(x_q48, 48); }
