/* Playing: machine time passes, the warp turns it into plan time, runs become counted steps, marks fire, gates and leases act. */
#include "pw_host_parts.h"

/* -- fetching ---------------------------------------------------------------------------------------------------------------- */

static struct reach fetch(struct pw_host *h, struct flow *c)
{
    static const int32_t fault[] = {PW_FAULT_NONE, PW_FAULT_ORDER, PW_FAULT_LATE, PW_FAULT_CORE};
    enum flow_trouble trouble = FLOW_OK;
    struct reach to = pw_flow_fetch(&h->rules, c, c->played, &trouble);
    if (trouble) pw_host_fail(h, fault[trouble]);
    return to;
}

/* Lets the core work until the queues reach `goal`, and, while text is to come, the final plan reaches `final_goal`; and a little in any
 * case, so that look-ahead is through with a full window, which takes no more text meanwhile, before the motors need it. */
static struct reach refill(struct pw_host *h, struct flow *c, int64_t goal, int64_t final_goal)
{
    if (pw_run(h->rules.core, h->budget) < 0) pw_host_fail(h, PW_FAULT_CORE);
    for (;;) {
        int64_t final, before = c->final;
        uint32_t queued = 0, after = 0;
        struct reach to;
        int32_t did;
        for (int32_t m = 0; m < h->rules.motors; m++) queued += c->track[m].in;
        to = fetch(h, c);
        final = c->final;
        if (h->fault || c->idle || (to.tick >= goal && (!c->open || final >= final_goal))) return to;
        did = pw_run(h->rules.core, h->budget);
        if (did < 0) {
            pw_host_fail(h, PW_FAULT_CORE);
            return to;
        }
        if (did) continue;
        for (int32_t m = 0; m < h->rules.motors; m++) after += c->track[m].in;
        if (after == queued && final == before) return fetch(h, c);
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
    track_first(t);
}

/* Every step of the motor up to the tick, run by run. */
static void play_track(struct pw_host *h, struct flow *c, int32_t motor, int64_t tick)
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
    track_first(t);
    h->count[motor] += steps;
    h->physical[motor] += steps;
    h->pulses[motor] += made;
}

/* The same with gates: step by step, all motors in the order of time (equal ticks in the order of motors).  Returns the tick
 * played to, earlier than asked when a gate triggered there. */
static int64_t play_gated(struct pw_host *h, struct flow *c, int64_t tick)
{
    for (;;) {
        int32_t m = 0;
        struct track *t;
        int32_t direction;
        int64_t when;
        for (int32_t i = 1; i < h->rules.motors; i++)
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
        for (int32_t g = 0; g < h->rules.motors; g++) {
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

static int64_t play_to(struct pw_host *h, struct flow *c, int64_t tick)
{
    int gated = 0;
    for (int32_t m = 0; m < h->rules.motors; m++) gated |= h->gate[m].input != GATE_OFF;
    if (gated) {
        tick = play_gated(h, c, tick);
    } else {
        for (int32_t m = 0; m < h->rules.motors; m++) play_track(h, c, m, tick);
    }
    pw_flow_fire(c, tick);
    if (tick > c->played) c->played = tick;
    return tick;
}

/* -- stretches of time -------------------------------------------------------------------------------------------------------- */

/* The queues are at their end with the rate above 0.  Where more text may come the rate should have fallen in time: a missed deadline.
 * Only motion that was flushed is allowed to get there, and stands there. */
static void end_of_queue(struct pw_host *h, struct flow *c)
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
static int32_t play(struct pw_host *h, struct flow *c, int32_t *dt)
{
    struct stretch s = {*dt, 0, 0, 0};
    int64_t start = c->played, reached;
    struct reach to = refill(h, c, start + *dt, start + *dt + h->rules.stop_one);
    *dt = 0;
    if (h->fault) return PW_HOST_FAULT;
    switch (pw_flow_next(&h->rules, c, to, &s)) {
    case FLOW_IDLE: return PW_HOST_IDLE;
    case FLOW_HELD: return PW_HOST_HELD;
    case FLOW_STARVED: return PW_HOST_STARVED;
    case FLOW_TAP: return PW_HOST_TAP;
    case FLOW_MARKS: return PW_HOST_MARKS;
    case FLOW_END: end_of_queue(h, c); return h->fault ? PW_HOST_FAULT : PW_HOST_STARVED;
    case FLOW_MOVE: break;
    }
    reached = play_to(h, c, s.tick);
    if (reached < s.tick) pw_flow_cut(c, &s, start, reached); /* a gate */
    c->rate = s.rate;
    c->carry_q33 = s.carry_q33;
    *dt = (int32_t)s.took;
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
