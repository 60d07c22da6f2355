/* The host's state, shared by pw_host.c (life, settings) and pw_play.c (time).  Internal to native/port/host. */
#ifndef PW_HOST_PARTS_H
#define PW_HOST_PARTS_H
#include "pw_track.h"

#define RATE_ONE ((int64_t)1 << 32)
#define GATE_OFF (-1)

/* Play state of one motion context (main, or the second one for homing). */
struct context {
    struct track track[PW_MOTORS];
    struct pw_markrec *mark;              /* ring: mark_out..mark_at fired and unread, mark_at..mark_in waiting */
    uint32_t mark_mask, mark_in, mark_at, mark_out;
    int64_t mark_tick;                    /* of the last mark queued */
    int64_t played;                       /* plan ticks */
    uint64_t carry_q33;                   /* fraction of a plan tick played beyond that */
    int64_t final;                        /* end of the final plan, as last read */
    int64_t rest;                         /* the last plan tick known to be a standstill */
    int64_t rate, target;                 /* Q32 */
    int32_t idle;                         /* the core has turned everything into runs and they are queued */
    int32_t open;                         /* more text is to come */
    int32_t loose;                        /* opened anew before flushed motion was over: where that ends is not known */
    int32_t starving;                     /* the rate is falling for want of final plan */
    int32_t stopped;                      /* by a quick stop */
    int32_t tap;
};

struct input {
    int32_t mode, threshold;
    int32_t k[PW_MOTORS];
};

struct gate {
    int32_t input; /* GATE_OFF or the switch watched */
    int32_t triggered;
};

struct heater {
    int32_t duty;
    int32_t expired;
    int64_t deadline; /* machine tick */
    int64_t energy;
};

struct pw_host {
    struct pw_core *core;
    struct context context[2];
    struct context *now;
    struct input input[PW_INPUTS];
    struct gate gate[PW_MOTORS];
    struct heater heater[PW_HEATERS];
    int64_t machine_tick, consumed;
    int64_t count[PW_MOTORS], physical[PW_MOTORS], trigger_count[PW_MOTORS], pulses[PW_MOTORS];
    int64_t starvations, hard_stops;
    int64_t slope_q32;    /* change of rate a tick */
    int64_t lease_ticks;
    int32_t slice_ticks;  /* 1 ms */
    int32_t guard_ticks;  /* a run may begin this much before the plan tick it was generated for */
    int32_t budget;
    int32_t motors;
    int32_t fault;
    int32_t latched;      /* a lease ran out: no motion until pw_host_clear */
    int32_t gate_hit;     /* in this call of pw_host_advance */
};

/* Sets the fault once, puts the heaters out and stops motion. */
void pw_host_fail(struct pw_host *host, int32_t fault);
int pw_host_closed(const struct pw_host *host, int32_t input); /* the switch is closed */

#endif
