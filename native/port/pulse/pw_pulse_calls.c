#include "pw_pulse.h"

void pw_pulse_take(struct pulse *p)
{
    while (!pw_pulse_try(p, PULSE_PORT)) {
    }
}

int32_t pw_pulse_give(struct pulse *p, int32_t result)
{
    pw_pulse_free(p, PULSE_PORT);
    return result;
}

void pw_pulse_unlock(struct pulse *p)
{
    pw_pulse_take(p);
    p->now->idle = 0; /* until the worker has looked again */
    p->fed = 1;
    pw_pulse_give(p, 0);
    pw_pulse_free(p, PULSE_CORE);
}

int32_t pw_pulse_enter(struct pulse *p, int32_t side)
{
    if (p->fault || !pw_pulse_stands(p) || (side && p->now != &p->context[0])) return PW_E_STATE;
    pw_pulse_begin(p, side);
    if (p->latched) p->now->rate = p->now->target = 0;
    return PW_OK;
}

int32_t pw_pulse_open(struct pulse *p, int32_t open)
{
    pw_pulse_take(p);
    pw_flow_open(p->now, open);
    return pw_pulse_give(p, PW_OK);
}

int32_t pw_pulse_set_rate(struct pulse *p, int32_t permille)
{
    if (permille < 0 || permille > 1000) return PW_E_ARG;
    pw_pulse_take(p);
    if (permille > 0 && (p->fault || p->latched || p->now->stopped)) return pw_pulse_give(p, PW_E_STATE);
    p->now->target = permille * RATE_ONE / 1000;
    return pw_pulse_give(p, PW_OK);
}

int32_t pw_pulse_quick_stop(struct pulse *p)
{
    pw_pulse_take(p);
    p->now->stopped = 1;
    p->now->target = 0;
    return pw_pulse_give(p, PW_OK);
}

int32_t pw_pulse_clear(struct pulse *p)
{
    p->expired = 0;
    p->latched = 0;
    return PW_OK;
}

int32_t pw_pulse_marks(struct pulse *p, struct pw_markrec *out, int32_t n)
{
    struct flow *f;
    int32_t got = 0;
    if (!out || n < 0) return PW_E_ARG;
    pw_pulse_take(p);
    f = p->now;
    while (got < n && f->mark_out != f->mark_at) out[got++] = f->mark[f->mark_out++ & f->mark_mask];
    return pw_pulse_give(p, got);
}

int32_t pw_pulse_set_count(struct pulse *p, int32_t motor, int32_t count)
{
    if (motor < 0 || motor >= p->motors) return PW_E_ARG;
    pw_pulse_take(p);
    if (!pw_pulse_stands(p)) return pw_pulse_give(p, PW_E_STATE);
    pw_pulse_count(p, motor, count);
    return pw_pulse_give(p, PW_OK);
}

void pw_pulse_report(struct pulse *p, struct pw_pulse_status *status)
{
    const struct flow *f;
    struct pulse_count c;
    uint32_t executed, from;
    do {
        pw_pulse_take(p);
        f = p->now;
        status->played_tick = p->shown;
        status->rate_q32 = f->rate;
        status->target_q32 = f->target;
        status->side = f == &p->context[1];
        status->fault = p->fault;
        status->latched = (p->latched ? PW_LATCH_LEASE : 0) | (f->stopped ? PW_LATCH_STOP : 0);
        status->expired = p->expired;
        status->stands = pw_pulse_stands(p);
        status->idle = f->idle && p->shown == f->rest;
        status->starvations = p->rules.starvations;
        status->marks_fired = (int64_t)(f->mark_at - f->mark_out);
        status->triggered = p->triggered;
        for (int32_t m = 0; m < PW_MOTORS; m++) status->trigger_count[m] = p->triggered >> m & 1u ? p->motor[m].stopped : 0;
        pw_pulse_placed(p, &c);
        executed = pw_pulse_executed(p);
        pw_pulse_give(p, 0);
        from = c.at;
        pw_pulse_made_of(p, &c, executed); /* long, so the pump is not kept waiting */
    } while (*(volatile uint32_t *)&p->in - from > p->ring_mask + 1u);
    for (int32_t m = 0; m < PW_MOTORS; m++) status->count[m] = c.count[m];
}
