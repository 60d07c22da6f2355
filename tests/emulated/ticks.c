/* Every step of a program as the core makes it, without a port: ticks SIDE CASES OUT.
 *
 * CASES: words of struct pw_config, bytes of text; the configuration; the text.  SIDE 1: in the second context.  OUT, per motor: a
 * word with the number of steps, then per step int64 tick * 2 + forward, by runs expanded here. */
#include <stdio.h>
#include <stdlib.h>

#include "printwright.h"

enum { RUNS = 64, MOST = 1 << 22 };

static struct motor {
    int64_t *step;
    uint32_t n;
} motors[PW_MOTORS];

static int drain(struct pw_core *core)
{
    struct pw_steprun run[RUNS];
    int moved = 1;
    while (moved) {
        moved = pw_run(core, 64) > 0;
        for (int m = 0; m < PW_MOTORS; m++) {
            int32_t n = pw_steps(core, m, run, RUNS);
            moved |= n > 0;
            for (int32_t i = 0; i < n; i++) {
                uint64_t at = run[i].first_q16, gap = run[i].interval_q16;
                for (uint32_t k = 0; k < run[i].count; k++) {
                    if (motors[m].n == MOST) return 1;
                    motors[m].step[motors[m].n++] = (int64_t)((at + 0x8000) >> 16) * 2 + (run[i].direction > 0);
                    at += gap;
                    gap += (uint64_t)(int64_t)run[i].add_q16;
                }
            }
        }
        struct pw_markrec mark[RUNS];
        moved |= pw_marks(core, mark, RUNS) > 0;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static uint32_t cases[1 << 18];
    FILE *in = argc == 4 ? fopen(argv[2], "rb") : NULL, *out = argc == 4 ? fopen(argv[3], "wb") : NULL;
    const struct pw_config *cfg = (const struct pw_config *)(const void *)(cases + 2);
    struct pw_core *core;
    struct pw_event event;
    int32_t bad;
    if (!in || !out || fread(cases, 4, sizeof cases / 4, in) < 3) return 2;
    const char *text = (const char *)(cases + 2 + cases[0]);
    size_t size = pw_core_size(cfg);
    uint32_t at = 0;
    if (!size || pw_init(malloc(size), size, cfg, &core, &bad)) return 3;
    for (int m = 0; m < PW_MOTORS; m++) motors[m].step = malloc(MOST * sizeof(int64_t));
    if (pw_begin(core, PW_FEED, PW_GCODE)) return 4;
    if (argv[1][0] == '1' && pw_enter(core)) return 4;
    for (;;) {
        uint32_t rest = cases[1] - at;
        if (!rest && argv[1][0] == '1') break; /* there is no document to end */
        int32_t got = rest ? pw_feed(core, text + at, (int32_t)rest, &event) : pw_end(core, &event);
        if (got < 0 || event.kind == PW_EV_ERROR) {
            fprintf(stderr, "%d, error %d in line %d\n", (int)got, (int)event.code, (int)event.line);
            return 5;
        }
        at += (uint32_t)got;
        if (drain(core)) return 6;
        if (event.kind == PW_EV_END) break;
    }
    while (pw_flush(core) == PW_E_FULL)
        if (drain(core)) return 6;
    if (drain(core)) return 6;
    for (int m = 0; m < PW_MOTORS; m++) {
        fwrite(&motors[m].n, 4, 1, out);
        fwrite(motors[m].step, sizeof(int64_t), motors[m].n, out);
    }
    return fclose(out) != 0;
}
