/* Runs of steps from one motor's polynomial.
 *
 * The motor's position is a cubic in u over a stretch of time, rising or falling from u = lo to hi.  A step is due where it passes the middle between two counts
 * (half-step rule); runs of steps are quadratics through three such times, as long as the fit stays within PW_FIT. */
#include "pw_runs.h"
#include "pw_math.h"

#define PW_HALF ((int64_t)1 << 31)
#define PW_HYSTERESIS ((int64_t)1 << 24)  /* 1/256 step */
#define PW_FIT 1500000                    /* slope error times steps: 0.096 of it is the fit error, 2.2 ticks in Q16 */
enum { PW_CHUNK_MAX = 256 };

int64_t pw_cubic(const int64_t c[3], int64_t u)
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

/* Newton, kept in its bracket by bisection. */
int64_t pw_root(const int64_t c[3], int64_t target, int64_t lo, int64_t hi, int64_t u, int64_t close)
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
static int64_t pw_run_linear(struct pw_planner *pl, int32_t motor, const struct pw_span *sp, int64_t due, int64_t left)
{
    struct pw_motor *mo = &pl->motors[motor];
    int64_t interval = pw_divq32(sp->length_q16, mo->k_q32[0]), count = pw_min64(left, 65535);
    /* below 2^9 of k no second step follows, and the interval may have overflown: the time stays inside the phase */
    int64_t after = mo->k_q32[0] < 512 ? sp->length_q16 / 2 : pw_mulshift(pw_max64(due - mo->base_q32, 0), interval, 32);
    int64_t first = sp->time_q16 + pw_min64(after, sp->length_q16);
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
static int64_t pw_run_fit(struct pw_planner *pl, int32_t motor, const struct pw_span *sp, int64_t due, int64_t left)
{
    struct pw_motor *mo = &pl->motors[motor];
    const int64_t *k = mo->k_q32;
    int64_t span = sp->length_q16, close = sp->close_q32, at = due - mo->base_q32;
    int64_t u0 = pw_near(k, at, mo->lo_q32, mo->hi_q32, mo->guess_q32, mo->step_q32, close), t0 = pw_part(span, u0), d0 = pw_slope(k, u0);
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
            pw_emit(pl, motor, sp->time_q16 + t0, 0, 0, 1);
            mo->guess_q32 = u0 + step_u;
            mo->step_q32 = step_u;
            return 1;
        }
        turn = bend * h / 256;
        uh = pw_near(k, at + h * PW_ONE, u0, mo->hi_q32, u0 + h * (step_u + turn), step_u + 2 * turn, close);
        th = pw_part(span, uh);
        if (h == 1) {
            pw_emit(pl, motor, sp->time_q16 + t0, pw_max64(th - t0, 0), 0, 2);
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
                pw_emit(pl, motor, sp->time_q16 + t0, interval, add, h + 1);
                mo->guess_q32 = uh + step_h;
                mo->step_q32 = step_h;
                return h + 1;
            }
        }
        h = h > 2 ? (h / 2) & ~(int64_t)1 : 1;
        mo->chunk = (int32_t)pw_max64(h, 2);
    }
}

int pw_make_runs(struct pw_planner *pl, int32_t motor, const struct pw_span *sp, int32_t *work)
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
            int64_t u = pw_root(mo->k_q32, due - mo->base_q32, mo->lo_q32, mo->hi_q32, mo->lo_q32, sp->close_q32);
            int64_t t = sp->time_q16 + pw_mulshift(sp->length_q16, u, 32);
            /* one tick more than the set-up, for the rounding of both */
            pw_emit(pl, motor, pw_max64(t, mo->last_q16 + pl->setup_q16 + 65536), 0, 0, 1);
        } else if (mo->k_q32[1] == 0 && mo->k_q32[2] == 0) {
            pw_run_linear(pl, motor, sp, due, left);
        } else {
            pw_run_fit(pl, motor, sp, due, left);
        }
        ++*work;
    }
    return 1;
}

