/* E_s(t) = integral of E(t + y) (h - |y|) / h^2 over y = -h..h, so its second derivative is (E(t + h) - 2 E(t) + E(t - h)) / h^2: a cubic
 * over a slice.  Place and speed are carried from slice to slice, and summed anew over the window every PW_ADVANCE_FRESH slices (and
 * where one piece fills the window), before the rounding of 2^-32 mm a slice can be seen. */
#include "pw_advance.h"
#include "pw_history.h"
#include "pw_runs.h"

enum { PW_ADVANCE_FRESH = 64 };
#define PW_ADVANCE_FIT ((int64_t)1 << 27) /* 16 times the error allowed to the cubic: 1/512 step */

static int64_t pw_third(int64_t x) { return pw_mulq32(x, 1431655765); }
static int64_t pw_fifth(int64_t x) { return pw_mulq32(x, 858993459); }
static int64_t pw_times(int64_t a, int64_t b) { return pw_mulshift(a, b, 32); }
/* x * 2^n */
static int64_t pw_scaled(int64_t x, int32_t n) { return n >= 0 ? pw_shl(x, n) : pw_asr(x, -n < 63 ? -n : 63); }
/* 2^scale / half, Q32 */
static int64_t pw_of_half(const struct pw_planner *pl, int32_t scale) { return pw_scaled(pl->inv_half_q32, scale - pl->half_scale); }

/* The part of piece n from a to b, on one side of the centre c. */
static void pw_sum_part(const struct pw_planner *pl, struct pw_track *tr, uint32_t n, int64_t a, int64_t b, int64_t c, int64_t ref)
{
    const struct pw_piece *p = pw_piece_at(pl, n);
    int32_t scale = pw_scale_of(b - a);
    int64_t w = pw_share(b - a, scale), share = pw_times(pw_of_half(pl, scale), w), q[4], i0, i1, from, to;
    pw_shift(p->k_q32[PW_AXIS_E], pw_share(a - p->start_q16, p->scale), p->scale - scale, q);
    q[0] -= ref;
    i0 = q[0] + pw_times(q[1] / 2 + pw_times(pw_third(q[2]) + pw_times(q[3] / 4, w), w), w);
    i1 = q[0] / 2 + pw_times(pw_third(q[1]) + pw_times(q[2] / 4 + pw_times(pw_fifth(q[3]), w), w), w);
    from = PW_ONE - pw_mulshift(pw_abs64(a - c), pl->inv_half_q32, pl->half_scale);
    to = PW_ONE - pw_mulshift(pw_abs64(b - c), pl->inv_half_q32, pl->half_scale);
    tr->at_q32 += pw_times(pw_times(from, i0) + pw_times(to - from, i1), share);
    i0 = pw_times(i0, share);
    tr->speed_q32 += a < c ? -i0 : i0;
}

static void pw_sum(const struct pw_planner *pl, struct pw_track *tr)
{
    const struct pw_piece *p = pw_piece_at(pl, tr->tap[1]);
    int64_t c = tr->time_q16 - pl->delay_q16, first = c - pl->half_q16, last = c + pl->half_q16, q[4], ref;
    uint32_t n;
    pw_shift(p->k_q32[PW_AXIS_E], pw_share(c - p->start_q16, p->scale), 0, q);
    tr->at_q32 = ref = q[0];
    tr->speed_q32 = 0;
    if (tr->tap[0] == tr->tap[2] && (p->k_q32[PW_AXIS_E][1] | p->k_q32[PW_AXIS_E][2] | p->k_q32[PW_AXIS_E][3]) == 0) return;
    for (n = tr->tap[2]; n != tr->tap[0] + 1; n++) {
        int64_t a = pw_max64(pw_piece_at(pl, n)->start_q16, first), b = pw_min64(pw_piece_end(pl, n), last), mid = pw_max64(a, pw_min64(b, c));
        if (a < mid) pw_sum_part(pl, tr, n, a, mid, c, ref);
        if (mid < b) pw_sum_part(pl, tr, n, mid, b, c, ref);
    }
    /* a half window to U */
    tr->speed_q32 = pw_scaled(pw_times(tr->speed_q32, pl->inv_half_q32), 32 - pl->half_scale);
}

void pw_advance_slice(struct pw_planner *pl, struct pw_track *tr, int64_t *end_q16, int64_t k[4])
{
    const struct pw_shaping *sh = &pl->shaping[PW_AXIS_SMOOTH];
    int64_t span = pw_min64(*end_q16 - tr->time_q16, pl->half_q16), d[4], q[4], c[4], w, ratio, mean;
    int32_t scale, i, j;
    if (tr->tap[0] == tr->tap[2] || tr->fresh == 0) {
        pw_sum(pl, tr);
        tr->fresh = PW_ADVANCE_FRESH;
    }
    tr->fresh--;
    for (;; span /= 2) {
        scale = pw_scale_of(span);
        ratio = pw_of_half(pl, scale);
        for (j = 0; j < 4; j++) d[j] = 0;
        for (i = 0; i < 3; i++) {
            const struct pw_piece *p = pw_piece_at(pl, tr->tap[i]);
            pw_shift(p->k_q32[PW_AXIS_E], pw_share(tr->time_q16 - sh->lag_q16[i] - p->start_q16, p->scale), p->scale - scale, q);
            for (j = 0; j < 4; j++) d[j] += i == 1 ? -2 * q[j] : q[j];
        }
        c[0] = pw_times(pw_times(d[0], ratio), ratio) / 2; /* of w^2, w^3, w^4, w^5 */
        c[1] = pw_third(pw_times(pw_times(d[1], ratio), ratio) / 2);
        c[2] = pw_third(pw_times(pw_times(d[2], ratio), ratio) / 4);
        c[3] = pw_fifth(pw_times(pw_times(d[3], ratio), ratio) / 4);
        if (span < 4096 || pw_times(pw_abs64(c[2]) + 3 * pw_abs64(c[3]), pl->matrix_q32[3 + pl->tool][0]) <= PW_ADVANCE_FIT) break;
    }
    *end_q16 = tr->time_q16 + span;
    w = pw_share(span, scale);
    k[0] = tr->at_q32;
    k[1] = pw_scaled(tr->speed_q32, scale - 32);
    /* the cubic of the same places and speeds at both ends; it is off by at most (|c4| + 3 |c5|) / 16 */
    k[2] = c[0] - pw_times(pw_times(c[2] + 2 * pw_times(c[3], w), w), w);
    k[3] = c[1] + pw_times(2 * c[2] + 3 * pw_times(c[3], w), w);
    mean = d[0] + pw_times(d[1] / 2 + pw_times(pw_third(d[2]) + pw_times(d[3] / 4, w), w), w);
    tr->at_q32 += pw_times(tr->speed_q32, span) + pw_times(pw_times(c[0] + pw_times(c[1] + pw_times(c[2] + pw_times(c[3], w), w), w), w), w);
    tr->speed_q32 += pw_scaled(pw_times(pw_times(mean, pw_times(ratio, w)), pl->inv_half_q32), 32 - pl->half_scale);
}
