/* The planner against its own limits, in floating point: random polylines; every ramp keeps speed, acceleration and jerk, every
 * junction its limit, every motor ends on its place, and the stream does not depend on when the planner is called. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "helpers.h"
#include "pw_math.h"
#include "pw_planner.h"

static uint64_t seed;
static uint32_t rnd(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}
static double uniform(double lo, double hi) { return lo + (hi - lo) * rnd() / 2147483648.0; }

#define FAIL(...) do { fprintf(stderr, __VA_ARGS__); fprintf(stderr, " (seed %llu)\n", (unsigned long long)first_seed); exit(1); } while (0)
static uint64_t first_seed;

struct result {
    int64_t count[4], end[4], steps;
    uint64_t hash[4];
    double time_s, jerk_worst;
    long forced, broken, looks, ramps;
};

struct line_list { int n; struct pw_line *at; int *kind; };

static double U; /* seconds */
static double speed_at(const struct pw_ramp *r, double v0, double s) /* s from the ramp's start, mm */
{
    double v1 = (double)r->v1_q32 / 4294967296.0;
    double tj = (double)r->tj_q32 / 4294967296.0, ta = (double)r->ta_q32 / 4294967296.0, T = 2 * tj + ta, lo = 0, hi = T, a, j;
    int i;
    if (r->tj_q32 == 0) return v0;
    a = (v1 - v0) / (tj + ta);
    j = a / tj;
    for (i = 0; i < 60; i++) {
        double t = (lo + hi) / 2, x, w = t;
        if (t < tj) x = v0 * t + j * t * t * t / 6;
        else {
            x = v0 * tj + j * tj * tj * tj / 6;
            w = t - tj;
            if (w < ta) x += (v0 + a * tj / 2) * w + a * w * w / 2;
            else {
                x += (v0 + a * tj / 2) * ta + a * ta * ta / 2;
                w -= ta;
                x += (v1 - a * tj / 2) * w + a * w * w / 2 - j * w * w * w / 6;
            }
        }
        if (x < s) lo = t; else hi = t;
    }
    if (lo < tj) return v0 + j * lo * lo / 2;
    if (lo < tj + ta) return v0 + a * tj / 2 + a * (lo - tj);
    { double q = T - lo; return v1 - j * q * q / 2; }
}

/* Speed at the start of a ramp, in mm/U; `from` begins with the speed `first`. */
static double ramp_v0(const struct pw_planner *pl, uint32_t n, uint32_t from, double first)
{
    return n == from ? first : (double)pw_ramp_at(pl, n - 1)->v1_q32 / 4294967296.0;
}

static void check_ramps(struct pw_planner *pl, uint32_t from, double *last_v, double *last_s, struct result *res)
{
    uint32_t n;
    double jmax = (double)pl->cfg->max_jerk_mm_s3, amax = pl->cfg->max_accel_um_s2 / 1000.0, vmax = pl->cfg->max_velocity_um_s / 1000.0;
    for (n = from; n != pl->ramp_head; n++) {
        const struct pw_ramp *r = pw_ramp_at(pl, n);
        double v0 = (double)ramp_v0(pl, n, from, *last_v * U) / U, v1 = (double)r->v1_q32 / 4294967296.0 / U;
        double tj = (double)r->tj_q32 / 4294967296.0 * U, ta = (double)r->ta_q32 / 4294967296.0 * U;
        double end = (double)r->end_q32 / 4294967296.0, len = end - *last_s, want, j = 0;
        if (!r->tj_q32) { /* rounding may lie between a ramp and a cruise */
            if (fabs(v1 - v0) > 1e-3 + 1e-5 * v0) FAIL("a cruise changes the speed from %g to %g at %g", v0, v1, *last_s);
            v0 = v1;
        }
        if (v0 > vmax * 1.00001 || v1 > vmax * 1.00001) FAIL("speed %g", v0);
        if (r->tj_q32) {
            double a = fabs(v1 - v0) / (tj + ta);
            j = a / tj;
            if (a > amax * 1.0001) FAIL("acceleration %g", a);
            if (j > jmax * 1.001 && fabs(v1 - v0) > 1e-3) FAIL("jerk %g at %g: %g to %g in %g %g", j, *last_s, v0, v1, tj, ta);
            want = (2 * tj + ta) * (v0 + v1) / 2;
        } else want = v0 * ta;
        if (fabs(want - len) > 5e-6 + want * (1e-8 + 2.0 / ((v0 + v1) * U * 4294967296.0 + 1))) FAIL("ramp of %.9f mm claims %.9f (v %g %g)", want, len, v0, v1);
        if (j > res->jerk_worst && fabs(v1 - v0) > 1e-3) res->jerk_worst = j;
        *last_v = v1;
        *last_s = end;
        res->ramps++;
    }
}

/* chaos: drain and run in random small portions */
static struct result play(const struct pw_config *cfg, const struct line_list *list, int chaos)
{
    size_t size = pw_planner_size(cfg, PW_RAMPS);
    struct pw_planner *pl = malloc(size);
    void *scratch = malloc(pw_scratch_size(cfg));
    struct result res;
    struct pw_steprun runs[64];
    int64_t zero[PW_MOTORS] = {0}, last[4] = {0, 0, 0, 0}, at[PW_MOTORS] = {0};
    double last_v = 0, last_s = 0;
    uint32_t seen_ramp = 0, seen_seg = 0;
    int i = 0, m, flushed = 0;
    memset(&res, 0, sizeof res);
    memset(pl, 0xA5, size);
    U = 65536.0 / cfg->tick_hz;
    pw_planner_init(pl, cfg, PW_RAMPS, scratch);
    pw_planner_begin(pl, zero, 0);
    for (m = 0; m < 4; m++) res.hash[m] = 1469598103934665603u;
    for (;;) {
        int32_t r, work = 0;
        int burst = chaos ? (int)(rnd() % 40) : 1000000;
        while (burst-- > 0 && (i < list->n || !flushed)) {
            if (i < list->n) {
                r = list->kind[i] == 1 ? pw_plan_dwell(pl, list->at[i].to_nm[0])
                  : list->kind[i] == 2 ? pw_plan_flush(pl) : pw_plan_line(pl, &list->at[i]);
                if (r == PW_E_FULL) break;
                if (r != PW_OK) FAIL("line %d: error %d", i, r);
                if (list->kind[i] == 0) memcpy(at, list->at[i].to_nm, sizeof list->at[i].to_nm);
                i++;
            } else {
                if (pw_plan_flush(pl) == PW_E_FULL) break;
                flushed = 1;
            }
        }
        r = pw_planner_run(pl, chaos ? 1 + (int)(rnd() % 5) : 1);
        if (r < 0) FAIL("run: %d", r);
        work |= r;
        if (seen_ramp != pl->ramp_head) {
            /* junction limits: the segments that became final */
            uint32_t n = seen_seg, k = seen_ramp;
            double from = last_s;
            for (; n != pl->open; n++) {
                const struct pw_seg *sg = pw_seg_at(pl, n), *next = pw_seg_at(pl, n + 1);
                double s = (double)sg->end_q32 / 4294967296.0, v, limit2;
                if (sg->flags & PW_SEG_DWELL) continue;
                while (k != pl->ramp_head && (double)pw_ramp_at(pl, k)->end_q32 / 4294967296.0 < s - 1e-8) {
                    from = (double)pw_ramp_at(pl, k)->end_q32 / 4294967296.0;
                    k++;
                }
                if (k == pl->ramp_head) break;
                v = speed_at(pw_ramp_at(pl, k), ramp_v0(pl, k, seen_ramp, last_v * U), s - from);
                limit2 = (double)pw_unpack_v2(sg->jcap);
                if (n + 1 != pl->head) limit2 = fmin(limit2, (double)pw_both_cap2(pl, sg, next));
                limit2 = sqrt(limit2 / 281474976710656.0);
                if (v / U > limit2 / U + 0.05 + 0.002 * limit2 / U)
                    FAIL("junction %u at %g mm passed with %g, limit %g (broken %u)", n, s, v / U, limit2 / U, pl->broken);
            }
            seen_seg = pl->open;
            check_ramps(pl, seen_ramp, &last_v, &last_s, &res);
            seen_ramp = pl->ramp_head;
            res.looks++;
        }
        for (m = 0; m < 4; m++) {
            int n = chaos ? (int)(rnd() % 64) : 64, got, q;
            got = pw_planner_steps(pl, m, runs, n);
            work |= got;
            for (q = 0; q < got; q++) {
                int64_t k, t = 0;
                for (k = 0; k < runs[q].count; k++) {
                    t = ((int64_t)runs[q].first_q16 + (int64_t)runs[q].interval_q16 * k + (int64_t)runs[q].add_q16 * k * (k - 1) / 2 + 32768) >> 16;
                    if (t < last[m]) FAIL("motor %d: tick %lld after %lld", m, (long long)t, (long long)last[m]);
                    res.hash[m] = (res.hash[m] ^ (uint64_t)(t * 2 + (runs[q].direction > 0))) * 1099511628211u;
                    last[m] = t;
                    res.count[m] += runs[q].direction;
                    res.steps++;
                }
            }
        }
        if (!chaos && !work && i == list->n && flushed) break;
        if (chaos && i == list->n && flushed && pl->head == pl->done) {
            int left = 0;
            for (m = 0; m < 4; m++) left |= pl->motors[m].head != pl->motors[m].tail;
            if (!left) break;
        }
    }
    if (pl->head != pl->done) FAIL("%u segments left", pl->head - pl->done);
    for (m = 0; m < 4; m++) {
        double p = (double)pw_motor_position(pl, m, at) / 4294967296.0;
        if (fabs(p - (double)res.count[m]) > 0.5 + 1.0 / 256 + 1e-6) FAIL("motor %d ends on %lld for %g", m, (long long)res.count[m], p);
    }
    res.time_s = (double)pl->final_q16 / 65536 / cfg->tick_hz;
    res.forced = pl->forced;
    res.broken = pl->broken;
    free(pl);
    free(scratch);
    return res;
}

static void add(struct line_list *l, const struct pw_config *c, int64_t at[4], double x, double y, double z, double e, double f, double acc)
{
    struct pw_line *ln;
    l->at = realloc(l->at, sizeof(*l->at) * (size_t)(l->n + 1));
    l->kind = realloc(l->kind, sizeof(int) * (size_t)(l->n + 1));
    ln = &l->at[l->n];
    memcpy(ln->from_nm, at, sizeof ln->from_nm);
    ln->to_nm[0] = (int64_t)llround(x * 1e3) * 1000;
    ln->to_nm[1] = (int64_t)llround(y * 1e3) * 1000;
    ln->to_nm[2] = (int64_t)llround(z * 1e3) * 1000;
    ln->to_nm[3] = at[3] + (int64_t)llround(e * 1e5) * 10;
    if (memcmp(ln->from_nm, ln->to_nm, sizeof ln->from_nm) == 0) return;
    ln->velocity_um_s = (int32_t)(f * 1000);
    ln->accel_um_s2 = (int32_t)(acc * 1000);
    ln->corner_um_s = c->corner_um_s;
    ln->e_corner_um_s = c->e_corner_um_s;
    for (int i = 0; i < 3; i++) {
        ln->axis_velocity_um_s[i] = i < 2 ? c->max_velocity_um_s : c->axis_velocity_um_s[i];
        ln->axis_accel_um_s2[i] = i < 2 ? c->max_accel_um_s2 : c->axis_accel_um_s2[i];
    }
    ln->tool = ln->advance_us = 0;
    ln->e_velocity_um_s = c->max_e_velocity_um_s;
    ln->e_accel_um_s2 = c->max_e_accel_um_s2;
    memcpy(at, ln->to_nm, sizeof ln->to_nm);
    l->kind[l->n++] = 0;
}

static void special(struct line_list *l, int kind, int64_t value)
{
    l->at = realloc(l->at, sizeof(*l->at) * (size_t)(l->n + 1));
    l->kind = realloc(l->kind, sizeof(int) * (size_t)(l->n + 1));
    memset(&l->at[l->n], 0, sizeof *l->at);
    l->at[l->n].to_nm[0] = value;
    l->kind[l->n++] = kind;
}

static struct line_list program(const struct pw_config *c, int style)
{
    struct line_list l = {0, 0, 0};
    int64_t at[4] = {0, 0, 0, 0};
    double x = 100, y = 100, z = 0.2, acc = c->max_accel_um_s2 / 1000.0, f = 100;
    int i, n = 200 + (int)(rnd() % 1500);
    if (style == 2 || style == 5 || style == 6 || style == 7 || style == 9) n /= 40;
    add(&l, c, at, x, y, z, 0, 150, acc);
    for (i = 0; i < n; i++) {
        int what = style == 9 ? (int)(rnd() % 9) : style, k;
        if (rnd() % 20 == 0) f = uniform(5, 350);
        if (rnd() % 20 == 0) acc = uniform(0.2, 1) * c->max_accel_um_s2 / 1000.0;
        switch (what) {
        case 0: x = uniform(0, 235); y = uniform(0, 235); add(&l, c, at, x, y, z, 0.3, f, acc); break;
        case 1: x += uniform(-1, 1); y += uniform(-1, 1); add(&l, c, at, x, y, z, 0.01, f, acc); break;
        case 2: { /* arc of chords */
            double r = uniform(0.2, 30), a = uniform(0, 6.28), step = uniform(0.02, 1.5) / r, cx = 117 + r * 0.1, cy = 117, turn = uniform(0.1, 10);
            for (k = 0; k * step < turn; k++) add(&l, c, at, cx + r * cos(a + k * step), cy + r * sin(a + k * step), z, 0.03 * step * r, f, acc);
            x = cx; y = cy; } break;
        case 3: add(&l, c, at, x, y, z, uniform(-1, 1), f, acc); break;
        case 4: z = uniform(0, 5); add(&l, c, at, x, y, z, 0, f, acc); break;
        case 5: { /* spiral: limits that change slowly */
            double r = uniform(1, 10), a = 0;
            for (k = 0; k < 400; k++) { r += 0.02; a += 0.3 / r; add(&l, c, at, 117 + r * cos(a), 117 + r * sin(a), z, 0.01, f, acc); }
            x = 117; y = 117; } break;
        case 6: for (k = 0; k < 100; k++) { x += 0.05; if (x > 234) x = 0; add(&l, c, at, x, y, z, 0.002, f + k % 3 * 20, acc); } break;
        case 7: for (k = 0; k < 20; k++) { x += (k & 1) ? 0.4 : -0.3; y += 0.1; if (y > 230) y = 0; add(&l, c, at, fabs(x), y, z, 0.01, f, acc); } break;
        default: special(&l, 1 + (int)(rnd() & 1), 1000 + rnd() % 100000); break;
        }
        x = fmin(fmax(x, 0), 235);
        y = fmin(fmax(y, 0), 235);
    }
    return l;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, 0, _IOLBF, 0);
    uint64_t base = argc > 1 ? strtoull(argv[1], 0, 10) : 1;
    int rounds = argc > 2 ? atoi(argv[2]) : 60, round;
    long forced = 0, broken = 0, looks = 0, ramps = 0;
    for (round = 0; round < rounds; round++) {
        int i = (int)(base + (uint64_t)round);
        struct pw_config c;
        struct line_list l;
        struct result a, b;
        first_seed = seed = (uint64_t)i;
        rnd();
        c = helper_config(i & 1);
        if (i % 5 == 4) c.window = 16 + (int)(rnd() % 100);
        if (i % 7 == 6) c.ring_runs = 16;
        if (i % 3 == 2) { /* other machines */
            static const int32_t jerks[] = {1000, 20000, 1000000, 10000000, 100000000}, rates[] = {1000000, 12000000, 16000000, 200000000};
            c.max_jerk_mm_s3 = jerks[rnd() % 5];
            c.tick_hz = rates[rnd() % 4];
            c.max_accel_um_s2 = (int32_t)exp(uniform(log(1e5), log(5e7)));
            c.corner_um_s = (int32_t)uniform(0, 20000);
            c.curve_um = (int32_t)uniform(0, 2000);
            if (rnd() % 4 == 0) c.min_segment_us = (int32_t)(rnd() % 20000);
            c.axis_accel_um_s2[2] = (int32_t)exp(uniform(log(2e4), log(1e7)));
        }
        l = program(&c, i % 10);
        a = play(&c, &l, 0);
        b = play(&c, &l, 1);
        if (memcmp(a.hash, b.hash, sizeof a.hash) || memcmp(a.count, b.count, sizeof a.count)) FAIL("the stream depends on the calls");
        if (argc > 3) printf("seed %llu style %d lines %d steps %lld time %.3f looks %ld forced %ld broken %ld\n", (unsigned long long)first_seed, i % 10, l.n, (long long)a.steps, a.time_s, a.looks, a.forced, a.broken);
        forced += a.forced;
        broken += a.broken;
        looks += a.looks;
        ramps += a.ramps;
        free(l.at);
        free(l.kind);
    }
    printf("planner: %d programs, %ld looks, %ld ramps, %ld forced, %ld broken\n", rounds, looks, ramps, forced, broken);
    if (broken) return 1;
    return 0;
}
