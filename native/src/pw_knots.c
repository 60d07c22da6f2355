/* Knots of the window: where constant acceleration meets a limit, and which of them are valleys. */
#include "pw_look.h"
#include "pw_math.h"

int64_t pw_seg_start(const struct pw_planner *pl, uint32_t n)
{
    return n == pl->open ? pl->plan_s_q32 : pw_seg_at(pl, n - 1)->end_q32;
}

/* Squared speeds at the ends of the segments [open, end), by constant acceleration, with a stop at `end`. */
void pw_two_passes(struct pw_planner *pl, uint32_t end)
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
int32_t pw_gather(struct pw_planner *pl, uint32_t end, int64_t u)
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

void pw_limits_between(const struct pw_planner *pl, int32_t a, int32_t b, struct pw_limits *lim)
{
    int32_t i;
    lim->jerk = pl->jerk_q32;
    lim->accel = INT64_MAX;
    for (i = a + 1; i <= b; i++) lim->accel = pw_min64(lim->accel, pl->knots[i].accel_q32);
    if (lim->accel > ((int64_t)1 << 40)) lim->accel = (int64_t)1 << 40; /* dwells alone */
}

/* Valleys: lowest places of the knots, and both sides of a hump that is worth climbing. */
void pw_valleys(struct pw_planner *pl, int32_t count)
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
