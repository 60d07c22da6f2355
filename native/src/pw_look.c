/* Look-ahead: from segments to ramps.
 *
 * 1. Constant acceleration, backward and forward, gives the highest squared speed V at each junction.  Where V meets a limit is a
 *    knot.  Any profile with |acceleration| <= a that respects the knots lies below V, and so respects everything else.
 * 2. Valleys are knots where the profile must slow down and may speed up again.  It passes them without acceleration.  Between
 *    two valleys the speed rises, cruises and falls.
 * 3. From each side of such an interval ramps climb as high as the knots under them allow; the last is ramp, cruise, ramp.
 * 4. What does not depend on the stop at the end of the window becomes final.
 *
 * It runs only when the window is full or a flush stands in it, so that the result does not depend on when it is called. */
#include "pw_math.h"
#include "pw_planner.h"

enum { PW_FINE = 6, PW_HUMP = 6 }; /* 2^-6: climbs (pl->fine) and humps below this share of the speed are not worth a ramp */

#define PW_FLAT_Q32 ((int64_t)85899346) /* 0.02 mm */

/* -- the junction rule over a length ------------------------------------------------------------------------------------------ */

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
        for (i = 0; i < 3; i++) sum[i] += pw_mulshift((int64_t)sg->d_nm[i] * 16, part, 32);
        have += pw_mulshift(len, part, 32);
        *length_q32 = have;
        if (have + 2 >= want) return 1;
        if (step > 0) {
            if ((sg->flags & (PW_SEG_FLUSH | PW_SEG_SHARP)) || sg->jcap2_q48 == 0) return n + 1 != end;
            if (++n == end) return 0;
        } else {
            /* older slots may have been reused, and how many depends on the generator */
            if (n == 0 || (int32_t)(pl->open - n) >= pl->cfg->window / 4) return 1;
            n--;
            if ((pw_seg_at(pl, n)->flags & PW_SEG_SHARP) || pw_seg_at(pl, n)->jcap2_q48 == 0) return 1;
        }
    }
}

static void pw_direction(int64_t v[3])
{
    int64_t big = 1;
    int i, sh;
    uint64_t sum = 0, n;
    for (i = 0; i < 3; i++) big = pw_max64(big, pw_abs64(v[i]));
    sh = pw_clz64((uint64_t)big) - 33; /* to just below 2^31 */
    for (i = 0; i < 3; i++) {
        v[i] = sh >= 0 ? v[i] * ((int64_t)1 << sh) : pw_asr(v[i], -sh);
        sum += (uint64_t)(v[i] * v[i]);
    }
    n = pw_isqrt64(sum);
    if (n == 0) n = 1;
    for (i = 0; i < 3; i++) v[i] = v[i] * ((int64_t)1 << 30) / (int64_t)n;
}

/* v^2 <= a l/2 tan(half the angle) over chords of at least curve_um on both sides.  Coordinates of 1 um make the angle of short
 * chords jitter, so where the bend is flat and the rule would bind, it is measured again over longer ones.  0: the window ends
 * before that. */
static int pw_curve(struct pw_planner *pl, uint32_t n, uint32_t end)
{
    struct pw_seg *sg = pw_seg_at(pl, n), *next = pw_seg_at(pl, n + 1);
    int64_t in[3], out[3], lin, lout, one = (int64_t)1 << 30, c, a, v2 = 0, want = pw_mulshift(pl->curve_nm, INT64_C(18446744073710), 32);
    int round;
    for (round = 0; round < 4; round++, want *= 2) {
        int64_t flat, tan_q32;
        int known = pw_chord(pl, n, end, -1, want, in, &lin) && pw_chord(pl, n + 1, end, 1, want, out, &lout);
        if (!known) {
            if (round == 0) return 0;
            break;
        }
        pw_direction(in);
        pw_direction(out);
        c = pw_asr(in[0] * out[0] + in[1] * out[1] + in[2] * out[2], 30);
        if (c > one) c = one;
        if (c < -one) c = -one;
        if (one - c < 256) return 1;
        a = pw_min64(sg->accel_q32, next->accel_q32);
        v2 = pw_square_q48(a, pw_min64(lin, lout) / 2);
        tan_q32 = pw_sqrt_q32(pw_divq32(one + c, one - c)); /* at most 2^45 */
        if (v2 <= 0 || tan_q32 <= 0 || pw_clz64((uint64_t)v2) + pw_clz64((uint64_t)tan_q32) <= 34) return 1;
        v2 = pw_mulshift(v2, tan_q32, 32);
        if (v2 >= sg->jcap2_q48) return 1;
        /* the junction lies l/2 / tan from the line between the ends */
        flat = pw_divq32(pw_min64(lin, lout) / 2, tan_q32);
        if (flat > PW_FLAT_Q32) break;
    }
    c = 64 - 7 - pw_clz64((uint64_t)v2 | 1);
    sg->jcap2_q48 = c > 0 ? v2 >> c << c : v2;
    return 1;
}

/* -- knots -------------------------------------------------------------------------------------------------------------------- */

static int64_t pw_seg_start(const struct pw_planner *pl, uint32_t n)
{
    return n == pl->open ? pl->plan_s_q32 : pw_seg_at(pl, n - 1)->end_q32;
}

/* Squared speeds at the ends of the segments [open, end), by constant acceleration, with a stop at `end`. */
static void pw_two_passes(struct pw_planner *pl, uint32_t end)
{
    uint32_t n;
    int64_t v2 = 0, first = pw_seg_at(pl, pl->open)->acc2_q48;
    struct pw_seg *sg = pw_seg_at(pl, pl->open);
    if (!(sg->flags & PW_SEG_DWELL)) first = pw_square_q48(2 * sg->accel_q32, pw_max64(sg->end_q32 - pl->plan_s_q32, 0));
    for (n = end; n != pl->open; n--) {
        sg = pw_seg_at(pl, n - 1);
        if (n == end) sg->v2_q48 = 0;
        else {
            struct pw_seg *next = pw_seg_at(pl, n);
            v2 = next->flags & PW_SEG_DWELL ? 0 : v2 + next->acc2_q48;
            v2 = pw_min64(v2, pw_min64(sg->jcap2_q48, pw_min64(sg->cap2_q48, next->cap2_q48)));
            sg->v2_q48 = v2;
        }
        v2 = sg->v2_q48;
    }
    v2 = pw_mulshift(pl->plan_v_q32, pl->plan_v_q32, 16);
    for (n = pl->open; n != end; n++) {
        sg = pw_seg_at(pl, n);
        v2 = sg->flags & PW_SEG_DWELL ? 0 : v2 + (n == pl->open ? first : sg->acc2_q48);
        if (v2 < sg->v2_q48) sg->v2_q48 = v2;
        v2 = sg->v2_q48;
    }
}

/* Knots of [open, end): the start, every junction where V meets its limit, the end with speed `u`.  Returns how many. */
static int32_t pw_gather(struct pw_planner *pl, uint32_t end, int64_t u)
{
    struct pw_knot *k = pl->knots;
    uint32_t n;
    int32_t count = 1;
    int64_t before2 = pw_mulshift(pl->plan_v_q32, pl->plan_v_q32, 16);
    k->s_q32 = pl->plan_s_q32;
    k->u_q32 = pl->plan_v_q32;
    k->over_q32 = 0;
    k->accel_q32 = INT64_MAX;
    k->dwell_q32 = 0;
    k->valley = 1;
    k++;
    k->over_q32 = INT64_MAX;
    k->accel_q32 = INT64_MAX;
    k->dwell_q32 = 0;
    for (n = pl->open; n != end; n++) {
        struct pw_seg *sg = pw_seg_at(pl, n);
        int64_t cap2 = sg->jcap2_q48;
        if (sg->flags & PW_SEG_DWELL) k->dwell_q32 = sg->acc2_q48;
        else {
            int64_t acc2 = sg->acc2_q48;
            k->accel_q32 = pw_min64(k->accel_q32, sg->accel_q32);
            if (n == pl->open) acc2 = pw_square_q48(2 * sg->accel_q32, pw_max64(sg->end_q32 - pl->plan_s_q32, 0));
            if (before2 + sg->v2_q48 + acc2 >= 2 * sg->cap2_q48) k->over_q32 = pw_min64(k->over_q32, sg->cruise_q32);
        }
        before2 = sg->v2_q48;
        if (n + 1 != end) {
            struct pw_seg *next = pw_seg_at(pl, n + 1);
            cap2 = pw_min64(cap2, pw_min64(sg->cap2_q48, next->cap2_q48));
            if (sg->v2_q48 < cap2) continue;
            k->u_q32 = pw_sqrt_q48(cap2);
        } else {
            k->u_q32 = u;
        }
        k->s_q32 = sg->end_q32;
        k->valley = 0;
        count++;
        if (n + 1 != end) {
            k++;
            k->over_q32 = INT64_MAX;
            k->accel_q32 = INT64_MAX;
            k->dwell_q32 = 0;
        }
    }
    return count;
}

static void pw_limits_between(const struct pw_planner *pl, int32_t a, int32_t b, struct pw_limits *lim)
{
    int32_t i;
    lim->jerk = pl->jerk_q32;
    lim->accel = INT64_MAX;
    for (i = a + 1; i <= b; i++) lim->accel = pw_min64(lim->accel, pl->knots[i].accel_q32);
    if (lim->accel > ((int64_t)1 << 40)) lim->accel = (int64_t)1 << 40; /* dwells alone */
}

/* Valleys: lowest places of the knots, and both sides of a hump that is worth climbing. */
static void pw_valleys(struct pw_planner *pl, int32_t count)
{
    struct pw_knot *k = pl->knots;
    int32_t i, falling = 0;
    k[0].valley = k[count - 1].valley = 1;
    for (i = 0; i < count; i++) k[i].slope = 0;
    for (i = 1; i < count; i++) {
        struct pw_limits lim;
        int64_t high = pw_max64(k[i - 1].u_q32, k[i].u_q32), w;
        if (k[i].u_q32 < k[i - 1].u_q32) falling = 1;
        if (k[i].u_q32 > k[i - 1].u_q32 && falling) {
            k[i - 1].valley = 1;
            falling = 0;
        }
        if (k[i].dwell_q32 > 0) {
            k[i - 1].valley = k[i].valley = 1;
            continue;
        }
        w = high + (high >> PW_HUMP) + 1;
        if (k[i].over_q32 < w || (k[i - 1].valley && k[i].valley)) continue;
        pw_limits_between(pl, i - 1, i, &lim);
        if (pw_ramp_length(&lim, k[i - 1].u_q32, w) + pw_ramp_length(&lim, k[i].u_q32, w) <= k[i].s_q32 - k[i - 1].s_q32)
            k[i - 1].valley = k[i].valley = 1;
    }
}

/* -- climbing ----------------------------------------------------------------------------------------------------------------- */

/* One end of an interval; dir +1 climbs towards higher knots, -1 towards lower ones. */
struct pw_climb {
    int32_t knot; /* the last one passed */
    int32_t dir;
    int64_t s_q32, u_q32;
};

/* Highest speed that a ramp from here may reach under the knots up to `last` (inclusive); *block is the knot that holds it. */
static int64_t pw_climb_limit(const struct pw_planner *pl, const struct pw_limits *lim, const struct pw_climb *c, int32_t last,
                              int64_t goal, int32_t *block)
{
    int64_t w = goal, high = goal;
    int32_t i, round;
    *block = -1;
    for (i = c->knot + c->dir; i != last + c->dir; i += c->dir) {
        const struct pw_knot *k = &pl->knots[i];
        if (k->u_q32 >= w) continue;
        if (k->u_q32 <= c->u_q32 + (c->u_q32 >> pl->fine)) {
            /* so near to the speed that only a ramp that begins behind it helps, unless it is far */
            if (pw_ramp_length_to(lim, c->u_q32, w, pw_max64(k->u_q32, c->u_q32)) >= pw_abs64(k->s_q32 - c->s_q32) &&
                k->u_q32 > c->u_q32)
                continue;
            *block = i;
            return pw_min64(w, pw_max64(k->u_q32, c->u_q32));
        }
        if (pw_ramp_length_to(lim, c->u_q32, w, k->u_q32) < pw_abs64(k->s_q32 - c->s_q32)) {
            high = w;
            w = k->u_q32;
            *block = i;
        }
    }
    if (*block < 0) return w;
    for (round = 0; round < 4 && high - w > (w >> 4); round++) { /* between the last that fits and the last that does not */
        int64_t mid = w + (high - w) / 2;
        int fits = 1;
        for (i = c->knot + c->dir; i != last + c->dir && fits; i += c->dir) {
            const struct pw_knot *k = &pl->knots[i];
            if (k->u_q32 < mid && pw_ramp_length_to(lim, c->u_q32, mid, pw_max64(k->u_q32, c->u_q32)) < pw_abs64(k->s_q32 - c->s_q32))
                fits = 0;
        }
        if (fits) w = mid;
        else high = mid;
    }
    return w;
}

/* Takes one ramp, or cruises to the knot in the way.  Returns 0 when neither is possible before `last`; *ramp is the ramp's
 * start speed, or -1 for a cruise. */
static int pw_climb_once(const struct pw_planner *pl, const struct pw_limits *lim, struct pw_climb *c, int32_t last, int64_t goal,
                         int64_t room_q32, int64_t *length_q32, int64_t *to_q32)
{
    int32_t block;
    int64_t w = pw_climb_limit(pl, lim, c, last, goal, &block), len;
    if (w > c->u_q32 && (block < 0 || w - c->u_q32 > (c->u_q32 >> pl->fine))) {
        len = pw_ramp_length(lim, c->u_q32, w);
        if (len > room_q32) return 0;
        *length_q32 = len;
        *to_q32 = w;
        c->u_q32 = w;
    } else {
        if (block < 0) return 0;
        len = pw_abs64(pl->knots[block].s_q32 - c->s_q32);
        if (len > room_q32) return 0;
        *length_q32 = len;
        *to_q32 = c->u_q32;
        c->knot = block;
    }
    c->s_q32 += c->dir > 0 ? len : -len;
    while (c->knot != last && (c->dir > 0 ? pl->knots[c->knot + 1].s_q32 <= c->s_q32 : pl->knots[c->knot - 1].s_q32 >= c->s_q32))
        c->knot += c->dir;
    return 1;
}

/* Can the speed of knot `to` be reached from knot `from` under the knots between? */
static int pw_reaches(const struct pw_planner *pl, int32_t from, int32_t to)
{
    struct pw_limits lim;
    struct pw_climb c;
    int64_t goal = pl->knots[to].u_q32, len, w;
    int32_t left = 4 * (from < to ? to - from : from - to) + 64;
    pw_limits_between(pl, from < to ? from : to, from < to ? to : from, &lim);
    c.knot = from;
    c.dir = from < to ? 1 : -1;
    c.s_q32 = pl->knots[from].s_q32;
    c.u_q32 = pl->knots[from].u_q32;
    while (c.u_q32 < goal) {
        if (left-- == 0) return 0;
        if (!pw_climb_once(pl, &lim, &c, to, goal, pw_abs64(pl->knots[to].s_q32 - c.s_q32), &len, &w)) return 0;
    }
    return 1;
}

/* Drops the valleys that the profile passes below.  Between such a valley and the side that does not reach it the profile stays
 * below the valley's speed as well, so the knots there are lowered to it: what is left rises to one top and falls.  0 when the
 * start speed itself can not be brought down. */
static int pw_settle(struct pw_planner *pl, int32_t count)
{
    struct pw_knot *k = pl->knots;
    int32_t at = count - 1, i, j;
    for (i = count - 2; i >= 0; i--) {
        if (!k[i].valley) continue;
        if (k[i].u_q32 <= k[at].u_q32 || pw_reaches(pl, at, i)) at = i;
        else if (i == 0) return 0;
        else {
            k[i].valley = 0;
            k[i].slope = -1;
            for (j = i + 1; j < at; j++) k[j].u_q32 = pw_min64(k[j].u_q32, k[i].u_q32);
        }
    }
    at = 0;
    for (i = 1; i < count; i++) {
        if (!k[i].valley) continue;
        if (k[i].u_q32 <= k[at].u_q32 || pw_reaches(pl, at, i)) at = i;
        else if (i == count - 1) return 0;
        else {
            k[i].valley = 0;
            k[i].slope = 1;
            for (j = i - 1; j > at; j--) k[j].u_q32 = pw_min64(k[j].u_q32, k[i].u_q32);
        }
    }
    return 1;
}

/* -- ramps -------------------------------------------------------------------------------------------------------------------- */

struct pw_out {
    uint32_t head;
    uint32_t base; /* the interval's first */
    int32_t room;
    int64_t s_q32;
};

static void pw_put(struct pw_planner *pl, struct pw_out *o, int64_t v0, int64_t v1, int64_t tj, int64_t ta, int64_t length)
{
    struct pw_ramp *r = pw_ramp_at(pl, o->head++);
    o->room--;
    o->s_q32 += length;
    r->v0_q32 = v0;
    r->v1_q32 = v1;
    r->tj_q32 = tj;
    r->ta_q32 = ta;
    r->length_q32 = length;
    r->end_q32 = o->s_q32;
}

static void pw_put_ramp(struct pw_planner *pl, struct pw_out *o, const struct pw_limits *lim, int64_t v0, int64_t v1)
{
    struct pw_shape s = pw_ramp_shape(lim, pw_abs64(v1 - v0));
    pw_put(pl, o, v0, v1, s.tj, s.ta, pw_mulshift(2 * s.tj + s.ta, v0 + v1, 33));
}

static void pw_put_cruise(struct pw_planner *pl, struct pw_out *o, int64_t v, int64_t length)
{
    if (length <= 0) return;
    if (o->head != o->base) {
        struct pw_ramp *r = pw_ramp_at(pl, o->head - 1);
        if (r->tj_q32 == 0 && r->v0_q32 == v && v > 0) { /* a cruise grows */
            r->length_q32 += length;
            r->end_q32 += length;
            o->s_q32 = r->end_q32;
            r->ta_q32 = pw_divq32(r->length_q32, v);
            return;
        }
    }
    pw_put(pl, o, v, v, 0, pw_divq32(length, pw_max64(v, 1)), length);
}

/* Ramp, cruise, ramp over exactly `length`, with the highest speed near w: durations first, then the speed that fits them. */
static void pw_put_top(struct pw_planner *pl, struct pw_out *o, const struct pw_limits *lim, int64_t v0, int64_t v1, int64_t w,
                       int64_t length)
{
    struct pw_shape up = pw_ramp_shape(lim, w - v0), down = pw_ramp_shape(lim, w - v1);
    int64_t tu = 2 * up.tj + up.ta, td = 2 * down.tj + down.ta, tc = 0, lu, ld, rest, sum;
    if (length <= 0) return;
    rest = length - pw_mulshift(tu, v0 + w, 33) - pw_mulshift(td, w + v1, 33);
    if (rest > 0) tc = pw_divq32(rest, pw_max64(w, 1)) + 1;
    sum = tu + 2 * tc + td;
    if (sum <= 0) sum = 1;
    rest = 2 * length - pw_mulshift(tu, v0, 32) - pw_mulshift(td, v1, 32);
    w = rest > 0 ? pw_min64(pw_divq32(rest, sum), w) : 0;
    lu = pw_mulshift(tu, v0 + w, 33);
    ld = pw_mulshift(td, w + v1, 33);
    if (lu > length) lu = length;
    if (tc == 0) ld = length - lu; /* the rounding lies in the last piece */
    else if (ld > length - lu) ld = length - lu;
    if (tu > 0) pw_put(pl, o, v0, w, up.tj, up.ta, lu);
    if (tc > 0) pw_put(pl, o, w, w, 0, tc, length - lu - ld);
    if (td > 0) pw_put(pl, o, w, v1, down.tj, down.ta, ld);
}

/* The knot between the two ends that ramp, cruise, ramp with top speed w would pass too fast, or -1. */
static int32_t pw_too_fast(const struct pw_planner *pl, const struct pw_limits *lim, const struct pw_climb *l,
                           const struct pw_climb *r, int64_t w)
{
    int32_t i;
    for (i = l->knot + 1; i < r->knot; i++) {
        const struct pw_knot *k = &pl->knots[i];
        if (k->u_q32 >= w) continue;
        if (k->u_q32 > l->u_q32 && pw_ramp_length_to(lim, l->u_q32, w, k->u_q32) >= k->s_q32 - l->s_q32) continue;
        if (k->u_q32 > r->u_q32 && pw_ramp_length_to(lim, r->u_q32, w, k->u_q32) >= r->s_q32 - k->s_q32) continue;
        return i;
    }
    return -1;
}

enum { PW_RIGHT = 48, PW_FITS = -1, PW_NO_ROOM = -2 };

/* The profile between the valleys a and b, no faster than cap; the left side climbs up to knot top[0], the right to top[1].  Ramps of the right side are found from its end, so they wait in
 * `right`.  PW_FITS, PW_NO_ROOM, or the number of the knot that is in the way. */
static int32_t pw_interval_below(struct pw_planner *pl, struct pw_out *o, const struct pw_limits *lim, int32_t a, int32_t b,
                                 const int32_t top[2], int64_t cap)
{
    struct { int64_t v0, v1, length; } right[PW_RIGHT];
    struct pw_knot *k = pl->knots;
    struct pw_climb l = {0, 1, 0, 0}, r = {0, -1, 0, 0};
    int64_t w, len, to, from;
    int32_t i, rights = 0, left = 2 * (b - a) + 96;
    l.knot = a;
    l.s_q32 = o->s_q32;
    l.u_q32 = k[a].u_q32;
    r.knot = b;
    r.s_q32 = k[b].s_q32;
    r.u_q32 = k[b].u_q32;
    for (;;) {
        struct pw_climb *c, keep;
        w = pw_ramp_peak(lim, l.u_q32, r.u_q32, r.s_q32 - l.s_q32, cap);
        i = pw_too_fast(pl, lim, &l, &r, w);
        if (i < 0) break;
        if (left-- == 0 || o->room - rights < 16 || rights == PW_RIGHT) return PW_NO_ROOM;
        c = i <= top[0] ? &l : &r;
        keep = *c;
        from = c->u_q32;
        if (!pw_climb_once(pl, lim, c, c == &l ? top[0] : top[1], pw_min64(cap, w), r.s_q32 - l.s_q32, &len, &to) ||
            pw_ramp_length(lim, l.u_q32, r.u_q32) > r.s_q32 - l.s_q32 + 64) {
            *c = keep;
            w = pw_max64(l.u_q32, r.u_q32);
            i = pw_too_fast(pl, lim, &l, &r, w);
            if (i >= 0) return i;
            break;
        }
        if (c == &r) {
            if (to == from && rights > 0 && right[rights - 1].v0 == to && right[rights - 1].v1 == to) {
                right[rights - 1].length += len;
            } else {
                right[rights].v0 = to;
                right[rights].v1 = from;
                right[rights++].length = len;
            }
        } else {
            if (to == from) pw_put_cruise(pl, o, to, len);
            else pw_put_ramp(pl, o, lim, from, to);
            l.s_q32 = o->s_q32;
        }
    }
    pw_put_top(pl, o, lim, l.u_q32, r.u_q32, w, r.s_q32 - l.s_q32);
    o->s_q32 = r.s_q32;
    while (rights-- > 0) {
        if (right[rights].v0 == right[rights].v1) pw_put_cruise(pl, o, right[rights].v0, right[rights].length);
        else pw_put_ramp(pl, o, lim, right[rights].v0, right[rights].v1);
    }
    return PW_FITS;
}

/* Where the profile between the valleys a and b is highest: at a knot, or between two where valleys on both sides were passed below.
 * Returns the speed allowed there. */
static int64_t pw_top(const struct pw_planner *pl, int32_t a, int32_t b, int32_t top[2])
{
    const struct pw_knot *k = pl->knots;
    int32_t lo = a, hi = b, i;
    for (i = a + 1; i < b; i++) {
        if (k[i].slope > 0) lo = i;
        if (k[i].slope < 0 && hi == b) hi = i;
    }
    if (hi == lo + 1) {
        top[0] = lo;
        top[1] = hi;
        return pw_max64(pw_min64(k[hi].over_q32, pl->top_q32), pw_max64(k[lo].u_q32, k[hi].u_q32));
    }
    for (top[0] = a, i = a; i <= b; i++)
        if (k[i].u_q32 > k[top[0]].u_q32) top[0] = i;
    top[1] = top[0];
    return k[top[0]].u_q32;
}

/* The same at the highest cap that is easily found: where both sides climbed so high that they do not meet, the knots are cut to
 * the one in the way.  At the speed of the faster end there is always a profile: pw_settle has found the climb. */
static int pw_interval(struct pw_planner *pl, struct pw_out *o, int32_t a, int32_t b)
{
    struct pw_limits lim;
    struct pw_knot *k = pl->knots;
    struct pw_out start;
    int64_t cap, ends = pw_max64(k[a].u_q32, k[b].u_q32);
    int32_t top[2], i, got, tries;
    o->base = o->head;
    start = *o;
    if (k[b].dwell_q32 > 0 && b == a + 1) {
        pw_put(pl, o, 0, 0, 0, k[b].dwell_q32, 0);
        return 1;
    }
    pw_limits_between(pl, a, b, &lim);
    cap = pw_top(pl, a, b, top);
    for (tries = 2 * (b - a) + 8; tries > 0; tries--) {
        got = pw_interval_below(pl, o, &lim, a, b, top, cap);
        if (got == PW_FITS) {
            o->s_q32 = k[b].s_q32; /* the ramps' lengths add up to it but for their rounding */
            if (o->head != pl->ramp_head) pw_ramp_at(pl, o->head - 1)->end_q32 = o->s_q32;
            return 1;
        }
        if (cap <= ends) return 0;
        *o = start;
        if (got == PW_NO_ROOM) cap = tries > 4 ? ends + (cap - ends) / 4 * 3 : ends;
        else cap = pw_min64(cap - 1, pw_max64(k[got].u_q32, ends));
        if (tries == 2) cap = ends;
        for (i = a + 1; i < b; i++) k[i].u_q32 = pw_min64(k[i].u_q32, cap);
        (void)pw_top(pl, a, b, top);
    }
    return 0;
}

/* Ramps from the final place to the end of segment `end` - 1, which is passed with speed u.  1: all of it; 0: as far as ramps may
 * be added; -1: impossible. */
static int pw_solve_finely(struct pw_planner *pl, uint32_t end, int64_t u, struct pw_out *o)
{
    int32_t count = pw_gather(pl, end, u), at = 0, i;
    o->head = pl->ramp_head;
    o->room = PW_PLAN_RAMPS_RUN;
    o->s_q32 = pl->plan_s_q32;
    pw_valleys(pl, count);
    if (!pw_settle(pl, count)) return -1;
    for (i = 1; i < count; i++) {
        if (!pl->knots[i].valley) continue;
        if (o->room < 32) return 0;
        if (!pw_interval(pl, o, at, i)) return at > 0 ? 0 : -1;
        at = i;
    }
    return 1;
}

static int pw_solve(struct pw_planner *pl, uint32_t end, int64_t u, struct pw_out *o)
{
    int got = -1;
    for (pl->fine = PW_FINE; pl->fine > 0 && got < 0; pl->fine -= 2) got = pw_solve_finely(pl, end, u, o);
    return got;
}

/* -- what is final ------------------------------------------------------------------------------------------------------------ */

/* Standing at s with speed v and no acceleration: can every known limit ahead, and any beyond the window, be honoured? */
static int pw_keeps_margin(const struct pw_planner *pl, uint32_t end, int64_t s, int64_t v)
{
    struct pw_limits lim;
    uint32_t n;
    int64_t v2 = pw_mulshift(v, v, 16);
    if (v == 0) return s < pw_seg_at(pl, end - 1)->end_q32; /* the stop at the end of the window is only its end */
    lim.jerk = pl->jerk_q32;
    lim.accel = (int64_t)1 << 40;
    for (n = pl->open; n != end; n++) {
        const struct pw_seg *sg = pw_seg_at(pl, n);
        int64_t limit2 = sg->jcap2_q48;
        if (sg->end_q32 < s) continue;
        if (sg->flags & PW_SEG_DWELL) return pw_ramp_length(&lim, v, 0) <= sg->end_q32 - s;
        lim.accel = pw_min64(lim.accel, sg->accel_q32);
        /* behind the first place whose limit is not known yet anything may come */
        if (n + 1 == end || !(sg->flags & PW_SEG_CURVE) || (pl->dense_q32 && end - n <= PW_DENSE)) return pw_ramp_reserve(&lim, v) <= sg->end_q32 - s;
        limit2 = pw_min64(limit2, pw_min64(sg->cap2_q48, pw_seg_at(pl, n + 1)->cap2_q48));
        if (limit2 < v2 && pw_ramp_length(&lim, v, pw_sqrt_q48(limit2)) > sg->end_q32 - s) return 0;
    }
    return 0;
}

/* The ramps up to number `head` become final; the last may be a cruise cut short at `s`. */
static void pw_publish(struct pw_planner *pl, uint32_t head, int64_t s, int64_t v, uint32_t end)
{
    uint32_t n, dwells = 0;
    for (n = pl->ramp_head; n != head; n++) {
        const struct pw_ramp *r = pw_ramp_at(pl, n);
        pl->final_q16 += 2 * r->tj_q32 + r->ta_q32;
        if (r->v0_q32 == 0 && r->v1_q32 == 0) dwells++;
    }
    pl->ramp_head = head;
    pl->plan_s_q32 = s;
    pl->plan_v_q32 = v;
    pl->plan_again = end;
    while (pl->open != end) {
        const struct pw_seg *sg = pw_seg_at(pl, pl->open);
        if (sg->flags & PW_SEG_DWELL) {
            if (dwells == 0) break;
            dwells--;
        } else if (sg->end_q32 > s) {
            break;
        }
        if (sg->flags & PW_SEG_FLUSH) pl->flushes--;
        pl->open++;
    }
    while (pl->mark_open != pl->mark_head && (int32_t)(pl->open - pl->mark_segs[pl->mark_open % pw_marks_size(pl->cfg)]) >= 0)
        pl->mark_open++;
}

/* Publishes up to the last place without acceleration that keeps a margin to the end of the window; 0 when there is none behind
 * `least`. */
static int pw_publish_margin(struct pw_planner *pl, const struct pw_out *o, uint32_t end, int64_t least)
{
    uint32_t n;
    for (n = o->head; n != pl->ramp_head; n--) {
        struct pw_ramp *r = pw_ramp_at(pl, n - 1);
        int64_t lo, hi = r->end_q32, mid;
        if (hi <= least) return 0;
        if (pw_keeps_margin(pl, end, hi, r->v1_q32)) {
            pw_publish(pl, n, hi, r->v1_q32, end);
            return 1;
        }
        if (r->tj_q32 > 0 || r->v0_q32 == 0 || r->v0_q32 != r->v1_q32) continue;
        lo = hi - r->length_q32; /* a cruise can be cut anywhere */
        if (lo < least) lo = least;
        if (!pw_keeps_margin(pl, end, lo, r->v0_q32)) continue;
        while (hi - lo > r->length_q32 >> 6) {
            mid = lo + (hi - lo) / 2;
            if (pw_keeps_margin(pl, end, mid, r->v0_q32)) lo = mid;
            else hi = mid;
        }
        if (lo == r->end_q32 - r->length_q32) continue;
        r->length_q32 -= r->end_q32 - lo;
        r->end_q32 = lo;
        r->ta_q32 = pw_divq32(r->length_q32, r->v0_q32);
        pw_publish(pl, n, lo, r->v0_q32, end);
        return 1;
    }
    return 0;
}

/* A place without acceleration a quarter of the window ahead, when nothing else can become final. */
static int pw_publish_forced(struct pw_planner *pl, struct pw_out *o, uint32_t end)
{
    uint32_t at = pl->open + (end - pl->open) / 4;
    const struct pw_seg *sg = pw_seg_at(pl, at);
    int64_t v = pw_sqrt_q48(sg->v2_q48);
    while (!pw_keeps_margin(pl, end, sg->end_q32, v)) v = v > 256 ? v / 4 * 3 : 0;
    if (pw_solve(pl, at + 1, v, o) != 1) return 0;
    pl->forced++;
    pw_publish(pl, o->head, sg->end_q32, v, end);
    return 1;
}

/* Braking at once, when none of the ways above has a profile.  Counted as broken when a limit known by now is passed too fast, or
 * when the stop lies behind the window. */
static void pw_publish_stop(struct pw_planner *pl, struct pw_out *o, uint32_t end)
{
    struct pw_limits lim;
    uint32_t n;
    int64_t stop = pl->plan_s_q32;
    int broken = 0;
    lim.jerk = pl->jerk_q32;
    lim.accel = (int64_t)1 << 40;
    for (n = pl->open; n != end; n++) { /* as far as the stop reaches with the lowest acceleration on the way */
        const struct pw_seg *sg = pw_seg_at(pl, n);
        if (sg->flags & PW_SEG_DWELL) break;
        lim.accel = pw_min64(lim.accel, sg->accel_q32);
        stop = pl->plan_s_q32 + pw_ramp_length(&lim, 0, pl->plan_v_q32);
        if (stop <= sg->end_q32) break;
    }
    if (n == end || (pw_seg_at(pl, n)->flags & PW_SEG_DWELL)) broken = 1;
    end = n + (n != end);
    for (n = pl->open; n != end; n++) {
        const struct pw_seg *sg = pw_seg_at(pl, n);
        int64_t u = pw_sqrt_q48(n + 1 != pl->head ? pw_min64(sg->jcap2_q48, pw_seg_at(pl, n + 1)->cap2_q48) : sg->jcap2_q48);
        if (sg->end_q32 < stop && u < pl->plan_v_q32 && pw_ramp_length_to(&lim, 0, pl->plan_v_q32, u) + 64 < stop - sg->end_q32) broken = 1;
    }
    o->head = pl->ramp_head;
    o->room = PW_PLAN_RAMPS_RUN;
    o->s_q32 = pl->plan_s_q32;
    pw_put_ramp(pl, o, &lim, pl->plan_v_q32, 0);
    stop = pw_seg_at(pl, pl->head - 1)->end_q32;
    if (o->s_q32 > stop) { /* no path is left: whatever it takes */
        o->head = pl->ramp_head;
        o->s_q32 = pl->plan_s_q32;
        pw_put(pl, o, pl->plan_v_q32, 0, pw_divq32(pw_max64(stop - pl->plan_s_q32, 1), pl->plan_v_q32), 0, stop - pl->plan_s_q32);
        end = pl->head;
    }
    if (broken) pl->broken++;
    else pl->forced++;
    pw_publish(pl, o->head, o->s_q32, 0, end);
}

int32_t pw_look(struct pw_planner *pl)
{
    struct pw_out o;
    uint32_t end = pl->head, n;
    int32_t got;
    int64_t least;
    if (pl->head == pl->open || PW_PLAN_RAMPS - (pl->ramp_head - pl->ramp_tail) < PW_PLAN_RAMPS_RUN) return 0;
    if (pl->flushes > 0) {
        for (end = pl->open; !(pw_seg_at(pl, end)->flags & PW_SEG_FLUSH); end++) {}
        end++;
    } else if (!pw_must_look(pl)) {
        return 0;
    }
    for (n = pl->open; n + 1 != end; n++) {
        struct pw_seg *sg = pw_seg_at(pl, n);
        if (!(sg->flags & PW_SEG_CURVE) && pw_curve(pl, n, end)) sg->flags |= PW_SEG_CURVE;
    }
    pw_two_passes(pl, end);
    got = pw_solve(pl, end, 0, &o);
    if (got == 1 && pl->flushes > 0) {
        pw_publish(pl, o.head, o.s_q32, 0, end);
        return 1;
    }
    least = pw_seg_start(pl, pl->open + (end - pl->open) / 8);
    if (got >= 0 && pw_publish_margin(pl, &o, end, least)) return 1;
    if (end - pl->open > 8 && pw_publish_forced(pl, &o, end)) return 1;
    if (got == 0 && pw_publish_margin(pl, &o, end, pl->plan_s_q32)) return 1;
    if ((got = pw_solve(pl, end, 0, &o)) == 1) { /* stop at the end of the window */
        pw_publish(pl, o.head, o.s_q32, 0, end);
        return 1;
    }
    n = pl->plan_again;
    if (n - pl->open < end - pl->open && n != pl->open) { /* the stop that was possible when the place became final */
        pw_two_passes(pl, n);
        if (pw_solve(pl, n, 0, &o) == 1) {
            pw_publish(pl, o.head, o.s_q32, 0, n);
            return 1;
        }
    }
    if (pl->plan_v_q32 > 0) {
        pw_publish_stop(pl, &o, end);
        return 1;
    }
    end = pl->open + 1; /* standing: one line from stop to stop is two ramps and a cruise */
    pw_two_passes(pl, end);
    pl->forced++;
    if (pw_solve(pl, end, 0, &o) != 1) return PW_E_ASSERT;
    pw_publish(pl, o.head, o.s_q32, 0, end);
    return 1;
}
