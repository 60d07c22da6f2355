/* The junction rule over a length: curves that are cut into many small turns. */
#include "pw_look.h"
#include "pw_math.h"

#define PW_FLAT_Q32 ((int64_t)85899346) /* 0.02 mm */

/* Direction of the path over the length `want` from a junction, forward or backward, but not around a sharp corner (the junction
 * rule is enough there); 0 when the window ends before that. */
static int pw_chord(const struct pw_planner *pl, uint32_t at, uint32_t end, int step, int64_t want, int64_t sum[3], int64_t *length_q32)
{
    int64_t have = 0;
    uint32_t n = at;
    int i;
    sum[0] = sum[1] = sum[2] = 0;
    for (;;) {
        const struct pw_seg *sg = pw_seg_at(pl, n);
        int64_t len = sg->end_q32 - (n ? pw_seg_at(pl, n - 1)->end_q32 : 0), part = (int64_t)1 << 32;
        if (have > 0 && len > want - have) part = pw_divq32(want - have, len);
        if (part >> 32) {
            for (i = 0; i < 3; i++) sum[i] += (int64_t)sg->d_nm[i] * 16;
            have += len;
        } else {
            for (i = 0; i < 3; i++) sum[i] += pw_mulshift((int64_t)sg->d_nm[i] * 16, part, 32);
            have += pw_mulshift(len, part, 32);
        }
        *length_q32 = have;
        if (have + 2 >= want) return 1;
        if (step > 0) {
            if (sg->flags & PW_SEG_FLUSH) return 1;
            if ((sg->flags & PW_SEG_SHARP) || sg->jcap == 0) return n + 1 != end;
            if (++n == end) return 0;
        } else {
            /* older slots may have been reused, and how many depends on the generator */
            if (n == 0 || (int32_t)(pl->open - n) >= pl->cfg->window / PW_BACK) return 1;
            n--;
            if ((pw_seg_at(pl, n)->flags & PW_SEG_SHARP) || pw_seg_at(pl, n)->jcap == 0) return 1;
        }
    }
}

static void pw_direction(int64_t v[3])
{
    int64_t big = 1;
    int i, sh;
    uint64_t sum = 0, n;
    pw_divisor_t by;
    for (i = 0; i < 3; i++) big = pw_max64(big, pw_abs64(v[i]));
    sh = pw_clz64((uint64_t)big) - 33; /* to just below 2^31 */
    for (i = 0; i < 3; i++) {
        v[i] = sh >= 0 ? v[i] * ((int64_t)1 << sh) : pw_asr(v[i], -sh);
        sum += (uint64_t)(v[i] * v[i]);
    }
    n = pw_isqrt64(sum);
    if (n == 0) n = 1;
    by = pw_by((int64_t)n);
    for (i = 0; i < 3; i++)
        if (v[i]) v[i] = pw_div_by(v[i] * ((int64_t)1 << 30), &by);
}

/* To 14 bits and sign, rounded towards zero. */
static void pw_short(const int64_t v[3], int32_t out[3])
{
    int64_t big = 1;
    int i, sh;
    for (i = 0; i < 3; i++) big |= pw_abs64(v[i]);
    sh = 50 - pw_clz64((uint64_t)big);
    for (i = 0; i < 3; i++) {
        int64_t part = pw_abs64(v[i]);
        part = sh >= 0 ? part >> sh : part << -sh;
        out[i] = (int32_t)(v[i] < 0 ? -part : part);
    }
}

/* Is the bend so flat that the rule cannot bind, whatever its rounding?  tan(half the turn) <= sin(turn) <= |in x out| / in.out, so the rule's v^2 is at
 * least a l/2 times the reciprocal of that, where the turn is below 90 degrees; a factor of two and the rounding of the vectors are left as a margin. */
static int pw_straight(const int64_t in[3], const int64_t out[3], int64_t reach2, int64_t cap)
{
    int32_t a[3], b[3], cross, dot;
    int sh = 33 - pw_clz64((uint64_t)(reach2 | cap));
    pw_short(in, a);
    pw_short(out, b);
    dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] - (6 << 14); /* below 2^30, each product is below 2^28 */
    if (dot <= 0 || reach2 < 0) return 0;
    cross = (int32_t)(pw_abs64(a[0] * b[1] - a[1] * b[0]) + pw_abs64(a[1] * b[2] - a[2] * b[1]) + pw_abs64(a[2] * b[0] - a[0] * b[2])); /* below 2^31 */
    if (cross > INT32_MAX - (12 << 14)) return 0;
    if (sh < 0) sh = 0;
    return pw_umul64((uint32_t)(cap >> sh) + 1, (uint32_t)(cross + (12 << 14))) <= pw_umul64((uint32_t)(reach2 >> sh), (uint32_t)dot) >> 1;
}

/* v^2 <= a l/2 tan(half the angle) over chords of at least curve_um on both sides.  Coordinates of 1 um make the angle of short
 * chords jitter, so where the bend is flat and the rule would bind, it is measured again over longer ones.  0: the window ends
 * before that. */
int pw_curve(struct pw_planner *pl, uint32_t n, uint32_t end)
{
    struct pw_seg *sg = pw_seg_at(pl, n), *next = pw_seg_at(pl, n + 1);
    int64_t in[3], out[3], lin, lout, one = (int64_t)1 << 30, c, a, v2 = 0, want = pw_mulshift(pl->curve_nm, INT64_C(18446744073710), 32);
    int round;
    const int64_t cap = pw_min64(pw_unpack_v2(sg->jcap), pw_both_cap2(pl, sg, next));
    for (round = 0; round < 4; round++, want *= 2) {
        int64_t flat, tan_q32;
        int known = pw_chord(pl, n, end, -1, want, in, &lin) && pw_chord(pl, n + 1, end, 1, want, out, &lout);
        if (!known) {
            if (round == 0) return 0;
            break;
        }
        a = pw_accel(pl, sg->accel_um_s2 < next->accel_um_s2 ? sg->accel_um_s2 : next->accel_um_s2);
        v2 = pw_square_q48(a, pw_min64(lin, lout) / 2);
        if (pw_straight(in, out, v2, cap)) return 1;
        pw_direction(in);
        pw_direction(out);
        c = pw_asr(in[0] * out[0] + in[1] * out[1] + in[2] * out[2], 30);
        if (c > one) c = one;
        if (c < -one) c = -one;
        if (one - c < 256) return 1;
        tan_q32 = pw_sqrt_q32(pw_divq32(one + c, one - c)); /* at most 2^45 */
        if (v2 <= 0 || tan_q32 <= 0 || pw_clz64((uint64_t)v2) + pw_clz64((uint64_t)tan_q32) <= 34) return 1;
        v2 = pw_mulshift(v2, tan_q32, 32);
        if (v2 >= cap) return 1;
        /* the junction lies l/2 / tan from the line between the ends */
        flat = pw_divq32(pw_min64(lin, lout) / 2, tan_q32);
        if (flat > PW_FLAT_Q32) break;
    }
    c = 64 - 7 - pw_clz64((uint64_t)v2 | 1);
    sg->jcap = pw_pack_v2(c > 0 ? v2 >> c << c : v2);
    return 1;
}
