/* The profile between two valleys, as ramps. */
#include "pw_look.h"

void pw_put(struct pw_planner *pl, struct pw_out *o, int64_t v1, int64_t tj, int64_t ta, int64_t length)
{
    struct pw_ramp *r = pw_ramp_at(pl, o->head++);
    o->room--;
    o->s_q32 += length;
    o->v_q32 = v1;
    r->v1_q32 = v1;
    r->tj_q32 = tj;
    r->ta_q32 = ta;
    r->end_q32 = o->s_q32;
}

void pw_put_ramp(struct pw_planner *pl, struct pw_out *o, const struct pw_limits *lim, int64_t v1)
{
    struct pw_shape s = pw_ramp_shape(lim, pw_abs64(v1 - o->v_q32));
    pw_put(pl, o, v1, s.tj, s.ta, pw_mulshift(2 * s.tj + s.ta, o->v_q32 + v1, 33));
}

static void pw_put_cruise(struct pw_planner *pl, struct pw_out *o, int64_t length)
{
    int64_t v = o->v_q32;
    if (length <= 0) return;
    if (o->head != o->base) {
        struct pw_ramp *r = pw_ramp_at(pl, o->head - 1);
        if (r->tj_q32 == 0 && v > 0) { /* a cruise grows */
            int64_t start = o->head - 1 == o->base ? o->base_s_q32 : pw_ramp_at(pl, o->head - 2)->end_q32;
            o->s_q32 = r->end_q32 += length;
            r->ta_q32 = pw_divq32(r->end_q32 - start, v);
            return;
        }
    }
    pw_put(pl, o, v, 0, pw_divq32(length, pw_max64(v, 1)), length);
}

/* Ramp, cruise, ramp over exactly `length`, with the highest speed near w: durations first, then the speed that fits them. */
static void pw_put_top(struct pw_planner *pl, struct pw_out *o, const struct pw_limits *lim, int64_t v1, int64_t w, int64_t length)
{
    const int64_t v0 = o->v_q32;
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
    if (tu > 0) pw_put(pl, o, w, up.tj, up.ta, lu);
    if (tc > 0) pw_put(pl, o, w, 0, tc, length - lu - ld);
    if (td > 0) pw_put(pl, o, v1, down.tj, down.ta, ld);
}

/* The knot between the two ends that ramp, cruise, ramp with top speed w would pass too fast, or -1. */
static int32_t pw_too_fast(const struct pw_planner *pl, const struct pw_limits *lim, const struct pw_climb *l,
                           const struct pw_climb *r, int64_t w)
{
    int32_t i;
    for (i = l->knot + 1; i < r->knot; i++) {
        const struct pw_knot *k = &pl->knots[i];
        if (k->u_q32 >= w) continue;
        if (k->u_q32 > l->u_q32 && pw_ramp_length_to(lim, l->u_q32, w, k->u_q32) >= pw_knot_s(pl, i) - l->s_q32) continue;
        if (k->u_q32 > r->u_q32 && pw_ramp_length_to(lim, r->u_q32, w, k->u_q32) >= r->s_q32 - pw_knot_s(pl, i)) continue;
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
    r.s_q32 = pw_knot_s(pl, b);
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
            if (to == from) pw_put_cruise(pl, o, len);
            else pw_put_ramp(pl, o, lim, to);
            l.s_q32 = o->s_q32;
        }
    }
    pw_put_top(pl, o, lim, r.u_q32, w, r.s_q32 - l.s_q32);
    o->s_q32 = r.s_q32;
    while (rights-- > 0) {
        if (right[rights].v0 == right[rights].v1) pw_put_cruise(pl, o, right[rights].length);
        else pw_put_ramp(pl, o, lim, right[rights].v1);
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
        return pw_max64(pw_min64(pw_knot_over(pl, hi), pl->top_q32), pw_max64(k[lo].u_q32, k[hi].u_q32));
    }
    for (top[0] = a, i = a; i <= b; i++)
        if (k[i].u_q32 > k[top[0]].u_q32) top[0] = i;
    top[1] = top[0];
    return k[top[0]].u_q32;
}

/* The top speed at which a share of the way between the valleys cruises (spec motion 4): short moves back and forth shake the machine less.
 * Where the window ends the true way is not known, and longer. */
static int64_t pw_cruising(const struct pw_planner *pl, const struct pw_limits *lim, int32_t a, int32_t b, int64_t cap)
{
    int64_t way = pw_knot_s(pl, b) - pw_knot_s(pl, a);
    if (pl->cfg->min_cruise_permille == 0 || (b == pl->look.count - 1 && !pl->look.flush)) return cap;
    return pw_ramp_peak(lim, pl->knots[a].u_q32, pl->knots[b].u_q32, way / 1000 * (1000 - pl->cfg->min_cruise_permille), cap);
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
    o->base_s_q32 = o->s_q32;
    start = *o;
    if (pw_knot_dwell(pl, b) > 0 && b == a + 1) {
        pw_put(pl, o, 0, 0, pw_knot_dwell(pl, b), 0);
        return 1;
    }
    pw_limits_between(pl, a, b, &lim);
    cap = pw_cruising(pl, &lim, a, b, pw_top(pl, a, b, top));
    for (tries = 2 * (b - a) + 8; tries > 0; tries--) {
        got = pw_interval_below(pl, o, &lim, a, b, top, cap);
        if (got == PW_FITS) {
            o->s_q32 = pw_knot_s(pl, b); /* the ramps' lengths add up to it but for their rounding */
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

int pw_profile(struct pw_planner *pl, int32_t work)
{
    struct pw_looking *lk = &pl->look;
    struct pw_out *o = &lk->out;
    if (lk->i == 0) {
        o->head = pl->ramp_head;
        o->room = pw_ramps_room(pl);
        o->s_q32 = pl->plan_s_q32;
        o->v_q32 = pl->plan_v_q32;
        lk->at = 0;
    }
    while (lk->i < lk->count - 1) {
        if (!pl->knots[++lk->i].valley) continue;
        if (o->room < (int32_t)pl->ramps_size - PW_RAMPS_MOST) {
            lk->i--;
            return 3;
        }
        if (!pw_interval(pl, o, lk->at, lk->i)) return lk->at > 0 ? 0 : -1;
        lk->at = lk->i;
        if (--work == 0) return lk->i == lk->count - 1 ? 1 : 2;
    }
    return 1;
}
