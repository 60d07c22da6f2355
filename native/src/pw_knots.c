/* Knots of the window: where constant acceleration meets a limit, and which of them are valleys. */
#include "pw_look.h"

int64_t pw_seg_start(const struct pw_planner *pl, uint32_t n)
{
    return n == pl->look.first ? pl->look.start_s_q32 : pw_seg_at(pl, n - 1)->end_q32;
}

/* What constant acceleration adds to the squared speed over a segment, as far as it is not final. */
static int64_t pw_gain2(struct pw_planner *pl, const struct pw_seg *sg, int64_t start)
{
    return pw_square_q48(2 * pw_accel(pl, sg->accel_um_s2), pw_max64(sg->end_q32 - start, 0));
}

static int64_t pw_limit2_of(struct pw_planner *pl, const struct pw_seg *sg, const struct pw_seg *next)
{
    return sg->jcap == 0 ? 0 : pw_min64(pw_unpack_v2(sg->jcap), pw_both_cap2(pl, sg, next));
}

int64_t pw_limit2(struct pw_planner *pl, uint32_t n) { return pw_limit2_of(pl, pw_seg_at(pl, n), pw_seg_at(pl, n + 1)); }

int pw_pass_back(struct pw_planner *pl, int32_t work)
{
    struct pw_looking *lk = &pl->look;
    const struct pw_seg *sg = pw_seg_at(pl, lk->n), *before;
    for (; lk->n != lk->first && work > 0; lk->n--, work--, sg = before) {
        before = pw_seg_at(pl, lk->n - 1);
        if (lk->n == lk->end) lk->carry = 0;
        else {
            lk->carry = sg->flags & PW_SEG_DWELL ? 0 : lk->carry + pw_gain2(pl, sg, before->end_q32);
            lk->carry = pw_min64(lk->carry, pw_limit2_of(pl, before, sg));
        }
        pl->v2_q48[lk->n - 1 - lk->first] = lk->carry;
    }
    return lk->n == lk->first;
}

int pw_pass_on(struct pw_planner *pl, int32_t work)
{
    struct pw_looking *lk = &pl->look;
    int64_t start = pw_seg_start(pl, lk->n);
    if (lk->n == lk->first) lk->carry = pw_mulshift(lk->start_v_q32, lk->start_v_q32, 16);
    for (; lk->n != lk->end && work > 0; lk->n++, work--) {
        const struct pw_seg *sg = pw_seg_at(pl, lk->n);
        int64_t *v2 = &pl->v2_q48[lk->n - lk->first];
        lk->carry = sg->flags & PW_SEG_DWELL ? 0 : lk->carry + pw_gain2(pl, sg, start);
        start = sg->end_q32;
        if (lk->carry < *v2) *v2 = lk->carry;
        lk->carry = *v2;
    }
    return lk->n == lk->end;
}

static void pw_first_knot(struct pw_planner *pl)
{
    struct pw_knot *k = pl->knots;
    k->u_q32 = pl->look.start_v_q32;
    k->over_um_s = 0;
    k->accel_um_s2 = PW_NO_LIMIT;
    k->slot = 0;
    k->valley = 1;
    k[1].over_um_s = k[1].accel_um_s2 = PW_NO_LIMIT;
    pl->look.count = 1;
    pl->look.carry = pw_mulshift(pl->look.start_v_q32, pl->look.start_v_q32, 16);
}

int pw_gather(struct pw_planner *pl, int32_t work)
{
    struct pw_looking *lk = &pl->look;
    if (lk->n == lk->first) pw_first_knot(pl);
    for (; lk->n != lk->end && work > 0; lk->n++, work--) {
        struct pw_knot *k = &pl->knots[lk->count];
        const struct pw_seg *sg = pw_seg_at(pl, lk->n);
        int64_t v2 = pl->v2_q48[lk->n - lk->first];
        if (!(sg->flags & PW_SEG_DWELL)) {
            if (sg->accel_um_s2 < k->accel_um_s2) k->accel_um_s2 = sg->accel_um_s2;
            if (sg->cruise_um_s < k->over_um_s && lk->carry + v2 + pw_gain2(pl, sg, pw_seg_start(pl, lk->n)) >= 2 * pw_cap2(pl, pw_seg_cap(sg))) k->over_um_s = sg->cruise_um_s;
        }
        lk->carry = v2;
        k->u_q32 = lk->u_q32;
        if (lk->n + 1 != lk->end) {
            int64_t limit2 = pw_limit2_of(pl, sg, pw_seg_at(pl, lk->n + 1));
            if (v2 < limit2) continue;
            k->u_q32 = pw_sqrt_q48(limit2);
            k[1].over_um_s = k[1].accel_um_s2 = PW_NO_LIMIT;
        }
        k->slot = (uint16_t)(lk->n % pl->capacity);
        k->valley = 0;
        lk->count++;
    }
    return lk->n == lk->end;
}

void pw_limits_between(struct pw_planner *pl, int32_t a, int32_t b, struct pw_limits *lim)
{
    int32_t i, accel = PW_NO_LIMIT;
    for (i = a + 1; i <= b; i++)
        if (pl->knots[i].accel_um_s2 < accel) accel = pl->knots[i].accel_um_s2;
    lim->jerk = pl->jerk_q32;
    lim->accel = pw_accel(pl, accel);
}

int pw_valleys(struct pw_planner *pl, int32_t work)
{
    struct pw_looking *lk = &pl->look;
    struct pw_knot *k = pl->knots;
    int32_t i;
    if (lk->i == 0) {
        k[0].valley = k[lk->count - 1].valley = 1;
        for (i = 0; i < lk->count; i++) k[i].slope = 0;
        lk->at = 0; /* 1 while it falls */
        lk->i = 1;
    }
    for (; lk->i < lk->count && work > 0; lk->i++, work--) {
        struct pw_limits lim;
        int64_t high, w;
        i = lk->i;
        high = pw_max64(k[i - 1].u_q32, k[i].u_q32);
        if (k[i].u_q32 < k[i - 1].u_q32) lk->at = 1;
        if (k[i].u_q32 > k[i - 1].u_q32 && lk->at) {
            k[i - 1].valley = 1;
            lk->at = 0;
        }
        if (pw_knot_dwell(pl, i) > 0) {
            k[i - 1].valley = k[i].valley = 1;
            continue;
        }
        w = high + (high >> PW_HUMP) + 1;
        if (pw_knot_over(pl, i) < w || (k[i - 1].valley && k[i].valley)) continue;
        pw_limits_between(pl, i - 1, i, &lim);
        if (pw_ramp_length(&lim, k[i - 1].u_q32, w) + pw_ramp_length(&lim, k[i].u_q32, w) <= pw_knot_s(pl, i) - pw_knot_s(pl, i - 1))
            k[i - 1].valley = k[i].valley = 1;
    }
    return lk->i == lk->count;
}
