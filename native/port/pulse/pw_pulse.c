/* Life, slices of time, the pump and the worker. */
#include "pw_pulse_events.h"

size_t pw_pulse_queue_size(int32_t motors, int32_t runs, int32_t side_runs, int32_t marks)
{
    return (size_t)motors * (size_t)(runs + side_runs) * sizeof(struct pw_steprun) + 2u * (size_t)marks * sizeof(struct pw_markrec);
}

void pw_pulse_init(struct pulse *p, struct pw_core *core, const struct pw_config *cfg, const struct pulse_setup *setup, char *queues,
                   int32_t runs, int32_t side_runs, int32_t marks, int32_t slope_permille_s)
{
    uint64_t cycles;
    pw_flow_rules(&p->rules, core, cfg, slope_permille_s);
    queues = pw_flow_lay(&p->context[0], queues, cfg->motors, runs, marks);
    pw_flow_lay(&p->context[1], queues, cfg->motors, side_runs, marks);
    p->ring = setup->ring;
    p->ring_mask = setup->ring_words - 1u;
    p->in = p->first = 0;
    p->pins = p->dirs = 0;
    p->settling = p->dropped = p->special = 0;
    p->motors = cfg->motors;
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        struct pulse_motor *motor = &p->motor[m];
        *motor = (struct pulse_motor){0};
        if (m >= cfg->motors) continue;
        motor->step = setup->step[m];
        motor->dir = setup->dir[m];
        motor->forward = setup->forward[m];
        p->dirs |= motor->forward;
    }
    p->pins = p->dirs;
    p->ratio_q32 = ((uint64_t)setup->clock_hz << 32) / (uint32_t)cfg->tick_hz;
    p->ratio_q16 = (uint32_t)((p->ratio_q32 + 0x8000u) >> 16);
    p->carry_q32 = 0;
    p->least = (int32_t)setup->least_cycles;
    p->merge = p->least / 2;
    p->last = 0;
    p->settle = (int32_t)(((uint64_t)(uint32_t)cfg->dir_setup_ns * setup->clock_hz + 999999999u) / 1000000000u);
    p->settle_ticks = (int32_t)(((uint64_t)(uint32_t)(p->settle + 3 * p->least) << 32) / p->ratio_q32) + 1;
    p->rules.margin_ticks = p->settle_ticks;
    p->overhead = setup->overhead_cycles;
    p->flag_cycles = setup->flag_cycles;
    p->held = setup->held_words;
    p->lead = (uint32_t)((uint64_t)setup->lead_us * setup->clock_hz / 1000000u);
    p->slice_ticks = cfg->tick_hz / 2500; /* 0.4 ms */
    cycles = (uint64_t)p->slice_ticks * setup->clock_hz / (uint32_t)cfg->tick_hz;
    while (cycles > 60000u) { /* steps are placed by products of 32 bits */
        cycles /= 2;
        p->slice_ticks /= 2;
    }
    p->prefill_ticks = (int64_t)setup->prefill_us * cfg->tick_hz / 1000000;
    p->made = p->taken = 0;
    p->least_ahead = 0xFFFFFFFFu;
    p->note_in = p->note_out = p->note_taken = p->taken_word = 0;
    p->pending = p->triggered = 0;
    p->dry = 0;
    p->missed = 0;
    p->fault = PW_FAULT_NONE;
    p->latched = 0;
    p->expired = 0;
    p->budget = 4;
    p->now = &p->context[0];
    pw_pulse_begin(p, 1); /* either is without runs */
    pw_pulse_begin(p, 0);
}

static void enter(struct pulse *p, int32_t side)
{
    p->now = &p->context[side];
    p->work = p->run[side];
    p->shown = p->now->played;
    for (uint32_t i = p->note_out; i != p->note_in; i++) p->note[i % PULSE_NOTES].tick = p->shown; /* until then the pins stand */
    p->still = 1;
}

void pw_pulse_begin(struct pulse *p, int32_t side)
{
    pw_flow_clear(&p->context[side]);
    for (int32_t m = 0; m < p->motors; m++) p->motor[m].count -= left_of(&p->run[side][m]);
    for (int32_t m = 0; m < PW_MOTORS; m++) p->run[side][m] = (struct pulse_run){.sign = 1, .step = p->motor[m].step};
    p->reach = (struct reach){0, 0, 0};
    p->fed = 1;
    enter(p, side);
}

void pw_pulse_leave(struct pulse *p)
{
    p->reach = (struct reach){p->context[0].played, 0, 0}; /* until the next fetch */
    p->fed = 1;
    enter(p, 0);
}

void pw_pulse_fail(struct pulse *p, int32_t fault)
{
    if (p->fault) return;
    p->fault = fault;
    pw_pulse_failed(p);
}

/* -- time ------------------------------------------------------------------------------------------------------------------------ */

/* So much machine time has been put into events up to here. */
static void close_slice(struct pulse *p, int64_t took)
{
    uint64_t sum = (uint64_t)took * p->ratio_q32 + p->carry_q32;
    int32_t cycles = (int32_t)(sum >> 32), fill;
    struct pulse_note *note;
    p->carry_q32 = (uint32_t)sum;
    p->last -= cycles;
    for (int32_t m = 0; p->settling >> m; m++) {
        if (!(p->settling >> m & 1u)) continue;
        p->motor[m].ready -= cycles;
        if (p->motor[m].ready <= 0) p->settling &= ~(1u << m);
    }
    p->special = p->settling | p->dropped;
    /* the event in work is ended where it can not be in the way of a step, nor of a change of direction before it */
    fill = -2 * p->least - p->last;
    if (fill >= p->least && fill >= cycles / 4) next_event(p, fill, p->dirs);
    p->made += (uint32_t)cycles;
    note = &p->note[p->note_in % PULSE_NOTES];
    note->word = p->in;
    note->reach = p->made + (uint32_t)p->last;
    note->tick = p->now->played;
    p->note_in++;
}

static int wait_slice(struct pulse *p, int32_t ticks)
{
    p->still = 1;
    close_slice(p, ticks);
    return 1;
}

/* 1 when some motor can not queue more before it moves. */
static int full(const struct pulse *p)
{
    for (int32_t m = 0; m < p->motors; m++) {
        const struct track *t = &p->now->track[m];
        if (t->in - t->out == t->mask + 1u) return 1;
    }
    return 0;
}

/* Makes the events of one slice; 0 when that needs more runs, or room. */
static int slice(struct pulse *p)
{
    struct flow *f = p->now;
    struct reach to = p->reach;
    struct stretch s = {p->slice_ticks, 0, 0, 0};
    int64_t start = f->played, most = to.tick;
    uint32_t span, ratio = p->ratio_q16;
    int still = p->still || f->rate == 0;
    for (int32_t m = 0; m < p->motors; m++)
        if (!p->work[m].left) pw_pulse_load(p, m);
    if (still) {
        if (p->settling) return wait_slice(p, p->settle_ticks); /* the directions settle before time goes on */
        if (!f->idle && most < start + p->prefill_ticks && !full(p)) return wait_slice(p, p->slice_ticks);
    }
    if (!f->idle) { /* what comes later may begin with a change of direction, at a standstill even at once */
        to.tick -= p->rules.margin_ticks;
        if (to.tick < f->rest) to.tick = f->rest < most ? f->rest : most;
    }
    switch (pw_flow_next(&p->rules, f, to, &s)) {
    case FLOW_MOVE: break;
    case FLOW_IDLE:
    case FLOW_HELD:
    case FLOW_STARVED: return wait_slice(p, p->slice_ticks);
    default:
        if (f->loose && p->dry) { /* motion that was flushed, and fed again before it was over, ends here in a stop */
            f->rate = 0;
            f->loose = 0;
            still = 1;
        }
        return still ? wait_slice(p, p->slice_ticks) : 0;
    }
    /* no less than a slice, but at the end, or where the queues hold no more */
    if (s.took < p->slice_ticks && s.tick == to.tick && !f->idle && to.tick != f->rest && !full(p) && !(f->loose && p->dry)) return 0;
    span = (uint32_t)(s.tick - start);
    if (f->rate != RATE_ONE || s.rate != RATE_ONE) {
        uint32_t cycles = (uint32_t)(((uint64_t)s.took * p->ratio_q32) >> 32);
        ratio = span ? (cycles << 16) / span : 0;
    }
    if (span) {
        uint32_t made = pw_pulse_emit(p, span, ratio);
        if (made < span) {
            if (!made) return 0;
            pw_flow_cut(f, &s, start, start + made);
            span = made;
        }
        for (int32_t m = 0; m < p->motors; m++) p->work[m].at_q16 -= (int64_t)span << 16;
    }
    f->played = s.tick;
    f->rate = s.rate;
    f->carry_q33 = s.carry_q33;
    p->still = s.tick == f->rest || s.rate == 0;
    close_slice(p, s.took);
    return 1;
}

int pw_pulse_stands(const struct pulse *p)
{
    const struct flow *f = p->now;
    return p->still && (f->rate == 0 || f->played == f->rest) && p->shown == f->played;
}

/* -- the pump ------------------------------------------------------------------------------------------------------------------------ */

/* Cycles that words last which hardware can not have taken.  It takes words early (the RP2040 eight, which are 2 ms where nothing moves),
 * and a ring that has none for it is a fault already then. */
static uint32_t ahead(struct pulse *p)
{
    uint32_t taken = pw_pulse_executed(p) + p->held;
    while (p->note_taken != p->note_in && (int32_t)(taken - p->taken_word) > 0) {
        const struct pulse_note *note = &p->note[p->note_taken++ % PULSE_NOTES];
        p->taken_word = note->word;
        p->taken = note->reach;
    }
    return p->made + (uint32_t)p->last - p->taken;
}

/* What the pins have got to. */
static void look(struct pulse *p)
{
    uint32_t executed = pw_pulse_executed(p);
    for (int32_t m = 0; p->pending >> m; m++) {
        struct pulse_count c;
        if (!(p->pending >> m & 1u)) continue;
        pw_pulse_placed(p, &c);
        c.at = p->stop_first[m];
        pw_pulse_made_of(p, &c, p->stop_word[m]);
        p->motor[m].stopped = c.count[m];
        p->triggered |= 1u << m;
        p->pending &= ~(1u << m);
    }
    while (p->note_out != p->note_in) {
        const struct pulse_note *note = &p->note[p->note_out % PULSE_NOTES];
        if ((int32_t)(executed - note->word) <= 0) break;
        p->first = note->word;
        p->shown = note->tick;
        p->note_out++;
    }
    pw_flow_fire(p->now, p->shown);
}

void pw_pulse_pump(struct pulse *p)
{
    for (;;) {
        uint32_t now_ahead;
        if (!pw_pulse_try(p, PULSE_PORT)) {
            p->missed = 1;
            return;
        }
        p->missed = 0;
        if (p->latched) p->context[0].target = p->context[1].target = 0;
        look(p);
        now_ahead = ahead(p);
        if (now_ahead < p->least_ahead) p->least_ahead = now_ahead;
        while (!p->fault && ahead(p) < p->lead && p->note_in - p->note_out < PULSE_NOTES && room(p) > 4u * PULSE_MOST_WORDS) {
            if (!slice(p)) break;
            pw_pulse_made(p);
        }
        pw_pulse_free(p, PULSE_PORT);
        if (!p->missed) return;
    }
}

/* -- the worker -------------------------------------------------------------------------------------------------------------------- */

int32_t pw_pulse_work(struct pulse *p)
{
    static const int32_t faults[] = {PW_FAULT_NONE, PW_FAULT_ORDER, PW_FAULT_LATE, PW_FAULT_CORE};
    enum flow_trouble trouble = FLOW_OK;
    int32_t did;
    if (p->fault || !pw_pulse_try(p, PULSE_CORE)) return 0;
    did = pw_run(p->rules.core, p->budget);
    p->dry = did == 0;
    if (!did && !p->fed && !p->kept) { /* nothing is new in the core */
        pw_pulse_free(p, PULSE_CORE);
        return 0;
    }
    if (did < 0) trouble = FLOW_CORE;
    while (!pw_pulse_try(p, PULSE_PORT)) {
    }
    if (!trouble) {
        p->fed = 0;
        p->reach = pw_flow_fetch(&p->rules, p->now, p->shown, &trouble);
        p->kept = full(p) || p->now->mark_in - p->now->mark_out == p->now->mark_mask + 1u;
    }
    pw_pulse_free(p, PULSE_PORT);
    pw_pulse_free(p, PULSE_CORE);
    if (trouble) pw_pulse_fail(p, faults[trouble]);
    if (p->missed) pw_pulse_pump(p);
    return did;
}
