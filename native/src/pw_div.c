/* Division for chips without a 64-bit divider: by a reciprocal of 32 bits, and two digits of 32 bits each (Moeller and Granlund, "Improved
 * division by invariant integers", 2011: algorithms 4 and 6). */
#include "pw_math.h"

/* Newton's iteration on 16 bits (6 % -> 0.4 % -> 2^-14), then a third-order step on 32. */
uint32_t pw_reciprocal(uint32_t d)
{
    uint32_t top = d >> 16, y = 92522 - (top * 61681 >> 16), t, v; /* 2^31 / top by 48/17 - 32/17 x */
    int64_t e, r;
    int32_t small;
    t = 0 - top * y; /* 2^31 (2 - x y), above 2^30 */
    y = y * (t >> 16) >> 15;
    t = 0 - top * y;
    y = y * (t >> 16) >> 15; /* below 2^16 + 2 */
    if (y > 65535) y = 65535;
    e = ((int64_t)1 << 47) - (int64_t)pw_umul64(d, (uint16_t)y); /* of the relative error 2^47, below 2^35 */
    small = (int32_t)pw_asr(e, 19);
    e += (uint32_t)(small * small) >> 9;
    /* y 2^17 (1 + e / 2^47) */
    r = e < 0 ? -(int64_t)(pw_umul64((uint32_t)(-e >> 3), (uint16_t)y) >> 27) : (int64_t)(pw_umul64((uint32_t)(e >> 3), (uint16_t)y) >> 27);
    v = (y << 17) + (uint32_t)r;
    r = (int64_t)~(pw_umul64(d, v) + ((uint64_t)d << 32)); /* 2^64 - 1 - d (2^32 + v) */
    while (r < 0) {
        v--;
        r += d;
    }
    while (r >= d) {
        v++;
        r -= d;
    }
    return v;
}

struct pw_divisor pw_divisor_of(int64_t b)
{
    struct pw_divisor d;
    uint32_t d1, d0, p, v;
    uint64_t t;
    d.up = pw_clz64((uint64_t)b | 1);
    d.b = (uint64_t)b << d.up;
    d1 = (uint32_t)(d.b >> 32);
    d0 = (uint32_t)d.b;
    if (!(d1 >> 31)) d1 = 0x80000000; /* b = 0 is never asked for */
    v = pw_reciprocal(d1);
    if (d0) {
        p = d1 * v + d0;
        if (p < d0) {
            v--;
            if (p >= d1) {
                v--;
                p -= d1;
            }
            p -= d1;
        }
        t = pw_umul64(v, d0);
        p += (uint32_t)(t >> 32);
        if (p < (uint32_t)(t >> 32)) {
            v--;
            if (p > d1 || (p == d1 && (uint32_t)t >= d0)) v--;
        }
    }
    d.v = v;
    return d;
}

/* A digit: (*r 2^32 + low) / b for *r < b; *r becomes the rest. */
static uint32_t pw_digit(const struct pw_divisor *d, uint64_t *r, uint32_t low)
{
    uint32_t d1 = (uint32_t)(d->b >> 32), d0 = (uint32_t)d->b, u2 = (uint32_t)(*r >> 32), u1 = (uint32_t)*r, q1, r1;
    uint64_t q = pw_umul64(d->v, u2) + *r, rest;
    q1 = (uint32_t)(q >> 32);
    r1 = u1 - q1 * d1;
    rest = ((uint64_t)r1 << 32 | low) - d->b;
    if (d0) rest -= pw_umul64(d0, q1);
    q1++;
    if ((uint32_t)(rest >> 32) >= (uint32_t)q) {
        q1--;
        rest += d->b;
    }
    if (rest >= d->b) {
        q1++;
        rest -= d->b;
    }
    *r = rest;
    return q1;
}

/* floor((hi 2^64 + lo) / b) for hi < b, both already shifted as b is. */
static uint64_t pw_digits(const struct pw_divisor *d, uint64_t hi, uint64_t lo)
{
    uint64_t r = hi << 32 | lo >> 32;
    uint32_t q = 0;
    if ((hi >> 32) != 0 || r >= d->b) {
        r = hi;
        q = pw_digit(d, &r, (uint32_t)(lo >> 32));
    }
    return (uint64_t)q << 32 | pw_digit(d, &r, (uint32_t)lo);
}

int64_t pw_divisor_floor(const struct pw_divisor *d, int64_t a)
{
    uint64_t u = (uint64_t)a;
    return (int64_t)pw_digits(d, d->up ? u >> (64 - d->up) : 0, u << d->up);
}

int64_t pw_divisor_q32(const struct pw_divisor *d, int64_t a)
{
    uint64_t u = (uint64_t)a, top = d->up ? u >> (64 - d->up) : 0, lo = u << d->up;
    if (top >> 32 || (top << 32 | lo >> 32) >= d->b) return pw_divq32_plain(a, (int64_t)(d->b >> d->up)); /* beyond 2^64 */
    return (int64_t)pw_digits(d, top << 32 | lo >> 32, lo << 32);
}

#if !defined(PW_WIDE)
int64_t pw_divq32(int64_t a, int64_t b)
{
    struct pw_divisor d;
    if (b <= 0) return INT64_MAX; /* never asked for */
    d = pw_divisor_of(b);
    return pw_divisor_q32(&d, a);
}

int64_t pw_div(int64_t a, int64_t b)
{
#if defined(__ARM_FEATURE_IDIV) /* the library's division is short with the chip's of 32 bits */
    return a / b;
#else
    struct pw_divisor d;
    uint64_t u = a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
    int64_t q;
    if (u < (uint64_t)b) return 0;
    if (u >> 32 == 0) {
        q = (uint32_t)u / (uint32_t)b;
    } else {
        d = pw_divisor_of(b);
        q = pw_divisor_floor(&d, (int64_t)u);
    }
    return a < 0 ? -q : q;
#endif
}
#endif
