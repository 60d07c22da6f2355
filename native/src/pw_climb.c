/* One side of an interval between valleys: ramps up to the next limit; which valleys can be reached at all. */
#include "pw_look.h"

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
            if (pw_ramp_length_to(lim, c->u_q32, w, pw_max64(k->u_q32, c->u_q32)) >= pw_abs64(pw_knot_s(pl, i) - c->s_q32) &&
                k->u_q32 > c->u_q32)
                continue;
            *block = i;
            return pw_min64(w, pw_max64(k->u_q32, c->u_q32));
        }
        if (pw_ramp_length_to(lim, c->u_q32, w, k->u_q32) < pw_abs64(pw_knot_s(pl, i) - c->s_q32)) {
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
            if (k->u_q32 < mid && pw_ramp_length_to(lim, c->u_q32, mid, pw_max64(k->u_q32, c->u_q32)) < pw_abs64(pw_knot_s(pl, i) - c->s_q32))
                fits = 0;
        }
        if (fits) w = mid;
        else high = mid;
    }
    return w;
}

/* Takes one ramp, or cruises to the knot in the way.  Returns 0 when neither is possible before `last`; *ramp is the ramp's
 * start speed, or -1 for a cruise. */
int pw_climb_once(const struct pw_planner *pl, const struct pw_limits *lim, struct pw_climb *c, int32_t last, int64_t goal,
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
        len = pw_abs64(pw_knot_s(pl, block) - c->s_q32);
        if (len > room_q32) return 0;
        *length_q32 = len;
        *to_q32 = c->u_q32;
        c->knot = block;
    }
    c->s_q32 += c->dir > 0 ? len : -len;
    while (c->knot != last && (c->dir > 0 ? pw_knot_s(pl, c->knot + 1) <= c->s_q32 : pw_knot_s(pl, c->knot - 1) >= c->s_q32))
        c->knot += c->dir;
    return 1;
}

/* Can the speed of knot `to` be reached from knot `from` under the knots between? */
static int pw_reaches(struct pw_planner *pl, int32_t from, int32_t to)
{
    struct pw_limits lim;
    struct pw_climb c;
    int64_t goal = pl->knots[to].u_q32, len, w;
    int32_t left = 4 * (from < to ? to - from : from - to) + 64;
    pw_limits_between(pl, from < to ? from : to, from < to ? to : from, &lim);
    c.knot = from;
    c.dir = from < to ? 1 : -1;
    c.s_q32 = pw_knot_s(pl, from);
    c.u_q32 = pl->knots[from].u_q32;
    while (c.u_q32 < goal) {
        if (left-- == 0) return 0;
        if (!pw_climb_once(pl, &lim, &c, to, goal, pw_abs64(pw_knot_s(pl, to) - c.s_q32), &len, &w)) return 0;
    }
    return 1;
}

/* Between a valley that the profile passes below and the side that does not reach it the profile stays below the valley's speed as
 * well, so the knots there are lowered to it: what is left rises to one top and falls. */
static int pw_keep_valley(struct pw_planner *pl, int32_t i, int32_t step)
{
    struct pw_knot *k = pl->knots;
    int32_t at = pl->look.at, j;
    if (k[i].u_q32 <= k[at].u_q32 || pw_reaches(pl, at, i)) {
        pl->look.at = i;
        return 1;
    }
    if (i == 0 || i == pl->look.count - 1) return 0; /* the speed at the end itself */
    k[i].valley = 0;
    k[i].slope = (int8_t)step;
    for (j = i - step; j != at; j -= step) k[j].u_q32 = pw_min64(k[j].u_q32, k[i].u_q32);
    return 1;
}

int pw_settle_back(struct pw_planner *pl, int32_t work)
{
    struct pw_looking *lk = &pl->look;
    if (lk->i == lk->count) lk->at = --lk->i;
    while (lk->i > 0) {
        lk->i--;
        if (!pl->knots[lk->i].valley) continue;
        if (!pw_keep_valley(pl, lk->i, -1)) return -1;
        if (--work == 0) return lk->i == 0;
    }
    return 1;
}

int pw_settle_on(struct pw_planner *pl, int32_t work)
{
    struct pw_looking *lk = &pl->look;
    if (lk->i == 0) lk->at = 0;
    while (lk->i < lk->count - 1) {
        lk->i++;
        if (!pl->knots[lk->i].valley) continue;
        if (!pw_keep_valley(pl, lk->i, 1)) return -1;
        if (--work == 0) return lk->i == lk->count - 1;
    }
    return 1;
}
