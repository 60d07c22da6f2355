/* The RP2040 port on both cores of the chip: core 0 feeds a program and does what a script says, core 1 plays.
 *
 * Input, words: of struct pw_config, of struct pw_rp2_config, actions, bytes of text, 1 for the second context, input that each motor's
 * gate looks at (8, -1: none); the configurations; the actions, 4 words each: microseconds since the start, operation, two arguments;
 * the text.  Printed: "status" and numbers (print_status) when asked for and at the end. */
#include "bare.h"
#include "printwright_rp2.h"

__asm__(".section .cases, \"a\", %progbits\n"
        ".balign 8\n"
        ".global cases\n"
        "cases: .incbin \"" CASES "\"\n"
        ".previous\n");
extern const uint32_t cases[];

#define NOW (*(volatile uint32_t *)0x40054028u)

enum { HEAD = 13, PIECE = 192, EMULATOR_FLASH = 0x101, EMULATOR_SLEEP = 0x102 };
enum { HOLD = 1, RESUME, QUICK, HEATER, DIE, SEIZE, FLASH, STALL, STATUS, FAULT };
enum { FEEDING, ENDING, FLUSHING, PLAYING };

static inline __attribute__((always_inline)) void emulator(uint32_t operation, uint32_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uint32_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

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

static int64_t least_lead_us = INT64_MAX;

static void read_status(struct pw_rp2 *port, struct pw_rp2_status *st)
{
    pw_rp2_status(port, st);
    if (st->least_lead_us < least_lead_us) least_lead_us = st->least_lead_us;
}

static void print_status(struct pw_rp2 *port)
{
    struct pw_rp2_status st;
    read_status(port, &st);
    bare_put("status");
    put_number(NOW);
    put_number(st.played_tick);
    put_number(st.rate_q32);
    put_number(st.fault);
    put_number(st.latched);
    put_number(st.expired);
    put_number(st.stands);
    put_number(st.idle);
    put_number(st.starvations);
    put_number(st.triggered);
    put_number(least_lead_us);
    put_number(st.stack_used);
    for (int m = 0; m < PW_MOTORS; m++) put_number(st.count[m]);
    for (int m = 0; m < PW_MOTORS; m++) put_number(st.trigger_count[m]);
    bare_put("\n");
}

/* Stands in for a flash write: nothing of this core may be in flash either, until it is over. */
__attribute__((section(".data.flash_window"), noinline, long_call)) static void flash_window(uint32_t us)
{
    emulator(EMULATOR_FLASH, 1);
    emulator(EMULATOR_SLEEP, us);
    emulator(EMULATOR_FLASH, 0);
}

static int32_t feed(struct pw_core *core, const char *text, uint32_t size, uint32_t *at, int *stage)
{
    struct pw_event event;
    int32_t got = 0;
    if (*stage == FEEDING) {
        uint32_t rest = size - *at < PIECE ? size - *at : PIECE;
        if (!rest && cases[4]) { /* no document to end */
            *stage = ENDING;
            return 0;
        }
        got = rest ? pw_feed(core, text + *at, (int32_t)rest, &event) : pw_end(core, &event);
        if (got < 0) return got;
        *at += (uint32_t)got;
        if (event.kind == PW_EV_COMMAND || event.kind == PW_EV_LAYER) got = pw_mark(core, (uint32_t)event.number);
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
    const struct pw_rp2_config *rc = (const struct pw_rp2_config *)(const void *)(cases + HEAD + cases[0]);
    const uint32_t *action = cases + HEAD + cases[0] + cases[1], *last = action + 4 * cases[2];
    const char *text = (const char *)last;
    struct pw_core *core;
    struct pw_rp2 *port;
    struct pw_rp2_status st;
    size_t size, need = cases[0] * 4 == sizeof *cfg && cases[1] * 4 == sizeof *rc ? pw_core_size(cfg) : 0;
    char *mem = bare_memory(&size);
    uint32_t start, at = 0, resume = 0;
    int stage = FEEDING, seized = 0;
    int32_t bad, err = need && need < size ? pw_init(mem, need, cfg, &core, &bad) : PW_E_MEMORY;
    if (!err) err = pw_rp2_init(mem + need, size - need, cfg, rc, core, &port);
    if (!err) err = pw_rp2_start(port);
    if (err) {
        bare_put("refused");
        put_number(err);
        bare_put("\n");
        return 1;
    }
    pw_rp2_lock(port);
    err = pw_begin(core, PW_FEED, PW_GCODE);
    if (!err) err = pw_rp2_begin(port);
    if (!err && cases[4]) err = pw_enter(core);
    pw_rp2_unlock(port);
    while (!err && cases[4] && (err = pw_rp2_enter(port)) == PW_E_STATE) err = 0;
    for (int m = 0; !err && cases[4] && m < PW_MOTORS; m++)
        if ((int32_t)cases[5 + m] >= 0) err = pw_rp2_gate(port, m, (int32_t)cases[5 + m]);
    pw_rp2_open(port, 1);
    start = NOW;
    while (!err) {
        uint32_t now = NOW - start;
        while (action < last && now >= action[0]) {
            switch (action[1]) {
            case HOLD: err = pw_rp2_set_rate(port, 0); break;
            case RESUME: err = pw_rp2_set_rate(port, 1000); break;
            case QUICK: err = pw_rp2_quick_stop(port); break;
            case HEATER: err = pw_rp2_heater(port, (int32_t)action[2], (int32_t)action[3]); break;
            case FAULT: err = pw_rp2_fault(port); break;
            case DIE: for (;;) __asm__ volatile("wfi");
            case SEIZE: pw_rp2_lock(port); seized = 1; break; /* and never lets it go */
            case FLASH: flash_window(action[2]); break;
            case STALL: resume = now + action[2]; break;
            case STATUS: print_status(port); break;
            default: err = PW_E_ARG;
            }
            action += 4;
        }
        if (err) break;
        read_status(port, &st);
        if (st.fault) break;
        if (stage < PLAYING && now >= resume && !seized) {
            uint32_t before = at;
            pw_rp2_lock(port);
            err = feed(core, text, cases[3], &at, &stage);
            pw_rp2_unlock(port);
            if (stage == PLAYING) pw_rp2_open(port, 0);
            if (at > before) continue;
        }
        if (action == last && stage == PLAYING && st.stands && (st.idle || (st.rate_q32 == 0 && st.target_q32 == 0))) break;
        emulator(EMULATOR_SLEEP, 1000);
    }
    if (err) {
        bare_put("error");
        put_number(err);
        bare_put("\n");
    }
    print_status(port);
    return 0;
}
