/* Integer arithmetic with defined rounding: what C leaves to the compiler is settled here.  Fixed point is named by its fraction
 * bits (_q32).  Products of 64 by 64 bits use the compiler's 128-bit type where there is one and 32-bit pieces elsewhere; both
 * give the same bits, and native/tests/test_math.c compares them. */
#ifndef PW_MATH_H
#define PW_MATH_H
#include <stdint.h>

/* An M0+ has its code in RAM, which is short: what is longer there than a call is called, and pw_math.c has it (but with -O2, which wants speed). */
#if defined(__ARM_ARCH_6M__) && defined(__OPTIMIZE_SIZE__)
#define PW_SMALL 1
#define PW_LEAN
#else
#define PW_LEAN static inline
#endif
/* 32 by 32 bits to 64: chips without that instruction are given the four products themselves, others the operator. */
#if defined(PW_SMALL)
uint64_t pw_umul64(uint32_t a, uint32_t b);
#else
static inline uint64_t pw_umul64(uint32_t a, uint32_t b)
{
#if defined(__ARM_ARCH_6M__)
    uint32_t a0 = a & 0xFFFF, a1 = a >> 16, b0 = b & 0xFFFF, b1 = b >> 16;
    uint32_t lo = a0 * b0, mid = a1 * b0 + (lo >> 16), more = a0 * b1 + (mid & 0xFFFF); /* neither sum passes 32 bits */
    return (uint64_t)(a1 * b1 + (mid >> 16) + (more >> 16)) << 32 | (more << 16 | (lo & 0xFFFF));
#else
    return (uint64_t)a * b;
#endif
}
#endif
#if defined(PW_SMALL) && !defined(PW_MATH_HERE)
int64_t pw_min64(int64_t a, int64_t b);
int64_t pw_max64(int64_t a, int64_t b);
int64_t pw_abs64(int64_t a);
#else
PW_LEAN int64_t pw_min64(int64_t a, int64_t b) { return a < b ? a : b; }
PW_LEAN int64_t pw_max64(int64_t a, int64_t b) { return a > b ? a : b; }
PW_LEAN int64_t pw_abs64(int64_t a) { return a < 0 ? -a : a; }
#endif

/* floor(x / 2^n), 0 <= n <= 63 */
static inline int64_t pw_asr(int64_t x, int n) { return x >= 0 ? x >> n : ~(~x >> n); }

/* x * 2^n without overflow in the caller's range */
static inline int64_t pw_shl(int64_t x, int n) { return (int64_t)((uint64_t)x << n); }

/* Zeros above the highest set bit; 64 for 0. */
static inline int pw_clz64(uint64_t x)
{
#if defined(__GNUC__)
    return x ? __builtin_clzll(x) : 64;
#else
    int n = 64;
    for (; x; x >>= 1) n--;
    return n;
#endif
}

/* Where a chip has no products and quotients of 64 bits of its own, the functions below are called and not written out each time (pw_math.c), and
 * take the ways that suit it: a 64-bit division of the compiler's library costs an M0+ 500 cycles. */
#if defined(__SIZEOF_INT128__) || defined(__wasm__)
#define PW_WIDE 1
#endif

static inline void pw_umul128(uint64_t a, uint64_t b, uint64_t *hi, uint64_t *lo)
{
    uint32_t a0 = (uint32_t)a, a1 = (uint32_t)(a >> 32), b0 = (uint32_t)b, b1 = (uint32_t)(b >> 32);
    uint64_t p00 = pw_umul64(a0, b0), p01 = pw_umul64(a0, b1), p10 = pw_umul64(a1, b0), p11 = pw_umul64(a1, b1);
    uint64_t mid = (p00 >> 32) + (uint32_t)p01 + (uint32_t)p10; /* at most 3 * (2^32 - 1) */
    *lo = (mid << 32) | (uint32_t)p00;
    *hi = p11 + (p01 >> 32) + (p10 >> 32) + (mid >> 32);
}

/* floor(a * b / 2^n), 1 <= n <= 63; the caller bounds the result to 63 bits. */
static inline int64_t pw_mulshift_pieces(int64_t a, int64_t b, int n)
{
    uint64_t ua = a < 0 ? 0 - (uint64_t)a : (uint64_t)a, ub = b < 0 ? 0 - (uint64_t)b : (uint64_t)b, hi, lo, r;
    pw_umul128(ua, ub, &hi, &lo);
    r = (hi << (64 - n)) | (lo >> n);
    if ((a < 0) == (b < 0)) return (int64_t)r;
    if (lo & (((uint64_t)1 << n) - 1)) r++;
    return (int64_t)(0 - r);
}

/* The same for 1 <= n <= 32 with three products and a bit: modulo 2^64, two's complement. */
static inline int64_t pw_mulshift_low(int64_t a, int64_t b, int n)
{
    uint32_t a0 = (uint32_t)a, a1 = (uint32_t)((uint64_t)a >> 32), b0 = (uint32_t)b, b1 = (uint32_t)((uint64_t)b >> 32);
    uint64_t r = (pw_umul64(a1, b0) + pw_umul64(a0, b1)) << (32 - n);
    r += (pw_umul64(a0, b0) >> n) + ((uint64_t)(a1 * b1) << (64 - n));
    if (a < 0) r -= (uint64_t)b << (64 - n);
    if (b < 0) r -= (uint64_t)a << (64 - n);
    return (int64_t)r;
}

#if defined(PW_WIDE)
static inline int64_t pw_mulshift(int64_t a, int64_t b, int n)
{
#if defined(__SIZEOF_INT128__)
    __extension__ typedef __int128 wide;
    wide p = (wide)a * b;
    return (int64_t)(p >= 0 ? p >> n : ~(~p >> n));
#else
    return pw_mulshift_pieces(a, b, n);
#endif
}
#else
int64_t pw_mulshift32(int64_t a, int64_t b);
int64_t pw_mulshift_any(int64_t a, int64_t b, int n);
static inline int64_t pw_mulshift(int64_t a, int64_t b, int n) { return n == 32 ? pw_mulshift32(a, b) : pw_mulshift_any(a, b, n); }
#endif

/* a * b / 2^16 for a, b >= 0, at most 2^60: squared speeds in Q48, whose sums of three stay below 2^62 */
static inline int64_t pw_square_q48(int64_t a, int64_t b)
{
    if (pw_clz64((uint64_t)a) + pw_clz64((uint64_t)b) < 52) return (int64_t)1 << 60; /* the product may pass 2^76 */
    return pw_min64(pw_mulshift(a, b, 16), (int64_t)1 << 60);
}

/* a * b <= c * d, exactly, for numbers not below 0 */
static inline int pw_product_le(int64_t a, int64_t b, int64_t c, int64_t d)
{
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 wide;
    return (wide)(uint64_t)a * (uint64_t)b <= (wide)(uint64_t)c * (uint64_t)d;
#else
    uint64_t hi1, lo1, hi2, lo2;
    pw_umul128((uint64_t)a, (uint64_t)b, &hi1, &lo1);
    pw_umul128((uint64_t)c, (uint64_t)d, &hi2, &lo2);
    return hi1 < hi2 || (hi1 == hi2 && lo1 <= lo2);
#endif
}

/* floor(a * u / 2^32) for |a| < 2^62 by two 32-bit products. */
static inline int64_t pw_mulq32_pieces(int64_t a, uint32_t u)
{
    uint32_t hi = (uint32_t)((uint64_t)a >> 32), lo = (uint32_t)(uint64_t)a;
    uint64_t r = pw_umul64(hi, u) + (pw_umul64(lo, u) >> 32);
    if (hi >> 31) r -= (uint64_t)u << 32; /* hi was read 2^32 too large */
    return (int64_t)r;
}

#if defined(__ARM_ARCH_6M__)
int64_t pw_mulq32(int64_t a, uint32_t u);
#else
static inline int64_t pw_mulq32(int64_t a, uint32_t u)
{
#if defined(__SIZEOF_INT128__)
    return pw_mulshift(a, (int64_t)u, 32);
#else
    return pw_mulq32_pieces(a, u);
#endif
}
#endif

/* floor(a * 2^32 / b) for 0 <= a, 0 < b < 2^62; the caller bounds the result to 63 bits. */
static inline int64_t pw_divq32_plain(int64_t a, int64_t b)
{
    uint64_t q, r;
    int left = 32, room = pw_clz64((uint64_t)b);
    if (b <= 0) return INT64_MAX; /* never asked for */
    q = (uint64_t)a / (uint64_t)b;
    r = (uint64_t)a % (uint64_t)b;
    while (left > 0) {
        int sh = room < left ? room : left;
        r <<= sh; /* r < b, so it fits */
        q = (q << sh) | (r / (uint64_t)b);
        r %= (uint64_t)b;
        left -= sh;
    }
    return (int64_t)q;
}

/* A number above 0 that several others are divided by (pw_div.c). */
struct pw_divisor {
    uint64_t b;  /* with its highest bit at 63 */
    uint32_t v;  /* 2^96 / b - 2^32 */
    int32_t up;  /* by so many bits it was shifted */
};

uint32_t pw_reciprocal(uint32_t d); /* floor((2^64 - 1) / d) - 2^32, for d >= 2^31 */
struct pw_divisor pw_divisor_of(int64_t b);
int64_t pw_divisor_q32(const struct pw_divisor *d, int64_t a); /* floor(a * 2^32 / b), a >= 0; the caller bounds the result */
int64_t pw_divisor_floor(const struct pw_divisor *d, int64_t a); /* floor(a / b), a >= 0 */

#if defined(PW_WIDE)
/* floor(2^63 / d) for d >= 2^31, at most 2^32 - 1 */
static inline uint32_t pw_invert32(uint32_t d) { return d == 0x80000000 ? 0xFFFFFFFF : (uint32_t)(((uint64_t)1 << 63) / d); }
typedef int64_t pw_divisor_t; /* the chip divides faster than it prepares */
static inline pw_divisor_t pw_by(int64_t b) { return b; }
static inline int64_t pw_divq32_by(int64_t a, const pw_divisor_t *d) { return pw_divq32_plain(a, *d); }
static inline int64_t pw_div_by(int64_t a, const pw_divisor_t *d) { return a / *d; }
static inline int64_t pw_divq32(int64_t a, int64_t b) { return pw_divq32_plain(a, b); }
static inline int64_t pw_div(int64_t a, int64_t b) { return a / b; }
#else
static inline uint32_t pw_invert32(uint32_t d) { return pw_reciprocal(d) >> 1 | 0x80000000; }
typedef struct pw_divisor pw_divisor_t;
static inline pw_divisor_t pw_by(int64_t b) { return pw_divisor_of(b); }
static inline int64_t pw_divq32_by(int64_t a, const pw_divisor_t *d) { return pw_divisor_q32(d, a); }
static inline int64_t pw_div_by(int64_t a, const pw_divisor_t *d) { return a < 0 ? -pw_divisor_floor(d, -a) : pw_divisor_floor(d, a); }
int64_t pw_divq32(int64_t a, int64_t b);
int64_t pw_div(int64_t a, int64_t b); /* a / b as C has it, for b > 0 */
#endif

/* As pw_divq32, rounded towards zero, for a signed dividend. */
static inline int64_t pw_sdivq32(int64_t a, int64_t b) { return a < 0 ? -pw_divq32(-a, b) : pw_divq32(a, b); }
static inline int64_t pw_sdivq32_by(int64_t a, const pw_divisor_t *d) { return a < 0 ? -pw_divq32_by(-a, d) : pw_divq32_by(a, d); }

uint32_t pw_isqrt64(uint64_t x); /* floor of the square root */

/* Square root of a Q32 number as Q32, relative error below 2^-29, rounded down. */
int64_t pw_sqrt_q32(int64_t x_q32);
/* Square root of a Q48 number as Q32. */
int64_t pw_sqrt_q48(int64_t x_q48);

#endif
