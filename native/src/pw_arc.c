/* Arcs in the planes XY, ZX and YZ, cut into chords; a and b are the plane's axes, the third goes along as a helix.  Each point is computed from the angle at the start, never from the point before. */
#include "pw_front.h"
#include "pw_kin.h"

#define PW_TURN ((int64_t)1 << 62)
#define PW_RADIUS_MAX INT64_C(10000000000) /* 10 m in nm, below 2^34 */
enum { PW_RADII_NM = 50000, PW_TOUCH_NM = 1000, PW_PIECES_MAX = 1 << 20 };

/* Length of a vector below 2^35 nm; above 2^31 to a few nm. */
static int64_t pw_hypot(int64_t x, int64_t y)
{
    int sh = 33 - pw_clz64((uint64_t)(pw_abs64(x) | pw_abs64(y)));
    if (sh < 0) sh = 0;
    x = pw_abs64(x) >> sh;
    y = pw_abs64(y) >> sh;
    return (int64_t)pw_isqrt64((uint64_t)(x * x) + (uint64_t)(y * y)) << sh;
}

/* sqrt(a b) for 0 <= a, b < 2^35 */
static int64_t pw_mean(int64_t a, int64_t b)
{
    if ((uint64_t)a < (uint64_t)1 << 31 && (uint64_t)b < (uint64_t)1 << 31) return (int64_t)pw_isqrt64((uint64_t)a * (uint64_t)b);
    return (int64_t)pw_isqrt64((uint64_t)pw_mulshift(a, b, 8)) << 4;
}

/* Centre from R: on the left of the chord for a short counter-clockwise arc. */
static int32_t pw_center_r(int64_t radius, int32_t clockwise, const int64_t from[2], const int64_t to[2], int64_t c[2])
{
    int64_t dx = to[0] - from[0], dy = to[1] - from[1], d = pw_hypot(dx, dy), r = pw_abs64(radius), h = 0;
    if (d == 0 || r > PW_RADIUS_MAX || d > 2 * PW_RADIUS_MAX) return PW_E_ARC;
    if (2 * r > d) h = pw_mean(2 * r - d, 2 * r + d) / 2;
    else if (d - 2 * r > pw_max64(2 * PW_RADII_NM, d / 1000)) return PW_E_ARC;
    if ((radius < 0) != (clockwise != 0)) h = -h;
    /* dx, dy, d, h below 2^36: by Q24 quotients, 2 nm at 10 m */
    c[0] = from[0] + dx / 2 - pw_mulshift(pw_sdivq32(dy, d), h, 32);
    c[1] = from[1] + dy / 2 + pw_mulshift(pw_sdivq32(dx, d), h, 32);
    return PW_OK;
}

/* Does the arc pass the direction `angle`? */
static int pw_passes(int64_t start, int64_t sweep, int64_t angle)
{
    int64_t way = (sweep > 0 ? angle - start : start - angle) & (PW_TURN - 1);
    return way <= pw_abs64(sweep);
}

static int32_t pw_arc_volume(const struct pw_front *f, const int32_t plane[3], const int64_t c[2], int64_t radius, int64_t start, int64_t sweep)
{
    int i;
    for (i = 0; i < 2; i++) {
        int64_t quarter = (int64_t)i << 60, hi = f->guard.hi_nm[plane[i]] + PW_TOUCH_NM, lo = f->guard.lo_nm[plane[i]] - PW_TOUCH_NM;
        if (pw_passes(start, sweep, quarter) && c[i] + radius > hi) return PW_E_VOLUME;
        if (pw_passes(start, sweep, quarter + PW_TURN / 2) && c[i] - radius < lo) return PW_E_VOLUME;
    }
    return PW_OK;
}

int32_t pw_arc_solve(struct pw_front *f, int32_t clockwise, const int64_t from_xyz[4], const int64_t to_xyz[4], struct pw_travel *tr,
                     int64_t *length_nm)
{
    static const uint8_t planes[3][3] = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}}; /* G17 XY, G18 ZX, G19 YZ: right-handed */
    uint32_t words = f->text.words, offsets = words & (pw_bit(PW_LETTER_I) | pw_bit(PW_LETTER_J) | pw_bit(PW_LETTER_K));
    int64_t from[2], to[2], c[2], v, r0, r1, start, end, sweep, step, n, ab[2];
    int32_t i, err;
    for (i = 0; i < 3; i++) tr->plane[i] = planes[f->modal.plane - 17][i];
    for (i = 0; i < 2; i++) {
        from[i] = from_xyz[tr->plane[i]];
        to[i] = to_xyz[tr->plane[i]];
    }
    if ((offsets != 0) == ((words & pw_bit(PW_LETTER_R)) != 0)) return pw_fail_at(f, -1, PW_E_ARC);
    if (offsets) {
        for (i = 0; i < 2; i++) {
            int32_t letter = PW_LETTER_I + tr->plane[i];
            v = 0;
            if ((words & pw_bit(letter)) && pw_word_nm(f, letter, &v)) return pw_fail_at(f, letter, PW_E_NUMBER);
            if (pw_abs64(v) > PW_RADIUS_MAX) return pw_fail_at(f, letter, PW_E_ARC);
            c[i] = from[i] + v;
        }
    } else {
        if (pw_word_nm(f, PW_LETTER_R, &v)) return pw_fail_at(f, PW_LETTER_R, PW_E_NUMBER);
        if ((err = pw_center_r(v, clockwise, from, to, c))) return pw_fail_at(f, PW_LETTER_R, err);
    }
    for (i = 0; i < 2; i++) tr->center_nm[i] = c[i];
    tr->radius_nm[0] = from[0] - c[0];
    tr->radius_nm[1] = from[1] - c[1];
    r0 = pw_hypot(from[0] - c[0], from[1] - c[1]);
    r1 = pw_hypot(to[0] - c[0], to[1] - c[1]);
    if (r0 == 0 || r1 == 0 || r0 > PW_RADIUS_MAX || pw_abs64(r0 - r1) > pw_max64(PW_RADII_NM, r0 / 1000)) return pw_fail_at(f, -1, PW_E_ARC);
    start = pw_angle_q62(from[0] - c[0], from[1] - c[1]);
    if (from[0] == to[0] && from[1] == to[1]) {
        sweep = PW_TURN;
    } else {
        end = pw_angle_q62(to[0] - c[0], to[1] - c[1]);
        sweep = (clockwise ? start - end : end - start) & (PW_TURN - 1);
    }
    tr->sweep_q62 = clockwise ? -sweep : sweep;
    if (pw_arc_volume(f, tr->plane, c, pw_max64(r0, r1), start, tr->sweep_q62)) return pw_fail_at(f, -1, PW_E_VOLUME);
    *length_nm = pw_mulshift(r0, pw_mulshift(sweep, 1686629713, 32), 58); /* 2 pi in Q28 */
    /* angle of a chord: r angle^2 / 8 is its error, at most; at most an eighth of a turn */
    step = pw_sqrt_q32(pw_divq32(8 * f->guard.chord_nm, r0));  /* rad, Q32; r0 >= 1 nm: below 2^24 * 2^32 */
    step = pw_mulshift(step, 683565275, 32);                  /* turns, Q32: 2^32 / (2 pi) */
    step = pw_max64(pw_min64(step, (int64_t)1 << 29), 1);
    n = (sweep >> 30) / step + 1;
    tr->n = (int32_t)pw_min64(n, PW_PIECES_MAX);
    tr->miss_nm[0] = tr->miss_nm[1] = 0;
    pw_arc_point(tr, tr->n, ab);
    for (i = 0; i < 2; i++) tr->miss_nm[i] = to[i] - ab[i];
    if (*length_nm == 0) *length_nm = 1;
    return PW_OK;
}

/* Does the arc stay on the bed's disc, and within reach?  Its ends do.  In XY it is farthest from the middle of the bed behind its own
 * centre; in the other planes every chord is looked at.  Reach is seen to by the configuration, but in the second context: there all
 * corners of its circle have to be. */
int32_t pw_arc_reach(const struct pw_front *f, const struct pw_travel *tr, const int64_t from_nm[3], const int64_t to_nm[3])
{
    const int64_t *c = tr->center_nm;
    int64_t bed = f->kin ? f->kin->radius_nm : 0, at[3], radius, start;
    int32_t i, k, err = PW_OK;
    int32_t high = f->kin && pw_kin_high(f->kin, pw_max64(from_nm[2], to_nm[2]));
    if (!bed && !f->side && !high) return PW_OK;
    if (tr->plane[2] != 2 || high) {
        for (k = 1; k < tr->n && !err; k++) {
            int64_t ab[2], d = to_nm[tr->plane[2]] - from_nm[tr->plane[2]];
            pw_arc_point(tr, k, ab);
            for (i = 0; i < 2; i++) at[tr->plane[i]] = ab[i];
            at[tr->plane[2]] = from_nm[tr->plane[2]] + d / tr->n * k + d % tr->n * k / tr->n;
            err = pw_reachable(f, at);
        }
        return err;
    }
    radius = pw_hypot(tr->radius_nm[0], tr->radius_nm[1]);
    radius = pw_max64(radius, pw_hypot(to_nm[0] - c[0], to_nm[1] - c[1]));
    start = pw_angle_q62(tr->radius_nm[0], tr->radius_nm[1]);
    if (bed && pw_hypot(c[0], c[1]) + radius > bed + PW_TOUCH_NM &&
        ((c[0] == 0 && c[1] == 0) || pw_passes(start, tr->sweep_q62, pw_angle_q62(c[0], c[1])))) return PW_E_VOLUME;
    if (!f->side) return PW_OK;
    at[2] = to_nm[2];
    for (i = 0; i < 4 && !err; i++) {
        at[0] = c[0] + (i & 1 ? radius : -radius);
        at[1] = c[1] + (i & 2 ? radius : -radius);
        err = pw_reachable(f, at);
    }
    return err;
}

void pw_arc_point(const struct pw_travel *tr, int32_t k, int64_t ab[2])
{
    int64_t angle = tr->sweep_q62 / tr->n * k + tr->sweep_q62 % tr->n * k / tr->n, c, s;
    int64_t x = tr->radius_nm[0], y = tr->radius_nm[1];
    pw_cos_sin_q60(angle, &c, &s);
    ab[0] = tr->center_nm[0] + pw_mulshift(x, c, 60) - pw_mulshift(y, s, 60) + tr->miss_nm[0] * k / tr->n;
    ab[1] = tr->center_nm[1] + pw_mulshift(x, s, 60) + pw_mulshift(y, c, 60) + tr->miss_nm[1] * k / tr->n;
}
