#include "pw_shaper.h"
#include "pw_math.h"

#define PW_PI_Q32 INT64_C(13493037705)

/* exp(-x): the series in Q56, whose terms stay below 11 for x below 4 */
static int64_t pw_exp_minus(int64_t x_q32)
{
    int64_t term = (int64_t)1 << 56, sum = term;
    int i;
    for (i = 1; i < 48; i++) {
        term = -pw_mulshift(term, x_q32, 32) / i;
        sum += term;
    }
    return pw_asr(sum, 24);
}

/* An impulse: amplitude * K^(eighth / 4) at eighth / 8 of the damped period. */
struct pw_row {
    int64_t amplitude_q32;
    int32_t type, eighth;
};

static const struct pw_row pw_rows[] = { /* for a tolerated vibration V of 0.05 */
    {INT64_C(4294967296), PW_ZV, 0},
    {INT64_C(4294967296), PW_ZV, 4},
    {INT64_C(4294967296), PW_ZVD, 0},
    {INT64_C(8589934592), PW_ZVD, 4},
    {INT64_C(4294967296), PW_ZVD, 8},
    {INT64_C(1257966796), PW_MZV, 0}, /* 1 - 1/sqrt 2 */
    {INT64_C(1779033704), PW_MZV, 3}, /* sqrt 2 - 1 */
    {INT64_C(1257966796), PW_MZV, 6},
    {INT64_C(1127428915), PW_EI, 0}, /* (1 + V) / 4 */
    {INT64_C(2040109466), PW_EI, 4}, /* (1 - V) / 2 */
    {INT64_C(1127428915), PW_EI, 8},
    {INT64_C(686323757), PW_2HUMP_EI, 0}, /* a = (3X^2 + 2X + 3V^2) / 16X, X = (V^2 (sqrt(1 - V^2) + 1))^(1/3) */
    {INT64_C(1461159891), PW_2HUMP_EI, 4}, /* 1/2 - a */
    {INT64_C(1461159891), PW_2HUMP_EI, 8},
    {INT64_C(686323757), PW_2HUMP_EI, 12},
    {INT64_C(482666833), PW_3HUMP_EI, 0}, /* a = (1 + 3V + 2 sqrt(2(V^2 + V))) / 16 */
    {INT64_C(1020054733), PW_3HUMP_EI, 4}, /* (1 - V) / 4 */
    {INT64_C(1289524165), PW_3HUMP_EI, 8}, /* (1 + V) / 2 - 2a */
    {INT64_C(1020054733), PW_3HUMP_EI, 12},
    {INT64_C(482666833), PW_3HUMP_EI, 16},
};

void pw_shaper_impulses(struct pw_impulses *out, int32_t type, int32_t tick_hz, int32_t mhz, int32_t damping_1e4)
{
    /* damping z / 10^4: sqrt(10^8 - z^2) in Q18, at least 0.95 * 10^4 */
    int64_t root_q18 = pw_isqrt64((uint64_t)(100000000 - (int64_t)damping_1e4 * damping_1e4) << 36), sum = 0, left, x_q32, period_q16;
    uint32_t i;
    int32_t n = 0, j;
    x_q32 = pw_divq32(PW_PI_Q32 * damping_1e4, root_q18) >> 14; /* pi z / sqrt(1 - z^2), below 1; K = exp(-x) */
    period_q16 = ((int64_t)tick_hz * 1000 << 16) / mhz;          /* below 2^42 */
    period_q16 = pw_mulshift(period_q16, pw_divq32(INT64_C(10000) << 18, root_q18), 32);
    for (i = 0; i < sizeof pw_rows / sizeof *pw_rows; i++) {
        if (pw_rows[i].type != type) continue;
        out->weight_q32[n] = pw_mulshift(pw_rows[i].amplitude_q32, pw_exp_minus(x_q32 * pw_rows[i].eighth / 4), 32);
        out->time_q16[n] = period_q16 * pw_rows[i].eighth / 8;
        sum += out->weight_q32[n++];
    }
    out->n = n;
    out->reserved = 0;
    out->centre_q16 = 0;
    left = (int64_t)1 << 32;
    for (j = 0; j < n; j++) {
        out->weight_q32[j] = j + 1 < n ? pw_divq32(out->weight_q32[j], sum) : left;
        left -= out->weight_q32[j];
        out->centre_q16 += pw_mulshift(out->time_q16[j], out->weight_q32[j], 32);
    }
}
