/* Integer arithmetic against the compiler's 128-bit type and the C library. */
#include <math.h>
#include "check.h"
#include "pw_math.h"
#include "pw_ramp.h"

static uint64_t seed = 7;
static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}
static int64_t some(int bits) { return (int64_t)(rnd() >> (64 - 1 - rnd() % (unsigned)bits)) * (rnd() & 1 ? 1 : -1); }

static void test_products(void)
{
    int i;
    for (i = 0; i < 300000; i++) {
        int64_t a = some(62), b = some(62), u = some(61);
        int n = 1 + (int)(rnd() % 63);
        __int128 p = (__int128)a * b, q = p >= 0 ? p >> n : ~(~p >> n);
        if (q <= INT64_MAX && q >= INT64_MIN) {
            CHECK_EQ(pw_mulshift(a, b, n), (int64_t)q);
            CHECK_EQ(pw_mulshift_pieces(a, b, n), (int64_t)q);
            if (n <= 32) CHECK_EQ(pw_mulshift_low(a, b, n), (int64_t)q);
        }
        p = (__int128)u * (uint32_t)b;
        CHECK_EQ(pw_mulq32(u, (uint32_t)b), (int64_t)(p >= 0 ? p >> 32 : ~(~p >> 32)));
        CHECK_EQ(pw_mulq32_pieces(u, (uint32_t)b), pw_mulq32(u, (uint32_t)b));
        CHECK_EQ(pw_asr(a, n), a >> n); /* of the compilers at hand */
        if (a < 0) a = -a;
        if (b < 0) b = -b;
        if (b > 0 && a / b < (INT64_C(1) << 31)) {
            CHECK_EQ(pw_divq32(a, b), (int64_t)(((__int128)a << 32) / b));
            CHECK_EQ(pw_sdivq32(-a, b), -(int64_t)(((__int128)a << 32) / b));
        }
    }
    CHECK_EQ(pw_clz64(0), 64);
    CHECK_EQ(pw_clz64(1), 63);
}

/* Numbers of all sizes; many at the edges of a digit, and next to squares. */
static uint64_t edge(void)
{
    uint64_t x = rnd() >> (rnd() % 64);
    switch (rnd() % 5) {
    case 0: return ((uint64_t)1 << (rnd() % 64)) - 2 + rnd() % 5;
    case 1: return (x >> 32) * (x >> 32) - 1 + rnd() % 3;
    case 2: return (~(uint64_t)0 << (rnd() % 64)) >> (rnd() % 64);
    default: return x;
    }
}

/* Quotients by a reciprocal, as chips without a divider take them, against the operator. */
static void test_quotients(void)
{
    uint64_t i, one = (uint64_t)1 << 32;
    for (i = 0; i < 300000; i++) {
        int64_t a = (int64_t)(edge() >> 1), b = (int64_t)(edge() >> 2) | (rnd() & 1);
        struct pw_divisor d;
        if (b == 0) continue;
        d = pw_divisor_of(b);
        CHECK_EQ(pw_divisor_floor(&d, a), a / b);
        CHECK_EQ(pw_divisor_q32(&d, a), pw_divq32_plain(a, b));
        CHECK_EQ(pw_div(-a, b), -(a / b));
    }
    for (i = 0; i < 1 << 16; i++) {
        CHECK_EQ(pw_divisor_of((int64_t)(one / 2 + i)).v + one, ~(uint64_t)0 / (one / 2 + i));
        CHECK_EQ(pw_divisor_of((int64_t)(one - 1 - i)).v + one, ~(uint64_t)0 / (one - 1 - i));
        CHECK_EQ(pw_invert32((uint32_t)(one / 2 + i)), (uint32_t)(pw_reciprocal((uint32_t)(one / 2 + i)) >> 1 | 0x80000000));
    }
}

static void test_roots(void)
{
    int i;
    for (i = 0; i < 300000; i++) {
        uint64_t x = edge(), r = pw_isqrt64(x);
        CHECK(r * r <= x && (r == UINT32_MAX || (r + 1) * (r + 1) > x));
    }
    for (i = 0; i < 300000; i++) {
        uint64_t x = rnd() >> (rnd() % 64), r = pw_isqrt64(x);
        CHECK(r * r <= x && (r == UINT32_MAX || (r + 1) * (r + 1) > x));
        if (x > 100 && x < (uint64_t)1 << 62) {
            double want = sqrt((double)x / 4294967296.0) * 4294967296.0;
            CHECK_NEAR((double)pw_sqrt_q32((int64_t)x) / want, 1, 1.0 / want + 4e-9);
            want = sqrt((double)x / 281474976710656.0) * 4294967296.0;
            CHECK_NEAR((double)pw_sqrt_q48((int64_t)x) / want, 1, 1.0 / want + 4e-9);
        }
    }
    CHECK_EQ(pw_isqrt64(UINT64_MAX), UINT32_MAX);
    CHECK_EQ(pw_isqrt64(0), 0);
    CHECK_EQ(pw_sqrt_q32(-1), 0);
}

/* Ramps: limits kept, lengths those of the shapes. */
static void test_ramps(void)
{
    int i;
    for (i = 0; i < 200000; i++) {
        struct pw_limits lim = {400 + (int64_t)(rnd() >> (33 + rnd() % 20)), 150 + (int64_t)(rnd() >> (34 + rnd() % 20))};
        int64_t v0 = (int64_t)(rnd() >> (31 + rnd() % 20)), v1 = (int64_t)(rnd() >> (31 + rnd() % 20)), dv = v1 > v0 ? v1 - v0 : v0 - v1;
        struct pw_shape s = pw_ramp_shape(&lim, dv);
        double q = 4294967296.0, tj = (double)s.tj / q, ta = (double)s.ta / q, a, j;
        if (dv < 1000 || dv / lim.jerk >> 26) continue; /* 2 m/s at 1 m/s^3 and 200 MHz: 2^24.2 */
        a = (double)dv / q / (tj + ta);
        j = a / tj;
        CHECK(a <= (double)lim.accel / q * (1 + 1e-6) + 1e-9);
        CHECK(j <= (double)lim.jerk / q * (1 + 1e-5) + 1e-9);
        CHECK((double)s.tj >= 0 && s.ta >= 0);
        if (2 * tj + ta < 1e4) {
            double length = (2 * tj + ta) * (double)(v0 + v1) / q / 2;
            CHECK_NEAR((double)pw_ramp_length(&lim, v0, v1) / q, length, length * 1e-9 + 1e-9);
            if (v1 > v0) {
                CHECK_EQ(pw_ramp_length_to(&lim, v0, v1, v0), 0);
                CHECK_NEAR((double)pw_ramp_length_to(&lim, v0, v1, v0 + dv / 2) / q, (tj + ta / 2) * ((double)v0 + (double)dv * (tj / 3 + ta / 4) / (2 * (tj + ta))) / q,
                           length);
                CHECK(pw_ramp_length_to(&lim, v0, v1, v0 + dv / 3) <= pw_ramp_length_to(&lim, v0, v1, v0 + dv / 2) + 2);
                CHECK(pw_ramp_length_to(&lim, v0, v1, v0 + dv / 2) <= pw_ramp_length(&lim, v0, v1));
            }
        }
    }
}

int main(void)
{
    test_products();
    test_quotients();
    test_roots();
    test_ramps();
    printf("math: ok\n");
    return 0;
}
