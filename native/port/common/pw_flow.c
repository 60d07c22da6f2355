#include "pw_flow.h"

/* Rate a second, in 1/1000, so that rate' * v_max <= a_max along the path and for each axis (the extruder follows the path). */
static int32_t slope_of(const struct pw_config *cfg)
{
    int64_t path = (int64_t)cfg->max_accel_um_s2 * 1000 / (cfg->max_velocity_um_s > 0 ? cfg->max_velocity_um_s : 1);
    int64_t e = (int64_t)cfg->max_e_accel_um_s2 * 1000 / (cfg->max_e_velocity_um_s > 0 ? cfg->max_e_velocity_um_s : 1);
    int64_t least = path < e ? path : e;
    for (int32_t i = 0; i < 3; i++) {
        int64_t axis = cfg->axis_velocity_um_s[i] > 0 ? (int64_t)cfg->axis_accel_um_s2[i] * 1000 / cfg->axis_velocity_um_s[i] : least;
        if (cfg->axis_accel_um_s2[i] > 0 && axis < least) least = axis;
    }
    if (least < 1) least = 1;
    return least > 1000000000 ? 1000000000 : (int32_t)least;
}

void pw_flow_rules(struct flow_rules *r, struct pw_core *core, const struct pw_config *cfg, int32_t slope_permille_s)
{
    if (!slope_permille_s) slope_permille_s = slope_of(cfg);
    r->core = core;
    /* permille a second to Q32 a tick: 10^9 * 2^32 < 2^62 */
    r->slope_q32 = ((int64_t)slope_permille_s << 32) / ((int64_t)cfg->tick_hz * 1000);
    if (r->slope_q32 < 1) r->slope_q32 = 1;
    r->stop_one = pw_flow_stop_ticks(r, RATE_ONE);
    r->starvations = 0;
    r->guard_ticks = cfg->tick_hz / 500000; /* 2 us */
    r->margin_ticks = 0;
    r->marks_stop = 0;
    r->motors = cfg->motors;
}

void pw_flow_clear(struct flow *f)
{
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        struct track *t = &f->track[m];
        t->in = t->at = t->out = t->step = t->tapped = 0;
        t->next = INT64_MAX;
        t->last_in = -1;
        t->horizon = -1;
    }
    f->mark_in = f->mark_at = f->mark_out = 0;
    f->mark_tick = 0;
    f->played = 0;
    f->carry_q33 = 0;
    f->final = f->rest = 0;
    f->rate = f->target = RATE_ONE;
    f->idle = 0;
    f->open = 0;
    f->loose = 0;
    f->starving = 0;
    f->stopped = 0;
}

char *pw_flow_lay(struct flow *f, char *at, int32_t motors, int32_t runs, int32_t marks)
{
    for (int32_t m = 0; m < PW_MOTORS; m++) f->track[m] = (struct track){0};
    for (int32_t m = 0; m < motors; m++) {
        f->track[m].ring = (struct pw_steprun *)(void *)at;
        f->track[m].mask = (uint32_t)runs - 1u;
        at += (size_t)runs * sizeof(struct pw_steprun);
    }
    f->mark = (struct pw_markrec *)(void *)at;
    f->mark_mask = (uint32_t)marks - 1u;
    f->tap = 0;
    pw_flow_clear(f);
    return at + (size_t)marks * sizeof(struct pw_markrec);
}

/* -- fetching ---------------------------------------------------------------------------------------------------------------- */

/* Moves runs from the core's ring of one motor to its queue; 1 when the core's ring was emptied. */
static int fetch_track(const struct flow_rules *r, struct flow *f, int32_t motor, enum flow_trouble *trouble)
{
    struct track *t = &f->track[motor];
    int fresh = t->at == t->in;
    int emptied = 0;
    /* from a standstill, whose tick was rounded, the next motion may begin that much earlier */
    int64_t due = f->played == f->rest ? f->played - r->guard_ticks : f->played;
    while (!emptied) {
        uint32_t start = t->in & t->mask, room = t->mask + 1u - (t->in - t->out), whole = t->mask + 1u - start;
        int32_t want = (int32_t)(room < whole ? room : whole), got;
        if (!want) break;
        got = pw_steps(r->core, motor, &t->ring[start], want);
        if (got < 0) {
            *trouble = FLOW_CORE;
            break;
        }
        for (int32_t i = 0; i < got; i++) {
            const struct pw_steprun *run = &t->ring[start + (uint32_t)i];
            int64_t first;
            if (!run_valid(run)) {
                *trouble = FLOW_ORDER;
                return 0;
            }
            first = (int64_t)((run->first_q16 + 0x8000u) >> 16);
            if (first < t->last_in) *trouble = FLOW_ORDER;
            else if (first < due) *trouble = FLOW_LATE;
            t->last_in = run_tick(run, run->count - 1u);
        }
        t->in += (uint32_t)got;
        emptied = got < want;
    }
    if (fresh) track_first(t);
    return emptied;
}

/* 1 when the core's queue of marks was emptied. */
static int fetch_marks(const struct flow_rules *r, struct flow *f, enum flow_trouble *trouble)
{
    for (;;) {
        uint32_t start = f->mark_in & f->mark_mask, size = f->mark_mask + 1u, room = size - (f->mark_in - f->mark_out);
        int32_t want = (int32_t)(room < size - start ? room : size - start), got;
        if (!want) return 0;
        got = pw_marks(r->core, &f->mark[start], want);
        if (got < 0) {
            *trouble = FLOW_CORE;
            return 0;
        }
        f->mark_in += (uint32_t)got;
        if (got) f->mark_tick = (int64_t)f->mark[(f->mark_in - 1u) & f->mark_mask].tick;
        if (got < want) return 1;
    }
}

void pw_flow_fire(struct flow *f, int64_t tick)
{
    while (f->mark_at != f->mark_in && (int64_t)f->mark[f->mark_at & f->mark_mask].tick <= tick) f->mark_at++;
}

struct reach pw_flow_fetch(const struct flow_rules *r, struct flow *f, int64_t shown, enum flow_trouble *trouble)
{
    struct pw_status st;
    struct reach to = {INT64_MAX, 0, 0};
    int64_t end;
    int all = 1, marks;
    if (pw_status(r->core, &st) != PW_OK || st.error <= PW_E_ASSERT) { /* an error of the text is the caller's to deal with */
        *trouble = FLOW_CORE;
        to.tick = f->played;
        return to;
    }
    f->final = end = st.final_tick;
    for (int32_t m = 0; m < r->motors; m++) {
        struct track *t = &f->track[m];
        int64_t known;
        if (fetch_track(r, f, m, trouble)) {
            /* what comes later was generated later: after the tick made, but for rounding and fit */
            known = st.made_tick[m] - r->guard_ticks;
            if (t->last_in > known) known = t->last_in;
        } else {
            all = 0;
            known = t->last_in;
        }
        if (known > t->horizon) t->horizon = known;
        if (t->horizon < to.tick) {
            to.tick = t->horizon;
            to.tap = t->at == t->in && t->out != t->at;
        }
        if (t->last_in > end) end = t->last_in;
    }
    marks = fetch_marks(r, f, trouble);
    pw_flow_fire(f, shown); /* one that came when its place was reached already */
    if (f->mark_tick > end && f->mark_in != f->mark_at) end = f->mark_tick;
    if (all && st.idle != 0) { /* the plan ends in a stop, marks or no */
        to = (struct reach){end, 0, 0};
        if (end > f->rest) f->rest = end;
    }
    if (r->marks_stop && !marks && f->mark_tick <= to.tick) to = (struct reach){f->mark_tick, 0, f->mark_at == f->mark_in};
    f->idle = all && marks && st.idle != 0;
    return to;
}

/* -- warp -------------------------------------------------------------------------------------------------------------------- */

int64_t pw_flow_stop_ticks(const struct flow_rules *r, int64_t rate)
{
    uint64_t half = (uint64_t)rate >> 1; /* (rate^2 / 2^64) * (2^32 / 2s) = half^2 / (2^31 s); half^2 <= 2^62 */
    return (int64_t)((half * half / (uint64_t)r->slope_q32) >> 31) + 1;
}

static uint32_t isqrt64(uint64_t x)
{
    uint64_t root = 0, bit = (uint64_t)1 << 62;
    while (bit > x) bit >>= 2;
    for (; bit; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

/* The highest rate that still stops within so many plan ticks: sqrt(2 s d). */
static int64_t rate_within(const struct flow_rules *r, int64_t ticks)
{
    uint64_t product;
    if (ticks <= 0) return 0;
    if (ticks >= r->stop_one) return RATE_ONE; /* and the product below stays within 2^62 */
    product = (uint64_t)ticks * (uint64_t)r->slope_q32;
    return product >> 31 ? RATE_ONE : (int64_t)isqrt64(product << 33);
}

/* Plan ticks of dt at a rate changing linearly from r0 to r1, rounded down; carry takes the rest. */
static int64_t plan_ticks(int64_t r0, int64_t r1, int64_t dt, uint64_t *carry_q33)
{
    uint64_t sum = (uint64_t)(r0 + r1) * (uint64_t)dt + *carry_q33; /* 2^33 * 200,000 + 2^33 < 2^52 */
    *carry_q33 = sum & (((uint64_t)1 << 33) - 1u);
    return (int64_t)(sum >> 33);
}

/* The rate after *dt ticks; *dt shrinks when a rate of 0 or the target is reached earlier. */
static int64_t ramp(const struct flow_rules *r, int64_t from, int64_t to, int64_t *dt)
{
    int64_t change = r->slope_q32 * *dt, far = from < to ? to - from : from - to;
    if (far == 0) return from;
    if (change >= far) {
        *dt = (far + r->slope_q32 - 1) / r->slope_q32;
        return to;
    }
    return from < to ? from + change : from - change;
}

/* Where a stop must have ended: before the queues do, which may be guard_ticks short of the final plan, and some for rounding. */
static int64_t safe_end(const struct flow_rules *r, const struct flow *f) { return f->final - 2 * r->guard_ticks - r->margin_ticks; }

static int fits(const struct flow_rules *r, const struct flow *f, int64_t r0, int64_t r1, int64_t dt)
{
    uint64_t carry = f->carry_q33;
    int64_t stop = r1 == RATE_ONE ? r->stop_one : pw_flow_stop_ticks(r, r1);
    return f->played + plan_ticks(r0, r1, dt, &carry) + stop <= safe_end(r, f);
}

/* Chooses the rate at the end of *dt. */
static int64_t next_rate(struct flow_rules *r, struct flow *f, int64_t *dt)
{
    int64_t whole = *dt, rate = ramp(r, f->rate, f->target, dt);
    if (!f->open || f->played < f->rest || rate < f->rate) return rate; /* falling is always safe */
    if (fits(r, f, f->rate, rate, *dt)) {
        f->loose = 0;
        if (f->rate == f->target) f->starving = 0;
        return rate;
    }
    if (!f->starving) {
        f->starving = 1;
        r->starvations++;
    }
    *dt = whole;
    if (f->rate > 0 && fits(r, f, f->rate, f->rate, whole)) return f->rate;
    return ramp(r, f->rate, 0, dt);
}

void pw_flow_cut(const struct flow *f, struct stretch *s, int64_t start, int64_t tick)
{
    int64_t part = s->took * (tick - start) / (s->tick - start);
    if (part < 1) part = 1;
    s->rate = f->rate + (s->rate - f->rate) * part / s->took;
    s->took = part;
    s->tick = tick;
    s->carry_q33 = 0;
}

enum flow_kind pw_flow_next(struct flow_rules *r, struct flow *f, struct reach to, struct stretch *s)
{
    int64_t start = f->played;
    if (start == f->rest) {
        /* standing: any rate will do, as long as it can be taken back in time */
        f->loose = 0;
        if (f->idle) {
            f->rate = f->target;
            f->starving = 0;
            return f->target ? FLOW_IDLE : FLOW_HELD;
        }
        if (f->open) {
            int64_t most = rate_within(r, safe_end(r, f) - start);
            if (f->rate > most) f->rate = most;
        }
    }
    if (f->rate == 0 && f->target == 0) return FLOW_HELD;
    if (to.tick <= start) return to.tap ? FLOW_TAP : to.marks ? FLOW_MARKS : FLOW_END;
    s->rate = next_rate(r, f, &s->took);
    if (f->rate == 0 && s->rate == 0) return FLOW_STARVED;
    s->carry_q33 = f->carry_q33;
    s->tick = start + plan_ticks(f->rate, s->rate, s->took, &s->carry_q33);
    if (f->open && start < f->rest && f->rest < to.tick) to.tick = f->rest;
    if (s->tick > to.tick) pw_flow_cut(f, s, start, to.tick); /* the queues end within the stretch: the part of it up to there */
    return FLOW_MOVE;
}

void pw_flow_open(struct flow *f, int32_t open)
{
    if (open && !f->open && f->played != f->rest) f->loose = 1;
    f->open = open != 0;
}
