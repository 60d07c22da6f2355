#include "pw_follow.h"
#include "pw_advance.h"
#include "pw_curved.h"
#include "pw_history.h"
#include "pw_runs.h"
#include "pw_shaper.h"

enum { PW_JOIN_US = 4000 };
#define PW_JOIN_FIT ((int64_t)1 << 23) /* 1/512 step */

/* -- shapers and tracks of a machine ------------------------------------------------------------------------------------------- */

static void pw_delayed(struct pw_shaping *sh, int64_t lag)
{
    sh->n = 1;
    sh->lag_q16[0] = lag;
    sh->weight_q32[0] = PW_ONE;
}

/* The largest x below 2^40 with factor * x^power <= most, all Q32. */
static int64_t pw_longest(int64_t factor, int32_t power, int64_t most)
{
    int64_t x = 0;
    int32_t bit, i;
    for (bit = 39; bit >= 0; bit--) {
        int64_t more = x | (int64_t)1 << bit, y = factor;
        for (i = 0; i < power && y <= (int64_t)1 << 54; i++) y = more > (int64_t)1 << 32 && y > (int64_t)1 << 45 ? INT64_MAX : pw_mulshift(y, more, 32);
        if (i == power && y <= most) x = more;
    }
    return x;
}

/* How far slices may go over places where the path breaks.  The cubic of the same places and speeds at both ends of a slice of time T is off by at most
 *   dj t^2 (T - t)^2 / 12 T where the third derivative changes by dj at t,   d2 T^2 / 216, d1 T / 8 likewise,   f T^4 / 384 for the fourth derivative f,
 * all of which are kept below PW_JOIN_FIT, those of lower order below a quarter of it where T is longest. */
static void pw_joins_init(struct pw_planner *pl)
{
    int64_t most[4] = {0, 0, 0, 0}, finest, fit, ratio;
    int32_t i, a;
    for (i = 0; i < 3; i++)
        for (a = 0; a < 3; a++) most[a] = pw_max64(most[a], pw_abs64(pl->matrix_q32[i][a]));
    for (i = 3; i < pl->cfg->motors; i++) most[3] = pw_max64(most[3], pl->matrix_q32[i][0]);
    finest = pw_kin_is_linear(&pl->kin) ? pw_max64(most[0], most[1]) : most[3];
    for (a = 0; a < 4; a++) pl->sense_q32[a] = pw_divq32(PW_JUMP_UNIT * most[a], finest);
    pl->corner_q32 = pl->push_q32 = pl->flow_q32 = 0;
    if (pl->join_q16 == 0) return;
    fit = pw_divq32(PW_JOIN_FIT, finest);
    pl->corner_q32 = pw_divq32(2 * fit, pl->join_q16);
    pl->strength_q32 = pw_divq32(12 * 64 * PW_JUMP_UNIT * fit, pl->jerk_q32);
    if (pl->half_q16 == 0) return;
    fit = pw_divq32(PW_JOIN_FIT, most[3]);
    ratio = pw_divq32(pl->half_q16, pl->join_q16);
    ratio = pw_mulshift(ratio, ratio, 32);
    pl->push_q32 = 4 * pw_mulshift(fit, ratio, 32);
    pl->flow_q32 = pw_divq32(8 * pw_mulshift(fit, ratio, 32), pl->join_q16);
    ratio = pw_mulshift(pl->half_q16, pl->half_q16, 32);
    for (i = 0; i < 4; i++) pl->smooth_q16[i] = pw_longest((int64_t)4 << i, 4, 384 * pw_mulshift(fit, ratio, 32));
}

void pw_tracks_init(struct pw_planner *pl)
{
    const struct pw_config *cfg = pl->cfg;
    struct pw_impulses im;
    int64_t half = 0;
    int32_t a, i, m, left, advance = 0;
    pl->n_tracks = pl->all_tracks = 0;
    pl->delay_q16 = pl->reach_q16 = pl->front_q16 = 0;
    pl->us_q32 = pw_divq32((int64_t)cfg->tick_hz << 16, 1000000);
    for (i = 0; i < PW_MOTORS - 3; i++) advance |= cfg->advance_us[i];
    if (advance) half = pw_mulshift(cfg->advance_smooth_us, pl->us_q32, 33);
    pl->half_q16 = half;
    pl->delay_q16 = half;
    for (a = 0; a < 3; a++) {
        if (!cfg->shaper[a]) continue;
        pw_shaper_impulses(&im, cfg->shaper[a], cfg->tick_hz, cfg->shaper_mhz[a], cfg->shaper_damping_1e4[a]);
        pl->delay_q16 = pw_max64(pl->delay_q16, im.centre_q16);
    }
    if (pl->piece_size == 0) return;
    pl->reach_q16 = pl->delay_q16 + half;
    for (a = 0; a < 5; a++) {
        struct pw_shaping *sh = &pl->shaping[a];
        pw_delayed(sh, pl->delay_q16);
        if (a < 3 && cfg->shaper[a]) {
            pw_shaper_impulses(&im, cfg->shaper[a], cfg->tick_hz, cfg->shaper_mhz[a], cfg->shaper_damping_1e4[a]);
            sh->n = im.n;
            for (i = 0; i < im.n; i++) {
                sh->lag_q16[i] = pl->delay_q16 + im.time_q16[i] - im.centre_q16;
                sh->weight_q32[i] = im.weight_q32[i];
                pl->reach_q16 = pw_max64(pl->reach_q16, sh->lag_q16[i]);
            }
        }
    }
    pl->shaping[PW_AXIS_SMOOTH].n = 3;
    for (i = 0; i < 3; i++) pl->shaping[PW_AXIS_SMOOTH].lag_q16[i] = pl->delay_q16 + (i - 1) * half;
    pl->piece_min_q16 = 0;
    pl->join_q16 = pw_min64(pl->reach_q16, pw_mulshift(PW_JOIN_US, pl->us_q32, 32));
    if (pl->reach_q16) pl->piece_min_q16 = (pl->reach_q16 + pl->join_q16) / (int64_t)(pl->piece_size - PW_PIECE_MEAN - PW_PIECE_SPARE) * PW_PIECE_MEAN;
    pl->half_scale = pw_scale_of(half);
    pl->inv_half_q32 = half ? pw_divq32((int64_t)1 << pl->half_scale, half) : 0;
    for (m = 0; m < 3; m++) {
        int64_t at[3] = {0, 0, 0};
        pl->origin_q32[m] = pw_kin_is_linear(&pl->kin) ? pw_kin_position(&pl->kin, m, at) : 0;
        for (a = 0; a < 3; a++) { /* a delta: each of each */
            at[a] = PW_ONE;
            pl->matrix_q32[m][a] = pw_kin_is_linear(&pl->kin) ? pw_kin_position(&pl->kin, m, at) - pl->origin_q32[m] : 1;
            at[a] = 0;
        }
    }
    for (; m < cfg->motors; m++) {
        pl->origin_q32[m] = 0;
        pl->matrix_q32[m][0] = pw_divq32(cfg->steps_per_m[m], 1000);
    }
    pw_joins_init(pl);
    for (left = 7; left; pl->all_tracks++) { /* motors that share an axis share a track */
        struct pw_track *tr = &pl->tracks[pl->all_tracks];
        int32_t before;
        tr->motors = tr->axes = 0;
        do {
            before = tr->motors;
            for (m = 0; m < 3; m++) {
                int32_t axes = 0;
                if (!(left >> m & 1)) continue;
                for (a = 0; a < 3; a++) axes |= (pl->matrix_q32[m][a] != 0) << a;
                if (tr->motors && !(axes & tr->axes)) continue;
                tr->motors |= 1 << m;
                tr->axes |= axes;
                left &= ~(1 << m);
            }
        } while (tr->motors != before);
    }
    pl->tracks[pl->all_tracks].motors = ((1 << cfg->motors) - 1) & ~7;
    pl->tracks[pl->all_tracks++].axes = 1 << PW_AXIS_E;
}

void pw_tracks_reset(struct pw_planner *pl)
{
    int32_t i, a, n, t;
    if (pl->n_tracks == 0) pl->front_q16 = pl->time_q16;
    pl->n_tracks = pl->reach_q16 || pl->mesh || !pw_kin_is_linear(&pl->kin) ? pl->all_tracks : 0;
    if (!pl->n_tracks) return;
    pw_history_reset(pl);
    for (t = 0; t < pl->n_tracks; t++) {
        struct pw_track *tr = &pl->tracks[t];
        if (tr->axes >> PW_AXIS_E) tr->axes = 1 << (pl->cfg->advance_us[pl->tool] ? PW_AXIS_SMOOTH : PW_AXIS_E);
        tr->time_q16 = pl->front_q16;
        tr->working = tr->joined = -1;
        tr->fresh = 0;
        tr->bend_q32[0] = tr->bend_q32[1] = 0;
        for (a = 0; a < 4; a++) {
            tr->at_q32[a] = pw_piece_at(pl, 0)->at_q32[a];
            tr->speed_q32[a] = 0;
        }
        tr->length_q16 = (int64_t)1 << PW_CURVED_SCALE;
        tr->taps = 1;
        for (a = 0; a < 5; a++)
            if (tr->axes >> a & 1) tr->taps = (int8_t)(tr->taps + pl->shaping[a].n);
        tr->waited_q16 = INT64_MIN;
        tr->oldest = 0;
        for (i = 0; i < PW_TAPS; i++) tr->tap[i] = 0;
        for (i = 0, a = 0; a < 5; a++)
            for (n = 0; (tr->axes >> a & 1) && n < pl->shaping[a].n; n++, i++) {
                tr->shaped[i] = (int8_t)(8 * a + n);
                tr->until_q16[i] = pl->front_q16 + pl->shaping[a].lag_q16[n];
                if (tr->until_q16[i] > tr->until_q16[tr->oldest]) tr->oldest = (int8_t)i;
            }
        tr->until_q16[i] = pl->front_q16;
    }
}

int pw_tracks_idle(const struct pw_planner *pl)
{
    int32_t t;
    for (t = 0; t < pl->n_tracks; t++)
        if (pl->tracks[t].time_q16 != pl->front_q16) return 0;
    return pl->n_tracks == 0 || !pl->piece_open;
}

int64_t pw_track_made_q16(const struct pw_planner *pl, int32_t motor)
{
    const struct pw_track *tr = pl->tracks;
    while (!(tr->motors >> motor & 1)) tr++;
    return tr->working >= 0 && !(tr->working >> motor & 1) ? tr->end_q16 : tr->time_q16;
}

/* -- slices -------------------------------------------------------------------------------------------------------------------- */

/* The axis that pieces have of shaping a. */
static inline int32_t pw_axis_of(int32_t a) { return a < PW_AXIS_E ? a : PW_AXIS_E; }

/* The tap goes on to the next piece. */
static inline const struct pw_piece *pw_next_piece(const struct pw_planner *pl, struct pw_track *tr, int32_t tap, int64_t lag)
{
    uint32_t n = ++tr->tap[tap];
    tr->until_q16[tap] = pw_piece_end(pl, n) + lag;
    return pw_piece_at(pl, n);
}

/* Over the place where a piece ends at the track's time: speeds take what breaks there. */
static void pw_pass(const struct pw_planner *pl, struct pw_track *tr, int32_t tap)
{
    const struct pw_shaping *sh = &pl->shaping[(tr->shaped[tap] >> 3)];
    int32_t i = tr->shaped[tap] & 7, axis = pw_axis_of((tr->shaped[tap] >> 3));
    int64_t lag = sh->lag_q16[i], old, new, at = pw_piece_place(pw_piece_at(pl, tr->tap[tap]), axis, tr->until_q16[tap] - lag, &old);
    const struct pw_piece *p = pw_next_piece(pl, tr, tap, lag);
    new = pw_scaled(p->k[axis][0], p->up[axis] + 32 - p->scale) - old;
    at = p->at_q32[axis] - at;
    if (tr->shaped[tap] >> 3 == PW_AXIS_SMOOTH) {
        tr->bend_q32[0] += i == 1 ? -2 * at : at;
        tr->bend_q32[1] += i == 1 ? -2 * new : new;
    } else if (new) {
        tr->speed_q32[axis] += pw_mulshift(new, sh->weight_q32[i], 32);
    }
}

/* Taps whose pieces end at the track's time go on.  0: the next piece is not there yet. */
static int pw_onset(const struct pw_planner *pl, struct pw_track *tr)
{
    int32_t n, present = tr->taps - 1;
    for (n = 0; n <= present; n++)
        while (tr->until_q16[n] <= tr->time_q16) {
            if (tr->tap[n] + 1 == pl->piece_head) return 0;
            if (n == present) pw_next_piece(pl, tr, n, 0);
            else pw_pass(pl, tr, n);
        }
    return 1;
}

/* How long smoothed extrusion may be one cubic, by class. */
static int64_t pw_smooth_span(const struct pw_planner *pl, int32_t class)
{
    if (class == 0) return INT64_MAX;
    return pw_max64(pw_min64(pl->smooth_q16[class & 3] >> (class >> 2), pl->join_q16), 65536);
}

/* Does a cubic do for a slice of this length?  A change j of the jerk at the time t of it makes it off by at most j t^2 (T - t)^2 / 12 T. */
static int pw_fits(const struct pw_planner *pl, const struct pw_track *tr, int64_t span)
{
    const int64_t *s = tr->break_q32;
    return pw_mulshift(pw_mulshift(s[0], span, 32) - 2 * s[1], span, 32) + s[2] <= pw_mulshift(pl->strength_q32, span, 32);
}

/* As much of the span as a slice may have. */
static int64_t pw_longest_slice(const struct pw_planner *pl, const struct pw_track *tr, int64_t span)
{
    int64_t good = tr->since_q16;
    int32_t i;
    if (tr->axes >> PW_AXIS_SMOOTH) return pw_min64(span, pw_smooth_span(pl, tr->joined));
    if (tr->break_q32[0] == 0) return span;
    span = pw_min64(span, pl->join_q16); /* so that 63 bits do, too */
    if (pw_fits(pl, tr, span)) return span;
    for (i = 0; i < 3; i++) {
        int64_t mid = good + (span - good) / 2;
        if (pw_fits(pl, tr, mid)) good = mid;
        else span = mid;
    }
    return good;
}

/* The end of the slice that begins at the track's time; 0: the pieces are not there yet.  It depends on them alone. */
static int64_t pw_slice_end(const struct pw_planner *pl, struct pw_track *tr, int curved)
{
    const struct pw_piece *p;
    int32_t i, n, present = tr->taps - 1;
    int64_t last;
    if (tr->joined < 0) {
        if (!pw_onset(pl, tr)) return 0;
        tr->joined = 0;
        tr->since_q16 = tr->break_q32[0] = tr->break_q32[1] = tr->break_q32[2] = 0;
        if (tr->axes >> PW_AXIS_SMOOTH)
            for (n = 0; n < 3; n++) tr->joined = (int8_t)pw_max64(tr->joined, pw_piece_at(pl, tr->tap[n])->jump[PW_AXIS_E] & PW_CLASS);
    }
    /* the path at present ends the slice where it is long or stands: nothing may come after it */
    last = tr->until_q16[present];
    p = pw_piece_at(pl, tr->tap[present]);
    if (!p->rest && last - p->start_q16 < pl->join_q16) last = tr->time_q16 + pl->join_q16;
    for (;;) {
        int64_t end = last, span, most, lag;
        int32_t jump, a;
        for (i = 0, n = -1; i < present; i++) {
            if (tr->until_q16[i] >= end) continue;
            end = tr->until_q16[i];
            n = i;
        }
        span = end - tr->time_q16;
        most = pw_longest_slice(pl, tr, span);
        if (most < span) n = -1;
        end = tr->time_q16 + most;
        if (end > pl->front_q16) return 0;
        if (n < 0 || curved || span >= pl->join_q16) return end;
        if (tr->tap[n] + 1 == pl->piece_head) return 0;
        a = tr->shaped[n] >> 3;
        p = pw_piece_at(pl, tr->tap[n] + 1);
        jump = p->jump[pw_axis_of(a)];
        lag = pl->shaping[a].lag_q16[tr->shaped[n] & 7];
        if (a == PW_AXIS_SMOOTH) {
            int32_t class = jump > tr->joined ? jump : tr->joined | 1;
            if (jump > PW_CLASS || span >= pw_smooth_span(pl, class)) return end;
            tr->joined = (int8_t)class;
        } else if (jump == PW_CORNER) {
            return end;
        } else if (jump) {
            int64_t strength = jump * (pl->shaping[a].weight_q32[tr->shaped[n] & 7] >> 26), square = pw_mulshift(span, span, 32); /* weights Q6 */
            tr->break_q32[0] += strength * square;
            tr->break_q32[1] += strength * pw_mulshift(square, span, 32);
            tr->break_q32[2] += strength * pw_mulshift(square, square, 32);
        }
        tr->since_q16 = span;
        pw_next_piece(pl, tr, n, lag);
    }
}

/* The next part of the motor's slice, over which it does not turn. */
static void pw_next_part(struct pw_motor *mo, const struct pw_span *sp, int64_t from, int64_t to)
{
    int64_t a = pw_cubic(mo->k_q32, from), b = pw_cubic(mo->k_q32, to);
    int i;
    if (b < a) { /* mirrored to rise */
        mo->rising = -mo->rising;
        mo->base_q32 = -mo->base_q32;
        for (i = 0; i < 3; i++) mo->k_q32[i] = -mo->k_q32[i];
        b = -b;
    }
    mo->to_q32 = mo->base_q32 + b;
    pw_begin_part(mo, from, to, sp);
}

/* n / d where that lies between 0 and 1, else -1; both below 2^32 */
static int64_t pw_proper(int64_t n, int64_t d)
{
    if (d < 0) {
        n = -n;
        d = -d;
    }
    return n <= 0 || n >= d ? -1 : n * ((int64_t)1 << 31) / d * 2;
}

/* Where the slope k0 + 2 k1 u + 3 k2 u^2 changes its sign inside (0, end): how many places, in order. */
static int32_t pw_turns(const int64_t k[3], int64_t end, int64_t out[2])
{
    int64_t a = 3 * k[2], b = k[1], c = k[0], q, root[2];
    int32_t n = 0, i, sh;
    /* all of one sign in Bernstein form: no turn */
    int64_t mid = c + pw_mulshift(b, end, 32), last = mid + pw_mulshift(b, end, 32) + pw_mulshift(pw_mulshift(a, end, 32), end, 32);
    if ((c >= 0 && mid >= 0 && last >= 0) || (c <= 0 && mid <= 0 && last <= 0)) return 0;
    sh = 34 - pw_clz64((uint64_t)(pw_abs64(a) | pw_abs64(b) | pw_abs64(c))); /* to 30 bits */
    if (sh > 0) {
        a = pw_asr(a, sh);
        b = pw_asr(b, sh);
        c = pw_asr(c, sh);
    }
    q = b * b - a * c; /* below 2^61 */
    if (q <= 0) return 0;
    q = pw_isqrt64((uint64_t)q);
    q = b < 0 ? -b + q : -(b + q); /* -(b + sign(b) sqrt) */
    root[0] = pw_proper(q, a);
    root[1] = pw_proper(c, q);
    if (root[1] < root[0]) {
        int64_t t = root[0];
        root[0] = root[1];
        root[1] = t;
    }
    for (i = 0; i < 2; i++)
        if (root[i] > 0 && root[i] < end) out[n++] = root[i];
    return n;
}

/* A motor's cubic over the slice, of the places and the speeds (steps a slice) at both ends; 0 when it makes no step there. */
static int pw_motor_slice(struct pw_motor *mo, const struct pw_span *sp, const int64_t place[2], const int64_t speed[2])
{
    int64_t turn[2], *k = mo->k_q32, way = place[1] - place[0], noise = 4096 + (sp->length_q16 >> 20);
    int32_t n;
    k[1] = 3 * way - 2 * speed[0] - speed[1];
    k[2] = speed[0] + speed[1] - 2 * way;
    if (pw_abs64(k[1]) + pw_abs64(k[2]) <= noise) { /* straight but for rounding */
        if (pw_abs64(way) <= noise) return 0;
        k[0] = way;
        k[1] = k[2] = 0;
    } else {
        k[0] = speed[0];
    }
    mo->base_q32 = place[0];
    mo->rising = 1;
    n = mo->parts = pw_turns(k, PW_ONE, turn);
    /* the ends of the parts behind the first, the last on top */
    mo->turn_q32[0] = PW_ONE;
    if (n == 2) mo->turn_q32[1] = turn[1];
    pw_next_part(mo, sp, 0, n ? turn[0] : PW_ONE);
    return 1;
}

/* Steps of all parts; 0: the ring is full. */
static int pw_motor_run(struct pw_planner *pl, int32_t motor, const struct pw_span *sp, int32_t *work)
{
    struct pw_motor *mo = &pl->motors[motor];
    for (;;) {
        if (!pw_make_runs(pl, motor, sp, work, INT32_MAX)) return 0;
        if (mo->parts == 0) return 1;
        mo->parts--;
        pw_next_part(mo, sp, mo->hi_q32, mo->turn_q32[mo->parts]);
    }
}

/* The track's axes at a time within the pieces in force. */
void pw_axes_at(const struct pw_planner *pl, const struct pw_track *tr, int64_t time, int64_t at[4], int64_t speed[4])
{
    int32_t a, i, n = 0;
    for (a = 0; a < PW_AXIS_SMOOTH; a++) {
        const struct pw_shaping *sh = &pl->shaping[a];
        int64_t first, v;
        if (!(tr->axes >> a & 1)) continue;
        at[a] = first = pw_piece_place(pw_piece_at(pl, tr->tap[n++]), a, time - sh->lag_q16[0], &v);
        speed[a] = sh->n == 1 ? v : pw_mulshift(v, sh->weight_q32[0], 32);
        for (i = 1; i < sh->n; i++) { /* the others by their difference from the first: exact where the axis stands */
            int64_t p = pw_piece_place(pw_piece_at(pl, tr->tap[n++]), a, time - sh->lag_q16[i], &v);
            if (p != first) at[a] += pw_mulshift(p - first, sh->weight_q32[i], 32);
            if (v) speed[a] += pw_mulshift(v, sh->weight_q32[i], 32);
        }
    }
}

/* Place and speed of a motor of linear kinematics, whose axes are from `from` on. */
static int64_t pw_motor_at(const struct pw_planner *pl, int32_t m, int32_t from, const int64_t at[4], const int64_t speed[4], int64_t *v)
{
    const int64_t *rate = pl->matrix_q32[m];
    int64_t place = pl->origin_q32[m];
    int32_t a;
    *v = 0;
    if (from == PW_AXIS_E) {
        *v = pw_mulshift(speed[PW_AXIS_E], rate[0], 32);
        return place + pw_mulshift(at[PW_AXIS_E], rate[0], 32);
    }
    for (a = from; a < 3; a++) {
        if (rate[a] == 0) continue;
        place += pw_mulshift(at[a], rate[a], 32);
        *v += pw_mulshift(speed[a], rate[a], 32);
    }
    return place;
}

/* 0: there is nothing to make yet. */
static int pw_slice(struct pw_planner *pl, struct pw_track *tr)
{
    int64_t at[4] = {0, 0, 0, 0}, speed[4] = {0, 0, 0, 0}, place[PW_MOTORS][2], v[PW_MOTORS][2], bend[2] = {0, 0}, end;
    int32_t m, i, curved = !pw_kin_is_linear(&pl->kin) && (tr->motors & 1), from = pw_axis_of(tr->shaped[0] >> 3);
    if (tr->waited_q16 == pl->front_q16) return 0;
    end = pw_slice_end(pl, tr, curved);
    if (end <= tr->time_q16) {
        tr->waited_q16 = pl->front_q16;
        return 0;
    }
    if (curved) {
        end = pw_min64(end, tr->time_q16 + tr->length_q16);
        pw_curved_slice(pl, tr, &end, at, speed, place, v);
    } else if (PW_WITH_SHAPING && tr->axes >> PW_AXIS_SMOOTH) {
        pw_advance_at(pl, tr, end, &at[PW_AXIS_E], &speed[PW_AXIS_E], bend);
    } else {
        pw_axes_at(pl, tr, end, at, speed);
    }
    pw_begin_span(&tr->span, tr->time_q16, end - tr->time_q16);
    tr->end_q16 = end;
    tr->working = 0;
    for (m = 0; tr->motors >> m; m++) {
        if (!(tr->motors >> m & 1) || (m >= 3 && m != 3 + pl->tool)) continue;
        if (!curved) {
            place[m][0] = pw_motor_at(pl, m, from, tr->at_q32, tr->speed_q32, &v[m][0]);
            place[m][1] = pw_motor_at(pl, m, from, at, speed, &v[m][1]);
        }
        for (i = 0; i < 2; i++) v[m][i] = v[m][i] ? pw_mulshift(v[m][i], end - tr->time_q16, 32) : 0;
        if (pw_motor_slice(&pl->motors[m], &tr->span, place[m], v[m])) tr->working |= 1 << m;
    }
    for (m = 0; m < 4; m++) {
        tr->at_q32[m] = at[m];
        tr->speed_q32[m] = speed[m];
    }
    tr->bend_q32[0] = bend[0];
    tr->bend_q32[1] = bend[1];
    return 1;
}

/* 1: something was done. */
static int pw_track_run(struct pw_planner *pl, struct pw_track *tr, int32_t budget, int32_t *work)
{
    int32_t before = *work, m, full;
    while (*work < budget) {
        if (tr->working < 0) {
            if (!pw_slice(pl, tr)) break;
            ++*work;
        }
        for (m = 0, full = 0; tr->working >> m; m++) { /* a full ring keeps none of the others waiting */
            if (!(tr->working >> m & 1)) continue;
            if (pw_motor_run(pl, m, &tr->span, work)) tr->working &= ~(1 << m);
            else full = 1;
        }
        if (full) break;
        tr->time_q16 = tr->end_q16;
        tr->working = tr->joined = -1;
    }
    return *work != before;
}

int pw_tracks_run(struct pw_planner *pl, int32_t budget, int32_t *work)
{
    int32_t t;
    int did = 0;
    for (t = 0; t < pl->n_tracks; t++) did |= pw_track_run(pl, &pl->tracks[t], budget, work);
    return did;
}
