/* Core 0's side of the port: calls, which only change what core 1 looks at. */
#include "pw_rp2_parts.h"

/* -- locks ------------------------------------------------------------------------------------------------------------------------ */

void pw_rp2_lock(struct pw_rp2 *r)
{
    while (!pw_pulse_try(&r->pulse, PULSE_CORE)) {
    }
}

void pw_rp2_unlock(struct pw_rp2 *r) { pw_pulse_unlock(&r->pulse); }

/* -- motion ----------------------------------------------------------------------------------------------------------------------- */

static void no_gates(struct pw_rp2 *r)
{
    for (int32_t m = 0; m < r->pulse.motors; m++) {
        if ((r->pulse.dropped >> m & 1u)) {
            r->gate[m].release = r->pulse.in + (r->pulse.in == 0); /* what it was not to make goes by first */
            pw_pulse_ungate(&r->pulse, m);
        }
        r->gate[m].input = -1;
    }
}

static int32_t enter(struct pw_rp2 *r, int32_t side)
{
    int32_t err;
    if (!r) return PW_E_ARG;
    pw_pulse_take(&r->pulse);
    err = pw_pulse_enter(&r->pulse, side);
    if (!err) no_gates(r);
    return pw_pulse_give(&r->pulse, err);
}

int32_t pw_rp2_begin(struct pw_rp2 *r) { return enter(r, 0); }

int32_t pw_rp2_enter(struct pw_rp2 *r) { return enter(r, 1); }

int32_t pw_rp2_leave(struct pw_rp2 *r)
{
    if (!r) return PW_E_ARG;
    pw_pulse_take(&r->pulse);
    if (r->pulse.now != &r->pulse.context[1] || (!r->pulse.fault && !pw_pulse_stands(&r->pulse)))
        return pw_pulse_give(&r->pulse, PW_E_STATE);
    pw_pulse_leave(&r->pulse);
    no_gates(r);
    return pw_pulse_give(&r->pulse, PW_OK);
}

int32_t pw_rp2_open(struct pw_rp2 *r, int32_t open) { return r ? pw_pulse_open(&r->pulse, open) : PW_E_ARG; }

int32_t pw_rp2_set_rate(struct pw_rp2 *r, int32_t permille) { return r ? pw_pulse_set_rate(&r->pulse, permille) : PW_E_ARG; }

int32_t pw_rp2_quick_stop(struct pw_rp2 *r) { return r ? pw_pulse_quick_stop(&r->pulse) : PW_E_ARG; }

int32_t pw_rp2_fault(struct pw_rp2 *r)
{
    if (!r) return PW_E_ARG;
    pw_pulse_fail(&r->pulse, PW_FAULT_ASKED);
    return PW_OK;
}

int32_t pw_rp2_clear(struct pw_rp2 *r) { return r ? pw_pulse_clear(&r->pulse) : PW_E_ARG; }

int32_t pw_rp2_marks(struct pw_rp2 *r, struct pw_markrec *out, int32_t n) { return r ? pw_pulse_marks(&r->pulse, out, n) : PW_E_ARG; }

/* -- position, switches, gates ------------------------------------------------------------------------------------------------------ */

int32_t pw_rp2_set_count(struct pw_rp2 *r, int32_t motor, int32_t count)
{
    return r ? pw_pulse_set_count(&r->pulse, motor, count) : PW_E_ARG;
}

int32_t pw_rp2_input_state(const struct pw_rp2 *r, int32_t input)
{
    if (!r || !in_range(input, 0, PW_RP2_INPUTS - 1) || r->input_pin[input] < 0) return PW_E_ARG;
    return (int32_t)((SIO_IN ^ r->input_low) >> r->input_pin[input] & 1u);
}

int32_t pw_rp2_gate(struct pw_rp2 *r, int32_t motor, int32_t input)
{
    uint32_t pin;
    if (!r || !in_range(motor, 0, r->pulse.motors - 1) || !in_range(input, -1, PW_RP2_INPUTS - 1)) return PW_E_ARG;
    if (input >= 0 && r->input_pin[input] < 0) return PW_E_ARG;
    pw_pulse_take(&r->pulse);
    if (r->pulse.now != &r->pulse.context[1] || !pw_pulse_stands(&r->pulse)) return pw_pulse_give(&r->pulse, PW_E_STATE);
    if ((r->pulse.dropped >> motor & 1u)) {
        r->gate[motor].release = r->pulse.in + (r->pulse.in == 0);
        pw_pulse_ungate(&r->pulse, motor);
    }
    r->gate[motor].input = input;
    if (input >= 0) {
        pin = (uint32_t)r->input_pin[input];
        REG(IO_PROC1_INTE + 4u * (pin >> 3) + SET_ALIAS) = (r->input_low >> pin & 1u ? 1u : 2u) << (4u * (pin & 7u)); /* level low, high */
    }
    return pw_pulse_give(&r->pulse, PW_OK);
}

/* -- heaters ------------------------------------------------------------------------------------------------------------------------- */

int32_t pw_rp2_renew(struct pw_rp2 *r, int32_t heater)
{
    if (!r || !in_range(heater, 0, PW_RP2_HEATERS - 1)) return PW_E_ARG;
    r->deadline_us[heater] = TIMER_NOW + r->lease_us;
    return PW_OK;
}

int32_t pw_rp2_heater(struct pw_rp2 *r, int32_t heater, int32_t duty_permille)
{
    uint32_t slice, shift, level;
    if (!r || !in_range(heater, 0, PW_RP2_HEATERS - 1) || r->heater_pin[heater] < 0 || !in_range(duty_permille, 0, 1000)) return PW_E_ARG;
    if (!duty_permille) {
        pw_rp2_heater_off(r, heater);
        return PW_OK;
    }
    if (r->pulse.fault || r->pulse.expired >> heater & 1u) return PW_E_STATE;
    pw_rp2_renew(r, heater);
    slice = PWM((uint32_t)r->heater_pin[heater] >> 1 & 7u);
    shift = 16u * ((uint32_t)r->heater_pin[heater] & 1u);
    level = (r->heater_top + 1u) * (uint32_t)duty_permille / 1000u;
    REG(slice + PWM_CC) = (REG(slice + PWM_CC) & ~(0xFFFFu << shift)) | level << shift;
    r->duty[heater] = duty_permille;
    IO_CTRL(r->heater_pin[heater]) = FUNCTION_PWM;
    if (r->pulse.fault || r->pulse.expired >> heater & 1u) { /* core 1 may have put it out in between */
        pw_rp2_heater_off(r, heater);
        return PW_E_STATE;
    }
    return PW_OK;
}

int32_t pw_rp2_output(const struct pw_rp2 *r, int32_t heater)
{
    if (!r || !in_range(heater, 0, PW_RP2_HEATERS - 1)) return PW_E_ARG;
    return r->duty[heater];
}

/* -- reports ------------------------------------------------------------------------------------------------------------------------- */

int32_t pw_rp2_status(struct pw_rp2 *r, struct pw_rp2_status *status)
{
    const uint32_t *word;
    if (!r || !status) return PW_E_ARG;
    pw_pulse_report(&r->pulse, &status->pulse);
    status->least_lead_us = (int64_t)(r->pulse.least_ahead / r->clock_mhz);
    r->pulse.least_ahead = 0xFFFFFFFFu;
    for (word = r->stack; word < r->stack_top && *word == 0xA5A5A5A5u;) word++;
    status->stack_used = (int64_t)((uintptr_t)r->stack_top - (uintptr_t)word);
    return PW_OK;
}
