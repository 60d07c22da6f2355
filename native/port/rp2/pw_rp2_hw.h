/* Registers of the RP2040 that the port uses (RP2040 datasheet, chapters 2 to 4). */
#ifndef PW_RP2_HW_H
#define PW_RP2_HW_H
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SET_ALIAS 0x2000u
#define CLEAR_ALIAS 0x3000u

#define SIO 0xD0000000u
#define SIO_IN REG(SIO + 0x04u)
#define SIO_OUT_SET REG(SIO + 0x14u)
#define SIO_OUT_CLEAR REG(SIO + 0x18u)
#define SIO_OE_SET REG(SIO + 0x24u)
#define SIO_FIFO_ST REG(SIO + 0x50u)
#define SIO_FIFO_WRITE REG(SIO + 0x54u)
#define SIO_FIFO_READ REG(SIO + 0x58u)
#define SIO_SPINLOCK(n) REG(SIO + 0x100u + 4u * (uint32_t)(n))
enum { FIFO_VALID = 1, FIFO_READY = 2 };

#define IO_CTRL(pin) REG(0x40014004u + 8u * (uint32_t)(pin))
#define IO_INTR(word) REG(0x400140F0u + 4u * (uint32_t)(word))
#define IO_PROC1_INTE 0x40014130u
#define IO_PROC1_INTS(word) REG(0x40014150u + 4u * (uint32_t)(word))
enum { FUNCTION_PWM = 4, FUNCTION_SIO = 5, FUNCTION_PIO0 = 6, OUT_INVERT = 1 << 8, OUT_LOW = 2 << 8, OUT_HIGH = 3 << 8 };

#define PAD(pin) REG(0x4001C004u + 4u * (uint32_t)(pin))
enum { PAD_INPUT = 0x40, PAD_UP = 8, PAD_DOWN = 4, PAD_SCHMITT = 2, PAD_4MA = 0x10 };

#define RESETS_CLEAR REG(0x4000C000u + CLEAR_ALIAS)
#define RESETS_DONE REG(0x4000C008u)
enum { RESET_DMA = 1 << 2, RESET_IO = 1 << 5, RESET_PADS = 1 << 8, RESET_PIO0 = 1 << 10, RESET_PWM = 1 << 14, RESET_TIMER = 1 << 21 };

#define TIMER_NOW REG(0x40054028u)
#define TIMER_ALARM(n) REG(0x40054010u + 4u * (uint32_t)(n))
#define TIMER_INTR REG(0x40054034u)
#define TIMER_INTE_SET REG(0x40054038u + SET_ALIAS)

#define PWM(slice) (0x40050000u + 0x14u * (uint32_t)(slice))
enum { PWM_CSR = 0, PWM_DIV = 4, PWM_CC = 0xC, PWM_TOP = 0x10 };

#define WATCHDOG_CTRL REG(0x40058000u)
#define WATCHDOG_LOAD REG(0x40058004u)

#define DMA(channel) (0x50000000u + 0x40u * (uint32_t)(channel))
enum { DMA_READ = 0, DMA_WRITE = 4, DMA_COUNT = 8, DMA_CTRL_TRIG = 0xC, DMA_CTRL = 0x10, DMA_COUNT_TRIG = 0x1C };
#define DMA_INTR REG(0x50000400u)
#define DMA_INTE1_SET REG(0x50000414u + SET_ALIAS)
#define DMA_MULTI_TRIG REG(0x50000430u)
#define DMA_ABORT REG(0x50000444u)
#define DMA_ON (1u | 1u << 1 | 2u << 2) /* enabled, high priority, words */
#define DMA_READ_STEPS (1u << 4)
#define DMA_READ_RING(bits) ((uint32_t)(bits) << 6)
#define DMA_CHAIN(channel) ((uint32_t)(channel) << 11)
#define DMA_REQUEST(treq) ((uint32_t)(treq) << 15)
#define DMA_QUIET (1u << 21)
#define DMA_ALWAYS 0x3Fu

#define PIO(n) (0x50200000u + 0x100000u * (uint32_t)(n))
enum { PIO_CTRL = 0, PIO_FDEBUG = 8, PIO_FLEVEL = 0xC, PIO_TXF = 0x10, PIO_CODE = 0x48, PIO_SM = 0xC8, PIO_SM_SIZE = 0x18 };
enum { SM_CLKDIV = 0, SM_EXEC = 4, SM_SHIFT = 8, SM_ADDRESS = 0xC, SM_INSTR = 0x10, SM_PINS = 0x14 };
#define TXSTALL(machine) (1u << (24 + (machine)))

#define NVIC_ENABLE REG(0xE000E100u)
#define NVIC_PRIORITY(irq) REG(0xE000E400u + ((uint32_t)(irq) & ~3u))
enum { IRQ_TIMER0 = 0, IRQ_DMA1 = 12, IRQ_IO = 13 };

#endif
