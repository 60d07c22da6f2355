/* Runs of steps from one motor's polynomial.
 *
 * The motor's position is a cubic in u over a stretch of time, rising or falling from u = lo to hi.  A step is due where it passes the middle between two counts
 * (half-step rule); runs of steps are quadratics through three such times, as long as the fit stays within 1/8 us. */
#include "pw_runs.h"
#include "pw_math.h"

#define PW_HALF ((int64_t)1 << 31)
#define PW_HYSTERESIS ((int64_t)1 << 24) /* 1/256 step */
#define PW_BEND ((int64_t)1 << 30)       /* the series is used where the speed changes by at most a quarter from the middle to an end */
enum { PW_CHUNK_MAX = 256 };

int64_t pw_cubic(const int64_t c[3], int64_t u)
{
    if (u >= PW_ONE) return c[0] + c[1] + c[2];
    if (u <= 0) return 0;
    if ((c[1] | c[2]) == 0) return pw_mulq32(c[0], (uint32_t)u);
    return pw_mulq32(pw_mulq32(pw_mulq32(c[2], (uint32_t)u) + c[1], (uint32_t)u) + c[0], (uint32_t)u);
}

static int64_t pw_slope(const int64_t c[3], int64_t u)
{
    if (u >= PW_ONE) return c[0] + 2 * c[1] + 3 * c[2];
    if (u <= 0 || (c[1] | c[2]) == 0) return c[0];
    return pw_mulq32(pw_mulq32(3 * c[2], (uint32_t)u) + 2 * c[1], (uint32_t)u) + c[0];
}

/* e / d as Q32, d > 0 */
static int64_t pw_newton_step(int64_t e, int64_t d)
{
    int sh = pw_clz64((uint64_t)pw_abs64(e)) - 1;
    if (sh >= 32) return pw_div(e * PW_ONE, d);
    d >>= 32 - sh;
    return pw_div(e * ((int64_t)1 << sh), d > 0 ? d : 1);
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

static struct pw_inverse pw_invert(int64_t d)
{
    struct pw_inverse v;
    int sh = pw_clz64((uint64_t)d);
    v.r = pw_invert32((uint32_t)((uint64_t)d << sh >> 32));
    v.s = 31 - sh;
    return v;
}

/* x / d; x below 2^62, the quotient below 2^63 */
static int64_t pw_over(int64_t x, struct pw_inverse v)
{
    x = pw_mulq32(x, v.r);
    return v.s >= 0 ? pw_asr(x, v.s) : x * ((int64_t)1 << -v.s);
}

/* floor(span * u / 2^32), u at most 1 */
static int64_t pw_part(int64_t span, int64_t u) { return u >= PW_ONE ? span : pw_mulq32(span, (uint32_t)u); }

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
    run->count = (uint16_t)count;
    run->direction = (int16_t)mo->rising;
    mo->last_q16 = first + interval * (count - 1) + add * (count - 1) * (count - 2) / 2;
    mo->direction = mo->rising;
    mo->count += mo->rising * count;
}

/* Steps at constant speed: exact in one run. */
static void pw_run_linear(struct pw_planner *pl, int32_t motor, const struct pw_span *sp, int64_t due, int64_t left)
{
    struct pw_motor *mo = &pl->motors[motor];
    int64_t count = pw_min64(left, 65535), after = sp->length_q16 / 2, interval = 0;
    if (mo->k_q32[0] >= 512) { /* else no second step follows, and the interval might overflow: the time stays inside the span */
        struct pw_inverse inv = pw_invert(mo->k_q32[0]);
        interval = pw_over(sp->length_q16, inv);
        after = pw_min64(pw_mulshift(pw_max64(due - mo->base_q32, 0), interval, 32), sp->length_q16);
        if (interval < ((int64_t)1 << 40)) mo->pace_q16 = interval;
    }
    pw_emit(pl, motor, sp->time_q16 + after, count == 1 ? 0 : interval, 0, count);
}

/* Steps at changing speed.  About the middle of n steps, x steps from it, the time is
 *   t + p (x - a x^2 / 2 + (3 a^2 - b) x^3 / 6 + (10 a b - 15 a^3) x^4 / 24 ...),   p = 1 / f1, a = f2 p^2, b = f3 p^3 for the derivatives of the position.
 * A run is the quadratic part, with 3/4 c^2 x for x^3 (c: half the length of the run), which is off by a quarter of that term at most. */
static void pw_run_fit(struct pw_planner *pl, int32_t motor, const struct pw_span *sp, int64_t due, int64_t left)
{
    struct pw_motor *mo = &pl->motors[motor];
    const int64_t *k = mo->k_q32;
    int tracks = pw_has_tracks(pl);
    int64_t near = (tracks ? 1024 : 64) * sp->close_q32; /* where the speed is taken, beside the middle */
    int64_t fit = pl->us_q32 >> 35; /* what a run may leave out of the series: 1/8 us */
    int64_t n = tracks && left <= mo->chunk * 3 / 2 ? left : pw_min64(left, mo->chunk), at = due - mo->base_q32, u, step = mo->step_q32, guess = mo->guess_q32; /* of the first step */
    if (guess < 0) guess = mo->lo_q32 + (step > 0 ? pw_mulq32(at - pw_cubic(k, mo->lo_q32), (uint32_t)step) : 0);
    for (;;) {
        int64_t target = at + (n - 1) * PW_HALF, off = 0, d, e, a, b, cube, c2, err, pace, first, interval, add;
        struct pw_inverse inv;
        u = guess + (n - 1) * step / 2;
        if (step > 0 && u > mo->lo_q32 && u < mo->hi_q32) {
            e = target - pw_cubic(k, u);
            if (e < 4 * PW_ONE && e > -4 * PW_ONE) u += pw_mulq32(e, (uint32_t)step);
            else step = 0;
        }
        if (step == 0 || u <= mo->lo_q32 || u >= mo->hi_q32) u = pw_root(k, target, mo->lo_q32, mo->hi_q32, u, sp->close_q32);
        d = pw_slope(k, u);
        if (d < 65536) { /* hardly moving */
            if (n == 1) u = pw_root(k, target, mo->lo_q32, mo->hi_q32, u, sp->close_q32);
        } else {
            inv = pw_invert(d);
            off = target - pw_cubic(k, u);
            e = off < PW_ONE && off > -PW_ONE ? pw_over(off, inv) : PW_ONE;
            if (pw_abs64(e) > near || (tracks && pw_abs64(off) > PW_ONE / 8) || u + e < mo->lo_q32 || u + e > mo->hi_q32) {
                u = pw_root(k, target, mo->lo_q32, mo->hi_q32, u, sp->close_q32);
                d = pw_max64(pw_slope(k, u), 65536);
                inv = pw_invert(d);
                off = 0;
            } else {
                u += e;
            }
        }
        first = sp->time_q16 + pw_part(sp->length_q16, u);
        if (n == 1) {
            step = d < 65536 ? 0 : pw_over(PW_ONE, inv);
            if (step > PW_HALF) step = 0;
            mo->guess_q32 = u + step;
            mo->step_q32 = step;
            pw_emit(pl, motor, first, 0, 0, 1);
            return;
        }
        if (d >= 65536) {
            a = 2 * k[1];
            b = 6 * k[2];
            if (b) a += pw_mulq32(b, (uint32_t)u);
            a = pw_over(pw_over(a, inv), inv);
            b = b ? pw_over(pw_over(pw_over(b, inv), inv), inv) : 0;
            c2 = (n - 1) * (n - 1); /* 4 c^2 */
            if (pw_abs64(a) * (n - 1) <= 2 * PW_BEND && pw_abs64(b) * (c2 / 4 + 1) <= PW_BEND) {
                int64_t bend = a * (n - 1) / 2; /* a c, Q32 */
                cube = pw_mulshift(3 * bend, bend, 32) - b * c2 / 4; /* (3 a^2 - b) c^2 */
                err = pw_div(pw_abs64(cube), 24) + pw_div(pw_mulshift(pw_abs64(bend), pw_abs64(10 * (b * c2 / 4)) + pw_mulshift(15 * bend, bend, 32), 32), 24);
                pace = pw_over(sp->length_q16, inv);
                if (tracks) pace -= pw_mulshift(pace, pw_mulshift(a, off, 32), 32);
                err = pw_mulshift(pace * (n - 1) / 2, err, 32);
                if (err <= fit) {
                    add = -pw_mulshift(pace, a, 32);
                    interval = pace + pw_mulshift(pace, cube, 35);
                    first -= interval * (n - 1) / 2 - add * c2 / 8;
                    interval -= add * (n - 2) / 2;
                    if (err * 16 <= fit && mo->chunk <= n) mo->chunk = (int32_t)pw_min64(2 * n, PW_CHUNK_MAX);
                    if (interval >= 0 && add <= INT32_MAX && add >= -INT32_MAX) {
                        step = pw_over(PW_ONE, inv);
                        step -= pw_mulshift(step, bend, 32);
                        mo->guess_q32 = u + (n + 1) * step / 2;
                        mo->step_q32 = step > PW_HALF ? 0 : step;
                        mo->pace_q16 = pace - pw_mulshift(pace, bend, 32);
                        pw_emit(pl, motor, pw_max64(first, sp->time_q16), interval, add, n);
                        return;
                    }
                }
            }
        }
        n = n > 2 ? n / 2 : 1;
        mo->chunk = (int32_t)pw_max64(n, 2);
    }
}
void pw_begin_span(struct pw_span *sp, int64_t time_q16, int64_t length_q16)
{
    sp->time_q16 = time_q16;
    sp->length_q16 = length_q16;
    sp->inverse = pw_invert(length_q16);
    sp->close_q32 = pw_over((int64_t)1 << 13, sp->inverse) + 1; /* 1/8 tick */
}

void pw_begin_part(struct pw_motor *mo, int64_t lo, int64_t hi, const struct pw_span *sp)
{
    mo->lo_q32 = lo;
    mo->hi_q32 = hi;
    mo->guess_q32 = -1;
    mo->step_q32 = mo->pace_q16 > 0 && mo->pace_q16 < sp->length_q16 / 2 ? pw_over(mo->pace_q16, sp->inverse) : 0;
}

int pw_make_runs(struct pw_planner *pl, int32_t motor, const struct pw_span *sp, int32_t *work, int32_t most)
{
    struct pw_motor *mo = &pl->motors[motor];
    while (mo->rising) {
        int64_t due = mo->rising * mo->count * PW_ONE + PW_HALF, left;
        int turned = mo->direction == -mo->rising;
        if (turned) due += PW_HYSTERESIS;
        if (mo->to_q32 <= due) break;
        if (pw_ring_full(pl, mo) || *work >= most) return 0;
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

