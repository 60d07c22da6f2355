#include "pw_follow.h"
#include "pw_advance.h"
#include "pw_curved.h"
#include "pw_history.h"
#include "pw_runs.h"
#include "pw_shaper.h"

/* -- shapers and tracks of a machine ------------------------------------------------------------------------------------------- */

static void pw_delayed(struct pw_shaping *sh, int64_t lag)
{
    sh->n = 1;
    sh->lag_q16[0] = lag;
    sh->weight_q32[0] = PW_ONE;
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
    if (pl->reach_q16) pl->piece_min_q16 = pl->reach_q16 / (int64_t)(pl->piece_size - PW_PIECE_MEAN - PW_PIECE_SPARE) * PW_PIECE_MEAN;
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
        tr->working = -1;
        tr->fresh = 0;
        tr->length_q16 = (int64_t)1 << PW_CURVED_SCALE;
        tr->taps = 1;
        for (a = 0; a < 5; a++)
            if (tr->axes >> a & 1) tr->taps += pl->shaping[a].n;
        for (i = 0; i < PW_TAPS; i++) tr->tap[i] = 0;
        for (i = 0, a = 0; a < 5; a++)
            for (n = 0; (tr->axes >> a & 1) && n < pl->shaping[a].n; n++) tr->until_q16[i++] = pl->front_q16 + pl->shaping[a].lag_q16[n];
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

/* Moves the tap on to the piece in force; the time until which it is. */
static inline int64_t pw_follow(const struct pw_planner *pl, struct pw_track *tr, int32_t tap, int64_t lag)
{
    int64_t until = tr->until_q16[tap];
    if (until > tr->time_q16) return until;
    while (until <= tr->time_q16 && tr->tap[tap] + 1 != pl->piece_head) until = pw_piece_end(pl, ++tr->tap[tap]) + lag;
    return tr->until_q16[tap] = until;
}

/* The axis over 2^scale from the track's time on; 0 where it stands. */
static int pw_axis(const struct pw_planner *pl, const struct pw_track *tr, int32_t axis, const uint32_t *tap, int32_t scale, int64_t x[4])
{
    const struct pw_shaping *sh = &pl->shaping[axis];
    int32_t from = axis < PW_AXIS_E ? axis : PW_AXIS_E, i, j;
    int64_t q[4], first = 0;
    for (i = 0; i < sh->n; i++) {
        const struct pw_piece *p = pw_piece_at(pl, tap[i]);
        pw_shift(p->k_q32[from], pw_share(tr->time_q16 - sh->lag_q16[i] - p->start_q16, p->scale), p->scale - scale, q);
        if (sh->n == 1) {
            for (j = 0; j < 4; j++) x[j] = q[j];
        } else if (i == 0) { /* the others by their difference from the first: exact where the axis stands */
            x[0] = first = q[0];
            for (j = 1; j < 4; j++) x[j] = q[j] ? pw_mulshift(q[j], sh->weight_q32[i], 32) : 0;
        } else {
            q[0] -= first;
            for (j = 0; j < 4; j++)
                if (q[j]) x[j] += pw_mulshift(q[j], sh->weight_q32[i], 32);
        }
    }
    return (x[1] | x[2] | x[3]) != 0;
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

/* A motor's cubic over the slice; 0 when it makes no step there. */
static int pw_motor_slice(struct pw_motor *mo, const struct pw_span *sp, int64_t base, const int64_t k[3], int64_t end)
{
    int64_t turn[2];
    int32_t n;
    if ((k[0] | k[1] | k[2]) == 0) return 0;
    for (n = 0; n < 3; n++) mo->k_q32[n] = k[n];
    mo->base_q32 = base;
    mo->rising = 1;
    n = mo->parts = pw_turns(k, end, turn);
    /* the ends of the parts behind the first, the last on top */
    mo->turn_q32[0] = end;
    if (n == 2) mo->turn_q32[1] = turn[1];
    pw_next_part(mo, sp, 0, n ? turn[0] : end);
    return 1;
}

/* Steps of all parts; 0: the ring is full. */
static int pw_motor_run(struct pw_planner *pl, int32_t motor, const struct pw_span *sp, int32_t *work)
{
    struct pw_motor *mo = &pl->motors[motor];
    for (;;) {
        if (!pw_make_runs(pl, motor, sp, work)) return 0;
        if (mo->parts == 0) return 1;
        mo->parts--;
        pw_next_part(mo, sp, mo->hi_q32, mo->turn_q32[mo->parts]);
    }
}

/* 0: the track is at the front. */
static int pw_slice(struct pw_planner *pl, struct pw_track *tr)
{
    int64_t end = pw_follow(pl, tr, tr->taps - 1, 0), x[5][4], bent[3][4], k[4], u;
    int32_t a, i, j, m, n = 0, scale, moves = 0, curved, at[5] = {0, 0, 0, 0, 0};
    if (end <= tr->time_q16) return 0;
    for (a = 0; a < 5; a++) {
        if (!(tr->axes >> a & 1)) continue;
        at[a] = n;
        for (i = 0; i < pl->shaping[a].n; i++) end = pw_min64(end, pw_follow(pl, tr, n++, pl->shaping[a].lag_q16[i]));
    }
    curved = !pw_kin_is_linear(&pl->kin) && (tr->motors & 1);
    if (curved) end = pw_min64(end, tr->time_q16 + tr->length_q16);
    if (PW_WITH_SHAPING && tr->axes >> PW_AXIS_SMOOTH) {
        pw_advance_slice(pl, tr, &end, x[PW_AXIS_SMOOTH]);
        moves = (x[PW_AXIS_SMOOTH][1] | x[PW_AXIS_SMOOTH][2] | x[PW_AXIS_SMOOTH][3]) != 0;
    }
    scale = pw_scale_of(end - tr->time_q16);
    for (a = 0; a < PW_AXIS_SMOOTH; a++)
        if (tr->axes >> a & 1) moves |= pw_axis(pl, tr, a, &tr->tap[at[a]], scale, x[a]);
    tr->end_q16 = end;
    tr->working = 0;
    if (!moves) return 1;
    u = pw_share(end - tr->time_q16, scale);
    if (curved) {
        pw_curved_slice(pl, tr, x, u, &scale, bent);
        tr->end_q16 = pw_min64(end, tr->time_q16 + pw_mulshift(u, (int64_t)1 << scale, 32));
    }
    pw_begin_span(&tr->span, tr->time_q16, (int64_t)1 << scale);
    for (m = 0; m < pl->cfg->motors; m++) {
        if (!(tr->motors >> m & 1) || (m >= 3 && m != 3 + pl->tool)) continue;
        for (j = 0; j < 4; j++) k[j] = curved ? bent[m][j] : j ? 0 : pl->origin_q32[m];
        for (a = 0; a < 5 && !curved; a++) {
            int64_t rate = pl->matrix_q32[m][a < 3 ? a : 0];
            if (!(tr->axes >> a & 1) || rate == 0) continue;
            for (j = 0; j < 4; j++)
                if (x[a][j]) k[j] += pw_mulshift(x[a][j], rate, 32);
        }
        if (pw_motor_slice(&pl->motors[m], &tr->span, k[0], k + 1, u)) tr->working |= 1 << m;
    }
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
        tr->working = -1;
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
