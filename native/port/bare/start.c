#include "bare.h"

extern uint32_t bare_data_from[], bare_data[], bare_data_end[], bare_bss[], bare_bss_end[], bare_heap[], bare_stack[], bare_stack_top[];

#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)
#define CPACR (*(volatile uint32_t *)0xE000ED88u)

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, SYS_CYCLES = 0x100, ADP_APPLICATION_EXIT = 0x20026, FAULT = 70 };
static const uint32_t PAINT = 0xA5A5A5A5u;

static uint32_t semihost(uint32_t operation, const void *block)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void bare_put(const char *text) { semihost(SYS_WRITE0, text); }

void bare_exit(int code)
{
    const uint32_t block[2] = {ADP_APPLICATION_EXIT, (uint32_t)code};
    for (;;) semihost(SYS_EXIT_EXTENDED, block);
}

void bare_count(uint32_t now[2])
{
#if defined(BARE_RP2040)
    semihost(SYS_CYCLES, now); /* an operation of tests/emulated/rp2040.mjs */
#else
    now[0] = BARE_COUNT_MASK - SYST_CVR; /* it counts down */
    now[1] = 0;
#endif
}

void *bare_memory(size_t *size)
{
    *size = (size_t)((char *)bare_stack - (char *)bare_heap);
    return bare_heap;
}

size_t bare_stack_used(void)
{
    const uint32_t *at = bare_stack;
    while (at < bare_stack_top && *at == PAINT) at++;
    return (size_t)((const char *)bare_stack_top - (const char *)at);
}

static void fault(void)
{
    bare_put("fault\n");
    bare_exit(FAULT);
}

void bare_reset(void);
void bare_reset(void)
{
    uint32_t *to, *sp;
    const uint32_t *from = bare_data_from;
    for (to = bare_data; to < bare_data_end;) *to++ = *from++;
    for (to = bare_bss; to < bare_bss_end;) *to++ = 0;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    for (to = bare_stack; to < sp;) *to++ = PAINT;
#if defined(__ARM_FP)
    CPACR |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    SYST_RVR = BARE_COUNT_MASK;
    SYST_CVR = 0;
    SYST_CSR = 5; /* processor clock, no interrupt */
    bare_exit(bare_main());
}

/* A program may have these. */
void bare_hardfault(void) __attribute__((weak, alias("fault")));
void bare_pendsv(void) __attribute__((weak, alias("fault")));
void bare_systick(void) __attribute__((weak, alias("fault")));
void bare_interrupt(void) __attribute__((weak, alias("fault"))); /* any of the chip's */

typedef void (*vector)(void);

#define FOUR bare_interrupt, bare_interrupt, bare_interrupt, bare_interrupt

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack_top;
    vector entries[15 + 32];
} VECTORS = {bare_stack_top,
             {bare_reset, fault, bare_hardfault, fault, fault, fault, fault, 0, 0, 0, fault, fault, 0, bare_pendsv, bare_systick,
              FOUR, FOUR, FOUR, FOUR, FOUR, FOUR, FOUR, FOUR}};
