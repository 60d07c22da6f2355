/* Steps of runs in work become events; steps are counted back from events. */
#include "pw_pulse_events.h"

#define ALONE __attribute__((noinline))

static const uint32_t BEYOND = 0xFFFFFFFFu;

/* The motor's direction pin changes as soon as may be. */
static void turn(struct pulse *p, struct pulse_motor *motor, uint32_t bit)
{
    p->dirs ^= motor->dir;
    put(p, p->pins);
    put(p, ((uint32_t)p->least - p->overhead - p->flag_cycles) | PULSE_FLAG);
    put(p, p->dirs);
    p->last += p->least;
    p->pins = p->dirs;
    motor->ready = p->last + p->settle;
    p->settling |= bit;
    p->special |= bit;
}

void pw_pulse_load(struct pulse *p, int32_t m)
{
    struct pulse_motor *motor = &p->motor[m];
    struct pulse_run *run = &p->work[m];
    const struct track *t = &p->now->track[m];
    const struct pw_steprun *next = &t->ring[t->at & t->mask];
    uint32_t level;
    if (t->at == t->in) return;
    run->at_q16 = (int64_t)(next->first_q16 - ((uint64_t)p->now->played << 16));
    run->interval_q16 = next->interval_q16;
    run->add_q16 = next->add_q16;
    run->left = next->count;
    run->sign = next->direction;
    motor->count += left_of(run);
    level = next->direction > 0 ? motor->forward : motor->forward ^ motor->dir;
    if ((p->dirs & motor->dir) != level) turn(p, motor, 1u << m);
}

/* Tick of the next step, from the plan tick played on; BEYOND when that is far. */
static inline uint32_t due_tick(const struct pulse_run *run)
{
    int32_t high = (int32_t)(run->at_q16 >> 32);
    uint32_t low = (uint32_t)run->at_q16;
    if (!run->left || high > 0 || (high == 0 && low >= 0xFFFF8000u)) return BEYOND;
    return high < 0 ? 0 : (low + 0x8000u) >> 16;
}

/* The step that has just been made leaves the run. */
static inline uint32_t pass(struct pulse *p, int32_t m)
{
    struct pulse_run *run = &p->work[m];
    if (--run->left) {
        run->at_q16 += (int64_t)run->interval_q16;
        run->interval_q16 += (uint64_t)(int64_t)run->add_q16;
    } else {
        struct track *t = &p->now->track[m];
        t->at++;
        t->out = t->at;
        pw_pulse_load(p, m);
    }
    return due_tick(run);
}

/* A motor whose direction is new, or which is cut off; 1 when the step is made, at *cycle or later. */
static ALONE int allowed(struct pulse *p, int32_t m, int32_t *cycle)
{
    uint32_t bit = 1u << m;
    if (p->settling & bit) {
        if (*cycle < p->motor[m].ready) *cycle = p->motor[m].ready;
        p->settling &= ~bit;
        p->special = p->settling | p->dropped;
    }
    return !(p->dropped & bit);
}

/* A step of the motor at the cycle, or as near as may be. */
static inline void place(struct pulse *p, uint32_t step, int32_t cycle)
{
    int32_t length = cycle - p->last;
    if (length < p->merge && !(p->pins & step)) {
        p->pins |= step;
        return;
    }
    if (length < p->least) length = p->least;
    next_event(p, length, p->dirs | step);
}

/* What this seldom needs is in functions of its own: inlined, it would leave no registers. */
uint32_t pw_pulse_emit(struct pulse *p, uint32_t span, uint32_t ratio_q16)
{
    uint32_t due[PW_MOTORS], end = p->in + room(p) - PULSE_MOST_WORDS, half = 0x8000u + (p->carry_q32 >> 16);
    int32_t motors = p->motors, cycle;
    for (int32_t m = 0; m < motors; m++) due[m] = due_tick(&p->work[m]);
    for (;;) {
        uint32_t first = BEYOND;
        int32_t which = 0, m = motors;
        while (--m >= 0) {
            uint32_t at = due[m];
            if (at > first) continue;
            first = at;
            which = m;
        }
        if (first > span) return span;
        if ((int32_t)(end - p->in) < 0) return first ? first - 1 : 0;
        /* a slice has at most 60,000 cycles: below 2^32 */
        cycle = (int32_t)((first * ratio_q16 + half) >> 16);
        if (!(p->special >> which & 1u) || allowed(p, which, &cycle)) place(p, p->work[which].step, cycle);
        due[which] = pass(p, which);
    }
}

/* -- counts ------------------------------------------------------------------------------------------------------------------------ */

/* Steps of the motor that are in events, signed. */
static int32_t placed(const struct pulse *p, int32_t m)
{
    if (p->triggered >> m & 1u) return p->motor[m].stopped;
    return p->motor[m].count - left_of(&p->run[0][m]) - left_of(&p->run[1][m]);
}

void pw_pulse_count(struct pulse *p, int32_t m, int32_t count)
{
    p->motor[m].count = count + left_of(&p->run[0][m]) + left_of(&p->run[1][m]);
}

static void uncount(const struct pulse *p, uint32_t pins, int32_t count[PW_MOTORS])
{
    for (int32_t m = 0; m < p->motors; m++) {
        const struct pulse_motor *motor = &p->motor[m];
        if (!(pins & motor->step) || p->triggered >> m & 1u) continue; /* that one was counted when it stopped */
        count[m] -= (pins & motor->dir) == motor->forward ? 1 : -1;
    }
}

void pw_pulse_placed(const struct pulse *p, struct pulse_count *c)
{
    c->at = p->first;
    c->in = p->in;
    c->pins = p->pins;
    for (int32_t m = 0; m < PW_MOTORS; m++) c->count[m] = m < p->motors ? placed(p, m) : 0;
}

void pw_pulse_made_of(const struct pulse *p, struct pulse_count *c, uint32_t executed)
{
    while (c->at != c->in) {
        if ((int32_t)(executed - c->at) <= 0) uncount(p, p->ring[c->at & p->ring_mask], c->count);
        c->at += p->ring[(c->at + 1u) & p->ring_mask] & PULSE_FLAG ? 3u : 2u;
    }
    uncount(p, c->pins, c->count);
}

void pw_pulse_stopped(struct pulse *p, int32_t motor, uint32_t executed)
{
    p->dropped |= 1u << motor;
    p->special |= 1u << motor;
    p->stop_word[motor] = executed;
    p->stop_first[motor] = p->first; /* words from here on are not overwritten before the pump looks again */
    p->pending |= 1u << motor;
}

void pw_pulse_ungate(struct pulse *p, int32_t motor)
{
    pw_pulse_count(p, motor, placed(p, motor)); /* runs may have gone by */
    p->dropped &= ~(1u << motor);
    p->special = p->settling | p->dropped;
    p->pending &= ~(1u << motor);
    p->triggered &= ~(1u << motor);
}
