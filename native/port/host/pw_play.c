/* Playing: machine time passes, the warp turns it into plan time, runs become counted steps, marks fire, gates and leases act.
 *
 * Warp.  With slope s (rate a tick) a stop from rate r takes r^2 / 2s of plan time.  While text is still to come, the state is safe
 * as long as that fits before the end of the final plan; each slice takes the fastest of rising, holding and falling after which
 * it still fits.  Falling keeps a safe state safe, because the plan time used is just what the stopping distance loses. */
#include "pw_host_parts.h"

static void run_first(struct track *t)
{
    t->next = t->at == t->in ? INT64_MAX : run_tick(&t->ring[t->at & t->mask], t->step);
}

/* -- fetching ---------------------------------------------------------------------------------------------------------------- */

/* Moves runs from the core's ring of one motor to its queue; 1 when the core's ring was emptied. */
static int fetch_track(struct pw_host *h, struct context *c, int32_t motor)
{
    struct track *t = &c->track[motor];
    int fresh = t->at == t->in;
    int emptied = 0;
    /* from a standstill, whose tick was rounded, the next motion may begin that much earlier */
    int64_t due = c->played == c->rest ? c->played - h->guard_ticks : c->played;
    while (!emptied) {
        uint32_t start = t->in & t->mask, room = t->mask + 1u - (t->in - t->out), whole = t->mask + 1u - start;
        int32_t want = (int32_t)(room < whole ? room : whole), got;
        if (!want) break;
        got = pw_steps(h->core, motor, &t->ring[start], want);
        if (got < 0) {
            pw_host_fail(h, PW_FAULT_CORE);
            break;
        }
        for (int32_t i = 0; i < got; i++) {
            const struct pw_steprun *r = &t->ring[start + (uint32_t)i];
            int64_t first;
            if (!run_valid(r)) {
                pw_host_fail(h, PW_FAULT_ORDER);
                return 0;
            }
            first = run_tick(r, 0);
            if (first < t->last_in) pw_host_fail(h, PW_FAULT_ORDER);
            else if (first < c->played && first < due) pw_host_fail(h, PW_FAULT_LATE);
            t->last_in = run_tick(r, r->count - 1u);
        }
        t->in += (uint32_t)got;
        emptied = got < want;
    }
    if (fresh) run_first(t);
    return emptied;
}

/* 1 when the core's queue of marks was emptied. */
static int fetch_marks(struct pw_host *h, struct context *c)
{
    for (;;) {
        uint32_t start = c->mark_in & c->mark_mask, size = c->mark_mask + 1u, room = size - (c->mark_in - c->mark_out);
        int32_t want = (int32_t)(room < size - start ? room : size - start), got;
        if (!want) return 0;
        got = pw_marks(h->core, &c->mark[start], want);
        if (got < 0) {
            pw_host_fail(h, PW_FAULT_CORE);
            return 0;
        }
        c->mark_in += (uint32_t)got;
        if (got) c->mark_tick = (int64_t)c->mark[(c->mark_in - 1u) & c->mark_mask].tick;
        if (got < want) return 1;
    }
}

static void fire_marks(struct context *c, int64_t tick)
{
    while (c->mark_at != c->mark_in && (int64_t)c->mark[c->mark_at & c->mark_mask].tick <= tick) c->mark_at++;
}

/* Plan tick up to which the queues can be played now. */
struct reach {
    int64_t tick;
    int32_t tap, marks; /* a full tap or mark queue is what ends it */
};

/* Reads the core's state and empties its rings as far as there is room. */
static struct reach fetch(struct pw_host *h, struct context *c, int64_t *fresh_final)
{
    struct pw_status st;
    struct reach to = {INT64_MAX, 0, 0};
    int64_t end;
    int all = 1, marks;
    if (pw_status(h->core, &st) != PW_OK || st.error <= PW_E_ASSERT) { /* an error of the text is the caller's to deal with */
        pw_host_fail(h, PW_FAULT_CORE);
        to.tick = c->played;
        return to;
    }
    c->final = *fresh_final = st.final_tick;
    end = st.final_tick;
    for (int32_t m = 0; m < h->motors; m++) {
        struct track *t = &c->track[m];
        int64_t known;
        if (fetch_track(h, c, m)) {
            /* what comes later was generated later: after the tick made, but for rounding and fit */
            known = st.made_tick[m] - h->guard_ticks;
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
    marks = fetch_marks(h, c);
    fire_marks(c, c->played); /* one that came when its place was reached already */
    if (c->mark_tick > end && c->mark_in != c->mark_at) end = c->mark_tick;
    if (all && st.idle != 0) { /* the plan ends in a stop, marks or no */
        to = (struct reach){end, 0, 0};
        if (end > c->rest) c->rest = end;
    }
    if (!marks && c->mark_tick <= to.tick) to = (struct reach){c->mark_tick, 0, c->mark_at == c->mark_in};
    c->idle = all && marks && st.idle != 0;
    return to;
}

/* Plan time that a stop from this rate takes, in ticks, rounded up. */
static int64_t stop_ticks(const struct pw_host *h, int64_t rate)
{
    uint64_t half = (uint64_t)rate >> 1; /* (rate^2 / 2^64) * (2^32 / 2s) = half^2 / (2^31 s); half^2 <= 2^62 */
    return (int64_t)((half * half / (uint64_t)h->slope_q32) >> 31) + 1;
}

/* Lets the core work until the queues reach `goal`, and, while text is to come, the final plan reaches `final_goal`. */
static struct reach refill(struct pw_host *h, struct context *c, int64_t goal, int64_t final_goal)
{
    for (;;) {
        int64_t final, before = c->final;
        uint32_t queued = 0, after = 0;
        struct reach to;
        int32_t did;
        for (int32_t m = 0; m < h->motors; m++) queued += c->track[m].in;
        to = fetch(h, c, &final);
        if (h->fault || c->idle || (to.tick >= goal && (!c->open || final >= final_goal))) return to;
        did = pw_run(h->core, h->budget);
        if (did < 0) {
            pw_host_fail(h, PW_FAULT_CORE);
            return to;
        }
        if (did) continue;
        for (int32_t m = 0; m < h->motors; m++) after += c->track[m].in;
        if (after == queued && final == before) return fetch(h, c, &final);
    }
}

/* -- playing ----------------------------------------------------------------------------------------------------------------- */

/* The next step of the queue is made (or discarded). */
static void pass_step(struct track *t, int tap)
{
    if (++t->step == t->ring[t->at & t->mask].count) {
        t->at++;
        t->step = 0;
    }
    if (!tap) {
        t->out = t->at;
        t->tapped = t->step;
    }
    run_first(t);
}

/* Every step of the motor up to the tick, run by run. */
static void play_track(struct pw_host *h, struct context *c, int32_t motor, int64_t tick)
{
    struct track *t = &c->track[motor];
    int64_t steps = 0, made = 0;
    if (t->next > tick) return;
    while (t->at != t->in) {
        const struct pw_steprun *r = &t->ring[t->at & t->mask];
        uint32_t low = t->step, high = r->count; /* steps below `low` are due; step `high` and later are not */
        if (run_tick(r, r->count - 1u) <= tick) low = high;
        while (low < high) {
            uint32_t mid = low + (high - low) / 2u;
            if (run_tick(r, mid) <= tick) low = mid + 1u;
            else high = mid;
        }
        made += low - t->step;
        steps += (int64_t)(low - t->step) * r->direction;
        if (low < r->count) {
            t->step = low;
            break;
        }
        t->at++;
        t->step = 0;
    }
    if (!c->tap) {
        t->out = t->at;
        t->tapped = t->step;
    }
    run_first(t);
    h->count[motor] += steps;
    h->physical[motor] += steps;
    h->pulses[motor] += made;
}

/* The same with gates: step by step, all motors in the order of time (equal ticks in the order of motors).  Returns the tick
 * played to, earlier than asked when a gate triggered there. */
static int64_t play_gated(struct pw_host *h, struct context *c, int64_t tick)
{
    for (;;) {
        int32_t m = 0;
        struct track *t;
        int32_t direction;
        int64_t when;
        for (int32_t i = 1; i < h->motors; i++)
            if (c->track[i].next < c->track[m].next) m = i;
        t = &c->track[m];
        when = t->next;
        if (when > tick) return tick;
        direction = t->ring[t->at & t->mask].direction;
        pass_step(t, 0);
        if (h->gate[m].triggered) continue;
        h->count[m] += direction;
        h->physical[m] += direction;
        h->pulses[m]++;
        for (int32_t g = 0; g < h->motors; g++) {
            struct gate *gate = &h->gate[g];
            if (gate->input == GATE_OFF || gate->triggered || !pw_host_closed(h, gate->input)) continue;
            gate->triggered = 1;
            h->gate_hit = 1;
            h->trigger_count[g] = h->count[g];
        }
        if (h->gate_hit) {
            /* steps of other motors on this very tick still belong to it */
            tick = when;
        }
    }
}

static int64_t play_to(struct pw_host *h, struct context *c, int64_t tick)
{
    int gated = 0;
    for (int32_t m = 0; m < h->motors; m++) gated |= h->gate[m].input != GATE_OFF;
    if (gated) {
        tick = play_gated(h, c, tick);
    } else {
        for (int32_t m = 0; m < h->motors; m++) play_track(h, c, m, tick);
    }
    fire_marks(c, tick);
    if (tick > c->played) c->played = tick;
    return tick;
}

/* -- warp -------------------------------------------------------------------------------------------------------------------- */

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
static int64_t rate_within(const struct pw_host *h, int64_t ticks)
{
    uint64_t product;
    if (ticks <= 0) return 0;
    if (ticks > INT64_MAX / h->slope_q32) return RATE_ONE;
    product = (uint64_t)ticks * (uint64_t)h->slope_q32;
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
static int64_t ramp(const struct pw_host *h, int64_t from, int64_t to, int64_t *dt)
{
    int64_t change = h->slope_q32 * *dt, far = from < to ? to - from : from - to;
    if (far == 0) return from;
    if (change >= far) {
        *dt = (far + h->slope_q32 - 1) / h->slope_q32;
        return to;
    }
    return from < to ? from + change : from - change;
}

/* Where a stop must have ended: before the queues do, which may be guard_ticks short of the final plan, and some for rounding. */
static int64_t safe_end(const struct pw_host *h, const struct context *c) { return c->final - 2 * h->guard_ticks; }

static int fits(const struct pw_host *h, const struct context *c, int64_t r0, int64_t r1, int64_t dt)
{
    uint64_t carry = c->carry_q33;
    return c->played + plan_ticks(r0, r1, dt, &carry) + stop_ticks(h, r1) <= safe_end(h, c);
}

/* Chooses the rate at the end of *dt. */
static int64_t next_rate(struct pw_host *h, struct context *c, int64_t *dt)
{
    int64_t whole = *dt, rate = ramp(h, c->rate, c->target, dt);
    if (!c->open || c->played < c->rest || rate < c->rate) return rate; /* falling is always safe */
    if (fits(h, c, c->rate, rate, *dt)) {
        c->loose = 0;
        if (c->rate == c->target) c->starving = 0;
        return rate;
    }
    if (!c->starving) {
        c->starving = 1;
        h->starvations++;
    }
    *dt = whole;
    if (c->rate > 0 && fits(h, c, c->rate, c->rate, whole)) return c->rate;
    return ramp(h, c->rate, 0, dt);
}

/* The queues are at their end with the rate above 0.  Where more text may come the rate should have fallen in time: a missed deadline.
 * Only motion that was flushed is allowed to get there, and stands there. */
static void end_of_queue(struct pw_host *h, struct context *c)
{
    if (c->rate == 0 || c->loose || c->played == c->rest) {
        c->rate = 0;
        c->loose = 0;
        return;
    }
    h->hard_stops++;
    pw_host_fail(h, PW_FAULT_LATE);
}

/* Plays motion for at most *dt machine ticks; *dt becomes what it took.  A reason other than DONE ends the motion there. */
static int32_t play(struct pw_host *h, struct context *c, int32_t *dt)
{
    int64_t took = *dt, start = c->played, r0, r1, tick, reached;
    uint64_t carry = c->carry_q33;
    struct reach to = refill(h, c, start + took, start + took + stop_ticks(h, RATE_ONE));
    *dt = 0;
    if (h->fault) return PW_HOST_FAULT;
    if (start == c->rest) {
        /* standing: any rate will do, as long as it can be taken back in time */
        c->loose = 0;
        if (c->idle) {
            c->rate = c->target;
            c->starving = 0;
            return c->target ? PW_HOST_IDLE : PW_HOST_HELD;
        }
        if (c->open) {
            int64_t most = rate_within(h, safe_end(h, c) - start);
            if (c->rate > most) c->rate = most;
        }
    }
    if (c->rate == 0 && c->target == 0) return PW_HOST_HELD;
    if (to.tick <= start) {
        if (to.tap) return PW_HOST_TAP;
        if (to.marks) return PW_HOST_MARKS;
        end_of_queue(h, c);
        return h->fault ? PW_HOST_FAULT : PW_HOST_STARVED;
    }
    r0 = c->rate;
    r1 = next_rate(h, c, &took);
    if (r0 == 0 && r1 == 0) return PW_HOST_STARVED;
    tick = start + plan_ticks(r0, r1, took, &carry);
    if (c->open && start < c->rest && c->rest < to.tick) to.tick = c->rest;
    if (tick > to.tick) {
        /* the queues end within the slice: the part of it up to there */
        int64_t part = took * (to.tick - start) / (tick - start);
        if (part < 1) part = 1;
        r1 = r0 + (r1 - r0) * part / took;
        took = part;
        tick = to.tick;
        carry = 0;
    }
    reached = play_to(h, c, tick);
    if (reached < tick) { /* a gate */
        int64_t part = took * (reached - start) / (tick - start);
        r1 = r0 + (r1 - r0) * part / took;
        took = part;
        carry = 0;
    }
    c->rate = r1;
    c->carry_q33 = carry;
    *dt = (int32_t)took;
    return h->gate_hit ? PW_HOST_GATE : PW_HOST_DONE;
}

/* -- machine time ------------------------------------------------------------------------------------------------------------ */

/* Machine time passes: heaters heat, leases run. */
static void pass_time(struct pw_host *h, int32_t ticks)
{
    int64_t end = h->machine_tick + ticks;
    for (int32_t i = 0; i < PW_HEATERS; i++) {
        struct heater *heater = &h->heater[i];
        int64_t on = ticks;
        if (!heater->duty) continue;
        if (end > heater->deadline) on = heater->deadline > h->machine_tick ? heater->deadline - h->machine_tick : 0;
        heater->energy += heater->duty * on;
        if (end > heater->deadline) {
            heater->duty = 0;
            heater->expired = 1;
            h->latched = 1;
            h->context[0].target = h->context[1].target = 0;
        }
    }
    h->machine_tick = end;
    h->consumed += ticks;
}

int32_t pw_host_advance(struct pw_host *host, int32_t ticks, int32_t flags)
{
    int32_t left = ticks, reason = PW_HOST_DONE;
    if (!host || ticks < 0 || (flags & ~PW_ADVANCE_WAIT)) return PW_E_ARG;
    host->consumed = 0;
    host->gate_hit = 0;
    while (left > 0) {
        int32_t slice = left < host->slice_ticks ? left : host->slice_ticks, took = slice;
        reason = play(host, host->now, &took);
        pass_time(host, took);
        left -= took;
        if (reason == PW_HOST_DONE) continue;
        if (!(flags & PW_ADVANCE_WAIT) || reason == PW_HOST_GATE || reason == PW_HOST_TAP || reason == PW_HOST_MARKS) return reason;
        if (slice > took) {
            pass_time(host, slice - took);
            left -= slice - took;
        }
    }
    return reason;
}
