/* E_s(t) = integral of E(t + y) (h - |y|) / h^2 over y = -h..h.  With time in units of h, its second derivative is E(t + 1) - 2 E(t) + E(t - 1), and its
 * speed the same of the integral of E: both are exact at any time.  The place is carried along by them, exactly but for what breaks within a slice, and
 * summed over the window every PW_ADVANCE_FRESH slices and where one piece that stands fills the window. */
#include "pw_advance.h"
#include "pw_history.h"
#include "pw_runs.h"

enum { PW_ADVANCE_FRESH = 64 };

static int64_t pw_third(int64_t x) { return pw_mulq32(x, 1431655765); }
static int64_t pw_fifth(int64_t x) { return pw_mulq32(x, 858993459); }
static int64_t pw_times(int64_t a, int64_t b) { return pw_mulshift(a, b, 32); }
/* 2^scale / half, Q32 */
static int64_t pw_of_half(const struct pw_planner *pl, int32_t scale) { return pw_scaled(pl->inv_half_q32, scale - pl->half_scale); }
/* time / half, Q32 */
static int64_t pw_in_half(const struct pw_planner *pl, int64_t time_q16) { return pw_mulshift(time_q16, pl->inv_half_q32, pl->half_scale); }

/* The part of piece n from a to b, on one side of the centre c: what it adds to the place beside ref. */
static int64_t pw_sum_part(const struct pw_planner *pl, uint32_t n, int64_t a, int64_t b, int64_t c, int64_t ref)
{
    const struct pw_piece *p = pw_piece_at(pl, n);
    int32_t scale = pw_scale_of(b - a);
    int64_t w = pw_share(b - a, scale), share = pw_times(pw_of_half(pl, scale), w), k[4], q[4], i0, i1, from, to;
    pw_piece_axis(p, PW_AXIS_E, k);
    pw_shift(k, pw_share(a - p->start_q16, p->scale), p->scale - scale, q);
    q[0] -= ref;
    i0 = q[0] + pw_times(q[1] / 2 + pw_times(pw_third(q[2]) + pw_times(q[3] / 4, w), w), w);
    i1 = q[0] / 2 + pw_times(pw_third(q[1]) + pw_times(q[2] / 4 + pw_times(pw_fifth(q[3]), w), w), w);
    from = PW_ONE - pw_in_half(pl, pw_abs64(a - c));
    to = PW_ONE - pw_in_half(pl, pw_abs64(b - c));
    return pw_times(pw_times(from, i0) + pw_times(to - from, i1), share);
}

static int64_t pw_sum(const struct pw_planner *pl, const struct pw_track *tr, int64_t time)
{
    int64_t c = time - pl->delay_q16, first = c - pl->half_q16, last = c + pl->half_q16, ref, at, speed;
    uint32_t n;
    at = ref = pw_piece_place(pw_piece_at(pl, tr->tap[1]), PW_AXIS_E, c, &speed);
    for (n = tr->tap[2]; n != tr->tap[0] + 1; n++) {
        int64_t a = pw_max64(pw_piece_at(pl, n)->start_q16, first), b = pw_min64(pw_piece_end(pl, n), last), mid = pw_max64(a, pw_min64(b, c));
        if (a < mid) at += pw_sum_part(pl, n, a, mid, c, ref);
        if (mid < b) at += pw_sum_part(pl, n, mid, b, c, ref);
    }
    return at;
}

int64_t pw_advance_sum(const struct pw_planner *pl, const struct pw_piece *p, int64_t time)
{
    const int32_t *k = p->k[PW_AXIS_E];
    int64_t w = pw_share(time - p->start_q16, p->scale), mean = p->at_q32[PW_AXIS_E];
    if (k[0] | k[1] | k[2]) mean += pw_shl(pw_times(k[0] / 2 + pw_times(k[1] / 3 + pw_times(k[2] / 4, w), w), w), p->up[PW_AXIS_E]);
    return (int64_t)((uint64_t)p->sum_q32 + (uint64_t)pw_times(mean, pw_times(pw_of_half(pl, p->scale), w)));
}

void pw_advance_at(const struct pw_planner *pl, struct pw_track *tr, int64_t end, int64_t *at, int64_t *speed, int64_t bend[2])
{
    const struct pw_shaping *sh = &pl->shaping[PW_AXIS_SMOOTH];
    const struct pw_piece *p = pw_piece_at(pl, tr->tap[0]);
    uint64_t sum = 0;
    int64_t span = end - tr->time_q16, share;
    int32_t i;
    bend[0] = bend[1] = 0;
    if (tr->tap[0] == tr->tap[2] && (p->k[PW_AXIS_E][0] | p->k[PW_AXIS_E][1] | p->k[PW_AXIS_E][2]) == 0) {
        *at = p->at_q32[PW_AXIS_E];
        *speed = 0;
        tr->fresh = PW_ADVANCE_FRESH;
        return;
    }
    for (i = 0; i < 3; i++) {
        int64_t t = end - sh->lag_q16[i], e, v, s;
        p = pw_piece_at(pl, tr->tap[i]);
        e = pw_piece_place(p, PW_AXIS_E, t, &v);
        s = pw_advance_sum(pl, p, t);
        bend[0] += i == 1 ? -2 * e : e;
        bend[1] += i == 1 ? -2 * v : v;
        sum += i == 1 ? 0 - 2 * (uint64_t)s : (uint64_t)s;
    }
    *speed = pw_scaled(pw_times((int64_t)sum, pl->inv_half_q32), 32 - pl->half_scale); /* of a half window to U */
    if (--tr->fresh > 0) { /* twice the integral of the cubic that E is in each of the three, of places and speeds at both ends */
        int64_t twice = tr->bend_q32[0] / 2 + 3 * (bend[0] - tr->bend_q32[0]) / 20 + pw_times(tr->bend_q32[1] / 20 - bend[1] / 30, span);
        share = pw_in_half(pl, span);
        *at = tr->at_q32[PW_AXIS_E] + pw_times(tr->speed_q32[PW_AXIS_E], span) + pw_times(pw_times(twice, share), share);
    } else {
        *at = pw_sum(pl, tr, end);
        tr->fresh = PW_ADVANCE_FRESH;
    }
}
