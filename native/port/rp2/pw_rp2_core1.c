/* Core 1: the worker, the pump, gates, leases and faults.  Everything here and below is in RAM. */
#include "pw_rp2_parts.h"

struct pw_rp2 *pw_rp2_port;

enum { LEASE_LOOK_US = 50000 }; /* less than the shortest lease */

/* -- what the pump asks for --------------------------------------------------------------------------------------------------- */

int pw_pulse_try(struct pulse *p, enum pulse_lock lock)
{
    return SIO_SPINLOCK(((struct pw_rp2 *)p)->spinlock + (uint32_t)lock) != 0;
}

void pw_pulse_free(struct pulse *p, enum pulse_lock lock) { SIO_SPINLOCK(((struct pw_rp2 *)p)->spinlock + (uint32_t)lock) = 1; }

/* Words that have gone into the state machine. */
static uint32_t taken(const struct pw_rp2 *r)
{
    uint32_t level, at, again = fifo_level(r);
    do { /* a word may be on its way */
        level = again;
        at = (REG(DMA(r->dma) + DMA_READ) - (uint32_t)(uintptr_t)r->pulse.ring) >> 2;
        again = fifo_level(r);
    } while (again != level);
    return r->sent - ((r->sent - at) & r->pulse.ring_mask) - level;
}

uint32_t pw_pulse_executed(const struct pulse *p) { return taken((const struct pw_rp2 *)p) - 1u; } /* the last one may be waiting */

void pw_pulse_made(struct pulse *p)
{
    struct pw_rp2 *r = (struct pw_rp2 *)p;
    uint32_t words = p->in - r->sent;
    if (!words) return;
    r->sent = p->in;
    r->count[(r->block + 1u) % BLOCKS] = 0;
    __asm__ volatile("dmb" ::: "memory");
    r->count[r->block] = words;
    r->block = (r->block + 1u) % BLOCKS;
}

/* -- safe state --------------------------------------------------------------------------------------------------------------- */

static void cut_off(const struct pw_rp2 *r, int32_t motor)
{
    IO_CTRL(r->step_pin[motor]) = (r->step_low >> motor & 1u ? OUT_HIGH : OUT_LOW) | (FUNCTION_PIO0 + (r->pio == PIO(1)));
}

void pw_rp2_heater_off(struct pw_rp2 *r, int32_t heater)
{
    if (r->heater_pin[heater] < 0) return;
    if (r->heater_low >> heater & 1u) SIO_OUT_SET = 1u << r->heater_pin[heater];
    else SIO_OUT_CLEAR = 1u << r->heater_pin[heater];
    IO_CTRL(r->heater_pin[heater]) = FUNCTION_SIO;
    r->duty[heater] = 0;
}

void pw_rp2_safe(struct pw_rp2 *r)
{
    for (int32_t i = 0; i < PW_RP2_HEATERS; i++) pw_rp2_heater_off(r, i);
    for (int32_t m = 0; m < r->pulse.motors; m++) cut_off(r, m);
    REG(r->pio + PIO_CTRL + CLEAR_ALIAS) = 1u << r->machine;
    DMA_ABORT = 3u << r->dma;
}

void pw_pulse_failed(struct pulse *p) { pw_rp2_safe((struct pw_rp2 *)p); }

/* -- interrupts --------------------------------------------------------------------------------------------------------------- */

/* Words run out, or the state machine has waited for one: a deadline is missed. */
void pw_rp2_on_dry(void)
{
    struct pw_rp2 *r = pw_rp2_port;
    DMA_INTR = 3u << r->dma;
    pw_pulse_fail(&r->pulse, PW_FAULT_LATE);
}

void pw_rp2_on_crash(void)
{
    pw_pulse_fail(&pw_rp2_port->pulse, PW_FAULT_CORE);
    for (;;) __asm__ volatile("wfi");
}

void pw_rp2_on_lease(void)
{
    struct pw_rp2 *r = pw_rp2_port;
    uint32_t now, next = LEASE_LOOK_US;
    TIMER_INTR = 1u << r->alarm;
    now = TIMER_NOW;
    for (int32_t i = 0; i < PW_RP2_HEATERS; i++) {
        int32_t left = (int32_t)(r->deadline_us[i] - now);
        if (!r->duty[i]) continue;
        if (left > 0) {
            if ((uint32_t)left < next) next = (uint32_t)left;
            continue;
        }
        r->pulse.expired |= 1u << i;
        r->pulse.latched = 1;
        pw_rp2_heater_off(r, i);
    }
    TIMER_ALARM(r->alarm) = now + (next < 20u ? 20u : next);
}

void pw_rp2_on_pump(void)
{
    struct pw_rp2 *r = pw_rp2_port;
    TIMER_INTR = 2u << r->alarm;
    TIMER_ALARM(r->alarm + 1u) = TIMER_NOW + r->pump_us;
    if (REG(r->pio + PIO_FDEBUG) & TXSTALL(r->machine)) pw_rp2_on_dry();
    pw_pulse_pump(&r->pulse);
    for (int32_t m = 0; m < r->pulse.motors; m++) {
        struct gate *g = &r->gate[m];
        if (g->input >= 0 || !g->release || (int32_t)(pw_pulse_executed(&r->pulse) - g->release) < 0) continue;
        IO_CTRL(r->step_pin[m]) = (r->step_low >> m & 1u ? OUT_INVERT : 0) | (FUNCTION_PIO0 + (r->pio == PIO(1)));
        g->release = 0;
    }
}

/* A switch has closed.  The state machine stands for as long as it takes to see where it is; that is machine time, not plan time. */
void pw_rp2_on_input(void)
{
    struct pw_rp2 *r = pw_rp2_port;
    uint32_t executed, at, hit = 0, closed = ~0u;
    for (int i = 0; i < 4; i++) closed &= SIO_IN ^ r->input_low; /* shorter ones are noise */
    for (int32_t m = 0; m < r->pulse.motors; m++) {
        int32_t pin = r->gate[m].input < 0 ? -1 : r->input_pin[r->gate[m].input];
        if (pin < 0 || (r->pulse.dropped >> m & 1u) || !(closed >> pin & 1u)) continue;
        hit |= 1u << m;
        REG(IO_PROC1_INTE + 4u * ((uint32_t)pin >> 3) + CLEAR_ALIAS) = 15u << (4u * ((uint32_t)pin & 7u));
    }
    if (!hit) return;
    for (;;) {
        REG(r->pio + PIO_CTRL + CLEAR_ALIAS) = 1u << r->machine;
        at = REG(r->sm + SM_ADDRESS);
        if (at == 0 || at > r->program_low) break; /* else a pulse is being made: let it end */
        REG(r->pio + PIO_CTRL + SET_ALIAS) = 1u << r->machine;
    }
    executed = taken(r);
    /* at the ends of an event the next word, its pins, may have been fetched ahead */
    if (at == 0 || at > r->program_end) executed--;
    for (int32_t m = 0; hit >> m; m++)
        if (hit >> m & 1u) cut_off(r, m);
    REG(r->pio + PIO_CTRL + SET_ALIAS) = 1u << r->machine;
    for (int32_t m = 0; hit >> m; m++)
        if (hit >> m & 1u) pw_pulse_stopped(&r->pulse, m, executed);
}

/* -- life ---------------------------------------------------------------------------------------------------------------------- */

_Noreturn void pw_rp2_core1(void)
{
    struct pw_rp2 *r = pw_rp2_port;
    uint32_t pump = IRQ_TIMER0 + r->alarm + 1u;
    NVIC_PRIORITY(pump) |= 0x80u << (8u * (pump & 3u));
    TIMER_ALARM(r->alarm) = TIMER_NOW + LEASE_LOOK_US;
    TIMER_ALARM(r->alarm + 1u) = TIMER_NOW + r->pump_us;
    NVIC_ENABLE = 3u << (IRQ_TIMER0 + r->alarm) | 1u << IRQ_DMA1 | 1u << IRQ_IO;
    SIO_FIFO_WRITE = 1; /* core 0 waits for it */
    for (;;) {
        if (r->watchdog) WATCHDOG_LOAD = r->watchdog;
        if (!pw_pulse_work(&r->pulse)) __asm__ volatile("wfi");
    }
}
