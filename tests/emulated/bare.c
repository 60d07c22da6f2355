/* The driver on a bare Cortex-M; the cases are part of the image. */
#include "bare.h"
#include "driver.h"

__asm__(".section .cases, \"a\", %progbits\n"
        ".balign 8\n"
        ".global cases\n"
        "cases: .incbin \"" CASES "\"\n"
        ".previous\n");
extern const uint32_t cases[];

int bare_main(void)
{
    const struct pw_driver_io io = {bare_put, bare_count, BARE_COUNT_MASK};
    char text[12] = "stack ", *at = text + 6;
    size_t size, used, unit;
    void *mem = bare_memory(&size);
    int result = pw_drive(cases, mem, size, &io);
    used = bare_stack_used();
    for (unit = 1000; unit; unit /= 10) *at++ = (char)('0' + used / unit % 10);
    *at = 0;
    bare_put(text);
    bare_put("\n");
    return result;
}
