/* Look-ahead: from segments to ramps.
 *
 * 1. Constant acceleration, backward and forward, gives the highest squared speed V at each junction.  Where V meets a limit is a
 *    knot.  Any profile with |acceleration| <= a that respects the knots lies below V, and so respects everything else.
 * 2. Valleys are knots where the profile must slow down and may speed up again.  It passes them without acceleration.  Between
 *    two valleys the speed rises, cruises and falls.
 * 3. From each side of such an interval ramps climb as high as the knots under them allow; the last is ramp, cruise, ramp.
 * 4. What does not depend on the stop at the end of the window becomes final: that is done here.
 *
 * It begins only when the window is full or a flush stands in it, and sees only what is in the window then, so that the result does not
 * depend on when it is called.  Each call does a bounded part of the work: the motors must not wait for a whole window. */
#include "pw_look.h"

enum pw_look_stage {
    PW_LOOK_IDLE = 0,
    PW_LOOK_CURVE, PW_LOOK_BACK, PW_LOOK_ON, PW_LOOK_GATHER, PW_LOOK_VALLEYS, PW_LOOK_SETTLE_BACK, PW_LOOK_SETTLE_ON, PW_LOOK_PROFILE
};

/* Ways to make something final, in the order in which they are tried. */
enum pw_look_way {
    PW_WAY_WINDOW = 0, /* the whole window, ending in a stop */
    PW_WAY_FORCED,     /* a place without acceleration a quarter of the window ahead */
    PW_WAY_STOP,       /* the stop at the end of the window */
    PW_WAY_AGAIN,      /* the stop that was possible when the place became final */
    PW_WAY_LINE        /* standing: one line from stop to stop is two ramps and a cruise */
};

/* Steps of a stage that one call does: about as much work each. */
enum { PW_CURVES = 4, PW_PASSES = 32, PW_GATHERS = 16, PW_VALLEYS_AT_ONCE = 8, PW_SETTLES = 2, PW_INTERVALS = 1 };

static int64_t pw_last_v(const struct pw_planner *pl, uint32_t n) { return n == pl->ramp_head ? pl->plan_v_q32 : pw_ramp_at(pl, n - 1)->v1_q32; }
static int64_t pw_last_s(const struct pw_planner *pl, uint32_t n) { return n == pl->ramp_head ? pl->plan_s_q32 : pw_ramp_at(pl, n - 1)->end_q32; }

/* Standing at s with speed v and no acceleration: can every known limit ahead, and any beyond the window, be honoured? */
static int pw_keeps_margin(struct pw_planner *pl, int64_t s, int64_t v)
{
    const uint32_t end = pl->look.window;
    struct pw_limits lim;
    uint32_t n, left;
    int32_t accel = PW_NO_LIMIT;
    int64_t v2 = pw_mulshift(v, v, 16);
    if (v == 0) return s < pw_seg_at(pl, end - 1)->end_q32; /* the stop at the end of the window is only its end */
    lim.jerk = pl->jerk_q32;
    lim.accel = pw_accel(pl, accel);
    for (n = pl->open, left = end - n; left > 0;) { /* the first that does not end before s */
        uint32_t half = left / 2;
        if (pw_seg_at(pl, n + half)->end_q32 < s) {
            n += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    for (; n != end; n++) {
        const struct pw_seg *sg = pw_seg_at(pl, n);
        int64_t limit2;
        if (sg->flags & PW_SEG_DWELL) return pw_ramp_length(&lim, v, 0) <= sg->end_q32 - s;
        if (sg->accel_um_s2 < accel) {
            accel = sg->accel_um_s2;
            lim.accel = pw_accel(pl, accel);
        }
        /* behind the first place whose limit is not known yet anything may come */
        if (n + 1 == end || !(sg->flags & PW_SEG_CURVE) || (pl->dense_q32 && end - n <= PW_DENSE)) return pw_ramp_reserve(&lim, v) <= sg->end_q32 - s;
        limit2 = pw_limit2(pl, n);
        if (limit2 < v2 && pw_ramp_length(&lim, v, pw_sqrt_q48(limit2)) > sg->end_q32 - s) return 0;
    }
    return 0;
}

/* The ramps up to number `head` become final; the last may be a cruise cut short at `s`.  A stop at `end` is known to be possible. */
static void pw_finish(struct pw_planner *pl, uint32_t head, int64_t s, int64_t v, uint32_t end)
{
    uint32_t n, dwells = 0;
    for (n = pl->ramp_head; n != head; n++) {
        const struct pw_ramp *r = pw_ramp_at(pl, n);
        pl->final_q16 += 2 * r->tj_q32 + r->ta_q32;
        if (pw_last_v(pl, n) == 0 && r->v1_q32 == 0) dwells++;
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
    while (pl->mark_open != pl->mark_head && (int32_t)(pl->open - pl->marks[pl->mark_open % pw_marks_size(pl->cfg)].reserved) >= 0)
        pl->mark_open++;
}

/* As pw_finish, and that is all that comes of this window. */
static void pw_publish(struct pw_planner *pl, uint32_t head, int64_t s, int64_t v, uint32_t end)
{
    pw_finish(pl, head, s, v, end);
    pl->look.stage = PW_LOOK_IDLE;
}

/* The room for ramps is used up: what lies before the last valley becomes final if it may.  0: it may not.  Where the window ends in a
 * flush nothing is unknown, and the way on from any valley to its stop has been found (pw_settle_on). */
static int pw_publish_part(struct pw_planner *pl)
{
    struct pw_looking *lk = &pl->look;
    if (!lk->flush && !pw_keeps_margin(pl, lk->out.s_q32, lk->out.v_q32)) return 0;
    pw_finish(pl, lk->out.head, lk->out.s_q32, lk->out.v_q32, lk->window);
    lk->out.room = pw_ramps_room(pl);
    lk->moved = 1;
    return 1;
}

/* Publishes up to the last place without acceleration that keeps a margin to the end of the window; 0 when there is none behind
 * `least`. */
static int pw_publish_margin(struct pw_planner *pl, int64_t least)
{
    const uint32_t end = pl->look.window;
    uint32_t n;
    for (n = pl->look.out.head; n != pl->ramp_head; n--) {
        struct pw_ramp *r = pw_ramp_at(pl, n - 1);
        int64_t start = pw_last_s(pl, n - 1), lo = start, hi = r->end_q32, mid, length = hi - start;
        if (hi <= least) return 0;
        if (pw_keeps_margin(pl, hi, r->v1_q32)) {
            pw_publish(pl, n, hi, r->v1_q32, end);
            return 1;
        }
        if (r->tj_q32 > 0 || r->v1_q32 == 0) continue;
        if (lo < least) lo = least; /* a cruise can be cut anywhere */
        if (!pw_keeps_margin(pl, lo, r->v1_q32)) continue;
        while (hi - lo > pw_max64(length >> 6, 1)) {
            mid = lo + (hi - lo) / 2;
            if (pw_keeps_margin(pl, mid, r->v1_q32)) lo = mid;
            else hi = mid;
        }
        if (lo == start) continue;
        r->end_q32 = lo;
        r->ta_q32 = pw_divq32(lo - start, r->v1_q32);
        pw_publish(pl, n, lo, r->v1_q32, end);
        return 1;
    }
    return 0;
}

/* Braking at once, when none of the other ways has a profile.  Counted as broken when a limit known by now is passed too fast, or
 * when the stop lies behind the window. */
static void pw_publish_stop(struct pw_planner *pl)
{
    struct pw_out *o = &pl->look.out;
    struct pw_limits lim;
    const uint32_t window = pl->look.window;
    uint32_t n, end;
    int64_t stop = pl->plan_s_q32;
    int32_t accel = PW_NO_LIMIT;
    int broken = 0;
    lim.jerk = pl->jerk_q32;
    lim.accel = pw_accel(pl, accel);
    for (n = pl->open; n != window; n++) { /* as far as the stop reaches with the lowest acceleration on the way */
        const struct pw_seg *sg = pw_seg_at(pl, n);
        if (sg->flags & PW_SEG_DWELL) break;
        if (sg->accel_um_s2 < accel) accel = sg->accel_um_s2;
        lim.accel = pw_accel(pl, accel);
        stop = pl->plan_s_q32 + pw_ramp_length(&lim, 0, pl->plan_v_q32);
        if (stop <= sg->end_q32) break;
    }
    if (n == window || (pw_seg_at(pl, n)->flags & PW_SEG_DWELL)) broken = 1;
    end = n + (n != window);
    for (n = pl->open; n != end; n++) {
        const struct pw_seg *sg = pw_seg_at(pl, n);
        int64_t u = n + 1 != window ? pw_sqrt_q48(pw_limit2(pl, n)) : 0;
        if (sg->end_q32 < stop && u < pl->plan_v_q32 && pw_ramp_length_to(&lim, 0, pl->plan_v_q32, u) + 64 < stop - sg->end_q32) broken = 1;
    }
    o->head = pl->ramp_head;
    o->s_q32 = pl->plan_s_q32;
    o->v_q32 = pl->plan_v_q32;
    pw_put_ramp(pl, o, &lim, 0);
    stop = pw_seg_at(pl, window - 1)->end_q32;
    if (o->s_q32 > stop) { /* no path is left: whatever it takes */
        o->head = pl->ramp_head;
        o->s_q32 = pl->plan_s_q32;
        pw_put(pl, o, 0, pw_divq32(pw_max64(stop - pl->plan_s_q32, 1), pl->plan_v_q32), 0, stop - pl->plan_s_q32);
        end = window;
    }
    if (broken) pl->broken++;
    else pl->forced++;
    pw_publish(pl, o->head, o->s_q32, 0, end);
}

/* -- one way after the other --------------------------------------------------------------------------------------------------- */

/* Looks for ramps to the end of segment `end` - 1, which is passed with speed u; `passes`: the speeds of constant acceleration are not
 * there yet. */
static void pw_solve(struct pw_planner *pl, enum pw_look_way way, uint32_t end, int64_t u, int passes)
{
    struct pw_looking *lk = &pl->look;
    lk->way = (int32_t)way;
    lk->end = end;
    lk->u_q32 = u;
    lk->n = passes ? end : lk->first;
    lk->stage = passes ? PW_LOOK_BACK : PW_LOOK_GATHER;
    pl->fine = PW_FINE;
}

static void pw_stop_again(struct pw_planner *pl)
{
    struct pw_looking *lk = &pl->look;
    uint32_t n = pl->plan_again;
    if (n - pl->open < lk->window - pl->open && n != pl->open) {
        pw_solve(pl, PW_WAY_AGAIN, n, 0, 1);
    } else if (pl->plan_v_q32 > 0) {
        pw_publish_stop(pl);
    } else {
        pl->forced++;
        pw_solve(pl, PW_WAY_LINE, pl->open + 1, 0, 1);
    }
}

static void pw_force(struct pw_planner *pl)
{
    struct pw_looking *lk = &pl->look;
    uint32_t at = pl->open + (lk->window - pl->open) / 4;
    if (lk->window - pl->open > 8) {
        int64_t s = pw_seg_at(pl, at)->end_q32, v = pw_sqrt_q48(pl->v2_q48[at - lk->first]);
        while (!pw_keeps_margin(pl, s, v)) v = v > 256 ? v / 4 * 3 : 0;
        pw_solve(pl, PW_WAY_FORCED, at + 1, v, 0);
    } else if (lk->got != 0 || !pw_publish_margin(pl, pl->plan_s_q32)) {
        pw_solve(pl, PW_WAY_STOP, lk->window, 0, 0);
    }
}

/* What comes of it: 1 all of it, 0 as far as ramps may be added, -1 nothing. */
static int32_t pw_decide(struct pw_planner *pl, int got)
{
    struct pw_looking *lk = &pl->look;
    if (lk->moved && (got != 1 || !lk->flush)) { /* the rest belongs to the next window */
        if (!pw_publish_margin(pl, pl->plan_s_q32)) lk->stage = PW_LOOK_IDLE;
        return 1;
    }
    switch (lk->way) {
    case PW_WAY_WINDOW:
        lk->got = got;
        if (got == 1 && lk->flush) pw_publish(pl, lk->out.head, lk->out.s_q32, 0, lk->window);
        else if (got < 0 || !pw_publish_margin(pl, pw_seg_start(pl, pl->open + (lk->window - pl->open) / 8))) pw_force(pl);
        return 1;
    case PW_WAY_FORCED:
        if (got == 1) {
            pl->forced++;
            pw_publish(pl, lk->out.head, pw_seg_at(pl, lk->end - 1)->end_q32, lk->u_q32, lk->window);
        } else if (lk->got != 0 || !pw_publish_margin(pl, pl->plan_s_q32)) {
            pw_solve(pl, PW_WAY_STOP, lk->window, 0, 0);
        }
        return 1;
    case PW_WAY_STOP:
        if (got == 1) pw_publish(pl, lk->out.head, lk->out.s_q32, 0, lk->window);
        else pw_stop_again(pl);
        return 1;
    case PW_WAY_AGAIN:
        if (got == 1) {
            pw_publish(pl, lk->out.head, lk->out.s_q32, 0, lk->end);
        } else if (pl->plan_v_q32 > 0) {
            pw_publish_stop(pl);
        } else {
            pl->forced++;
            pw_solve(pl, PW_WAY_LINE, pl->open + 1, 0, 1);
        }
        return 1;
    default:
        if (got != 1) return PW_E_ASSERT;
        pw_publish(pl, lk->out.head, lk->out.s_q32, 0, lk->end);
        return 1;
    }
}

static int pw_room(const struct pw_planner *pl, uint32_t head) { return head - pl->ramp_tail <= PW_RAMPS_WAIT; }

static int pw_begin_look(struct pw_planner *pl)
{
    struct pw_looking *lk = &pl->look;
    if (pl->head == pl->open || !pw_room(pl, pl->ramp_head)) return 0;
    lk->flush = pl->flushes > 0;
    lk->window = pl->head;
    if (lk->flush) {
        for (lk->window = pl->open; !(pw_seg_at(pl, lk->window)->flags & PW_SEG_FLUSH); lk->window++) {}
        lk->window++;
    } else if (!pw_must_look(pl)) {
        return 0;
    }
    lk->n = lk->first = pl->open;
    lk->start_s_q32 = pl->plan_s_q32;
    lk->start_v_q32 = pl->plan_v_q32;
    lk->again_i = lk->moved = 0;
    lk->stage = PW_LOOK_CURVE;
    return 1;
}

static int pw_curves(struct pw_planner *pl, int32_t work)
{
    struct pw_looking *lk = &pl->look;
    for (; lk->n + 1 != lk->window && work > 0; lk->n++) {
        struct pw_seg *sg = pw_seg_at(pl, lk->n);
        if (sg->flags & PW_SEG_CURVE) continue;
        if (pw_curve(pl, lk->n, lk->window)) sg->flags |= PW_SEG_CURVE;
        work--;
    }
    return lk->n + 1 == lk->window;
}

/* Nothing final yet: from the beginning.  Else the knots are made anew, just as they were, and it goes on where it was. */
void pw_planner_resume(struct pw_planner *pl)
{
    struct pw_looking *lk = &pl->look;
    if (lk->stage == PW_LOOK_IDLE) return;
    if (!lk->moved) {
        lk->stage = PW_LOOK_IDLE;
        return;
    }
    if (lk->stage == PW_LOOK_PROFILE) {
        lk->again_i = lk->i;
        lk->again_at = lk->at;
    }
    lk->n = lk->end;
    lk->stage = PW_LOOK_BACK;
}

int32_t pw_look(struct pw_planner *pl)
{
    struct pw_looking *lk = &pl->look;
    int got;
    switch (lk->stage) {
    case PW_LOOK_IDLE: return pw_begin_look(pl);
    case PW_LOOK_CURVE:
        if (pw_curves(pl, PW_CURVES)) pw_solve(pl, PW_WAY_WINDOW, lk->window, 0, 1);
        return 1;
    case PW_LOOK_BACK:
        if (pw_pass_back(pl, PW_PASSES)) lk->stage = PW_LOOK_ON;
        return 1;
    case PW_LOOK_ON:
        if (!pw_pass_on(pl, PW_PASSES)) return 1;
        break;
    case PW_LOOK_GATHER:
        if (!pw_gather(pl, PW_GATHERS)) return 1;
        lk->i = 0;
        lk->stage = PW_LOOK_VALLEYS;
        return 1;
    case PW_LOOK_VALLEYS:
        if (pw_valleys(pl, PW_VALLEYS_AT_ONCE)) lk->stage = PW_LOOK_SETTLE_BACK;
        return 1;
    case PW_LOOK_SETTLE_BACK:
        got = pw_settle_back(pl, PW_SETTLES);
        if (got < 0) break;
        if (got) lk->stage = PW_LOOK_SETTLE_ON;
        return 1;
    case PW_LOOK_SETTLE_ON:
        got = pw_settle_on(pl, PW_SETTLES);
        if (got < 0) break;
        if (!got) return 1;
        lk->stage = PW_LOOK_PROFILE;
        lk->i = lk->again_i;
        lk->at = lk->again_at;
        lk->again_i = 0;
        return 1;
    default:
        if (lk->moved && lk->out.head == pl->ramp_head && !pw_room(pl, pl->ramp_head)) return 0;
        got = pw_profile(pl, PW_INTERVALS);
        if (got == 2 || (got == 3 && pw_publish_part(pl))) return 1;
        if (got == 3) got = 0;
        if (got >= 0) return pw_decide(pl, got);
        break;
    }
    /* gather, or again with a coarser climb */
    if (lk->stage != PW_LOOK_ON) {
        if (pl->fine <= 2) return pw_decide(pl, -1);
        pl->fine -= 2;
    }
    lk->n = lk->first;
    lk->stage = PW_LOOK_GATHER;
    return 1;
}
