/* The RP2040 port's state, shared by pw_rp2.c (core 0: life and calls) and pw_rp2_core1.c (core 1: all of it in RAM). */
#ifndef PW_RP2_PARTS_H
#define PW_RP2_PARTS_H
#include "../pulse/pw_pulse.h"
#include "printwright_rp2.h"
#include "pw_rp2_hw.h"

enum { HELD_WORDS = 9, BLOCKS = 128, VECTORS = 16 + 26 }; /* held: the joined queue, and the word in work; blocks: more than notes, so that none is overwritten unread */

struct gate {
    int32_t input; /* -1: none */
    uint32_t release; /* its step pin is cut off until this word is played; in == release: never was */
};

struct pw_rp2 {
    struct pulse pulse; /* the first member */
    uint32_t sm, pio;   /* register blocks */
    uint32_t dma, machine, spinlock, alarm;
    uint32_t *count;    /* ring of block lengths, 0 behind the last */
    uint32_t sent, block, program_low, program_end; /* words given to DMA; next block; instructions that see the pulse high begin and end */
    int32_t step_pin[PW_MOTORS], input_pin[PW_RP2_INPUTS], heater_pin[PW_RP2_HEATERS];
    uint32_t step_low, heater_low; /* bit per motor, heater */
    uint32_t input_low; /* bit per GPIO */
    struct gate gate[PW_MOTORS];
    volatile uint32_t deadline_us[PW_RP2_HEATERS];
    volatile int32_t duty[PW_RP2_HEATERS];
    uint32_t lease_us, heater_top, pump_us, clock_mhz;
    uint32_t watchdog;  /* value of its LOAD register, 0: not used */
    uint32_t *stack, *stack_top;
    uint32_t *vectors;
};

static inline uint32_t fifo_level(const struct pw_rp2 *r) { return REG(r->pio + PIO_FLEVEL) >> (8u * r->machine) & 15u; }

static inline int in_range(int32_t value, int32_t low, int32_t high) { return value >= low && value <= high; }

extern struct pw_rp2 *pw_rp2_port; /* the one that interrupts serve */

_Noreturn void pw_rp2_core1(void);
/* Its interrupts: words run out or were late; any fault of the processor; leases; the pump's time; a switch. */
void pw_rp2_on_dry(void);
void pw_rp2_on_crash(void);
void pw_rp2_on_lease(void);
void pw_rp2_on_pump(void);
void pw_rp2_on_input(void);
void pw_rp2_safe(struct pw_rp2 *port);             /* step pins low, heaters off, nothing goes on */
void pw_rp2_heater_off(struct pw_rp2 *port, int32_t heater);

#endif
