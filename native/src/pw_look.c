/* Look-ahead: from segments to ramps.
 *
 * 1. Constant acceleration, backward and forward, gives the highest squared speed V at each junction.  Where V meets a limit is a
 *    knot.  Any profile with |acceleration| <= a that respects the knots lies below V, and so respects everything else.
 * 2. Valleys are knots where the profile must slow down and may speed up again.  It passes them without acceleration.  Between
 *    two valleys the speed rises, cruises and falls.
 * 3. From each side of such an interval ramps climb as high as the knots under them allow; the last is ramp, cruise, ramp.
 * 4. What does not depend on the stop at the end of the window becomes final: that is done here.
 *
 * It runs only when the window is full or a flush stands in it, so that the result does not depend on when it is called. */
#include "pw_look.h"
#include "pw_math.h"

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
        while (hi - lo > pw_max64(r->length_q32 >> 6, 1)) {
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
