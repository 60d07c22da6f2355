/* What the ports with hardware (printwright_rp2.h, printwright_cortexm.h) report alike. */
#ifndef PRINTWRIGHT_PULSE_H
#define PRINTWRIGHT_PULSE_H
#include "printwright_port.h"

/* Every field is an int64_t, so that a binding may pass an array. */
struct pw_pulse_status {
    int64_t played_tick;      /* plan tick that the pins have got to, in the context in force, to 0.4 ms */
    int64_t rate_q32;         /* at the end of what is on its way to the pins, lead_us later */
    int64_t target_q32;
    int64_t side;             /* as in pw_host_status, up to expired */
    int64_t fault;
    int64_t latched;
    int64_t expired;
    int64_t stands;           /* nothing but filling is on its way to the pins */
    int64_t idle;             /* everything fed is played */
    int64_t starvations;
    int64_t marks_fired;
    int64_t triggered;
    int64_t count[8];         /* as made on the pins */
    int64_t trigger_count[8]; /* of the motors whose gate has triggered */
};

#endif
