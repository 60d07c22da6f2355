#include "cortexm_board.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
/* CMSDK APB timers: control, value, reload, interrupt.  One counts for ever, the other to the next alarm. */
#define ALARM (BOARD_TIMERS)
#define CLOCK (BOARD_TIMERS + 0x1000u)
enum { CONTROL = 0, VALUE = 4, RELOAD = 8, CLEAR = 12, ENABLE = 1, INTERRUPT = 8 };
#define NVIC_ENABLE REG(0xE000E100u)
#define NVIC_PENDING REG(0xE000E200u)
#define NVIC_PRIORITY(irq) (*(volatile uint8_t *)(uintptr_t)(0xE000E400u + (irq)))
#define SHPR3 REG(0xE000ED20u)
#define SYST_CSR REG(0xE000E010u)
#define SYST_RVR REG(0xE000E014u)
#define SYST_CVR REG(0xE000E018u)

enum { LOG = 200000 };

static struct entry {
    uint32_t time, levels;
} *log_at, *log_end;
static uint32_t levels, rises;

size_t board_start(char *end)
{
    log_end = (struct entry *)(void *)end;
    log_at = log_end - LOG;
    log_end = log_at;
    REG(CLOCK + RELOAD) = 0xFFFFFFFFu;
    REG(CLOCK + VALUE) = 0xFFFFFFFFu;
    REG(CLOCK + CONTROL) = ENABLE;
    NVIC_PRIORITY(BOARD_IRQ) = 0x20;
    SHPR3 = 0xE0u << 16 | 0x80u << 24; /* PendSV lowest, SysTick between */
    NVIC_ENABLE = 1u << BOARD_IRQ;
    SYST_RVR = BOARD_HZ / 1000u - 1u;
    SYST_CVR = 0;
    SYST_CSR = 7;
    return LOG * sizeof(struct entry);
}

uint32_t pw_board_now(void) { return ~REG(CLOCK + VALUE); }

uint32_t board_us(void) { return pw_board_now() / (BOARD_HZ / 1000000u); } /* runs of less than 170 s */

void pw_board_alarm(uint32_t at)
{
    int32_t left = (int32_t)(at - pw_board_now());
    REG(ALARM + CONTROL) = 0;
    if (left <= 0) {
        NVIC_PENDING = 1u << BOARD_IRQ;
        return;
    }
    REG(ALARM + RELOAD) = 0;
    REG(ALARM + VALUE) = (uint32_t)left;
    REG(ALARM + CONTROL) = ENABLE | INTERRUPT;
}

/* Time that each interrupt has taken, without those that interrupted it: step, pump, worker. */
static uint32_t spent[3], stolen;

static void metered(void (*what)(void), int part)
{
    uint32_t from = pw_board_now(), before = stolen;
    what();
    from = pw_board_now() - from;
    spent[part] += from - (stolen - before);
    stolen = before + from;
}

void bare_interrupt(void)
{
    REG(ALARM + CLEAR) = 1;
    metered(pw_cm_step, 0);
}

void bare_systick(void) { metered(pw_cm_pump, 1); }

void bare_pendsv(void) { metered(pw_cm_worker, 2); }

void bare_hardfault(void)
{
    pw_cm_crash();
    board_print_log();
    bare_exit(0);
}

static void set(uint32_t mask, uint32_t value)
{
    uint32_t now = (levels & ~mask) | value;
    if (now == levels) return;
    levels = now;
    if (log_end == log_at + LOG) return;
    log_end->time = pw_board_now();
    log_end->levels = levels;
    log_end++;
}

void pw_board_step(uint32_t motors)
{
    if (motors & 1u) rises++;
    set(0xFFu, motors);
}

void pw_board_unstep(void) { set(0xFFu, 0); }

void pw_board_dir(uint32_t forward) { set(0xFF00u, forward << 8); }

void pw_board_heater(int32_t heater, int32_t duty_permille) { set(1u << (16 + heater), (uint32_t)(duty_permille != 0) << (16 + heater)); }

/* Switch 0 closes with that many steps of motor 0. */
uint32_t pw_board_inputs(void)
{
    uint32_t after = BOARD_SWITCH;
    return after && rises >= after;
}

static void put_hex(uint32_t n)
{
    char text[10] = " 00000000";
    for (int i = 8; i; i--, n >>= 4) text[i] = "0123456789abcdef"[n & 15u];
    bare_put(text);
}

void board_print_log(void)
{
    bare_put("spent");
    for (int i = 0; i < 3; i++) put_hex(spent[i]);
    bare_put("\n");
    for (const struct entry *e = log_at; e < log_end; e++) {
        bare_put("pins");
        put_hex(e->time);
        put_hex(e->levels);
        bare_put("\n");
    }
}
