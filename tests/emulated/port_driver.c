/* A port with hardware under a script: a program is fed, and what the script says is done, while the port plays.  RP2040: on core 0 of
 * the chip; Cortex-M: in thread mode (cortexm_board.c has the board).
 *
 * Input, words: of struct pw_config, of the port's configuration, actions, bytes of text, 1 for the second context, input that each motor's
 * gate looks at (8, -1: none); the configurations; the actions, 4 words each: microseconds since the start, operation, two arguments;
 * the text.  Printed: "status" and numbers (print_status) when asked for and at the end. */
#include "bare.h"
#if defined(BARE_RP2040)
#include "printwright_rp2.h"
#define PORT(name) pw_rp2_##name
#define THE_PORT pw_rp2
#define NOW_US (*(volatile uint32_t *)0x40054028u)
#else
#include "cortexm_board.h"
#define PORT(name) pw_cm_##name
#define THE_PORT pw_cm
#define NOW_US board_us()
#endif

__asm__(".section .cases, \"a\", %progbits\n"
        ".balign 8\n"
        ".global cases\n"
        "cases: .incbin \"" CASES "\"\n"
        ".previous\n");
extern const uint32_t cases[];

enum { HEAD = 13, PIECE = 192, EMULATOR_FLASH = 0x101, EMULATOR_SLEEP = 0x102, EMULATOR_HANG = 0x103, EMULATOR_CRASH = 0x104 };
enum { HOLD = 1, RESUME, QUICK, HEATER, DIE, SEIZE, FLASH, STALL, STATUS, FAULT, DEAF, BREAK, GRAB, HANG, CRASH };
enum { FEEDING, ENDING, FLUSHING, PLAYING };

#if defined(BARE_RP2040)
static inline __attribute__((always_inline)) void emulator(uint32_t operation, uint32_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uint32_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void sleep_us(uint32_t us) { emulator(EMULATOR_SLEEP, us); }

/* Stands in for a flash write: nothing of this core may be in flash either, until it is over. */
__attribute__((section(".data.flash_window"), noinline, long_call)) static void flash_window(uint32_t us)
{
    emulator(EMULATOR_FLASH, 1);
    emulator(EMULATOR_SLEEP, us);
    emulator(EMULATOR_FLASH, 0);
}

__attribute__((section(".data.hang"), noinline)) static void hang(void)
{
    for (;;) __asm__ volatile("");
}

/* Core 1, wherever it is but in an interrupt, does nothing more; or has a hard fault. */
static void core_1_hangs(void) { emulator(EMULATOR_HANG, (uint32_t)(uintptr_t)hang); }
static void crash(void) { emulator(EMULATOR_CRASH, 0); }

static void grab(void) { (void)*(volatile uint32_t *)(0xD0000100u + 4u * (16u + 1u)); } /* as pw_pulse_try, by spin lock 16 of the configuration */
#else
static void sleep_us(uint32_t us)
{
    for (uint32_t from = NOW_US; NOW_US - from < us;) __asm__ volatile("wfi");
}

static void flash_window(uint32_t us) { sleep_us(us); }

static void crash(void) { __asm__ volatile("udf #0"); }
static void core_1_hangs(void) {}
static void grab(void) {}
#endif

static void put_number(int64_t n)
{
    char text[24], *at = text + sizeof text;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    *--at = 0;
    do *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (n < 0) *--at = '-';
    *--at = ' ';
    bare_put(at);
}

static int64_t worst = -1; /* RP2040: least lead in microseconds; else: most cycles late */

static void read_status(struct THE_PORT *port, struct PORT(status) *st)
{
    PORT(status)(port, st);
#if defined(BARE_RP2040)
    if (worst < 0 || st->least_lead_us < worst) worst = st->least_lead_us;
#else
    if (st->most_late > worst) worst = st->most_late;
#endif
}

static void print_status(struct THE_PORT *port)
{
    struct PORT(status) st;
    read_status(port, &st);
    bare_put("status");
    put_number(NOW_US);
    put_number(st.pulse.played_tick);
    put_number(st.pulse.rate_q32);
    put_number(st.pulse.fault);
    put_number(st.pulse.latched);
    put_number(st.pulse.expired);
    put_number(st.pulse.stands);
    put_number(st.pulse.idle);
    put_number(st.pulse.starvations);
    put_number(st.pulse.triggered);
    put_number(worst);
#if defined(BARE_RP2040)
    put_number(st.stack_used);
#else
    put_number((int64_t)bare_stack_used());
#endif
    for (int m = 0; m < PW_MOTORS; m++) put_number(st.pulse.count[m]);
    for (int m = 0; m < PW_MOTORS; m++) put_number(st.pulse.trigger_count[m]);
    bare_put("\n");
}

/* Lines: "mark", its number, its plan tick, when it was seen to have fired. */
static void print_marks(struct THE_PORT *port)
{
    struct pw_markrec mark[4];
    int32_t n = PORT(marks)(port, mark, 4);
    for (int32_t i = 0; i < n; i++) {
        bare_put("mark");
        put_number(mark[i].id);
        put_number((int64_t)mark[i].tick);
        put_number(NOW_US);
        bare_put("\n");
    }
}

static int32_t feed(struct pw_core *core, const char *text, uint32_t size, uint32_t *at, int *stage)
{
    static int64_t mark = -1; /* one that the core had no room for */
    struct pw_event event;
    int32_t got = 0;
    if (*stage == FEEDING) {
        if (mark >= 0) {
            got = pw_mark(core, (uint32_t)mark);
            if (got == PW_E_FULL) return 0;
            mark = -1;
        }
        uint32_t rest = size - *at < PIECE ? size - *at : PIECE;
        if (!rest && cases[4]) { /* no document to end */
            *stage = ENDING;
            return 0;
        }
        got = rest ? pw_feed(core, text + *at, (int32_t)rest, &event) : pw_end(core, &event);
        if (got < 0) return got;
        *at += (uint32_t)got;
        if (event.kind == PW_EV_COMMAND || event.kind == PW_EV_LAYER) {
            if (pw_mark(core, (uint32_t)event.number) == PW_E_FULL) mark = event.number;
        }
        if (event.kind == PW_EV_ERROR) return (int32_t)event.code;
        if (event.kind == PW_EV_END) *stage = ENDING;
        return 0;
    }
    got = pw_flush(core);
    if (got == PW_E_FULL) return 0;
    *stage = PLAYING;
    return got;
}

int bare_main(void)
{
    const struct pw_config *cfg = (const struct pw_config *)(const void *)(cases + HEAD);
    const struct PORT(config) *rc = (const struct PORT(config) *)(const void *)(cases + HEAD + cases[0]);
    const uint32_t *action = cases + HEAD + cases[0] + cases[1], *last = action + 4 * cases[2];
    const char *text = (const char *)last;
    struct pw_core *core;
    struct THE_PORT *port;
    struct PORT(status) st;
    size_t size, need = cases[0] * 4 == sizeof *cfg && cases[1] * 4 == sizeof *rc ? pw_core_size(cfg) : 0;
    char *mem = bare_memory(&size);
#if !defined(BARE_RP2040)
    size -= board_start(mem + size);
#endif
    uint32_t start, at = 0, resume = 0, hear = 0;
    int stage = FEEDING, seized = 0;
    int32_t bad, err = need && need < size ? pw_init(mem, need, cfg, &core, &bad) : PW_E_MEMORY;
    if (!err) err = PORT(init)(mem + need, size - need, cfg, rc, core, &port);
    if (!err) err = PORT(start)(port);
    if (err) {
        bare_put("refused");
        put_number(err);
        bare_put("\n");
        return 1;
    }
    PORT(lock)(port);
    err = pw_begin(core, PW_FEED, PW_GCODE);
    if (!err) err = PORT(begin)(port);
    if (!err && cases[4]) err = pw_enter(core);
    PORT(unlock)(port);
    while (!err && cases[4] && (err = PORT(enter)(port)) == PW_E_STATE) err = 0;
    for (int m = 0; !err && cases[4] && m < PW_MOTORS; m++)
        if ((int32_t)cases[5 + m] >= 0) err = PORT(gate)(port, m, (int32_t)cases[5 + m]);
    PORT(open)(port, 1);
    start = NOW_US;
    while (!err) {
        uint32_t now = NOW_US - start;
        while (action < last && now >= action[0]) {
            switch (action[1]) {
            case HOLD: err = PORT(set_rate)(port, 0); break;
            case RESUME: err = PORT(set_rate)(port, 1000); break;
            case QUICK: err = PORT(quick_stop)(port); break;
            case HEATER: err = PORT(heater)(port, (int32_t)action[2], (int32_t)action[3]); break;
            case FAULT: err = PORT(fault)(port); break;
            case DIE: for (;;) __asm__ volatile("wfi");
            case SEIZE: PORT(lock)(port); seized = 1; break; /* and never lets it go */
            case FLASH: flash_window(action[2]); break;
            case STALL: resume = hear = now + action[2]; break; /* neither feeds nor reads marks */
            case DEAF: hear = now + action[2]; break;
            case STATUS: print_status(port); break;
            case BREAK: PORT(lock)(port); *(volatile uint32_t *)(void *)core = 0; PORT(unlock)(port); break; /* the next pw_run is refused */
            case GRAB: grab(); for (;;) __asm__ volatile("wfi");
            case HANG: core_1_hangs(); break;
            case CRASH: crash(); break;
            default: err = PW_E_ARG;
            }
            action += 4;
        }
        if (err) break;
        read_status(port, &st);
        if (st.pulse.fault) break;
        if (st.pulse.marks_fired && now >= hear) print_marks(port);
        if (stage < PLAYING && now >= resume && !seized) {
            uint32_t before = at;
            PORT(lock)(port);
            err = feed(core, text, cases[3], &at, &stage);
            PORT(unlock)(port);
            if (stage == PLAYING) PORT(open)(port, 0);
            if (at > before) continue;
        }
        if (action == last && stage == PLAYING && now >= hear && !st.pulse.marks_fired && st.pulse.stands && (st.pulse.idle || (st.pulse.rate_q32 == 0 && st.pulse.target_q32 == 0))) break;
        sleep_us(2000);
    }
    if (err) {
        bare_put("error");
        put_number(err);
        bare_put("\n");
    }
    print_status(port);
#if !defined(BARE_RP2040)
    board_print_log();
#endif
    return 0;
}
