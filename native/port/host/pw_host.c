/* The host port's life, settings and inputs.  Time is in pw_play.c, steps for digests and files in pw_sink.c. */
#include "pw_host_parts.h"

#define FIELDS 8

/* In the order of struct pw_host_config. */
static const struct {
    const char *name;
    int32_t low, high, normal;
} field[FIELDS] = {
    {"abi", PW_HOST_ABI, PW_HOST_ABI, PW_HOST_ABI},
    {"queue_runs", 4, 65536, 64},
    {"side_runs", 4, 65536, 16},
    {"queue_marks", 4, 65536, 32},
    {"lease_ms", 100, 60000, 1500},
    {"slope_permille_s", 1, 1000000000, 0},
    {"run_budget", 1, 65536, 64},
    {"motors", 4, PW_MOTORS, 4},
};

_Static_assert(sizeof(struct pw_host_config) == FIELDS * sizeof(int32_t), "every field is an int32_t and has a row");

const char *pw_host_config_field(int32_t index) { return index >= 0 && index < FIELDS ? field[index].name : NULL; }

static int is_power_of_two(int32_t n) { return n > 0 && (n & (n - 1)) == 0; }

/* Fills in defaults; the index of a refused field, or -1. */
static int32_t settle(const struct pw_host_config *hc, int32_t value[FIELDS])
{
    const int32_t given[FIELDS] = {hc->abi,      hc->queue_runs,       hc->side_runs, hc->queue_marks,
                                   hc->lease_ms, hc->slope_permille_s, hc->run_budget, hc->motors};
    for (int32_t i = 0; i < FIELDS; i++) {
        value[i] = given[i] ? given[i] : field[i].normal;
        if (i == 5 && !given[i]) continue; /* derived from the machine's limits */
        if (i == 0 && !given[i]) return i; /* the caller must say what it was built for */
        if (value[i] < field[i].low || value[i] > field[i].high) return i;
        if (i >= 1 && i <= 3 && !is_power_of_two(value[i])) return i;
    }
    return -1;
}

static size_t rings_size(const int32_t value[FIELDS])
{
    size_t runs = (size_t)value[7] * ((size_t)value[1] + (size_t)value[2]), marks = 2u * (size_t)value[3];
    return runs * sizeof(struct pw_steprun) + marks * sizeof(struct pw_markrec);
}

_Static_assert(sizeof(struct pw_steprun) % 8 == 0 && sizeof(struct pw_markrec) % 8 == 0, "rings follow each other without gaps");

static size_t head_size(void) { return (sizeof(struct pw_host) + 7u) / 8u * 8u; }

size_t pw_host_size(const struct pw_host_config *hc)
{
    int32_t value[FIELDS];
    if (!hc || settle(hc, value) >= 0) return 0;
    return head_size() + rings_size(value);
}

int32_t pw_host_init(void *mem, size_t size, const struct pw_config *cfg, const struct pw_host_config *hc, struct pw_core *core,
                     struct pw_host **host, int32_t *bad_field)
{
    struct pw_host *h = mem;
    int32_t value[FIELDS], bad;
    char *at;
    if (!mem || !cfg || !hc || !core || !host || !bad_field) return PW_E_ARG;
    *bad_field = -1;
    bad = settle(hc, value);
    if (bad >= 0) {
        *bad_field = bad;
        return PW_E_CONFIG;
    }
    if (cfg->tick_hz < 1000000 || cfg->tick_hz > 200000000 || cfg->motors != value[7]) return PW_E_ARG;
    if (size < head_size() + rings_size(value) || (uintptr_t)mem % 8u) return PW_E_MEMORY;
    at = (char *)mem + head_size();
    at = pw_flow_lay(&h->context[0], at, value[7], value[1], value[3]);
    pw_flow_lay(&h->context[1], at, value[7], value[2], value[3]);
    pw_flow_rules(&h->rules, core, cfg, value[5]);
    h->rules.marks_stop = 1;
    h->now = &h->context[0];
    for (int32_t i = 0; i < PW_INPUTS; i++) h->input[i] = (struct input){PW_INPUT_OFF, 0, {0}};
    for (int32_t i = 0; i < PW_HEATERS; i++) h->heater[i] = (struct heater){0, 0, 0, 0};
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        h->gate[m] = (struct gate){GATE_OFF, 0};
        h->count[m] = h->physical[m] = h->trigger_count[m] = h->pulses[m] = 0;
    }
    h->machine_tick = h->consumed = 0;
    h->hard_stops = 0;
    h->lease_ticks = (int64_t)value[4] * cfg->tick_hz / 1000;
    h->slice_ticks = cfg->tick_hz / 1000;
    h->budget = value[6];
    h->fault = PW_FAULT_NONE;
    h->latched = 0;
    h->gate_hit = 0;
    *host = h;
    return PW_OK;
}

int32_t pw_host_begin(struct pw_host *host)
{
    if (!host) return PW_E_ARG;
    if (host->fault) return PW_E_STATE;
    host->now = &host->context[0];
    pw_flow_clear(&host->context[0]);
    pw_flow_clear(&host->context[1]);
    for (int32_t m = 0; m < PW_MOTORS; m++) host->gate[m] = (struct gate){GATE_OFF, 0};
    if (host->latched) host->now->rate = host->now->target = 0;
    return PW_OK;
}

int32_t pw_host_enter(struct pw_host *host)
{
    struct flow *c;
    if (!host) return PW_E_ARG;
    c = &host->context[0];
    if (host->fault || host->now != c) return PW_E_STATE;
    if (c->rate != 0 && c->played != c->rest) return PW_E_STATE;
    host->now = &host->context[1];
    pw_flow_clear(host->now);
    if (host->latched) host->now->rate = host->now->target = 0;
    for (int32_t m = 0; m < PW_MOTORS; m++) host->gate[m] = (struct gate){GATE_OFF, 0};
    return PW_OK;
}

int32_t pw_host_leave(struct pw_host *host)
{
    if (!host) return PW_E_ARG;
    if (host->now != &host->context[1]) return PW_E_STATE;
    host->now = &host->context[0];
    for (int32_t m = 0; m < PW_MOTORS; m++) host->gate[m] = (struct gate){GATE_OFF, 0};
    return PW_OK;
}

int32_t pw_host_open(struct pw_host *host, int32_t open)
{
    if (!host) return PW_E_ARG;
    pw_flow_open(host->now, open);
    return PW_OK;
}

int32_t pw_host_tap(struct pw_host *host, int32_t on)
{
    struct flow *c;
    if (!host) return PW_E_ARG;
    c = &host->context[0];
    for (int32_t m = 0; m < PW_MOTORS; m++)
        if (c->track[m].out != c->track[m].in) return PW_E_STATE;
    c->tap = on != 0;
    return PW_OK;
}

struct track *pw_host_main_track(struct pw_host *host, int32_t motor) { return &host->context[0].track[motor]; }

/* -- rate -------------------------------------------------------------------------------------------------------------------- */

int32_t pw_host_set_rate(struct pw_host *host, int32_t permille)
{
    if (!host || permille < 0 || permille > 1000) return PW_E_ARG;
    if (permille > 0 && (host->fault || host->latched || host->now->stopped)) return PW_E_STATE;
    host->now->target = permille * RATE_ONE / 1000;
    return PW_OK;
}

int32_t pw_host_quick_stop(struct pw_host *host)
{
    if (!host) return PW_E_ARG;
    host->now->stopped = 1;
    host->now->target = 0;
    return PW_OK;
}

void pw_host_fail(struct pw_host *host, int32_t fault)
{
    if (host->fault) return;
    host->fault = fault;
    for (int32_t i = 0; i < PW_HEATERS; i++) host->heater[i].duty = 0;
    host->now->rate = host->now->target = 0;
}

int32_t pw_host_fault(struct pw_host *host)
{
    if (!host) return PW_E_ARG;
    pw_host_fail(host, PW_FAULT_ASKED);
    return PW_OK;
}

int32_t pw_host_clear(struct pw_host *host)
{
    if (!host) return PW_E_ARG;
    for (int32_t i = 0; i < PW_HEATERS; i++) host->heater[i].expired = 0;
    host->latched = 0;
    return PW_OK;
}

/* -- position and switches --------------------------------------------------------------------------------------------------- */

static int is_motor(const struct pw_host *host, int32_t motor) { return motor >= 0 && motor < host->rules.motors; }
static int is_heater(int32_t heater) { return heater >= 0 && heater < PW_HEATERS; }

int32_t pw_host_set_count(struct pw_host *host, int32_t motor, int32_t count)
{
    if (!host || !is_motor(host, motor)) return PW_E_ARG;
    host->count[motor] = count;
    return PW_OK;
}

int32_t pw_host_place(struct pw_host *host, int32_t motor, int32_t physical)
{
    if (!host || !is_motor(host, motor)) return PW_E_ARG;
    host->physical[motor] = physical;
    return PW_OK;
}

int32_t pw_host_input(struct pw_host *host, int32_t input, int32_t mode, const int32_t *k, int32_t threshold)
{
    struct input *in;
    if (!host || !k || input < 0 || input >= PW_INPUTS || mode < PW_INPUT_OFF || mode > PW_INPUT_CLOSED) return PW_E_ARG;
    in = &host->input[input];
    in->mode = mode;
    in->threshold = threshold;
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        if (k[m] < -1000 || k[m] > 1000) return PW_E_ARG; /* |sum| <= 4 * 1000 * 2^50 */
        in->k[m] = k[m];
    }
    return PW_OK;
}

int pw_host_closed(const struct pw_host *host, int32_t input)
{
    const struct input *in = &host->input[input];
    int64_t sum = 0;
    if (in->mode == PW_INPUT_CLOSED) return 1;
    if (in->mode != PW_INPUT_LIVE) return 0;
    for (int32_t m = 0; m < PW_MOTORS; m++) sum += in->k[m] * host->physical[m];
    return sum >= in->threshold;
}

int32_t pw_host_input_state(const struct pw_host *host, int32_t input)
{
    if (!host || input < 0 || input >= PW_INPUTS) return PW_E_ARG;
    return pw_host_closed(host, input);
}

int32_t pw_host_gate(struct pw_host *host, int32_t motor, int32_t input)
{
    if (!host || !is_motor(host, motor) || input < GATE_OFF || input >= PW_INPUTS) return PW_E_ARG;
    if (host->now != &host->context[1]) return PW_E_STATE;
    host->gate[motor] = (struct gate){input, 0};
    if (input != GATE_OFF && pw_host_closed(host, input)) {
        host->gate[motor].triggered = 1;
        host->trigger_count[motor] = host->count[motor];
    }
    return PW_OK;
}

/* -- heaters ----------------------------------------------------------------------------------------------------------------- */

int32_t pw_host_heater(struct pw_host *host, int32_t heater, int32_t duty_permille)
{
    if (!host || !is_heater(heater) || duty_permille < 0 || duty_permille > 1000) return PW_E_ARG;
    if (duty_permille > 0 && (host->fault || host->heater[heater].expired)) return PW_E_STATE;
    host->heater[heater].duty = duty_permille;
    return pw_host_renew(host, heater);
}

int32_t pw_host_renew(struct pw_host *host, int32_t heater)
{
    if (!host || !is_heater(heater)) return PW_E_ARG;
    host->heater[heater].deadline = host->machine_tick + host->lease_ticks;
    return PW_OK;
}

int32_t pw_host_output(const struct pw_host *host, int32_t heater)
{
    if (!host || !is_heater(heater)) return PW_E_ARG;
    return host->heater[heater].duty;
}

int32_t pw_host_energy(const struct pw_host *host, int32_t heater, int64_t *permille_ticks)
{
    if (!host || !is_heater(heater) || !permille_ticks) return PW_E_ARG;
    *permille_ticks = host->heater[heater].energy;
    return PW_OK;
}

/* -- reports ----------------------------------------------------------------------------------------------------------------- */

int32_t pw_host_status(const struct pw_host *host, struct pw_host_status *status)
{
    const struct flow *c;
    if (!host || !status) return PW_E_ARG;
    c = host->now;
    status->machine_tick = host->machine_tick;
    status->played_tick = c->played;
    status->consumed = host->consumed;
    status->rate_q32 = c->rate;
    status->target_q32 = c->target;
    status->side = c == &host->context[1];
    status->fault = host->fault;
    status->latched = (host->latched ? PW_LATCH_LEASE : 0) | (c->stopped ? PW_LATCH_STOP : 0);
    status->expired = 0;
    for (int32_t i = 0; i < PW_HEATERS; i++)
        if (host->heater[i].expired) status->expired |= (int64_t)1 << i;
    status->starvations = host->rules.starvations;
    status->hard_stops = host->hard_stops;
    status->marks_fired = (int64_t)(c->mark_at - c->mark_out);
    status->triggered = 0;
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        if (host->gate[m].triggered) status->triggered |= (int64_t)1 << m;
        status->count[m] = host->count[m];
        status->physical[m] = host->physical[m];
        status->trigger_count[m] = host->trigger_count[m];
        status->pulses[m] = host->pulses[m];
    }
    return PW_OK;
}

int32_t pw_host_marks(struct pw_host *host, struct pw_markrec *out, int32_t n)
{
    struct flow *c;
    int32_t got = 0;
    if (!host || !out || n < 0) return PW_E_ARG;
    c = host->now;
    while (got < n && c->mark_out != c->mark_at) out[got++] = c->mark[c->mark_out++ & c->mark_mask];
    return got;
}
