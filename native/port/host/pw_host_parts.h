/* The host's state, shared by pw_host.c (life, settings) and pw_play.c (time).  Internal to native/port/host. */
#ifndef PW_HOST_PARTS_H
#define PW_HOST_PARTS_H
#include "../common/pw_flow.h"
#include "printwright_port.h"

#define GATE_OFF (-1)

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
    struct flow_rules rules;
    struct flow context[2];
    struct flow *now;
    struct input input[PW_INPUTS];
    struct gate gate[PW_MOTORS];
    struct heater heater[PW_HEATERS];
    int64_t machine_tick, consumed;
    int64_t count[PW_MOTORS], physical[PW_MOTORS], trigger_count[PW_MOTORS], pulses[PW_MOTORS];
    int64_t hard_stops;
    int64_t lease_ticks;
    int32_t slice_ticks;  /* 1 ms */
    int32_t budget;
    int32_t fault;
    int32_t latched;      /* a lease ran out: no motion until pw_host_clear */
    int32_t gate_hit;     /* in this call of pw_host_advance */
};

/* Sets the fault once, puts the heaters out and stops motion. */
void pw_host_fail(struct pw_host *host, int32_t fault);
int pw_host_closed(const struct pw_host *host, int32_t input); /* the switch is closed */

/* Steps [from, to) of the run into the sink's buffers of the motor; returns how many fitted. */
uint32_t pw_sink_take(struct pw_sink *sink, int32_t motor, const struct pw_steprun *run, uint32_t from, uint32_t to);
void pw_sink_reset(struct pw_sink *sink);
void pw_sink_report(const struct pw_sink *sink, struct pw_sink_status *status);

/* The main context's track of a motor, for the tap. */
struct track *pw_host_main_track(struct pw_host *host, int32_t motor);

#endif
