#define PW_MATH_HERE
#include "pw_math.h"

#if defined(PW_SMALL)
/* The chip has 32 bits of a product alone.  Four of 16 by 16 bits, and the carry of the sum of the two in the middle; MULS and MOV leave it. */
__asm__(".section .text.pw_umul64, \"ax\", %progbits\n"
        ".balign 2\n"
        ".thumb_func\n"
        ".type pw_umul64, %function\n"
        ".global pw_umul64\n"
        "pw_umul64:\n"
        ".syntax unified\n"
        "lsrs r3, r0, #16\n"
        "uxth r0, r0\n"
        "uxth r2, r1\n"
        "lsrs r1, r1, #16\n"
        "mov ip, r3\n"
        "muls r3, r2\n" /* a1 b0 */
        "muls r2, r0\n" /* a0 b0 */
        "muls r0, r1\n" /* a0 b1 */
        "adds r3, r3, r0\n"
        "mov r0, ip\n"
        "muls r1, r0\n" /* a1 b1 */
        "movs r0, #0\n"
        "adcs r0, r0\n"
        "lsls r0, r0, #16\n"
        "adds r1, r1, r0\n"
        "lsls r0, r3, #16\n"
        "lsrs r3, r3, #16\n"
        "adds r0, r0, r2\n"
        "adcs r1, r3\n"
        "bx lr\n"
        ".size pw_umul64, . - pw_umul64\n"
        ".previous\n");
#endif

#if !defined(PW_WIDE)
/* pw_mulshift_low with n = 32, whose shifts are none. */
int64_t pw_mulshift32(int64_t a, int64_t b)
{
    uint32_t a0 = (uint32_t)a, a1 = (uint32_t)((uint64_t)a >> 32), b0 = (uint32_t)b, b1 = (uint32_t)((uint64_t)b >> 32), top = a1 * b1;
    uint64_t r = pw_umul64(a1, b0) + pw_umul64(a0, b1) + (pw_umul64(a0, b0) >> 32);
    if (a < 0) top -= b0;
    if (b < 0) top -= a0;
    return (int64_t)(r + ((uint64_t)top << 32));
}

int64_t pw_mulshift_any(int64_t a, int64_t b, int n)
{
    return n == 16 ? pw_mulshift_low(a, b, 16) : pw_mulshift_pieces(a, b, n); /* squares; shifts by a constant are short */
}
#if defined(__ARM_ARCH_6M__)
int64_t pw_mulq32(int64_t a, uint32_t u) { return pw_mulq32_pieces(a, u); }
#endif
#endif

/* 1 / sqrt of the leading 16 bits by Newton's iteration from a table (3 % -> 0.15 % -> 2^-14), then twice the root's own, whose rest
 * tells the last unit.  No division. */
uint32_t pw_isqrt64(uint64_t x)
{
    static const uint8_t begin[24] = { /* 2^7 / sqrt((i + 8.5) / 32), so 1 to 2 */
        248, 235, 223, 214, 205, 197, 190, 184, 178, 173, 168, 164, 160, 156, 153, 149, 146, 143, 141, 138, 136, 133, 131, 129,
    };
    uint64_t m;
    int64_t rest;
    uint32_t top, y, r;
    int sh, i;
    if (x == 0) return 0;
    sh = pw_clz64(x) & ~1;
    m = x << sh; /* 2^62 <= m < 2^64 */
    top = (uint32_t)(m >> 48);
    y = (uint32_t)begin[(top >> 11) - 8] << 8; /* 2^15 / sqrt */
    for (i = 0; i < 2; i++) y = y * ((3 << 14) - ((y * y >> 16) * top >> 16)) >> 15;
    if (y > 65535) y = 65535;
    r = (uint32_t)pw_min64((int64_t)(pw_umul64((uint32_t)(m >> 32), (uint16_t)y) >> 15), UINT32_MAX);
    for (i = 0; i < 2; i++) { /* r + (m - r^2) / (2 r), off by 2^19, then 2^6, then 1 */
        rest = pw_asr((int64_t)(m - pw_umul64(r, r)), 24);
        r = (uint32_t)pw_min64(r + pw_asr(rest * (int32_t)y, 24), UINT32_MAX);
    }
    rest = (int64_t)(m - pw_umul64(r, r));
    if (rest < 0) r--;
    else if (rest > 2 * (int64_t)r) r++;
    return r >> (sh / 2);
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
