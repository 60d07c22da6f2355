/* Input shaping and pressure advance against the formulas in floating point: random programs on random machines.  The path is read
 * from the planner's ramps and lines; every motor's count must follow the shaped path within half a step, the hysteresis of 1/256
 * step, and what 0.3 us of time make of it; at the end of each motion it is the rounded target.  The stream must not depend on when the planner is called. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "helpers.h"
#include "pw_planner.h"
#include "pw_shaper.h"
#include "pw_follow.h"

static uint64_t seed, first_seed;
static uint32_t rnd(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33);
}
static double uniform(double lo, double hi) { return lo + (hi - lo) * rnd() / 2147483648.0; }

#define FAIL(...) do { fprintf(stderr, __VA_ARGS__); fprintf(stderr, " (seed %llu)\n", (unsigned long long)first_seed); exit(1); } while (0)
#define Q32 4294967296.0

/* -- shapers by spec motion 6 -------------------------------------------------------------------------------------------------- */

struct pulses { int n; double a[5], t[5], mean; };

static struct pulses formula(int type, double f, double z)
{
    const double V = 0.05;
    double td = 1 / (f * sqrt(1 - z * z)), K = exp(-z * M_PI / sqrt(1 - z * z)), k = pow(K, 0.75), X = cbrt(V * V * (sqrt(1 - V * V) + 1)), a1, sum = 0;
    struct pulses p = {1, {1}, {0}, 0};
    int i;
#define SET(n_, ...) do { double v_[] = {__VA_ARGS__}; p.n = n_; for (i = 0; i < n_; i++) { p.a[i] = v_[2 * i]; p.t[i] = v_[2 * i + 1] * td; } } while (0)
    switch (type) {
    case PW_ZV: SET(2, 1, 0, K, 0.5); break;
    case PW_ZVD: SET(3, 1, 0, 2 * K, 0.5, K * K, 1); break;
    case PW_MZV: SET(3, 1 - 1 / sqrt(2), 0, (sqrt(2) - 1) * k, 0.375, (1 - 1 / sqrt(2)) * k * k, 0.75); break;
    case PW_EI: SET(3, (1 + V) / 4, 0, (1 - V) * K / 2, 0.5, (1 + V) * K * K / 4, 1); break;
    case PW_2HUMP_EI:
        a1 = (3 * X * X + 2 * X + 3 * V * V) / (16 * X);
        SET(4, a1, 0, (0.5 - a1) * K, 0.5, (0.5 - a1) * K * K, 1, a1 * K * K * K, 1.5);
        break;
    case PW_3HUMP_EI:
        a1 = (1 + 3 * V + 2 * sqrt(2 * (V * V + V))) / 16;
        SET(5, a1, 0, (1 - V) / 4 * K, 0.5, ((1 + V) / 2 - 2 * a1) * K * K, 1, (1 - V) / 4 * K * K * K, 1.5, a1 * K * K * K * K, 2);
        break;
    }
    for (i = 0; i < p.n; i++) sum += p.a[i];
    for (i = 0; i < p.n; i++) { p.a[i] /= sum; p.mean += p.a[i] * p.t[i]; }
    return p;
}

static void check_impulses(void)
{
    int type, i, j;
    for (type = PW_ZV; type <= PW_3HUMP_EI; type++)
        for (i = 0; i < 200; i++) {
            static const int32_t rates[] = {1000000, 12000000, 16000000, 200000000};
            int32_t mhz = 5000 + (int32_t)(rnd() % 495001), z = (int32_t)(rnd() % 3001), hz = rates[rnd() % 4];
            struct pw_impulses im;
            struct pulses p = formula(type, mhz / 1000.0, z / 10000.0);
            int64_t sum = 0;
            pw_shaper_impulses(&im, type, hz, mhz, z);
            if (im.n != p.n) FAIL("type %d has %d impulses", type, im.n);
            for (j = 0; j < im.n; j++) {
                sum += im.weight_q32[j];
                if (fabs((double)im.weight_q32[j] / Q32 - p.a[j]) > 2e-9) FAIL("weight %d of type %d: %.12f for %.12f", j, type, (double)im.weight_q32[j] / Q32, p.a[j]);
                if (fabs((double)im.time_q16[j] / 65536 - p.t[j] * hz) > 1e-3 + p.t[j] * hz * 2e-9) FAIL("time %d of type %d: %.9f for %.9f ticks", j, type, (double)im.time_q16[j] / 65536, p.t[j] * hz);
            }
            if (sum != (int64_t)1 << 32) FAIL("weights of type %d sum to %lld", type, (long long)sum);
            if (fabs((double)im.centre_q16 / 65536 - p.mean * hz) > 1e-3 + p.mean * hz * 4e-9) FAIL("centre of type %d", type);
        }
}

/* -- the path in floating point ------------------------------------------------------------------------------------------------- */

struct stretch { double t0, t1, x[5], v[5], a[5], j[5]; double K; }; /* x y z e, and the extruder total; per second */

struct path { struct stretch *at; int n, room; double t; };

static struct stretch *next_stretch(struct path *p)
{
    if (p->n == p->room) p->at = realloc(p->at, sizeof *p->at * (size_t)(p->room = p->room * 2 + 64));
    memset(&p->at[p->n], 0, sizeof *p->at);
    return &p->at[p->n++];
}

struct line_now { double s0, s1, at[4], r[4], K; int dwell; };

/* one phase from s (mm) with v, a, j over T seconds, cut where lines end */
static void add_phase(struct path *p, const struct line_now *ln, int *li, int n_lines, double s, double v, double a, double j, double T)
{
    double u = 0;
    while (u < T) {
        double end = T, w;
        const struct line_now *l;
        struct stretch *st;
        int i;
        while (*li + 1 < n_lines && !ln[*li + 1].dwell && (s + v * u + a * u * u / 2 + j * u * u * u / 6 > ln[*li].s1 - 3e-9)) ++*li;
        l = &ln[*li];
        if (s + v * T + a * T * T / 2 + j * T * T * T / 6 > l->s1 + 3e-9 && *li + 1 < n_lines && !ln[*li + 1].dwell) {
            double lo = u, hi = T;
            for (i = 0; i < 60; i++) {
                w = (lo + hi) / 2;
                if (s + v * w + a * w * w / 2 + j * w * w * w / 6 > l->s1) hi = w; else lo = w;
            }
            end = hi;
            if (end <= u) end = u + 1e-12;
        }
        st = next_stretch(p);
        st->t0 = p->t + u;
        st->t1 = p->t + end;
        st->K = l->K;
        for (i = 0; i < 4; i++) {
            double su = s + v * u + a * u * u / 2 + j * u * u * u / 6;
            st->x[i] = l->at[i] + l->r[i] * (su - l->s0);
            st->v[i] = l->r[i] * (v + a * u + j * u * u / 2);
            st->a[i] = l->r[i] * (a + j * u);
            st->j[i] = l->r[i] * j;
        }
        u = end;
        if (end < T && *li + 1 < n_lines && !ln[*li + 1].dwell) ++*li;
    }
    p->t += T;
}

static int find(const struct path *p, double t)
{
    int lo = 0, hi = p->n - 1;
    while (lo < hi) {
        int mid = (lo + hi + 1) / 2;
        if (p->at[mid].t0 <= t) lo = mid; else hi = mid - 1;
    }
    return lo;
}

static double place(const struct path *p, int axis, double t)
{
    const struct stretch *st = &p->at[find(p, t)];
    double u = t - st->t0;
    if (p->n == 0) return 0;
    if (u < 0) return p->at[0].x[axis];
    if (u > st->t1 - st->t0) u = st->t1 - st->t0;
    return st->x[axis] + st->v[axis] * u + st->a[axis] * u * u / 2 + st->j[axis] * u * u * u / 6;
}

static double smoothed(const struct path *p, double c, double h)
{
    static const double node[3] = {-0.7745966692414834, 0, 0.7745966692414834}, weight[3] = {5.0 / 9, 8.0 / 9, 5.0 / 9};
    double sum = 0, a = c - h;
    int n = find(p, a), i;
    while (a < c + h - 1e-15) {
        double b = c + h, mid, half;
        const struct stretch *st = &p->at[n];
        if (a < c && b > c) b = c;
        if (a >= st->t0 && n + 1 < p->n && p->at[n + 1].t0 < b) b = p->at[n + 1].t0;
        if (a < st->t0 && st->t0 < b) b = st->t0;
        mid = (a + b) / 2;
        half = (b - a) / 2;
        for (i = 0; i < 3 && half > 0; i++) {
            double y = mid + half * node[i], u = y - st->t0, e;
            if (u < 0) e = st->x[3];
            else if (y > st->t1) e = place(p, 3, y);
            else e = place(p, 3, y) + st->K * (st->v[3] + st->a[3] * u + st->j[3] * u * u / 2);
            sum += weight[i] * half * e * (h - fabs(y - c));
        }
        a = b;
        while (n + 1 < p->n && p->at[n + 1].t0 <= a + 1e-15) n++;
    }
    return sum / (h * h);
}

/* -- playing ---------------------------------------------------------------------------------------------------------------------- */

struct list { int n; struct pw_line *at; int *kind; };

struct steps { int64_t *tick; int8_t *dir; int n, room; };

struct run { struct path path; struct steps steps[PW_MOTORS]; int64_t end_tick; int broken, joined; };

static void take(struct run *r, struct pw_planner *pl, int chaos, int *work)
{
    struct pw_steprun runs[64];
    int m, q, i, got;
    for (m = 0; m < pl->cfg->motors; m++) {
        struct steps *s = &r->steps[m];
        got = pw_planner_steps(pl, m, runs, chaos ? (int)(rnd() % 64) : 64);
        *work |= got;
        for (q = 0; q < got; q++) {
            int64_t ticks[256];
            int n, from = 0;
            while ((n = pw_expand(&runs[q], from, ticks, 256)) > 0) {
                from += n;
                for (i = 0; i < n; i++) {
                    if (s->n == s->room) {
                        s->room = s->room * 2 + 1024;
                        s->tick = realloc(s->tick, sizeof *s->tick * (size_t)s->room);
                        s->dir = realloc(s->dir, (size_t)s->room);
                    }
                    if (s->n && ticks[i] < s->tick[s->n - 1]) FAIL("motor %d: tick %lld after %lld", m, (long long)ticks[i], (long long)s->tick[s->n - 1]);
                    s->tick[s->n] = ticks[i];
                    s->dir[s->n++] = (int8_t)runs[q].direction;
                }
            }
        }
    }
}

static struct run play(const struct pw_config *cfg, const struct pw_mesh_state *mesh, const struct list *l, int chaos)
{
    size_t size = pw_planner_size(cfg, PW_RAMPS);
    struct pw_planner *pl = malloc(size);
    void *scratch = malloc(pw_scratch_size(cfg));
    struct run r;
    int64_t zero[PW_MOTORS] = {0};
    uint32_t seen = 0, seen_seg = 0;
    struct line_now *lines = 0;
    int n_lines = 0, li = 0, i = 0, flushed = 0, m;
    double at[4] = {0, 0, 0, 0}, s_end = 0, s_now = 0, v_now = 0, U = 65536.0 / cfg->tick_hz;
    memset(&r, 0, sizeof r);
    memset(pl, 0xA5, size);
    pw_planner_init(pl, cfg, PW_RAMPS, scratch);
    pw_planner_begin(pl, zero, 0);
    pw_planner_mesh(pl, mesh);
    for (;;) {
        int burst = chaos ? (int)(rnd() % 40) : 1000000, work = 0;
        int32_t got;
        while (burst-- > 0 && (i < l->n || !flushed)) {
            if (i < l->n) {
                got = l->kind[i] == 1 ? pw_plan_dwell(pl, l->at[i].to_nm[0]) : l->kind[i] == 2 ? pw_plan_flush(pl) : pw_plan_line(pl, &l->at[i]);
                if (got == PW_E_FULL) break;
                if (got != PW_OK) FAIL("line %d: error %d", i, got);
                i++;
            } else {
                if (pw_plan_flush(pl) == PW_E_FULL) break;
                flushed = 1;
            }
        }
        /* look-ahead alone adds ramps; lines stay in the queue until they are done */
        got = pw_planner_run(pl, chaos ? 1 + (int)(rnd() % 50) : 1);
        if (got < 0) FAIL("run: %d", got);
        work |= got;
        for (; !chaos && seen_seg != pl->head; seen_seg++) {
            const struct pw_seg *sg = pw_seg_at(pl, seen_seg);
            struct line_now *ln;
            lines = realloc(lines, sizeof *lines * (size_t)(n_lines + 1));
            ln = &lines[n_lines++];
            ln->s0 = s_end;
            ln->s1 = s_end = (double)sg->end_q32 / Q32;
            ln->dwell = (sg->flags & PW_SEG_DWELL) != 0;
            ln->K = (sg->flags >> PW_SEG_ADVANCE) / 1e6;
            for (m = 0; m < 4; m++) {
                ln->at[m] = at[m];
                ln->r[m] = ln->dwell ? 0 : sg->d_nm[m] / 1e6 / (ln->s1 - ln->s0);
                at[m] += sg->d_nm[m] / 1e6;
            }
        }
        for (; !chaos && seen != pl->ramp_head; seen++) {
            const struct pw_ramp *q = pw_ramp_at(pl, seen);
            double v0 = v_now, v1 = (double)q->v1_q32 / Q32 / U, tj = (double)q->tj_q32 / Q32 * U, ta = (double)q->ta_q32 / Q32 * U, a, dv;
            v_now = v1;
            if (v0 == 0 && v1 == 0) { /* dwell */
                struct stretch *st = next_stretch(&r.path);
                st->t0 = r.path.t;
                st->t1 = r.path.t += ta;
                while (li < n_lines && !lines[li].dwell) li++;
                for (m = 0; m < 4; m++) st->x[m] = lines[li].at[m];
                li++;
                continue;
            }
            if (tj == 0) {
                double end = (double)q->end_q32 / Q32;
                add_phase(&r.path, lines, &li, n_lines, s_now, (end - s_now) / ta, 0, 0, ta);
            } else {
                dv = v1 - v0;
                a = dv / (tj + ta);
                add_phase(&r.path, lines, &li, n_lines, s_now, v0, 0, a / tj, tj);
                s_now += v0 * tj + a * tj * tj / 6;
                if (ta > 0) add_phase(&r.path, lines, &li, n_lines, s_now, v0 + a * tj / 2, a, 0, ta);
                s_now += (v0 + a * tj / 2) * ta + a * ta * ta / 2;
                add_phase(&r.path, lines, &li, n_lines, s_now, v1 - a * tj / 2, a, -a / tj, tj);
            }
            s_now = (double)q->end_q32 / Q32;
        }
        take(&r, pl, chaos, &work);
        {
            struct pw_status st;
            memset(&st, 0, sizeof st);
            pw_planner_status(pl, &st);
            for (m = 0; m < cfg->motors; m++)
                if (st.made_tick[m] > st.planned_tick || st.planned_tick > st.final_tick) FAIL("made %lld planned %lld final %lld", (long long)st.made_tick[m], (long long)st.planned_tick, (long long)st.final_tick);
            if (st.idle && i == l->n && flushed && (chaos ? 1 : !work)) {
                int left = 0;
                for (m = 0; m < cfg->motors; m++) {
                    left |= pl->motors[m].head != pl->motors[m].tail;
                    if (st.made_tick[m] != st.final_tick) FAIL("idle at %lld of %lld", (long long)st.made_tick[m], (long long)st.final_tick);
                }
                if (!left) break;
            }
            if (!chaos && !work && !st.idle) FAIL("stuck");
        }
    }
    r.end_tick = pl->final_q16 >> 16;
    r.broken = (int)pl->broken;
    r.joined = (int)pl->piece_joined;
    free(lines);
    free(scratch);
    free(pl);
    return r;
}

static double worst_error[3]; /* xy, z, e: steps beyond half a step */

/* z of the path lies on the mesh; that is tested by itself (test_kin.c) */
static double lifted(const struct pw_mesh_state *mesh, const struct path *p, int axis, double t)
{
    double x = place(p, axis, t);
    int64_t at[3];
    int a;
    if (!mesh || axis != 2) return x;
    for (a = 0; a < 3; a++) at[a] = llround(place(p, a, t) * Q32);
    return x + (double)pw_mesh_lift(mesh, at, 0) / Q32;
}

static double motor(const struct pw_config *c, int m, const double at[4])
{
    double dx, dy, arm = c->arm_um / 1e3;
    if (m > 2) return at[3];
    if (c->kinematics == PW_COREXY && m < 2) return m ? at[0] - at[1] : at[0] + at[1];
    if (c->kinematics == PW_COREXZ && m != 1) return m ? at[0] - at[2] : at[0] + at[2];
    if (c->kinematics != PW_DELTA) return at[m];
    dx = at[0] - c->tower_x_um[m] / 1e3;
    dy = at[1] - c->tower_y_um[m] / 1e3;
    return at[2] + sqrt(arm * arm - dx * dx - dy * dy);
}

static void compare(const struct pw_config *c, const struct pw_mesh_state *mesh, const struct run *r, double tolerance)
{
    struct pulses p[3];
    double D = 0, h = c->advance_us[0] ? c->advance_smooth_us / 2e6 : 0, hz = c->tick_hz;
    int a, m, i;
    D = h;
    for (a = 0; a < 3; a++) {
        p[a] = formula(c->shaper[a], c->shaper_mhz[a] / 1000.0, c->shaper_damping_1e4[a] / 10000.0);
        if (c->shaper[a] && p[a].mean > D) D = p[a].mean;
    }
    for (m = 0; m < c->motors; m++) {
        const struct steps *s = &r->steps[m];
        static const double zero[4] = {0};
        int64_t count = llround(motor(c, m, zero) * c->steps_per_m[m] / 1000.0);
        int jump = 1 + s->n / 3000;
        for (i = 0; i < s->n; i++) {
            double before, at[4], t = (double)s->tick[i] / hz, pos, error = 0, allowed = 0;
            int k, q;
            count += s->dir[i];
            if (i % jump && !(i + 1 < s->n && s->dir[i + 1] != s->dir[i])) continue;
            before = (double)count - 0.5 * s->dir[i]; /* the boundary that was passed */
            for (q = 0; q < 2; q++) { /* now, and 0.3 us earlier for the speed */
                double now = t - q * 0.3e-6 - D;
                for (a = 0; a < 3; a++) {
                    at[a] = 0;
                    for (k = 0; k < p[a].n; k++) at[a] += p[a].a[k] * lifted(mesh, &r->path, a, now - (p[a].t[k] - p[a].mean));
                }
                at[3] = m < 3 ? 0 : h > 0 ? smoothed(&r->path, now, h) : place(&r->path, 3, now);
                pos = motor(c, m, at) * c->steps_per_m[m] / 1000.0;
                if (q == 0) error = pos - before;
                else allowed = fabs(pos - before - error);
            }
            allowed += 1.0 / 256 + tolerance + (mesh ? 1e-4 * c->steps_per_m[m] / 1000.0 : 0); /* 0.1 um for the mesh */
            if (r->joined) allowed += 3e-3 * c->steps_per_m[m] / 1000.0; /* 3 um where lines come too densely for the history */
            /* a step after a reversal may be late by the set-up */
            if (i && s->dir[i] != s->dir[i - 1] && s->tick[i] - s->tick[i - 1] < (int64_t)(c->dir_setup_ns * 1e-9 * hz) + 4) allowed += 0.6;
            error = fabs(error) - allowed;
            k = m < 2 ? 0 : m == 2 ? 1 : 2;
            if (fabs(error + allowed) - 1.0 / 256 > worst_error[k]) worst_error[k] = fabs(error + allowed) - 1.0 / 256;
            if (error > 0) FAIL("motor %d step %d of %d at %.9f s (path %.9f): off by %.5f steps, allowed %.5f", m, i, s->n, t, t - D, error + allowed, allowed);
        }
    }
}

/* -- programs ------------------------------------------------------------------------------------------------------------------- */

static void add(struct list *l, const struct pw_config *c, int64_t at[4], double x, double y, double z, double e, double f)
{
    struct pw_line *ln;
    int i;
    l->at = realloc(l->at, sizeof(*l->at) * (size_t)(l->n + 1));
    l->kind = realloc(l->kind, sizeof(int) * (size_t)(l->n + 1));
    ln = &l->at[l->n];
    memset(ln, 0, sizeof *ln);
    memcpy(ln->from_nm, at, sizeof ln->from_nm);
    ln->to_nm[0] = (int64_t)llround(x * 1e3) * 1000;
    ln->to_nm[1] = (int64_t)llround(y * 1e3) * 1000;
    ln->to_nm[2] = (int64_t)llround(z * 1e3) * 1000;
    ln->to_nm[3] = at[3] + (int64_t)llround(e * 1e5) * 10;
    if (memcmp(ln->from_nm, ln->to_nm, sizeof ln->from_nm) == 0) return;
    ln->velocity_um_s = (int32_t)(f * 1000);
    ln->accel_um_s2 = c->max_accel_um_s2;
    ln->corner_um_s = c->corner_um_s;
    ln->e_corner_um_s = c->e_corner_um_s;
    for (i = 0; i < 3; i++) {
        ln->axis_velocity_um_s[i] = i < 2 ? c->max_velocity_um_s : c->axis_velocity_um_s[i];
        ln->axis_accel_um_s2[i] = i < 2 ? c->max_accel_um_s2 : c->axis_accel_um_s2[i];
    }
    ln->e_velocity_um_s = c->max_e_velocity_um_s;
    ln->e_accel_um_s2 = c->max_e_accel_um_s2;
    if (ln->to_nm[3] > ln->from_nm[3] && (ln->to_nm[0] != ln->from_nm[0] || ln->to_nm[1] != ln->from_nm[1])) ln->advance_us = c->advance_us[0];
    memcpy(at, ln->to_nm, sizeof ln->to_nm);
    l->kind[l->n++] = 0;
}

static void special(struct list *l, int kind, int64_t value)
{
    l->at = realloc(l->at, sizeof(*l->at) * (size_t)(l->n + 1));
    l->kind = realloc(l->kind, sizeof(int) * (size_t)(l->n + 1));
    memset(&l->at[l->n], 0, sizeof *l->at);
    l->at[l->n].to_nm[0] = value;
    l->kind[l->n++] = kind;
}

static struct list program(struct pw_config *c, int dense)
{
    struct list l = {0, 0, 0};
    int64_t at[4] = {0, 0, 0, 0};
    double x = 20, y = 20, z = 0.2, f = 100;
    int i, k, n = 4 + (int)(rnd() % 12);
    add(&l, c, at, x, y, z, 0, 150);
    for (i = 0; i < n; i++) {
        if (rnd() % 3 == 0) f = uniform(1, 350);
        switch (rnd() % 9) {
        case 0: x = uniform(0, 60); y = uniform(0, 60); add(&l, c, at, x, y, z, uniform(0, 2), f); break;
        case 1: for (k = 0; k < 20; k++) { x += uniform(-1, 1); y += uniform(-1, 1); add(&l, c, at, x, y, z, 0.01, f); } break;
        case 2: {
            double r = uniform(0.5, 10), a = uniform(0, 6.28), step = uniform(dense ? 0.02 : 0.2, 1.5) / r;
            for (k = 0; k < 60; k++) add(&l, c, at, x + r * (cos(a + k * step) - cos(a)), y + r * (sin(a + k * step) - sin(a)), z, 0.03 * step * r, f);
            x = (double)at[0] / 1e6; y = (double)at[1] / 1e6; } break;
        case 3: add(&l, c, at, x, y, z, uniform(-2, 2), 40); break;
        case 4: z = uniform(0, 1); add(&l, c, at, x, y, z, 0, f); break;
        case 5: x = uniform(0, 60); add(&l, c, at, x, y, z, -0.3, f); break;
        case 6: for (k = 0; k < 6; k++) { add(&l, c, at, x += (k & 1) ? -8 : 8, y, z, 0.3, 350); } break; /* reversals */
        case 7: special(&l, 1, 1000 + rnd() % 100000); break;
        default: special(&l, 2, 0); c->advance_us[0] = c->advance_us[0] ? 1 + (int32_t)(rnd() % 100000) : 0; break; /* K changes */
        }
    }
    return l;
}

int main(int argc, char **argv)
{
    uint64_t base = argc > 1 ? strtoull(argv[1], 0, 10) : 1;
    int rounds = argc > 2 ? atoi(argv[2]) : 40, round, m, broken = 0;
    seed = 7;
    check_impulses();
    for (round = 0; round < rounds; round++) {
        struct pw_config c;
        struct list l;
        struct run a, b;
        struct pw_mesh_state bed, *mesh = 0;
        int32_t heights[20], stored[20];
        int i = (int)(base + (uint64_t)round), k, dense, plain;
        first_seed = seed = (uint64_t)i;
        rnd();
        c = i % 6 == 4 ? helper_delta() : helper_config(i & 1);
        c.home_um[2] = 0;
        if (i % 12 == 8) c.kinematics = PW_COREXZ;
        if (i % 5 == 3) { /* a mesh, with and without shapers */
            struct pw_mesh shape = {PW_MESH_BILINEAR, 5, 4, {-10000, -5000}, {20000, 25000}, 500, 5000};
            if (i & 1) shape.kind = PW_MESH_BICUBIC;
            c.mesh_points = 20;
            for (k = 0; k < 20; k++) heights[k] = (int32_t)uniform(-100000, 100000);
            memset(&bed, 0, sizeof bed);
            bed.height_nm = stored;
            if (pw_mesh_init(&bed, &c, &shape, heights) != PW_OK) FAIL("mesh");
            mesh = &bed;
        }
        c.merge_um = 0;
        dense = i % 4 == 3;
        plain = (c.kinematics == PW_DELTA || mesh) && rnd() % 2;
        for (k = 0; k < 3 && !plain; k++) {
            c.shaper[k] = k < 2 || rnd() % 3 == 0 ? (int32_t)(rnd() % 7) : 0;
            c.shaper_mhz[k] = (int32_t)uniform(20000, 120000);
            c.shaper_damping_1e4[k] = (int32_t)(rnd() % 2000);
        }
        if (i % 5 != 0 && !plain) {
            c.advance_us[0] = 1 + (int32_t)(rnd() % 100000);
            c.advance_smooth_us = 20000 + (int32_t)(rnd() % 60000);
        }
        if (i % 7 == 6) c.ring_runs = 16;
        if (i % 3 == 2) {
            static const int32_t rates[] = {1000000, 12000000, 16000000, 200000000};
            c.tick_hz = rates[rnd() % 4];
            c.max_jerk_mm_s3 = (int32_t)exp(uniform(log(2e4), log(1e7)));
            c.max_accel_um_s2 = (int32_t)exp(uniform(log(1e6), log(3e7)));
        }
        {
            struct pw_config during = c; /* program() changes K in force */
            l = program(&during, dense);
        }
        a = play(&c, mesh, &l, 0);
        b = play(&c, mesh, &l, 1);
        for (m = 0; m < c.motors; m++)
            if (a.steps[m].n != b.steps[m].n || memcmp(a.steps[m].tick, b.steps[m].tick, sizeof(int64_t) * (size_t)a.steps[m].n) || memcmp(a.steps[m].dir, b.steps[m].dir, (size_t)a.steps[m].n))
                FAIL("the stream of motor %d depends on the calls", m);
        if (a.end_tick != b.end_tick) FAIL("the end depends on the calls");
        compare(&c, mesh, &a, c.tick_hz == 1000000 ? 0.2 : 0.01);
        broken += a.broken;
        if (argc > 3) printf("seed %d: lines %d, steps %d %d %d %d, %d stretches, worst %.5f %.5f %.5f\n", i, l.n, a.steps[0].n, a.steps[1].n, a.steps[2].n, a.steps[3].n, a.path.n, worst_error[0], worst_error[1], worst_error[2]);
        for (m = 0; m < PW_MOTORS; m++) { free(a.steps[m].tick); free(a.steps[m].dir); free(b.steps[m].tick); free(b.steps[m].dir); }
        free(a.path.at);
        free(b.path.at);
        free(l.at);
        free(l.kind);
    }
    printf("shaped: %d programs, off by at most %.4f %.4f %.4f steps (x y, z, e) in 0.3 us\n", rounds, worst_error[0], worst_error[1], worst_error[2]);
    return broken;
}
