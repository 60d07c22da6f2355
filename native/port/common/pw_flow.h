/* From the core's rings to a place in plan time: what is queued, how far it reaches, and the warp between plan and machine time.
 * Shared by all ports; internal to native/port.
 *
 * Warp.  With slope s (rate a tick) a stop from rate r takes r^2 / 2s of plan time.  While text is still to come, the state is safe
 * as long as that fits before the end of the final plan; each slice takes the fastest of rising, holding and falling after which
 * it still fits.  Falling keeps a safe state safe, because the plan time used is just what the stopping distance loses. */
#ifndef PW_FLOW_H
#define PW_FLOW_H
#include "pw_track.h"

#define RATE_ONE ((int64_t)1 << 32)

/* Plan tick up to which the queues can be played now. */
struct reach {
    int64_t tick;
    int32_t tap, marks; /* a full tap or mark queue is what ends it */
};

/* Play state of one motion context (main, or the second one for homing). */
struct flow {
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

/* What holds for both contexts of a port. */
struct flow_rules {
    struct pw_core *core;
    int64_t slope_q32;    /* change of rate a tick */
    int64_t stop_one;     /* plan ticks of a stop from full rate */
    int64_t starvations;  /* times that the rate fell for want of final plan */
    int32_t guard_ticks;  /* a run may begin this much before the plan tick it was generated for */
    int32_t margin_ticks; /* the port plays no further than this before the end of its queues */
    int32_t marks_stop;   /* a full queue of marks stops time; else marks wait in the core, which takes no more text once it is full of them, and
                             fire late */
    int32_t motors;
};

enum flow_trouble { FLOW_OK = 0, FLOW_ORDER, FLOW_LATE, FLOW_CORE };

enum flow_kind {
    FLOW_MOVE,    /* plan time passes */
    FLOW_IDLE,    /* everything fed is played */
    FLOW_HELD,
    FLOW_STARVED, /* rate 0 at the end of the final plan */
    FLOW_TAP,     /* the tap is full */
    FLOW_MARKS,   /* the queue of fired marks is full */
    FLOW_END      /* nothing more is queued */
};

/* A stretch of machine time. */
struct stretch {
    int64_t took;      /* machine ticks */
    int64_t rate;      /* at its end */
    int64_t tick;      /* plan tick at its end */
    uint64_t carry_q33;
};

/* slope_permille_s: 0 takes it from the limits of cfg, such that rate' * v <= a for the path and every axis. */
void pw_flow_rules(struct flow_rules *r, struct pw_core *core, const struct pw_config *cfg, int32_t slope_permille_s);
/* Motors' rings of `runs` and the ring of marks, in this order, from `at` on (8-byte aligned); returns where they end. */
char *pw_flow_lay(struct flow *f, char *at, int32_t motors, int32_t runs, int32_t marks);
void pw_flow_clear(struct flow *f);

/* Reads the core's state and empties its rings as far as there is room.  Marks up to plan tick `shown` fire.  *trouble is set when
 * something is wrong. */
struct reach pw_flow_fetch(const struct flow_rules *r, struct flow *f, int64_t shown, enum flow_trouble *trouble);
void pw_flow_fire(struct flow *f, int64_t tick); /* marks up to the tick */

int64_t pw_flow_stop_ticks(const struct flow_rules *r, int64_t rate); /* plan time that a stop takes, rounded up */
/* What at most s->took machine ticks from now on bring; s is filled in when it is FLOW_MOVE.  Changes rate and flags of f that do not
 * depend on whether the stretch is played. */
enum flow_kind pw_flow_next(struct flow_rules *r, struct flow *f, struct reach to, struct stretch *s);
/* The stretch, which began at plan tick `start`, ends at this earlier one. */
void pw_flow_cut(const struct flow *f, struct stretch *s, int64_t start, int64_t tick);
void pw_flow_open(struct flow *f, int32_t open);

#endif
