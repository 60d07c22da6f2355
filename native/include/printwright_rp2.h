/* RP2040 port: the second core runs the motion core and feeds a PIO state machine by DMA.
 *
 * Core 0 (the firmware) calls everything here; core 1 plans, makes words, watches leases and gates.  Calls of the core itself
 * (pw_begin, pw_feed, pw_mark, pw_flush, pw_end, pw_enter, pw_leave, pw_override, pw_status) go between pw_rp2_lock and pw_rp2_unlock.
 * What core 1 reaches lies in RAM (native/port/rp2/build.py), so that flash may be written, and fetches from it fail, while it moves.
 *
 * All integers are int32_t; 0 in a field takes its default where one is given. */
#ifndef PRINTWRIGHT_RP2_H
#define PRINTWRIGHT_RP2_H
#include "printwright_pulse.h"

enum { PW_RP2_ABI = 1, PW_RP2_INPUTS = 8, PW_RP2_HEATERS = 4 };

struct pw_rp2_config {
    int32_t abi;             /* PW_RP2_ABI */
    int32_t clock_hz;        /* of the system, 48,000,000 to 250,000,000 */
    int32_t pio;             /* 0 or 1; all of its instruction memory is the port's */
    int32_t machine;         /* state machine, 0 to 3 */
    int32_t dma;             /* first of two channels, 0 to 10 */
    int32_t spinlock;        /* first of two, 0 to 30 */
    int32_t alarm;           /* first of two, 0 to 2 */
    int32_t step_pin[8];     /* GPIO; those of motors not in use are not looked at */
    int32_t dir_pin[8];
    int32_t step_low;        /* bit per motor: the step pin is active low */
    int32_t forward_low;     /* bit per motor: a low direction pin is forward */
    int32_t pulse_ns;        /* least width of a step pulse, and of the pause after it; 50 to 3000, default 1000 */
    int32_t input_pin[8];    /* GPIO of switches, -1: none */
    int32_t input_low;       /* bit per switch: closed when low */
    int32_t input_pull;      /* bit per switch: pulled to its open level */
    int32_t heater_pin[4];   /* GPIO, -1: none */
    int32_t heater_low;      /* bit per heater: on when low */
    int32_t heater_hz;       /* of its pulse width modulation; 10 to 1000, default 10 */
    int32_t queue_runs;      /* per motor; a power of two, 4 to 4096, default 32 */
    int32_t side_runs;       /* the same for the second context, default 8 */
    int32_t queue_marks;     /* a power of two, 4 to 4096, default 32 */
    int32_t ring_words;      /* a power of two, 256 to 8192, default 2048 */
    int32_t lead_us;         /* how far words are made beyond those in the PIO's queue; 1000 to 20000, default 3000 */
    int32_t prefill_us;      /* plan time that is queued before motion begins, default 20000 */
    int32_t lease_ms;        /* as in pw_host_config */
    int32_t slope_permille_s;
    int32_t watchdog_ms;     /* core 1 feeds the chip's watchdog; 0: it is not used; up to 8000 */
    int32_t stack_bytes;     /* of core 1; 2048 to 16384, default 6144 */
};

struct pw_rp2_status {
    struct pw_pulse_status pulse;
    int64_t least_lead_us;   /* the same: the least that the pump found, since the last call; 0 is close to a fault */
    int64_t stack_used;      /* bytes, of core 1 */
};

struct pw_rp2;

size_t pw_rp2_size(const struct pw_rp2_config *rc, int32_t motors); /* 0: refused */
/* Pins take their safe state.  mem stays the port's for ever; aligned to 4 * ring_words it may be 4 * ring_words bytes smaller. */
int32_t pw_rp2_init(void *mem, size_t size, const struct pw_config *cfg, const struct pw_rp2_config *rc, struct pw_core *core,
                    struct pw_rp2 **port);
int32_t pw_rp2_start(struct pw_rp2 *port); /* starts core 1, the PIO and the filling */

void pw_rp2_lock(struct pw_rp2 *port); /* waits for a pw_run to end */
void pw_rp2_unlock(struct pw_rp2 *port);

/* As pw_host_*; begin, enter and leave with the lock held.  Begin, enter, leave, gate and set_count need the motors to stand. */
int32_t pw_rp2_begin(struct pw_rp2 *port);
int32_t pw_rp2_enter(struct pw_rp2 *port);
int32_t pw_rp2_leave(struct pw_rp2 *port);
int32_t pw_rp2_open(struct pw_rp2 *port, int32_t open);
int32_t pw_rp2_set_rate(struct pw_rp2 *port, int32_t permille);
int32_t pw_rp2_quick_stop(struct pw_rp2 *port);
int32_t pw_rp2_fault(struct pw_rp2 *port);
int32_t pw_rp2_clear(struct pw_rp2 *port);
int32_t pw_rp2_status(struct pw_rp2 *port, struct pw_rp2_status *status);
int32_t pw_rp2_marks(struct pw_rp2 *port, struct pw_markrec *out, int32_t n);
int32_t pw_rp2_set_count(struct pw_rp2 *port, int32_t motor, int32_t count);
int32_t pw_rp2_input_state(const struct pw_rp2 *port, int32_t input);
int32_t pw_rp2_gate(struct pw_rp2 *port, int32_t motor, int32_t input);
int32_t pw_rp2_heater(struct pw_rp2 *port, int32_t heater, int32_t duty_permille);
int32_t pw_rp2_renew(struct pw_rp2 *port, int32_t heater);
int32_t pw_rp2_output(const struct pw_rp2 *port, int32_t heater);

#endif
