/* Portable Cortex-M port: one timer compare makes the pulses.  M3, M4F, M7, M33.
 *
 * Three interrupts, from high to low priority: the timer's (pw_cm_step), a periodic one about once a millisecond (pw_cm_pump), PendSV
 * (pw_cm_worker, which runs the core).  The firmware, in thread mode, calls everything else; calls of the core itself go between
 * pw_cm_lock and pw_cm_unlock.  The board provides the hooks below, which are called with interrupts of lower priority only masked. */
#ifndef PRINTWRIGHT_CORTEXM_H
#define PRINTWRIGHT_CORTEXM_H
#include "printwright_pulse.h"

enum { PW_CM_ABI = 1, PW_CM_INPUTS = 8, PW_CM_HEATERS = 4 };

/* 0 takes the default. */
struct pw_cm_config {
    int32_t abi;            /* PW_CM_ABI */
    int32_t clock_hz;       /* of pw_board_now, 1,000,000 to 250,000,000 */
    int32_t pulse_ns;       /* least width of a step pulse; 50 to 2000, default 200; longer than the interrupt takes it is waited for */
    int32_t event_ns;       /* steps of two motors closer than half of this go into one event; 500 to 20000, default 2000 */
    int32_t late_us;        /* an interrupt later than this is a missed deadline; 5 to 1000, default 50 */
    int32_t queue_runs;     /* as in pw_rp2_config */
    int32_t side_runs;
    int32_t queue_marks;
    int32_t ring_words;
    int32_t lead_us;        /* 1000 to 20000, default 4000 */
    int32_t prefill_us;
    int32_t work_us;        /* the worker leaves the processor to the firmware after so long (a unit of work more at most), default 2000 */
    int32_t lease_ms;
    int32_t slope_permille_s;
};

struct pw_cm_status {
    struct pw_pulse_status pulse;
    int64_t most_late;   /* cycles of the clock that an event came after its time, since the last call */
};

struct pw_cm;

/* -- the board --------------------------------------------------------------------------------------------------------------------- */
uint32_t pw_board_now(void);               /* counts up at clock_hz and wraps at 2^32 */
void pw_board_alarm(uint32_t at);          /* the timer's interrupt at this time; at once when it is over */
void pw_board_step(uint32_t motors);       /* step pins of these motors high */
void pw_board_unstep(void);                /* all step pins low */
void pw_board_dir(uint32_t forward);       /* direction pins: bit per motor */
uint32_t pw_board_inputs(void);            /* bit per switch that is closed */
void pw_board_heater(int32_t heater, int32_t duty_permille);

/* -- interrupts -------------------------------------------------------------------------------------------------------------------- */
void pw_cm_step(void);
void pw_cm_pump(void);
void pw_cm_worker(void);
void pw_cm_crash(void); /* of HardFault and its like, which let none of these in any more: all outputs take their safe state */

/* -- firmware ---------------------------------------------------------------------------------------------------------------------- */
size_t pw_cm_size(const struct pw_cm_config *cc, int32_t motors); /* 0: refused */
/* Directions and heaters take their safe state; mem (aligned to 8) stays the port's for ever. */
int32_t pw_cm_init(void *mem, size_t size, const struct pw_config *cfg, const struct pw_cm_config *cc, struct pw_core *core, struct pw_cm **port);
int32_t pw_cm_start(struct pw_cm *port);
void pw_cm_lock(struct pw_cm *port);
void pw_cm_unlock(struct pw_cm *port);

/* As pw_rp2_*. */
int32_t pw_cm_begin(struct pw_cm *port);
int32_t pw_cm_enter(struct pw_cm *port);
int32_t pw_cm_leave(struct pw_cm *port);
int32_t pw_cm_open(struct pw_cm *port, int32_t open);
int32_t pw_cm_set_rate(struct pw_cm *port, int32_t permille);
int32_t pw_cm_quick_stop(struct pw_cm *port);
int32_t pw_cm_fault(struct pw_cm *port);
int32_t pw_cm_clear(struct pw_cm *port);
int32_t pw_cm_status(struct pw_cm *port, struct pw_cm_status *status);
int32_t pw_cm_marks(struct pw_cm *port, struct pw_markrec *out, int32_t n);
int32_t pw_cm_set_count(struct pw_cm *port, int32_t motor, int32_t count);
int32_t pw_cm_gate(struct pw_cm *port, int32_t motor, int32_t input);
int32_t pw_cm_heater(struct pw_cm *port, int32_t heater, int32_t duty_permille);
int32_t pw_cm_renew(struct pw_cm *port, int32_t heater);
int32_t pw_cm_output(const struct pw_cm *port, int32_t heater);

#endif
