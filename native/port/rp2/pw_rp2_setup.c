/* Core 0's side of the port: configuration, hardware, start.  Nothing here runs while anything moves. */
#include "pw_rp2_parts.h"

/* -- configuration ------------------------------------------------------------------------------------------------------------- */

static int32_t or_default(int32_t value, int32_t normal) { return value ? value : normal; }

static int power_of_two(int32_t n) { return n > 0 && (n & (n - 1)) == 0; }

/* With defaults filled in; 0 when something is refused. */
static int settle(struct pw_rp2_config *c, const struct pw_rp2_config *rc, int32_t motors)
{
    uint32_t pins = 0;
    *c = *rc;
    c->pulse_ns = or_default(c->pulse_ns, 1000);
    c->heater_hz = or_default(c->heater_hz, 10);
    c->queue_runs = or_default(c->queue_runs, 32);
    c->side_runs = or_default(c->side_runs, 8);
    c->queue_marks = or_default(c->queue_marks, 32);
    c->ring_words = or_default(c->ring_words, 2048);
    c->lead_us = or_default(c->lead_us, 3000);
    c->prefill_us = or_default(c->prefill_us, 20000);
    c->lease_ms = or_default(c->lease_ms, 1500);
    c->stack_bytes = or_default(c->stack_bytes, 6144);
    if (c->abi != PW_RP2_ABI || !in_range(motors, 1, PW_MOTORS) || !in_range(c->clock_hz, 48000000, 250000000)) return 0;
    if (!in_range(c->pio, 0, 1) || !in_range(c->machine, 0, 3) || !in_range(c->dma, 0, 10) || !in_range(c->spinlock, 0, 30)) return 0;
    if (!in_range(c->alarm, 0, 2) || !in_range(c->pulse_ns, 50, 3000) || !in_range(c->heater_hz, 10, 1000)) return 0;
    if (!power_of_two(c->queue_runs) || !in_range(c->queue_runs, 4, 4096)) return 0;
    if (!power_of_two(c->side_runs) || !in_range(c->side_runs, 4, 4096)) return 0;
    if (!power_of_two(c->queue_marks) || !in_range(c->queue_marks, 4, 4096)) return 0;
    if (!power_of_two(c->ring_words) || !in_range(c->ring_words, 256, 8192)) return 0;
    if (!in_range(c->lead_us, 1000, 20000) || !in_range(c->prefill_us, 1, 1000000)) return 0;
    if (!in_range(c->lease_ms, 100, 60000) || !in_range(c->slope_permille_s, 0, 1000000000)) return 0;
    if (!in_range(c->watchdog_ms, 0, 8000) || !in_range(c->stack_bytes, 2048, 16384) || c->stack_bytes % 8) return 0;
    /* every pin once */
    for (int32_t i = 0; i < 2 * motors + PW_RP2_INPUTS + PW_RP2_HEATERS; i++) {
        int32_t k = i - 2 * motors, pin = i < motors ? c->step_pin[i] : i < 2 * motors ? c->dir_pin[i - motors] :
            k < PW_RP2_INPUTS ? c->input_pin[k] : c->heater_pin[k - PW_RP2_INPUTS];
        if (k >= 0 && pin == -1) continue;
        if (!in_range(pin, 0, 29) || pins >> pin & 1u) return 0;
        pins |= 1u << pin;
    }
    return 1;
}

static size_t up(size_t n) { return (n + 7u) & ~(size_t)7; }

/* All but the ring. */
static size_t parts_size(const struct pw_rp2_config *c, int32_t motors)
{
    /* vectors and block lengths are aligned to their size: 256 and 512 bytes */
    return up(sizeof(struct pw_rp2)) + pw_pulse_queue_size(motors, c->queue_runs, c->side_runs, c->queue_marks) +
           (size_t)c->stack_bytes + 256u + BLOCKS * sizeof(uint32_t);
}

size_t pw_rp2_size(const struct pw_rp2_config *rc, int32_t motors)
{
    struct pw_rp2_config c;
    if (!rc || !settle(&c, rc, motors)) return 0;
    return 2u * (size_t)c.ring_words * sizeof(uint32_t) + parts_size(&c, motors);
}

/* -- hardware ------------------------------------------------------------------------------------------------------------------- */

static void pad(int32_t pin, uint32_t bits, uint32_t function)
{
    PAD(pin) = bits | PAD_SCHMITT | PAD_4MA;
    IO_CTRL(pin) = function;
}

enum { PIO_PULL = 0x80A0, PIO_OUT_PINS = 0x6000, PIO_OUT_X = 0x6020, PIO_OUT_Y = 0x6040, PIO_OUT_DIRS = 0x6080, PIO_MOV_PINS_Y = 0xA002, PIO_NOP = 0xA042,
       PIO_JMP_X_DEC = 0x0040, PIO_JMP_NOT_X = 0x0020 };

static uint32_t put(const struct pw_rp2 *r, uint32_t at, uint32_t code)
{
    REG(r->pio + PIO_CODE + 4u * at) = code;
    return at + 1u;
}

/* Writes the program for pulses of so many cycles; returns the address of its last instruction.
 *   out pins, 32       steps and directions (a word)
 *   out x, 31 [..]     length; the delay and nops make the pulse's width
 *   mov pins, y        steps end, directions stay
 *   jmp x-- (itself)
 *   out x, 1           the word's last bit
 *   jmp !x, 0
 *   out y, 32          new directions (a word)
 *   mov pins, y */
static uint32_t program(struct pw_rp2 *r, uint32_t width)
{
    uint32_t rest = width - 2u, at = 0, first = rest < 31u ? rest : 31u, part;
    at = put(r, at, PIO_OUT_PINS);
    at = put(r, at, PIO_OUT_X | 31u | first << 8);
    for (rest -= first; rest; rest -= part) {
        part = rest < 32u ? rest : 32u;
        at = put(r, at, PIO_NOP | (part - 1u) << 8);
    }
    at = put(r, at, PIO_MOV_PINS_Y);
    r->program_low = at - 1u; /* above it, pins are low */
    at = put(r, at, PIO_JMP_X_DEC | at);
    at = put(r, at, PIO_OUT_X | 1u);
    r->program_end = at - 1u;
    at = put(r, at, PIO_JMP_NOT_X);
    at = put(r, at, PIO_OUT_Y);
    return put(r, at, PIO_MOV_PINS_Y) - 1u;
}

/* PIO, DMA and pins; afterwards all that is missing is the trigger. */
static void prepare(struct pw_rp2 *r, const struct pw_rp2_config *c, uint32_t width)
{
    const struct pulse *p = &r->pulse;
    uint32_t outputs = 0, last, bits, request = (c->pio ? 8u : 0u) + r->machine, function = FUNCTION_PIO0 + (uint32_t)c->pio;
    uint32_t resets = RESET_DMA | RESET_IO | RESET_PADS | RESET_PIO0 << c->pio | RESET_PWM | RESET_TIMER;
    RESETS_CLEAR = resets;
    while (~RESETS_DONE & resets) {
    }
    last = program(r, width);
    REG(r->pio + PIO_CTRL + CLEAR_ALIAS) = 1u << r->machine;
    REG(r->sm + SM_CLKDIV) = 1u << 16;
    REG(r->sm + SM_EXEC) = last << 12;
    REG(r->sm + SM_SHIFT) = 1u << 19; /* shift right */
    REG(r->sm + SM_PINS) = 32u << 20;
    for (int32_t m = 0; m < p->motors; m++) outputs |= p->motor[m].step | p->motor[m].dir;
    REG(r->pio + PIO_CTRL) = (REG(r->pio + PIO_CTRL) & 15u) | 1u << (4u + r->machine);
    for (int i = 0; i < 3; i++) {
        /* register of the directions, levels of the pins, which pins are outputs */
        REG(r->pio + PIO_TXF + 4u * r->machine) = i < 2 ? p->dirs : outputs;
        REG(r->sm + SM_INSTR) = PIO_PULL;
        REG(r->sm + SM_INSTR) = i == 0 ? PIO_OUT_Y : i == 1 ? PIO_OUT_PINS : PIO_OUT_DIRS;
    }
    REG(r->sm + SM_INSTR) = 0; /* jmp 0 */
    REG(r->sm + SM_SHIFT) = 1u << 30 | 1u << 19 | 1u << 17; /* queue of 8 words, autopull at 32 bits */
    REG(r->pio + PIO_CTRL) = (REG(r->pio + PIO_CTRL) & 15u) | 1u << (4u + r->machine);
    for (int32_t m = 0; m < p->motors; m++) {
        pad(c->dir_pin[m], 0, function);
        pad(c->step_pin[m], 0, function | (c->step_low >> m & 1 ? OUT_INVERT : 0));
    }
    for (int32_t i = 0; i < PW_RP2_INPUTS; i++) {
        int low = c->input_low >> i & 1;
        if (c->input_pin[i] < 0) continue;
        pad(c->input_pin[i], PAD_INPUT | (c->input_pull >> i & 1 ? low ? PAD_UP : PAD_DOWN : 0), FUNCTION_SIO);
    }
    for (int32_t i = 0; i < PW_RP2_HEATERS; i++) {
        uint32_t slice = PWM((uint32_t)c->heater_pin[i] >> 1 & 7u);
        if (c->heater_pin[i] < 0) continue;
        pw_rp2_heater_off(r, i);
        SIO_OE_SET = 1u << c->heater_pin[i];
        PAD(c->heater_pin[i]) = PAD_SCHMITT | PAD_4MA;
        REG(slice + PWM_DIV) = 250u << 4;
        REG(slice + PWM_TOP) = r->heater_top;
        REG(slice + PWM_CC) = 0;
        REG(slice + PWM_CSR) = 1u | (c->heater_low >> i & 1 ? 4u << (c->heater_pin[i] & 1) : 0);
    }
    /* one channel moves words, chained to one that starts it anew with the next block's length; a length of 0 ends it, and interrupts */
    for (bits = 0; (p->ring_mask + 1u) << 2 >> bits > 1u; bits++) {
    }
    REG(DMA(r->dma) + DMA_READ) = (uint32_t)(uintptr_t)p->ring;
    REG(DMA(r->dma) + DMA_WRITE) = r->pio + PIO_TXF + 4u * r->machine;
    REG(DMA(r->dma) + DMA_CTRL) = DMA_ON | DMA_READ_STEPS | DMA_READ_RING(bits) | DMA_CHAIN(r->dma + 1u) | DMA_REQUEST(request) | DMA_QUIET;
    REG(DMA(r->dma + 1u) + DMA_READ) = (uint32_t)(uintptr_t)r->count;
    REG(DMA(r->dma + 1u) + DMA_WRITE) = DMA(r->dma) + DMA_COUNT_TRIG;
    REG(DMA(r->dma + 1u) + DMA_COUNT) = 1;
    REG(DMA(r->dma + 1u) + DMA_CTRL) =
        DMA_ON | DMA_READ_STEPS | DMA_READ_RING(9) | DMA_CHAIN(r->dma + 1u) | DMA_REQUEST(DMA_ALWAYS) | DMA_QUIET;
}

/* -- life ------------------------------------------------------------------------------------------------------------------------ */

static char *aligned(char *at, size_t size) { return at + (size - (uintptr_t)at % size) % size; }

int32_t pw_rp2_init(void *mem, size_t size, const struct pw_config *cfg, const struct pw_rp2_config *rc, struct pw_core *core,
                    struct pw_rp2 **port)
{
    struct pw_rp2_config c;
    struct pw_rp2 *r;
    struct pulse_setup setup;
    size_t ring_bytes;
    uint32_t width;
    char *at = mem, *end = (char *)mem + size, *queues;
    if (!mem || !cfg || !rc || !core || !port) return PW_E_ARG;
    if (!settle(&c, rc, cfg->motors)) return PW_E_CONFIG;
    width = (uint32_t)(((uint64_t)(uint32_t)c.pulse_ns * (uint32_t)c.clock_hz + 999999999u) / 1000000000u);
    if (width < 4u) width = 4u;
    setup.clock_hz = (uint32_t)c.clock_hz;
    setup.least_cycles = 2u * width + 6u; /* the pause after a pulse is as long */
    setup.overhead_cycles = width + 4u;
    setup.flag_cycles = 2;
    setup.held_words = HELD_WORDS;
    setup.lead_us = (uint32_t)c.lead_us;
    setup.prefill_us = (uint32_t)c.prefill_us;
    setup.ring_words = (uint32_t)c.ring_words;
    /* two steps of one motor never meet in an event */
    if ((uint64_t)setup.least_cycles * 2u * (uint32_t)cfg->max_step_hz > setup.clock_hz) return PW_E_CONFIG;
    ring_bytes = setup.ring_words * sizeof(uint32_t);
    setup.ring = (uint32_t *)(void *)aligned(at, ring_bytes);
    at = (char *)setup.ring + ring_bytes;
    if (at > end || (size_t)(end - at) < parts_size(&c, cfg->motors)) return PW_E_MEMORY;
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        setup.step[m] = m < cfg->motors ? 1u << c.step_pin[m] : 0;
        setup.dir[m] = m < cfg->motors ? 1u << c.dir_pin[m] : 0;
        setup.forward[m] = c.forward_low >> m & 1 ? 0 : setup.dir[m];
    }
    /* the ring's end is aligned to 1024 at least */
    uint32_t *count = (uint32_t *)(void *)at;
    at += BLOCKS * sizeof(uint32_t);
    uint32_t *vectors = (uint32_t *)(void *)at;
    at += 256;
    uint32_t *stack = (uint32_t *)(void *)at;
    at += c.stack_bytes;
    r = (struct pw_rp2 *)(void *)at;
    queues = at + up(sizeof *r);
    r->count = count;
    r->vectors = vectors;
    r->stack = stack;
    r->stack_top = stack + (uint32_t)c.stack_bytes / 4u;
    for (uint32_t *word = r->stack; word < r->stack_top; word++) *word = 0xA5A5A5A5u;
    for (int i = 0; i < BLOCKS; i++) r->count[i] = 0;
    r->pio = PIO(c.pio);
    r->machine = (uint32_t)c.machine;
    r->sm = r->pio + PIO_SM + PIO_SM_SIZE * r->machine;
    r->dma = (uint32_t)c.dma;
    r->spinlock = (uint32_t)c.spinlock;
    r->alarm = (uint32_t)c.alarm;
    r->sent = r->block = 0;
    r->step_low = (uint32_t)c.step_low;
    r->heater_low = (uint32_t)c.heater_low;
    r->input_low = 0;
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        r->step_pin[m] = c.step_pin[m];
        r->gate[m] = (struct gate){-1, 0};
    }
    for (int32_t i = 0; i < PW_RP2_INPUTS; i++) {
        r->input_pin[i] = c.input_pin[i];
        if (c.input_pin[i] >= 0 && c.input_low >> i & 1) r->input_low |= 1u << c.input_pin[i];
    }
    for (int32_t i = 0; i < PW_RP2_HEATERS; i++) {
        r->heater_pin[i] = c.heater_pin[i];
        r->deadline_us[i] = 0;
        r->duty[i] = 0;
    }
    r->lease_us = (uint32_t)c.lease_ms * 1000u;
    r->heater_top = (uint32_t)c.clock_hz / 250u / (uint32_t)c.heater_hz - 1u;
    if (r->heater_top > 65534u) r->heater_top = 65534u;
    r->pump_us = (uint32_t)c.lead_us / 6u;
    r->clock_mhz = (uint32_t)c.clock_hz / 1000000u;
    r->watchdog = (uint32_t)c.watchdog_ms * 2000u; /* it counts down twice a microsecond (erratum E1) */
    pw_pulse_init(&r->pulse, core, cfg, &setup, queues, c.queue_runs, c.side_runs, c.queue_marks, c.slope_permille_s);
    pw_rp2_port = r;
    prepare(r, &c, width);
    *port = r;
    return PW_OK;
}

/* Core 1's vectors. */
static void point(const struct pw_rp2 *r)
{
    uint32_t *vectors = r->vectors;
    for (int i = 0; i < VECTORS; i++) vectors[i] = (uint32_t)(uintptr_t)pw_rp2_on_crash;
    vectors[0] = (uint32_t)(uintptr_t)r->stack_top;
    vectors[1] = (uint32_t)(uintptr_t)pw_rp2_core1;
    vectors[16u + IRQ_TIMER0 + r->alarm] = (uint32_t)(uintptr_t)pw_rp2_on_lease;
    vectors[17u + IRQ_TIMER0 + r->alarm] = (uint32_t)(uintptr_t)pw_rp2_on_pump;
    vectors[16u + IRQ_DMA1] = (uint32_t)(uintptr_t)pw_rp2_on_dry;
    vectors[16u + IRQ_IO] = (uint32_t)(uintptr_t)pw_rp2_on_input;
}

/* Filling plays from here on. */
static void play(struct pw_rp2 *r)
{
    pw_pulse_pump(&r->pulse); /* the ring is full before anything plays */
    r->pulse.least_ahead = 0xFFFFFFFFu;
    DMA_INTR = 3u << r->dma;
    DMA_INTE1_SET = 1u << r->dma;
    DMA_MULTI_TRIG = 2u << r->dma;
    while (fifo_level(r) < 2) {
    }
    REG(r->pio + PIO_FDEBUG) = TXSTALL(r->machine);
    REG(r->pio + PIO_CTRL + SET_ALIAS) = 1u << r->machine;
    TIMER_INTE_SET = 3u << r->alarm;
}

static uint32_t fifo_read(void)
{
    while (!(SIO_FIFO_ST & FIFO_VALID)) {
    }
    return SIO_FIFO_READ;
}

int32_t pw_rp2_start(struct pw_rp2 *r)
{
    uint32_t words[6] = {0, 0, 1};
    if (!r) return PW_E_ARG;
    point(r);
    play(r);
    words[3] = (uint32_t)(uintptr_t)r->vectors;
    words[4] = r->vectors[0];
    words[5] = r->vectors[1];
    for (uint32_t i = 0; i < 6;) { /* the boot ROM of core 1 answers each word with itself (datasheet 2.8.2) */
        if (!words[i]) {
            while (SIO_FIFO_ST & FIFO_VALID) (void)SIO_FIFO_READ;
            __asm__ volatile("sev");
        }
        while (!(SIO_FIFO_ST & FIFO_READY)) {
        }
        SIO_FIFO_WRITE = words[i];
        __asm__ volatile("sev");
        i = fifo_read() == words[i] ? i + 1u : 0;
    }
    (void)fifo_read(); /* it is there */
    if (r->watchdog) {
        WATCHDOG_LOAD = r->watchdog;
        WATCHDOG_CTRL = 1u << 30;
    }
    return PW_OK;
}
