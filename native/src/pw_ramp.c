#include "pw_ramp.h"
#include "pw_math.h"

struct pw_shape pw_ramp_shape(const struct pw_limits *lim, int64_t dv)
{
    struct pw_shape s = {0, 0};
    if (dv <= 0) return s;
    /* dv * jerk <= accel^2: the acceleration limit is not reached */
    if (pw_product_le(dv, lim->jerk, lim->accel, lim->accel)) {
        s.tj = pw_sqrt_q32(pw_divq32(dv, lim->jerk) + 1);
        s.tj += (s.tj >> 28) + 1;
        return s;
    }
    s.tj = pw_divq32(lim->accel, lim->jerk) + 1;
    s.ta = pw_max64(pw_divq32(dv, lim->accel) + 1 - s.tj, 0);
    return s;
}

int64_t pw_ramp_length(const struct pw_limits *lim, int64_t v0, int64_t v1)
{
    struct pw_shape s = pw_ramp_shape(lim, pw_abs64(v1 - v0));
    return pw_mulshift(2 * s.tj + s.ta, v0 + v1, 33) + 1;
}

int64_t pw_ramp_length_to(const struct pw_limits *lim, int64_t v0, int64_t v1, int64_t v)
{
    struct pw_shape s = pw_ramp_shape(lim, v1 - v0);
    int64_t dv = v - v0, whole = v1 - v0, part, t;
    if (dv <= 0) return 0;
    if (whole - dv <= 0) return pw_mulshift(2 * s.tj + s.ta, v0 + v1, 33);
    /* speed gained while the jerk is positive */
    part = pw_mulshift(whole, pw_divq32(s.tj, s.tj + s.ta), 33);
    if (dv <= part) { /* v = v0 + part (t/tj)^2, length = t (v0 + dv/3) */
        t = pw_mulshift(s.tj, pw_sqrt_q32(pw_divq32(dv, part)), 32);
        return pw_mulshift(t, v0 + pw_div(dv, 3), 32);
    }
    if (whole - dv < part) {
        int64_t rest = whole - dv;
        t = pw_mulshift(s.tj, pw_sqrt_q32(pw_divq32(rest, part)), 32);
        return pw_mulshift(2 * s.tj + s.ta, v0 + v1, 33) - pw_mulshift(t, v1 - pw_div(rest, 3), 32);
    }
    t = s.ta > 0 ? pw_mulshift(s.ta, pw_divq32(dv - part, whole - 2 * part + 1), 32) : 0;
    return pw_mulshift(s.tj, v0 + pw_div(part, 3), 32) + pw_mulshift(t, v0 + part + v, 33);
}

/* From v0 up and down to v1, over so much. */
struct pw_hill {
    const struct pw_limits *lim;
    int64_t v0, v1, length;
};

/* By how much both ramps are longer when the top is w. */
static int64_t pw_excess(const struct pw_hill *hill, int64_t w)
{
    return pw_ramp_length(hill->lim, hill->v0, w) + pw_ramp_length(hill->lim, hill->v1, w) - hill->length;
}

int64_t pw_ramp_peak(const struct pw_limits *lim, int64_t v0, int64_t v1, int64_t length, int64_t cap)
{
    int64_t lo = pw_max64(v0, v1), hi = cap, flo, fhi, c;
    int i, side = 0;
    const struct pw_hill hill = {lim, v0, v1, length};
    if (hi <= lo) return lo;
    fhi = pw_excess(&hill, hi);
    if (fhi <= 0) return hi;
    /* Both ramps reach the acceleration limit: closed form (spec motion 5), then a hair less, since its rounding is not bounded. */
    c = pw_mulshift(lim->accel, pw_divq32(lim->accel, lim->jerk), 32);
    if (c > 0 && c < ((int64_t)1 << 38) && lo < ((int64_t)1 << 38)) {
        int64_t under = pw_mulshift(c, c, 32) + 4 * pw_mulshift(lim->accel, length, 32) +
                        2 * (pw_mulshift(v0, v0, 32) + pw_mulshift(v1, v1, 32)) - 2 * pw_mulshift(v0 + v1, c, 32);
        if (under > 0) {
            int64_t w = (pw_sqrt_q32(under) - c) / 2;
            w -= (w >> 24) + 1;
            if (w - v0 >= c && w - v1 >= c && w > lo && w < hi && pw_excess(&hill, w) <= 0) return w;
        }
    }
    /* Otherwise regula falsi (Illinois), which keeps lo on the side that fits. */
    flo = pw_excess(&hill, lo);
    if (flo >= 0) return lo;
    for (i = 0; i < 14 && hi - lo > (lo >> 12) + 4; i++) {
        int64_t w, f;
        if (i < 10) {
            int64_t span = hi - lo, r = pw_divq32(-flo, fhi - flo);
            w = lo + pw_mulshift(span, r, 32);
            if (w <= lo) w = lo + 1;
            if (w >= hi) w = hi - 1;
        } else {
            w = lo + (hi - lo) / 2;
        }
        f = pw_excess(&hill, w);
        if (f <= 0) {
            if (f > -(length >> 12)) return w; /* near enough: the rest is cruised */
            lo = w;
            flo = f;
            if (side == 1) fhi /= 2;
            side = 1;
        } else {
            hi = w;
            fhi = f;
            if (side == -1) flo /= 2;
            side = -1;
        }
    }
    return lo;
}

int64_t pw_ramp_reserve(const struct pw_limits *lim, int64_t v)
{
    int64_t c = pw_mulshift(lim->accel, pw_divq32(lim->accel, lim->jerk), 32), dv = pw_div(v, 3) * 2, most;
    most = pw_ramp_length(lim, v, 0);
    if (dv > c) dv = pw_max64(c, v - c / 2);
    if (dv < v) most = pw_max64(most, pw_ramp_length(lim, v - dv, v));
    return most + (most >> 20) + 16;
}
