/* Host port of the motion core: the pulse hardware of the simulator, in C, on a virtual machine clock.
 *
 * Two clocks: plan ticks (the core's stream, never changed here) and machine ticks (the same tick_hz).  Machine time is a monotone
 * warp of plan time: d plan / d machine = rate, 0 to 1.  Hold, resume, quick stop and starvation change the rate linearly in
 * machine time with one slope, such that the acceleration that this adds along the path stays within the configured limits.
 *
 * The caller owns all memory, there are no globals, and every argument is an int32_t or a pointer, so that a binding whose
 * integers are 32 bits wide can make every call.  Records are all int64_t, so that a binding may pass an array.
 *
 * This header is parsed by cffi as it stands. */
#ifndef PRINTWRIGHT_PORT_H
#define PRINTWRIGHT_PORT_H
#include "printwright.h"

enum {
    PW_HOST_ABI = 2,
    PW_INPUTS = 8, /* simulated switches */
    PW_HEATERS = 8
};

/* Why pw_host_advance came back. */
enum pw_host_reason {
    PW_HOST_DONE = 0,    /* motion was played to the end of the time asked for */
    PW_HOST_IDLE = 1,    /* everything fed is played, the machine stands */
    PW_HOST_STARVED = 2, /* the rate is 0 at the end of the final plan: feed */
    PW_HOST_HELD = 3,    /* the rate is 0 as asked for */
    PW_HOST_GATE = 4,    /* a gate has triggered in this call */
    PW_HOST_TAP = 5,     /* the tap is full: drain it */
    PW_HOST_MARKS = 6,   /* the queue of fired marks is full: read it */
    PW_HOST_FAULT = 7    /* outputs are in their safe state; status.fault says why */
};

enum pw_host_fault {
    PW_FAULT_NONE = 0,
    PW_FAULT_ORDER = 1,  /* a step before the motor's last one, or a malformed run */
    PW_FAULT_LATE = 2,   /* a missed pulse deadline: a run from before the plan tick played, or queues that end under way */
    PW_FAULT_CORE = 3,   /* the core reported an error */
    PW_FAULT_ASKED = 4   /* pw_host_fault was called */
};

/* Bits of status.latched. */
enum pw_host_latch {
    PW_LATCH_STOP = 1,  /* quick stop: this context moves no more (pw_host_begin, or pw_host_enter to park) */
    PW_LATCH_LEASE = 2  /* a heater's lease ran out: a hold that pw_host_clear ends */
};

enum pw_input_mode {
    PW_INPUT_OFF = 0,   /* no such switch: never triggers */
    PW_INPUT_LIVE = 1,  /* triggers where k . physical >= threshold */
    PW_INPUT_OPEN = 2,  /* stuck: never triggers */
    PW_INPUT_CLOSED = 3 /* stuck: always triggered */
};

enum pw_advance_flag {
    PW_ADVANCE_WAIT = 1 /* let all of the machine time pass although motion is idle, held, starved or at a fault */
};

/* All int32_t; 0 in a field takes its default.  Queue lengths are powers of two. */
struct pw_host_config {
    int32_t abi;              /* PW_HOST_ABI */
    int32_t queue_runs;       /* runs each motor's queue holds, played ones awaiting the tap included; 4 to 65536, default 64 */
    int32_t side_runs;        /* the same for the second context; default 16 */
    int32_t queue_marks;      /* marks waiting or fired and unread; 4 to 65536, default 32 */
    int32_t lease_ms;         /* a heater goes off when not renewed for so long; 100 to 60000, default 1500 */
    int32_t slope_permille_s; /* change of rate a second, in 1/1000; default from max_accel / max_velocity, path and z */
    int32_t run_budget;       /* units a call of pw_run gets; 1 to 65536, default 64 */
    int32_t motors;           /* as the core's configuration; 4 to 8, default 4 */
};

struct pw_host_status {
    int64_t machine_tick;    /* machine time since pw_host_init */
    int64_t played_tick;     /* plan time played, in the context in force */
    int64_t consumed;        /* machine ticks of the last pw_host_advance */
    int64_t rate_q32;        /* 2^32 is full speed */
    int64_t target_q32;
    int64_t side;            /* 1 while the second context is in force */
    int64_t fault;           /* enum pw_host_fault */
    int64_t latched;         /* enum pw_host_latch bits */
    int64_t expired;         /* bit per heater whose lease ran out, until pw_host_clear */
    int64_t starvations;     /* times that the rate fell for want of final plan */
    int64_t hard_stops;      /* times that motion had to stop at once at the end of the final plan */
    int64_t marks_fired;     /* fired marks to be read */
    int64_t triggered;       /* bit per motor whose gate has triggered */
    int64_t count[8];        /* machine position in steps, as set by pw_host_set_count and counted since */
    int64_t physical[8];     /* where the carriage really is, in steps; moves with count, never set by homing */
    int64_t trigger_count[8]; /* count just after the step that triggered the motor's gate */
    int64_t pulses[8];       /* steps made since pw_host_init */
};

struct pw_host;

/* -- life -------------------------------------------------------------------------------------------------------------------- */
const char *pw_host_config_field(int32_t index); /* name of the index-th int32_t of struct pw_host_config, NULL past the end */
size_t pw_host_size(const struct pw_host_config *hc); /* multiple of 8; 0 when the configuration is refused */
/* The core stays the caller's and must outlive the host; cfg is read, not kept.  bad_field: index into struct pw_host_config. */
int32_t pw_host_init(void *mem, size_t size, const struct pw_config *cfg, const struct pw_host_config *hc, struct pw_core *core,
                     struct pw_host **host, int32_t *bad_field);
/* After pw_begin: plan tick 0, queues empty, full rate, quick stop and gates forgotten; machine time, counts, leases go on. */
int32_t pw_host_begin(struct pw_host *host);
/* After pw_enter / before pw_leave.  Enter needs the main motion to stand (idle or held at rate 0). */
int32_t pw_host_enter(struct pw_host *host);
int32_t pw_host_leave(struct pw_host *host);

/* -- time -------------------------------------------------------------------------------------------------------------------- */
/* Plays at most `ticks` of machine time in slices of at most 1 ms; calls pw_run.  Returns the enum pw_host_reason that holds at the
 * end (status.consumed says how much time passed), or a PW_E_ error. */
int32_t pw_host_advance(struct pw_host *host, int32_t ticks, int32_t flags);
int32_t pw_host_status(const struct pw_host *host, struct pw_host_status *status);
int32_t pw_host_marks(struct pw_host *host, struct pw_markrec *out, int32_t n); /* fired marks, oldest first */
/* 1 while more text is to come, 0 once pw_flush or pw_end made the queued motion end in a stop.  While 1, the rate falls so that
 * it reaches 0 at the end of the final plan. */
int32_t pw_host_open(struct pw_host *host, int32_t open);
int32_t pw_host_set_rate(struct pw_host *host, int32_t permille); /* 0 holds, 1000 goes on; PW_E_STATE while a stop is latched */
int32_t pw_host_quick_stop(struct pw_host *host);
int32_t pw_host_fault(struct pw_host *host); /* stop at once, heaters off; stays until pw_host_init */
int32_t pw_host_clear(struct pw_host *host); /* forgets expired leases; the hold stays until pw_host_set_rate */

/* -- position, switches, gates (gates in the second context only) -------------------------------------------------------------- */
int32_t pw_host_set_count(struct pw_host *host, int32_t motor, int32_t count);
int32_t pw_host_place(struct pw_host *host, int32_t motor, int32_t physical); /* the simulator puts the carriage somewhere */
/* The switch closes where k[0]*physical[0] + k[1]*physical[1] + ... >= threshold; k has PW_MOTORS numbers. */
int32_t pw_host_input(struct pw_host *host, int32_t input, int32_t mode, const int32_t *k, int32_t threshold);
int32_t pw_host_input_state(const struct pw_host *host, int32_t input); /* 0, 1 or an error */
/* From the step that closes the switch on (at once when it is closed), the motor's steps are discarded, until gated again or off. */
int32_t pw_host_gate(struct pw_host *host, int32_t motor, int32_t input); /* input -1: no gate */

/* -- heaters ----------------------------------------------------------------------------------------------------------------- */
int32_t pw_host_heater(struct pw_host *host, int32_t heater, int32_t duty_permille); /* sets and renews */
int32_t pw_host_renew(struct pw_host *host, int32_t heater);
int32_t pw_host_output(const struct pw_host *host, int32_t heater); /* permille on the pin now, or an error */
/* Sum of output * machine ticks since pw_host_init, in permille ticks: what heated the plant. */
int32_t pw_host_energy(const struct pw_host *host, int32_t heater, int64_t *permille_ticks);

/* -- sink: steps out, for digests and step files -------------------------------------------------------------------------------- */
/* Digest bytes of design.md section 6: little-endian uint32 gap * 2 + forward; from gap 2^31 - 1 on 0xFFFFFFFF and a uint64. */
struct pw_sink_status {
    int64_t pack_used[8];  /* bytes in each motor's pack buffer */
    int64_t steps_used[8]; /* entries in each motor's ticks and dirs */
    int64_t steps[8];      /* steps taken since pw_sink_init */
    int64_t last_tick[8];  /* plan tick of the last of them */
    int64_t marks;         /* marks passed by (pw_sink_core only) */
};

struct pw_sink;

size_t pw_sink_size(void);
int32_t pw_sink_init(void *mem, size_t size, struct pw_sink **sink);
/* Without buffers (NULL) steps are only counted.  pack: 4-byte aligned, 16 bytes or more; ticks: 8-byte aligned. */
int32_t pw_sink_buffers(struct pw_sink *sink, int32_t motor, uint8_t *pack, int32_t pack_size, int64_t *ticks, int8_t *dirs,
                        int32_t steps);
/* Both forget what the buffers held, fill them anew and report; 1: a buffer is full, call again; 0: nothing more now; or an error.
 * pw_sink_core runs the core dry without any port, or with budget 0 takes what its rings hold; pw_sink_host takes what was played of the main context since the last call. */
int32_t pw_sink_core(struct pw_sink *sink, struct pw_core *core, int32_t budget, struct pw_sink_status *status);
int32_t pw_sink_host(struct pw_sink *sink, struct pw_host *host, struct pw_sink_status *status);
/* The tap keeps played runs for pw_sink_host; off at first; switched only while nothing is queued. */
int32_t pw_host_tap(struct pw_host *host, int32_t on);
/* Digest bytes of ticks with directions (a stored step file); *last carries the last tick from call to call, from 0.
 * Returns the bytes written; PW_E_MEMORY unless out holds 12 bytes a step. */
int32_t pw_pack_ticks(const int64_t *ticks, const int8_t *dirs, int32_t n, int64_t *last, uint8_t *out, int32_t size);

#endif
