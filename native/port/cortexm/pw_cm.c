/* The step interrupt, the pump and the worker on one processor, and the firmware's calls. */
#include "../pulse/pw_pulse.h"
#include "printwright_cortexm.h"

struct pw_cm {
    struct pulse pulse; /* the first member */
    volatile uint32_t out;      /* words played */
    uint32_t due;               /* time of the next event */
    uint32_t pulse_cycles, late_cycles, work_cycles;
    volatile uint32_t most_late;
    volatile int32_t running;
    volatile int32_t locked[2];
    uint32_t gated, cut;        /* bits per motor: with a gate; its steps are not made any more */
    int32_t input[PW_MOTORS];
    uint32_t release[PW_MOTORS]; /* a motor that was cut off is so until this word */
    uint32_t releasing;
    volatile uint32_t deadline[PW_CM_HEATERS];
    volatile int32_t duty[PW_CM_HEATERS];
    uint32_t lease_cycles;
};

static struct pw_cm *cm; /* the one that interrupts serve */

#define ICSR (*(volatile uint32_t *)0xE000ED04u)
#define PENDSVSET (1u << 28)

static struct pw_cm *of(struct pulse *p) { return (struct pw_cm *)p; }

/* -- what the pump asks for ------------------------------------------------------------------------------------------------------- */

/* Whoever interrupts gives back what it takes before it returns, so a test and a set are enough. */
int pw_pulse_try(struct pulse *p, enum pulse_lock lock)
{
    if (of(p)->locked[lock]) return 0;
    of(p)->locked[lock] = 1;
    __asm__ volatile("" ::: "memory");
    return 1;
}

void pw_pulse_free(struct pulse *p, enum pulse_lock lock)
{
    __asm__ volatile("" ::: "memory");
    of(p)->locked[lock] = 0;
}

uint32_t pw_pulse_executed(const struct pulse *p) { return ((const struct pw_cm *)p)->out; }

void pw_pulse_made(struct pulse *p) { (void)p; }

void pw_pulse_failed(struct pulse *p)
{
    of(p)->running = 0;
    pw_board_unstep();
    for (int32_t i = 0; i < PW_CM_HEATERS; i++) {
        of(p)->duty[i] = 0;
        pw_board_heater(i, 0);
    }
}

/* -- interrupts --------------------------------------------------------------------------------------------------------------------- */

static void look_at_gates(struct pw_cm *c)
{
    uint32_t closed = pw_board_inputs();
    for (int32_t m = 0; c->gated >> m; m++) {
        if (!(c->gated >> m & 1u) || !(closed >> c->input[m] & 1u)) continue;
        c->gated &= ~(1u << m);
        c->cut |= 1u << m;
        pw_pulse_stopped(&c->pulse, m, c->out);
    }
}

static void let_go(struct pw_cm *c)
{
    for (int32_t m = 0; c->releasing >> m; m++) {
        if (!(c->releasing >> m & 1u) || (int32_t)(c->out - c->release[m]) < 0) continue;
        c->releasing &= ~(1u << m);
        c->cut &= ~(1u << m);
    }
}

/* Plays the event that is due, and those that fall due meanwhile. */
void pw_cm_step(void)
{
    struct pw_cm *c = cm;
    const uint32_t *ring = c->pulse.ring;
    uint32_t mask = c->pulse.ring_mask;
    if (!c->running) return;
    for (;;) {
        uint32_t out = c->out, pins, length, begun = pw_board_now();
        int32_t late = (int32_t)(begun - c->due);
        if (late < 0) break; /* a timer that rounds down */
        if (out == c->pulse.in || (uint32_t)late > c->late_cycles) {
            pw_pulse_fail(&c->pulse, PW_FAULT_LATE);
            return;
        }
        if ((uint32_t)late > c->most_late) c->most_late = (uint32_t)late;
        if (c->gated) look_at_gates(c);
        if (c->releasing) let_go(c);
        pins = ring[out & mask] & 0xFFu & ~c->cut;
        if (pins) pw_board_step(pins);
        length = ring[(out + 1u) & mask];
        out += 2u;
        c->due += length & ~PULSE_FLAG;
        if (pins) {
            while (pw_board_now() - begun < c->pulse_cycles) {
            }
            pw_board_unstep();
        }
        if (length & PULSE_FLAG) {
            pw_board_dir(ring[out & mask] >> 8 & 0xFFu);
            out++;
        }
        c->out = out;
        if ((int32_t)(c->due - pw_board_now()) > 0) break;
    }
    pw_board_alarm(c->due);
}

void pw_cm_pump(void)
{
    struct pw_cm *c = cm;
    uint32_t now;
    if (!c || c->pulse.fault) return;
    now = pw_board_now();
    for (int32_t i = 0; i < PW_CM_HEATERS; i++) {
        if (!c->duty[i] || (int32_t)(now - c->deadline[i]) < 0) continue;
        c->pulse.expired |= 1u << i;
        c->pulse.latched = 1;
        c->duty[i] = 0;
        pw_board_heater(i, 0);
    }
    pw_pulse_pump(&c->pulse);
    ICSR = PENDSVSET;
}

void pw_cm_worker(void)
{
    struct pw_cm *c = cm;
    uint32_t from = pw_board_now();
    if (c && c->locked[PULSE_PORT]) return; /* by the firmware, which can not go on before this returns */
    while (c && pw_pulse_work(&c->pulse) && pw_board_now() - from < c->work_cycles) {
    }
}

void pw_cm_crash(void)
{
    if (cm) pw_pulse_fail(&cm->pulse, PW_FAULT_CORE);
}

/* -- life ----------------------------------------------------------------------------------------------------------------------------- */

static int32_t or_default(int32_t value, int32_t normal) { return value ? value : normal; }

static int in_range(int32_t value, int32_t low, int32_t high) { return value >= low && value <= high; }

static int power_of_two(int32_t n) { return n > 0 && (n & (n - 1)) == 0; }

static int settle(struct pw_cm_config *c, const struct pw_cm_config *cc, int32_t motors)
{
    *c = *cc;
    c->pulse_ns = or_default(c->pulse_ns, 200);
    c->event_ns = or_default(c->event_ns, 2000);
    c->late_us = or_default(c->late_us, 50);
    c->queue_runs = or_default(c->queue_runs, 32);
    c->side_runs = or_default(c->side_runs, 8);
    c->queue_marks = or_default(c->queue_marks, 32);
    c->ring_words = or_default(c->ring_words, 2048);
    c->lead_us = or_default(c->lead_us, 4000);
    c->prefill_us = or_default(c->prefill_us, 20000);
    c->work_us = or_default(c->work_us, 2000);
    c->lease_ms = or_default(c->lease_ms, 1500);
    return c->abi == PW_CM_ABI && in_range(motors, 1, PW_MOTORS) && in_range(c->clock_hz, 1000000, 250000000) &&
           in_range(c->pulse_ns, 50, 2000) && in_range(c->event_ns, 500, 20000) && in_range(c->late_us, 5, 1000) &&
           power_of_two(c->queue_runs) && in_range(c->queue_runs, 4, 4096) && power_of_two(c->side_runs) &&
           in_range(c->side_runs, 4, 4096) && power_of_two(c->queue_marks) && in_range(c->queue_marks, 4, 4096) &&
           power_of_two(c->ring_words) && in_range(c->ring_words, 256, 8192) && in_range(c->lead_us, 1000, 20000) &&
           in_range(c->prefill_us, 1, 1000000) && in_range(c->work_us, 10, 1000000) && in_range(c->lease_ms, 100, 8000) &&
           in_range(c->slope_permille_s, 0, 1000000000);
}

static size_t up(size_t n) { return (n + 7u) & ~(size_t)7; }

size_t pw_cm_size(const struct pw_cm_config *cc, int32_t motors)
{
    struct pw_cm_config c;
    if (!cc || !settle(&c, cc, motors)) return 0;
    return up(sizeof(struct pw_cm)) + (size_t)c.ring_words * sizeof(uint32_t) +
           pw_pulse_queue_size(motors, c.queue_runs, c.side_runs, c.queue_marks);
}

static uint32_t cycles(int32_t amount, int32_t per_second, int32_t clock_hz)
{
    return (uint32_t)(((uint64_t)(uint32_t)amount * (uint32_t)clock_hz + (uint32_t)per_second - 1u) / (uint32_t)per_second);
}

int32_t pw_cm_init(void *mem, size_t size, const struct pw_config *cfg, const struct pw_cm_config *cc, struct pw_core *core, struct pw_cm **port)
{
    struct pw_cm_config c;
    struct pulse_setup setup;
    struct pw_cm *p = mem;
    char *at = mem;
    if (!mem || !cfg || !cc || !core || !port) return PW_E_ARG;
    if (!settle(&c, cc, cfg->motors)) return PW_E_CONFIG;
    if ((uintptr_t)mem % 8u || size < pw_cm_size(cc, cfg->motors)) return PW_E_MEMORY;
    setup.clock_hz = (uint32_t)c.clock_hz;
    setup.least_cycles = cycles(c.event_ns, 1000000000, c.clock_hz) + cycles(c.pulse_ns, 1000000000, c.clock_hz);
    setup.overhead_cycles = setup.flag_cycles = setup.held_words = 0;
    setup.lead_us = (uint32_t)c.lead_us;
    setup.prefill_us = (uint32_t)c.prefill_us;
    setup.ring = (uint32_t *)(void *)(at + up(sizeof *p));
    setup.ring_words = (uint32_t)c.ring_words;
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        setup.step[m] = 1u << m;
        setup.dir[m] = setup.forward[m] = 1u << (8 + m);
    }
    p->out = 0;
    p->pulse_cycles = cycles(c.pulse_ns, 1000000000, c.clock_hz);
    p->late_cycles = cycles(c.late_us, 1000000, c.clock_hz);
    p->work_cycles = cycles(c.work_us, 1000000, c.clock_hz);
    p->lease_cycles = cycles(c.lease_ms, 1000, c.clock_hz); /* at most 8 s of 250 MHz: below 2^31 */
    p->most_late = 0;
    p->running = 0;
    p->locked[0] = p->locked[1] = 0;
    p->gated = p->cut = p->releasing = 0;
    for (int32_t i = 0; i < PW_CM_HEATERS; i++) {
        p->deadline[i] = 0;
        p->duty[i] = 0;
        pw_board_heater(i, 0);
    }
    pw_pulse_init(&p->pulse, core, cfg, &setup, (char *)(setup.ring + setup.ring_words), c.queue_runs, c.side_runs, c.queue_marks,
                  c.slope_permille_s);
    pw_board_unstep();
    pw_board_dir(p->pulse.dirs >> 8 & 0xFFu);
    cm = *port = p;
    return PW_OK;
}

int32_t pw_cm_start(struct pw_cm *c)
{
    if (!c) return PW_E_ARG;
    pw_pulse_pump(&c->pulse);
    c->due = pw_board_now() + c->late_cycles;
    c->running = 1;
    pw_board_alarm(c->due);
    return PW_OK;
}

void pw_cm_lock(struct pw_cm *c)
{
    while (!pw_pulse_try(&c->pulse, PULSE_CORE)) {
    }
}

/* The pump has not got in while the port was locked: the next one is a millisecond away. */
static int32_t give(struct pw_cm *c, int32_t result)
{
    pw_pulse_give(&c->pulse, result);
    if (c->pulse.missed) pw_pulse_pump(&c->pulse);
    return result;
}

void pw_cm_unlock(struct pw_cm *c)
{
    pw_pulse_unlock(&c->pulse);
    ICSR = PENDSVSET;
}

/* -- motion --------------------------------------------------------------------------------------------------------------------------- */

static void ungate(struct pw_cm *c, int32_t motor)
{
    c->gated &= ~(1u << motor);
    if (!(c->pulse.dropped >> motor & 1u)) return;
    c->release[motor] = c->pulse.in; /* what it was not to make goes by first */
    c->releasing |= 1u << motor;
    pw_pulse_ungate(&c->pulse, motor);
}

static void no_gates(struct pw_cm *c)
{
    for (int32_t m = 0; m < c->pulse.motors; m++) ungate(c, m);
}

static int32_t enter(struct pw_cm *c, int32_t side)
{
    int32_t err;
    if (!c) return PW_E_ARG;
    pw_pulse_take(&c->pulse);
    err = pw_pulse_enter(&c->pulse, side);
    if (!err) no_gates(c);
    return give(c, err);
}

int32_t pw_cm_begin(struct pw_cm *c) { return enter(c, 0); }

int32_t pw_cm_enter(struct pw_cm *c) { return enter(c, 1); }

int32_t pw_cm_leave(struct pw_cm *c)
{
    if (!c) return PW_E_ARG;
    pw_pulse_take(&c->pulse);
    if (c->pulse.now != &c->pulse.context[1] || (!c->pulse.fault && !pw_pulse_stands(&c->pulse))) return give(c, PW_E_STATE);
    pw_pulse_leave(&c->pulse);
    no_gates(c);
    return give(c, PW_OK);
}

int32_t pw_cm_open(struct pw_cm *c, int32_t open) { return c ? pw_pulse_open(&c->pulse, open) : PW_E_ARG; }

int32_t pw_cm_set_rate(struct pw_cm *c, int32_t permille) { return c ? pw_pulse_set_rate(&c->pulse, permille) : PW_E_ARG; }

int32_t pw_cm_quick_stop(struct pw_cm *c) { return c ? pw_pulse_quick_stop(&c->pulse) : PW_E_ARG; }

int32_t pw_cm_fault(struct pw_cm *c)
{
    if (!c) return PW_E_ARG;
    pw_pulse_fail(&c->pulse, PW_FAULT_ASKED);
    return PW_OK;
}

int32_t pw_cm_clear(struct pw_cm *c) { return c ? pw_pulse_clear(&c->pulse) : PW_E_ARG; }

int32_t pw_cm_marks(struct pw_cm *c, struct pw_markrec *out, int32_t n) { return c ? pw_pulse_marks(&c->pulse, out, n) : PW_E_ARG; }

int32_t pw_cm_set_count(struct pw_cm *c, int32_t motor, int32_t count) { return c ? pw_pulse_set_count(&c->pulse, motor, count) : PW_E_ARG; }

int32_t pw_cm_gate(struct pw_cm *c, int32_t motor, int32_t input)
{
    if (!c || !in_range(motor, 0, c->pulse.motors - 1) || !in_range(input, -1, PW_CM_INPUTS - 1)) return PW_E_ARG;
    pw_pulse_take(&c->pulse);
    if (c->pulse.now != &c->pulse.context[1] || !pw_pulse_stands(&c->pulse)) return give(c, PW_E_STATE);
    ungate(c, motor);
    c->input[motor] = input;
    if (input >= 0) c->gated |= 1u << motor;
    return give(c, PW_OK);
}

/* -- heaters, reports --------------------------------------------------------------------------------------------------------------------- */

int32_t pw_cm_renew(struct pw_cm *c, int32_t heater)
{
    if (!c || !in_range(heater, 0, PW_CM_HEATERS - 1)) return PW_E_ARG;
    c->deadline[heater] = pw_board_now() + c->lease_cycles;
    return PW_OK;
}

int32_t pw_cm_heater(struct pw_cm *c, int32_t heater, int32_t duty_permille)
{
    if (!c || !in_range(heater, 0, PW_CM_HEATERS - 1) || !in_range(duty_permille, 0, 1000)) return PW_E_ARG;
    if (duty_permille && (c->pulse.fault || c->pulse.expired >> heater & 1u)) return PW_E_STATE;
    pw_cm_renew(c, heater);
    c->duty[heater] = duty_permille;
    pw_board_heater(heater, duty_permille);
    if (duty_permille && (c->pulse.fault || c->pulse.expired >> heater & 1u)) { /* an interrupt may have put it out in between */
        pw_board_heater(heater, 0);
        c->duty[heater] = 0;
        return PW_E_STATE;
    }
    return PW_OK;
}

int32_t pw_cm_output(const struct pw_cm *c, int32_t heater)
{
    if (!c || !in_range(heater, 0, PW_CM_HEATERS - 1)) return PW_E_ARG;
    return c->duty[heater];
}

int32_t pw_cm_status(struct pw_cm *c, struct pw_cm_status *status)
{
    if (!c || !status) return PW_E_ARG;
    pw_pulse_report(&c->pulse, &status->pulse);
    status->most_late = c->most_late;
    c->most_late = 0;
    return PW_OK;
}
