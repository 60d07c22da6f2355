/* Events, and what is known of them from outside: pw_pulse_events.c, for pw_pulse.c alone. */
#ifndef PW_PULSE_EVENTS_H
#define PW_PULSE_EVENTS_H
#include "pw_pulse.h"

static inline void put(struct pulse *p, uint32_t word)
{
    p->ring[p->in & p->ring_mask] = word;
    p->in++;
}

/* Ends the event in work; the next one begins `length` cycles after it. */
static inline void next_event(struct pulse *p, int32_t length, uint32_t pins)
{
    put(p, p->pins);
    put(p, (uint32_t)length - p->overhead);
    p->last += length;
    p->pins = pins;
}

static inline uint32_t room(const struct pulse *p) { return p->ring_mask + 1u - (p->in - p->first); }

/* Steps left of a run in work, signed. */
static inline int32_t left_of(const struct pulse_run *run) { return run->sign < 0 ? -(int32_t)run->left : (int32_t)run->left; }

/* Takes the motor's next run into work, if there is one. */
void pw_pulse_load(struct pulse *p, int32_t motor);
/* The steps of so many ticks from the one played on, in the order of time; returns how many ticks that were (the ring may be full). */
uint32_t pw_pulse_emit(struct pulse *p, uint32_t span, uint32_t ratio_q16);

#endif
