/* The driver as a WebAssembly module: run(cases, memory, size); text goes to the import `put`. */
#include "driver.h"

__attribute__((import_module("env"), import_name("put"))) void host_put(const char *text);

static void count(uint32_t now[2]) { now[0] = now[1] = 0; }

__attribute__((export_name("run"))) int run(const uint32_t *cases, void *mem, size_t size)
{
    const struct pw_driver_io io = {host_put, count, 0xFFFFFFFFu};
    return pw_drive(cases, mem, size, &io);
}
