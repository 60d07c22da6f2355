/* From ramps to runs of steps.
 *
 * A phase is a stretch of time with a cubic path coordinate; a piece is the part of a phase within one segment.  Within a piece
 * each motor's position is a cubic in u = 0..1 over the phase.  A step is due where it passes the middle between two counts
 * (half-step rule); runs of steps are quadratics through three such times, as long as the fit stays within PW_FIT. */
#include "pw_math.h"
#include "pw_planner.h"

#define PW_ONE ((int64_t)1 << 32)
#define PW_HALF ((int64_t)1 << 31)
#define PW_HYSTERESIS ((int64_t)1 << 24)  /* 1/256 step */
#define PW_SNAP 8                         /* path coordinates that differ only by rounding */
#define PW_PHASE_MAX ((int64_t)1 << 40)   /* a cruise is cut into phases of 2^24 ticks */
#define PW_CLOSE ((int64_t)1 << 45)       /* with the duration: root tolerance of 1/8 tick */
#define PW_FIT 1500000                    /* slope error times steps: 0.096 of it is the fit error, 2.2 ticks in Q16 */
enum { PW_CHUNK_MAX = 256 };

static int64_t pw_cubic(const int64_t c[3], int64_t u)
{
    if (u >= PW_ONE) return c[0] + c[1] + c[2];
    if (u <= 0) return 0;
    return pw_mulq32(pw_mulq32(pw_mulq32(c[2], (uint32_t)u) + c[1], (uint32_t)u) + c[0], (uint32_t)u);
}

static int64_t pw_slope(const int64_t c[3], int64_t u)
{
    if (u >= PW_ONE) return c[0] + 2 * c[1] + 3 * c[2];
    if (u <= 0) return c[0];
    return pw_mulq32(pw_mulq32(3 * c[2], (uint32_t)u) + 2 * c[1], (uint32_t)u) + c[0];
}

/* e / d as Q32, d > 0 */
static int64_t pw_newton_step(int64_t e, int64_t d)
{
    int sh = pw_clz64((uint64_t)pw_abs64(e)) - 1;
    if (sh >= 32) return e * PW_ONE / d;
    d >>= 32 - sh;
    return e * ((int64_t)1 << sh) / (d > 0 ? d : 1);
}

/* u in [lo, hi] with cubic(u) = target, for a rising cubic: Newton, kept in its bracket by bisection. */
static int64_t pw_root(const int64_t c[3], int64_t target, int64_t lo, int64_t hi, int64_t u, int64_t close)
{
    int i;
    if (u <= lo || u >= hi) u = lo + (hi - lo) / 2;
    for (i = 0; i < 64 && hi - lo > 1; i++) {
        int64_t e = target - pw_cubic(c, u), d = pw_slope(c, u), next;
        if (e == 0) return u;
        if (e > 0) lo = u;
        else hi = u;
        next = d > 0 ? u + pw_newton_step(e, d) : lo;
        if (next <= lo || next >= hi) {
            if (d > 0 && pw_abs64(next - u) <= close) return next <= lo ? lo : hi;
            next = lo + (hi - lo) / 2;
        } else if (pw_abs64(next - u) <= close) {
            return next;
        }
        u = next;
    }
    return hi;
}

/* -- one motor over one piece -------------------------------------------------------------------------------------------------- */

static int pw_ring_full(const struct pw_planner *pl, const struct pw_motor *mo)
{
    return mo->head - mo->tail >= (uint32_t)pl->cfg->ring_runs;
}

static void pw_emit(struct pw_planner *pl, int32_t motor, int64_t first, int64_t interval, int64_t add, int64_t count)
{
    struct pw_motor *mo = &pl->motors[motor];
    struct pw_steprun *run = &pl->runs[(size_t)motor * (size_t)pl->cfg->ring_runs + mo->head++ % (uint32_t)pl->cfg->ring_runs];
    if (first < mo->last_q16) first = mo->last_q16;
    run->first_q16 = (uint64_t)first;
    run->interval_q16 = (uint64_t)interval;
    run->add_q16 = (int32_t)add;
    run->count = (uint32_t)count;
    run->direction = mo->rising;
    run->reserved = 0;
    mo->last_q16 = first + interval * (count - 1) + add * (count - 1) * (count - 2) / 2;
    mo->direction = mo->rising;
    mo->count += mo->rising * count;
}

/* Steps at constant speed: exact in one run. */
static int64_t pw_run_linear(struct pw_planner *pl, int32_t motor, int64_t due, int64_t left)
{
    struct pw_motor *mo = &pl->motors[motor];
    int64_t interval = pw_divq32(pl->phase_t_q16, mo->k_q32[0]), count = pw_min64(left, 65535);
    /* below 2^9 of k no second step follows, and the interval may have overflown: the time stays inside the phase */
    int64_t after = mo->k_q32[0] < 512 ? pl->phase_t_q16 / 2 : pw_mulshift(pw_max64(due - mo->base_q32, 0), interval, 32);
    int64_t first = pl->time_q16 + pw_min64(after, pl->phase_t_q16);
    if (count == 1) interval = 0;
    pw_emit(pl, motor, first, interval, 0, count);
    return count;
}

/* floor(span * u / 2^32), u at most 1 */
static int64_t pw_part(int64_t span, int64_t u) { return u >= PW_ONE ? span : pw_mulq32(span, (uint32_t)u); }

/* u with cubic(u) = target near u, where a step takes about step_u: steps of one slope, which need no division. */
static int64_t pw_near(const int64_t c[3], int64_t target, int64_t lo, int64_t hi, int64_t u, int64_t step_u, int64_t close)
{
    int i;
    for (i = 0; i < 3 && u > lo && u < hi && step_u > 0 && step_u < PW_ONE; i++) {
        int64_t e = target - pw_cubic(c, u);
        if (e >= PW_HALF || e <= -PW_HALF) break;
        e = pw_asr(e * step_u, 32);
        u += e;
        if (pw_abs64(e) <= close) return pw_max64(lo, pw_min64(hi, u));
    }
    return pw_root(c, target, lo, hi, u, close);
}

/* a / b; in 32 bits where that is enough, which small chips do faster. */
static int64_t pw_div_small(int64_t a, int64_t b)
{
    return a == (int32_t)a ? (int32_t)a / (int32_t)b : a / b;
}

/* Steps at changing speed: a quadratic through the first, the middle and the last of a chunk.  Its residual is near a cubic that
 * vanishes at the three, whose slope at the ends tells its size. */
static int64_t pw_run_fit(struct pw_planner *pl, int32_t motor, int64_t due, int64_t left, int64_t lo)
{
    struct pw_motor *mo = &pl->motors[motor];
    const int64_t *k = mo->k_q32;
    int64_t span = pl->phase_t_q16, close = pl->close_q32, at = due - mo->base_q32;
    int64_t u0 = pw_near(k, at, lo, pl->u1_q32, mo->guess_q32, mo->step_q32, close), t0 = pw_part(span, u0), d0 = pw_slope(k, u0);
    int64_t h = pw_min64(left - 1, mo->chunk);
    int64_t step_u = d0 > 0 ? pw_newton_step(PW_ONE, d0) : 0, slope0 = pw_part(span, step_u), bend = 0;
    if (step_u > 0 && step_u < ((int64_t)1 << 30)) { /* of u over steps: half its second derivative */
        int64_t w = k[1] + (k[2] ? 3 * pw_mulq32(k[2], (uint32_t)u0) : 0);
        bend = -pw_mulshift(pw_mulshift(pw_mulshift(w, step_u, 32), step_u, 32), step_u, 32 - 8); /* 2^-8 more */
    }
    if (h >= 2) h &= ~(int64_t)1;
    for (;;) {
        int64_t g, uh, th, ug, tg, dh, add, interval, err, err2, step_h, turn;
        if (h <= 0) {
            pw_emit(pl, motor, pl->time_q16 + t0, 0, 0, 1);
            mo->guess_q32 = u0 + step_u;
            mo->step_q32 = step_u;
            return 1;
        }
        turn = bend * h / 256;
        uh = pw_near(k, at + h * PW_ONE, u0, pl->u1_q32, u0 + h * (step_u + turn), step_u + 2 * turn, close);
        th = pw_part(span, uh);
        if (h == 1) {
            pw_emit(pl, motor, pl->time_q16 + t0, pw_max64(th - t0, 0), 0, 2);
            mo->guess_q32 = uh + (uh - u0);
            mo->step_q32 = uh - u0;
            return 2;
        }
        g = h / 2;
        ug = pw_near(k, at + g * PW_ONE, u0, uh, u0 + g * step_u + (uh - u0 - h * step_u) / 4, step_u + turn, close);
        tg = pw_part(span, ug);
        add = pw_div_small(th - 2 * tg + t0, g * g);
        interval = pw_div_small(tg - t0, g) - add * (g - 1) / 2;
        dh = pw_slope(k, uh);
        if (d0 > 0 && dh > 0 && interval >= 0 && interval + add * (h - 1) >= 0 && add <= INT32_MAX && add >= -INT32_MAX) {
            err = pw_abs64(interval - add / 2 - slope0);
            step_h = pw_newton_step(PW_ONE, dh);
            err2 = pw_abs64(interval + add * (2 * h - 1) / 2 - pw_part(span, step_h));
            err = pw_max64(err, err2);
            if (err < ((int64_t)1 << 40) && err * h <= PW_FIT) {
                if (err * h * 8 <= PW_FIT && mo->chunk <= h) mo->chunk = (int32_t)pw_min64(2 * h, PW_CHUNK_MAX);
                pw_emit(pl, motor, pl->time_q16 + t0, interval, add, h + 1);
                mo->guess_q32 = uh + step_h;
                mo->step_q32 = step_h;
                return h + 1;
            }
        }
        h = h > 2 ? (h / 2) & ~(int64_t)1 : 1;
        mo->chunk = (int32_t)pw_max64(h, 2);
    }
}

/* All steps of the motor in the piece.  0: its ring is full, call again. */
static int pw_motor_piece(struct pw_planner *pl, int32_t motor, int32_t *work)
{
    struct pw_motor *mo = &pl->motors[motor];
    while (mo->rising) {
        int64_t due = mo->rising * mo->count * PW_ONE + PW_HALF, left;
        int turned = mo->direction == -mo->rising;
        if (turned) due += PW_HYSTERESIS;
        if (mo->to_q32 <= due) break;
        if (pw_ring_full(pl, mo)) return 0;
        left = ((mo->to_q32 - due - 1) >> 32) + 1;
        if (turned) {
            int64_t u = pw_root(mo->k_q32, due - mo->base_q32, pl->u0_q32, pl->u1_q32, pl->u0_q32, PW_CLOSE / pl->phase_t_q16 + 1);
            int64_t t = pl->time_q16 + pw_mulshift(pl->phase_t_q16, u, 32);
            /* one tick more than the set-up, for the rounding of both */
            pw_emit(pl, motor, pw_max64(t, mo->last_q16 + pl->setup_q16 + 65536), 0, 0, 1);
        } else if (mo->k_q32[1] == 0 && mo->k_q32[2] == 0) {
            pw_run_linear(pl, motor, due, left);
        } else {
            pw_run_fit(pl, motor, due, left, pl->u0_q32);
        }
        ++*work;
    }
    return 1;
}

/* -- phases and pieces ---------------------------------------------------------------------------------------------------------- */

static void pw_fire_marks(struct pw_planner *pl, int64_t t_q16)
{
    uint32_t size = pw_marks_size(pl->cfg);
    while (pl->mark_fired != pl->mark_head && (int32_t)(pl->done - pl->mark_segs[pl->mark_fired % size]) >= 0)
        pl->marks[pl->mark_fired++ % size].tick = (uint64_t)((t_q16 + 32768) >> 16);
}

static void pw_end_segment(struct pw_planner *pl, int64_t t_q16)
{
    const struct pw_seg *sg = pw_seg_at(pl, pl->done);
    int i;
    for (i = 0; i < 3; i++) pl->pos_nm[i] += sg->d_nm[i];
    pl->pos_nm[3 + pw_seg_tool(sg)] += sg->d_nm[3];
    pl->seg_s_q32 = sg->end_q32;
    pl->seg_ready = 0;
    pl->done++;
    pw_fire_marks(pl, t_q16);
}

static void pw_begin_segment(struct pw_planner *pl)
{
    const struct pw_seg *sg = pw_seg_at(pl, pl->done);
    int64_t to[PW_MOTORS], len = sg->end_q32 - pl->seg_s_q32;
    int32_t m;
    for (m = 0; m < PW_MOTORS; m++) to[m] = pl->pos_nm[m];
    for (m = 0; m < 3; m++) to[m] += sg->d_nm[m];
    to[3 + pw_seg_tool(sg)] += sg->d_nm[3];
    for (m = 0; m < pl->cfg->motors; m++) {
        struct pw_motor *mo = &pl->motors[m];
        mo->start_q32 = pw_motor_position(pl, m, pl->pos_nm);
        mo->delta_q32 = pw_motor_position(pl, m, to) - mo->start_q32;
        mo->rate_q32 = pw_sdivq32(mo->delta_q32, len);
    }
    pl->seg_ready = 1;
}

/* Sets time and polynomial of the next phase of the ramp in work; 0 when the ramp is over. */
static int pw_next_phase(struct pw_planner *pl, const struct pw_ramp *r)
{
    int64_t dv = r->v1_q32 - r->v0_q32, part, *c = pl->c_q32;
    if (r->tj_q32 == 0) {
        if (pl->phase == 0) {
            pl->left_t_q16 = r->ta_q32;
            pl->left_s_q32 = r->end_q32 - pl->gen_s_q32;
        }
        if (pl->left_t_q16 <= 0) return 0;
        pl->phase = 1;
        pl->phase_t_q16 = pw_min64(pl->left_t_q16, PW_PHASE_MAX);
        c[0] = pl->left_s_q32;
        if (pl->phase_t_q16 < pl->left_t_q16) c[0] = pw_mulshift(c[0], pw_divq32(pl->phase_t_q16, pl->left_t_q16), 32);
        c[1] = c[2] = 0;
        pl->left_t_q16 -= pl->phase_t_q16;
        pl->left_s_q32 -= c[0];
        return 1;
    }
    pl->phase++;
    if (pl->phase == 2 && r->ta_q32 == 0) pl->phase++;
    if (pl->phase > 3) return 0;
    part = pw_mulshift(dv, pw_divq32(r->tj_q32, r->tj_q32 + r->ta_q32), 33); /* gained under either jerk */
    pl->phase_t_q16 = pl->phase == 2 ? r->ta_q32 : r->tj_q32;
    if (pl->phase == 1) {
        c[0] = pw_mulshift(r->v0_q32, r->tj_q32, 32);
        c[1] = 0;
        c[2] = pw_mulshift(part, r->tj_q32, 32) / 3;
    } else if (pl->phase == 2) {
        c[0] = pw_mulshift(r->v0_q32 + part, r->ta_q32, 32);
        c[1] = pw_mulshift(dv - 2 * part, r->ta_q32, 33);
        c[2] = 0;
    } else {
        c[0] = pw_mulshift(r->v1_q32 - part, r->tj_q32, 32);
        c[1] = pw_mulshift(part, r->tj_q32, 32);
        c[2] = -c[1] / 3;
    }
    return 1;
}

static int pw_last_phase(const struct pw_planner *pl, const struct pw_ramp *r)
{
    return r->tj_q32 == 0 ? pl->left_t_q16 <= 0 : pl->phase == 3;
}

/* The part of the phase in work, from u0 on, within one segment. */
static void pw_begin_piece(struct pw_planner *pl, const struct pw_ramp *r)
{
    const struct pw_seg *sg = pw_seg_at(pl, pl->done);
    int64_t end = pl->gen_s_q32 + pl->c_q32[0] + pl->c_q32[1] + pl->c_q32[2], ahead;
    int32_t m, i, inside;
    if (pw_last_phase(pl, r)) end = r->end_q32;
    if (!pl->seg_ready) pw_begin_segment(pl);
    pl->u1_q32 = PW_ONE;
    /* a segment that ends with the ramp ends in its last phase, however short that is: behind it there may be nothing */
    inside = pw_last_phase(pl, r) || sg->end_q32 < r->end_q32 - PW_SNAP;
    pl->seg_ends = inside && sg->end_q32 <= end + PW_SNAP;
    if (inside && sg->end_q32 < end - PW_SNAP)
        pl->u1_q32 = pw_root(pl->c_q32, sg->end_q32 - pl->gen_s_q32, pl->u0_q32, PW_ONE, pl->u0_q32, PW_CLOSE / pl->phase_t_q16 + 1);
    ahead = pl->gen_s_q32 - pl->seg_s_q32;
    for (m = 0; m < pl->cfg->motors; m++) {
        struct pw_motor *mo = &pl->motors[m];
        int64_t rate = mo->rate_q32, base = mo->start_q32;
        mo->rising = mo->delta_q32 > 0 ? 1 : mo->delta_q32 < 0 ? -1 : 0;
        if (mo->rising < 0) {
            rate = -rate;
            base = -base;
        }
        if (mo->rising == 0) continue;
        mo->guess_q32 = pl->u0_q32;
        mo->step_q32 = 0;
        mo->base_q32 = base + pw_mulshift(rate, ahead, 32);
        for (i = 0; i < 3; i++) mo->k_q32[i] = pl->c_q32[i] ? pw_mulshift(rate, pl->c_q32[i], 32) : 0;
        if (pl->seg_ends) mo->to_q32 = base + pw_abs64(mo->delta_q32);
        else mo->to_q32 = pw_min64(mo->base_q32 + pw_cubic(mo->k_q32, pl->u1_q32), base + pw_abs64(mo->delta_q32));
        if (mo->k_q32[0] <= 0 && mo->k_q32[1] == 0 && mo->k_q32[2] == 0) mo->k_q32[0] = 1;
    }
    pl->piece = 1;
    pl->close_q32 = PW_CLOSE / pl->phase_t_q16 + 1;
    pl->motor = 0;
}

static int pw_end_piece(struct pw_planner *pl, const struct pw_ramp *r)
{
    int64_t t = pl->time_q16 + (pl->u1_q32 == PW_ONE ? pl->phase_t_q16 : pw_mulshift(pl->phase_t_q16, pl->u1_q32, 32));
    pl->piece = 0;
    if (pl->seg_ends) pw_end_segment(pl, t);
    pl->u0_q32 = pl->u1_q32;
    if (pl->u1_q32 < PW_ONE) return 0;
    pl->time_q16 = t;
    pl->gen_s_q32 = pw_last_phase(pl, r) ? r->end_q32 : pl->gen_s_q32 + pl->c_q32[0] + pl->c_q32[1] + pl->c_q32[2];
    return 1;
}

int32_t pw_gen(struct pw_planner *pl, int32_t budget)
{
    int32_t work = 0, m, full;
    while (work < budget && pl->ramp_tail != pl->ramp_head) {
        const struct pw_ramp *r = pw_ramp_at(pl, pl->ramp_tail);
        if (!pl->piece) {
            if (r->v0_q32 == 0 && r->v1_q32 == 0) { /* dwell */
                if (pl->done == pl->head) return PW_E_ASSERT;
                pl->time_q16 += r->ta_q32;
                pw_end_segment(pl, pl->time_q16);
                pl->ramp_tail++;
                work++;
                continue;
            }
            if (pl->phase == 0 || pl->u0_q32 == PW_ONE) {
                if (!pw_next_phase(pl, r)) {
                    pl->phase = 0;
                    pl->u0_q32 = 0;
                    pl->gen_s_q32 = r->end_q32;
                    pl->ramp_tail++;
                    continue;
                }
                pl->u0_q32 = 0;
            }
            if (pl->done == pl->head) return PW_E_ASSERT;
            pw_begin_piece(pl, r);
        }
        for (m = 0, full = 0; m < pl->cfg->motors; m++) { /* a full ring keeps none of the others waiting */
            if (pl->motor >> m & 1) continue;
            if (pw_motor_piece(pl, m, &work)) pl->motor |= 1 << m;
            else full = 1;
        }
        if (full) return work;
        pw_end_piece(pl, r);
        work++;
    }
    return work;
}
