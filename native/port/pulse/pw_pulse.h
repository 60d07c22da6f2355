/* From runs to events on pins: what the ports with hardware share.  Internal to native/port.
 *
 * An event raises the step pins of some motors, lets them fall after the pulse's width, and lasts until the next event.  Events are
 * words in a ring that hardware (RP2040: DMA and PIO) or a timer interrupt (Cortex-M) plays:
 *   pins       step pins to be raised, and the direction pins as they are
 *   length     cycles less `overhead`; bit 31: the directions change at its end, and a third word follows:
 *   directions the direction pins from then on
 * An event without steps fills time.  The ring always reaches further than what is being played; when it does not, that is a fault.
 *
 * Three levels of one processor: hardware or the step interrupt plays words; the pump (a periodic interrupt, or the level below)
 * makes words of queued runs; the worker (a thread, or the lowest level) runs the core and queues runs. */
#ifndef PW_PULSE_H
#define PW_PULSE_H
#include "../common/pw_flow.h"
#include "printwright_pulse.h"

#define PULSE_FLAG 0x80000000u
#define PULSE_MOST_WORDS 9u /* that one step takes: itself and a change of direction */

enum { PULSE_NOTES = 64 };
enum pulse_lock { PULSE_CORE, PULSE_PORT };

/* What pw_pulse_init is told.  Masks are those of the words' pins; a motor goes forward with the bits of `forward` (0 or dir). */
struct pulse_setup {
    uint32_t *ring;
    uint32_t ring_words;      /* a power of two */
    uint32_t step[PW_MOTORS], dir[PW_MOTORS], forward[PW_MOTORS];
    uint32_t clock_hz;        /* of the cycles */
    uint32_t least_cycles;    /* an event's shortest length */
    uint32_t overhead_cycles, flag_cycles; /* of an event; of a change of direction */
    uint32_t held_words;      /* that hardware may take beyond those executed */
    uint32_t lead_us;         /* how far ahead words are made */
    uint32_t prefill_us;      /* plan time queued before motion begins */
};

/* The run in work of one motor. */
struct pulse_run {
    int64_t at_q16;           /* the next step, from the plan tick played on */
    uint64_t interval_q16;
    int32_t add_q16;
    uint32_t left;            /* steps left, 0: none in work */
    int32_t sign;             /* +1, -1 */
    uint32_t step;            /* the motor's step pin */
};

struct pulse_motor {
    uint32_t step, dir, forward;
    int32_t ready;            /* cycle from which the direction is settled */
    int32_t count;            /* steps put into events, signed, with those left of the runs in work */
    int32_t stopped;          /* count at its gate's trigger */
};

/* The end of a slice. */
struct pulse_note {
    uint32_t word;            /* once this word is played... */
    uint32_t reach;           /* (words before it last until this cycle) */
    int64_t tick;             /* ...the plan is played up to here */
};

struct pulse {
    /* what each step needs comes first: a Cortex-M0+ reaches 124 bytes of a structure in one instruction */
    uint32_t *ring;
    uint32_t ring_mask;
    uint32_t in;              /* words made; counts up for ever */
    uint32_t pins;            /* the event in work: its pins... */
    int32_t last;             /* ...and its begin, in cycles from now on */
    uint32_t dirs;            /* the direction pins */
    uint32_t special;         /* bits per motor: its direction is new (settling), or it is cut off by its gate (dropped) */
    int32_t least, merge;
    uint32_t overhead;
    struct pulse_run *work;   /* those of the context in force */
    int32_t motors;
    volatile uint32_t settling, dropped;
    int32_t settle;
    uint32_t flag_cycles, lead;
    uint32_t made, taken;     /* cycles, count up for ever: slices made; what hardware may have taken, to the end of a slice */
    uint32_t least_ahead;     /* cycles, when the pump looked */
    uint32_t ratio_q16, carry_q32;
    uint64_t ratio_q32;       /* cycles a tick */
    int32_t slice_ticks, settle_ticks;
    int32_t still;            /* the last slice ended at a standstill */
    int32_t dry;              /* the core had nothing to do */
    volatile int32_t fed;     /* it was called by others since the last fetch */
    int32_t kept;             /* the last fetch left something there, for want of room */
    struct flow *now;
    int64_t prefill_ticks;
    int64_t shown;            /* plan tick that the pins have got to, in the context in force */
    struct pulse_motor motor[PW_MOTORS];
    struct pulse_run run[2][PW_MOTORS]; /* per context */
    struct pulse_note note[PULSE_NOTES];
    uint32_t note_in, note_out, first; /* first: word at which an event begins, at or before the one being played */
    uint32_t held, note_taken, taken_word; /* the slice to be taken next, and where it begins */
    volatile uint32_t pending; /* bits per motor: stopped by its gate, not yet counted */
    uint32_t triggered;        /* counted */
    uint32_t stop_word[PW_MOTORS], stop_first[PW_MOTORS]; /* words executed then; an event's begin before that */
    volatile int32_t missed;  /* the pump found the port locked */
    volatile int32_t fault;   /* enum pw_host_fault */
    volatile int32_t latched; /* a lease ran out: both contexts hold */
    volatile uint32_t expired; /* bit per heater */
    int32_t budget;
    struct reach reach;
    struct flow_rules rules;
    struct flow context[2];
};

/* Steps put into events, on the way to those made. */
struct pulse_count {
    uint32_t at, in, pins; /* events from `at` on to `in`, and the one in work */
    int32_t count[PW_MOTORS];
};

/* -- what the port provides ---------------------------------------------------------------------------------------------------- */

int pw_pulse_try(struct pulse *p, enum pulse_lock lock); /* never waits */
void pw_pulse_free(struct pulse *p, enum pulse_lock lock);
uint32_t pw_pulse_executed(const struct pulse *p);       /* words played: those below have begun */
void pw_pulse_failed(struct pulse *p);                   /* p->fault is set: outputs into their safe state */
void pw_pulse_made(struct pulse *p);                     /* words up to p->in may be played */

/* -- what it gets ---------------------------------------------------------------------------------------------------------------- */

size_t pw_pulse_queue_size(int32_t motors, int32_t runs, int32_t side_runs, int32_t marks);
void pw_pulse_init(struct pulse *p, struct pw_core *core, const struct pw_config *cfg, const struct pulse_setup *setup, char *queues,
                   int32_t runs, int32_t side_runs, int32_t marks, int32_t slope_permille_s);
void pw_pulse_pump(struct pulse *p);    /* several times in lead_us */
int32_t pw_pulse_work(struct pulse *p); /* 0: nothing to do just now */
void pw_pulse_fail(struct pulse *p, int32_t fault);

/* From an interrupt above the pump: the motor's step pin is cut off, the words below `executed` have begun. */
void pw_pulse_stopped(struct pulse *p, int32_t motor, uint32_t executed);

/* With the port locked: */
void pw_pulse_begin(struct pulse *p, int32_t side); /* this context is in force, from plan tick 0 */
void pw_pulse_leave(struct pulse *p);               /* the main one is, where it was */
int pw_pulse_stands(const struct pulse *p);         /* nothing but filling is in the ring */
void pw_pulse_count(struct pulse *p, int32_t motor, int32_t count); /* this is where it stands */
void pw_pulse_ungate(struct pulse *p, int32_t motor); /* the motor's steps are made again; only while it stands */
void pw_pulse_placed(const struct pulse *p, struct pulse_count *c);

/* Then the steps that the pins have made, signed, once words below `executed` have begun.  Without the lock the pump may overwrite what
 * this reads: not as long as p->in - (c->at as it was) is at most the ring's length. */
void pw_pulse_made_of(const struct pulse *p, struct pulse_count *c, uint32_t executed);

/* -- calls of the firmware that are the same in every port (pw_pulse_calls.c) --------------------------------------------------------- */

void pw_pulse_take(struct pulse *p); /* waits for the port's lock */
int32_t pw_pulse_give(struct pulse *p, int32_t result);
void pw_pulse_unlock(struct pulse *p); /* gives back PULSE_CORE after something was fed */
int32_t pw_pulse_enter(struct pulse *p, int32_t side); /* locked; PW_E_STATE where motors move */
int32_t pw_pulse_open(struct pulse *p, int32_t open);
int32_t pw_pulse_set_rate(struct pulse *p, int32_t permille);
int32_t pw_pulse_quick_stop(struct pulse *p);
int32_t pw_pulse_clear(struct pulse *p);
int32_t pw_pulse_marks(struct pulse *p, struct pw_markrec *out, int32_t n);
int32_t pw_pulse_set_count(struct pulse *p, int32_t motor, int32_t count);
void pw_pulse_report(struct pulse *p, struct pw_pulse_status *status);

#endif
