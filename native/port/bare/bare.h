/* Freestanding Cortex-M under an emulator: start, semihosting, a counter.  No board support: clocks, pins and boot ROM are left as the
 * emulator sets them up.  The program provides bare_main; its result becomes the emulator's exit status. */
#ifndef BARE_H
#define BARE_H
#include <stddef.h>
#include <stdint.h>

int bare_main(void);

void bare_put(const char *text);   /* SYS_WRITE0 */
_Noreturn void bare_exit(int code); /* SYS_EXIT_EXTENDED */

/* Two counters that wrap at BARE_COUNT_MASK.  QEMU with -icount: SysTick ticks, the same for every instruction (shift=6 and a clock of
 * hz: 64e-9 * hz ticks each), and 0.  RP2040 emulator: cycles, instructions. */
void bare_count(uint32_t now[2]);
#define BARE_COUNT_MASK 0x00FFFFFFu

/* Memory between the program's data and its stack. */
void *bare_memory(size_t *size);
/* The most stack used since the start, in bytes. */
size_t bare_stack_used(void);

#endif
