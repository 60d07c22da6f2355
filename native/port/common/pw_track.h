/* One motor's queue of runs, between the core and its player, and the arithmetic of a run.  Internal to native/port. */
#ifndef PW_TRACK_H
#define PW_TRACK_H
#include "printwright.h"

/* Indices count up for ever and are masked on use: out <= at <= in <= out + mask + 1.
 * in: written by the fetching side; at, step: by playing; out, tapped: by the tap (equal to at, step while there is no tap). */
struct track {
    struct pw_steprun *ring;
    uint32_t mask;
    uint32_t in, at, out;
    uint32_t step;    /* steps of run `at` played */
    uint32_t tapped;  /* steps of run `out` handed to the tap */
    int64_t next;     /* tick of the next step to be played, INT64_MAX when the queue is empty */
    int64_t last_in;  /* tick of the last step queued, -1 before the first */
    int64_t horizon;  /* every step up to this tick is queued */
};

/* Tick of step i, rounded, ties up.  Bounds (checked when a run is queued): the sum stays in [0, 2^62). */
static inline int64_t run_tick(const struct pw_steprun *r, uint32_t i)
{
    uint64_t tri = (uint64_t)i * (i - 1u) / 2u; /* i = 0: (2^32-1)*0 = 0; i <= 65534: below 2^31 */
    int64_t bend = (int64_t)tri * r->add_q16;
    return (int64_t)((r->first_q16 + r->interval_q16 * i + (uint64_t)bend + 0x8000u) >> 16);
}

/* A run as the header promises: bounded, and no step before the one that it follows. */
static inline int run_valid(const struct pw_steprun *r)
{
    int64_t last;
    if (r->count < 1 || (r->direction != 1 && r->direction != -1)) return 0;
    if (r->first_q16 >> 61 || r->interval_q16 >> 45) return 0; /* interval * 65535 < 2^61 */
    if (r->count == 1) return 1;
    last = (int64_t)r->interval_q16 + (int64_t)r->add_q16 * (int64_t)(r->count - 2u);
    return last >= 0;
}

/* Sets `next` anew. */
static inline void track_first(struct track *t)
{
    t->next = t->at == t->in ? INT64_MAX : run_tick(&t->ring[t->at & t->mask], t->step);
}

#endif
