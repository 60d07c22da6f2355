/* What a compiler calls for quotients of 64 bits: the core's own division, which it has with it anyhow, in place of libgcc's (a kilobyte more). */
#include "pw_math.h"

#if defined(PW_SMALL)

uint64_t bare_divide(uint64_t n, uint64_t d, uint64_t *rest);
uint64_t bare_divide(uint64_t n, uint64_t d, uint64_t *rest)
{
    struct pw_divisor by = pw_divisor_of((int64_t)d);
    uint64_t q = (uint64_t)pw_divisor_floor(&by, (int64_t)n);
    *rest = n - q * d;
    return q;
}

int64_t bare_divide_signed(int64_t n, int64_t d, int64_t *rest);
int64_t bare_divide_signed(int64_t n, int64_t d, int64_t *rest)
{
    uint64_t sn = 0 - ((uint64_t)n >> 63), sd = 0 - ((uint64_t)d >> 63), r;
    uint64_t q = bare_divide(((uint64_t)n ^ sn) - sn, ((uint64_t)d ^ sd) - sd, &r);
    *rest = (int64_t)((r ^ sn) - sn);
    return (int64_t)((q ^ sn ^ sd) - (sn ^ sd));
}

/* Quotient in r0, r1 and rest in r2, r3 (Run-time ABI for the Arm architecture, 4.3.1). */
#define DIVIDE(name, by) \
    __asm__(".section .text." #name ", \"ax\", %progbits\n" \
            ".balign 2\n" \
            ".thumb_func\n" \
            ".type " #name ", %function\n" \
            ".global " #name "\n" \
            #name ":\n" \
            ".syntax unified\n" \
            "push {r4, lr}\n" \
            "sub sp, #16\n" \
            "add r4, sp, #8\n" \
            "str r4, [sp]\n" \
            "bl " #by "\n" \
            "ldr r2, [sp, #8]\n" \
            "ldr r3, [sp, #12]\n" \
            "add sp, #16\n" \
            "pop {r4, pc}\n" \
            ".size " #name ", . - " #name "\n" \
            ".previous\n")
DIVIDE(__aeabi_uldivmod, bare_divide);
DIVIDE(__aeabi_ldivmod, bare_divide_signed);

#endif
