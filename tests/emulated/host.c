/* The driver as a program: host CASES. */
#include <stdio.h>
#include <stdlib.h>

#include "driver.h"

static void put(const char *text) { fputs(text, stdout); }

static void count(uint32_t now[2]) { now[0] = now[1] = 0; } /* a desktop has nothing exact to count */

int main(int argc, char **argv)
{
    const struct pw_driver_io io = {put, count, 0xFFFFFFFFu};
    enum { CASES = 16 << 20, MEMORY = 4 << 20 };
    uint32_t *cases = malloc(CASES);
    void *mem = malloc(MEMORY);
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file || !cases || !mem || fread(cases, 4, CASES / 4, file) < 1) {
        fprintf(stderr, "usage: host CASES\n");
        return 2;
    }
    fclose(file);
    return pw_drive(cases, mem, MEMORY, &io);
}
