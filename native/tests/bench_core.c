/* A G-code file through scan and feed/run/steps, as fast as it goes: lines a second, steps a second, print time, a hash of the
 * stream.  Usage: bench_core FILE [corexy] [key=value of the configuration]... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "helpers.h"

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static char buffer[1 << 16];
static uint64_t hash[4] = {1469598103934665603u, 1469598103934665603u, 1469598103934665603u, 1469598103934665603u};
static int64_t steps[4], runs_seen, marks_seen, last_tick[4];

static void drain(struct pw_core *core)
{
    static struct pw_steprun runs[512];
    static struct pw_markrec marks[64];
    int m, n, i;
    for (m = 0; m < 4; m++)
        while ((n = pw_steps(core, m, runs, 512)) > 0)
            for (i = 0; i < n; i++) {
                runs_seen++;
                steps[m] += runs[i].count;
                hash[m] = (hash[m] ^ (runs[i].first_q16 + runs[i].interval_q16 * 31 + (uint64_t)(int64_t)runs[i].add_q16 * 17 + runs[i].count + (uint64_t)(int64_t)runs[i].direction)) * 1099511628211u;
                last_tick[m] = (int64_t)(runs[i].first_q16 >> 16);
            }
    while ((n = pw_marks(core, marks, 64)) > 0) marks_seen += n;
}

static int work(struct pw_core *core)
{
    int32_t r = pw_run(core, 1024);
    if (r < 0) { printf("run: %d\n", r); exit(1); }
    drain(core);
    return r;
}

int main(int argc, char **argv)
{
    struct pw_config cfg = helper_config(0);
    struct pw_core *core;
    struct pw_event ev;
    struct pw_status st;
    int32_t bad, mode;
    int i;
    FILE *in;
    void *mem;
    for (i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "corexy")) cfg = helper_config(1);
        else if (!helper_set(&cfg, argv[i])) { fprintf(stderr, "what is %s?\n", argv[i]); return 2; }
    }
    if (argc < 2 || !(in = fopen(argv[1], "rb"))) return 2;
    mem = malloc(pw_core_size(&cfg));
    i = pw_init(mem, pw_core_size(&cfg), &cfg, &core, &bad);
    if (i) { printf("%s: %s\n", pw_err_name(i), pw_config_field(bad)); return 1; }
    printf("core %zu bytes\n", pw_core_size(&cfg));
    for (mode = PW_SCAN; mode >= PW_FEED; mode--) {
        double t0 = now_s(), t;
        int64_t lines = 0, events = 0, full = 0;
        size_t got;
        rewind(in);
        pw_begin(core, mode, PW_GCODE);
        while ((got = fread(buffer, 1, sizeof buffer, in)) > 0) {
            int32_t at = 0;
            for (;;) {
                int32_t n = mode == PW_SCAN ? pw_scan(core, buffer + at, (int32_t)got - at, &ev) : pw_feed(core, buffer + at, (int32_t)got - at, &ev);
                if (n < 0) { printf("%s\n", pw_err_name(n)); return 1; }
                at += n;
                if (ev.kind == PW_EV_NONE) { lines = ev.line; break; }
                if (ev.kind == PW_EV_ERROR) {
                    printf("%s line %lld column %lld: %c%lld\n", pw_err_name((int32_t)ev.code), (long long)ev.line, (long long)ev.column, (int)ev.letter, (long long)ev.number);
                    return 1;
                }
                if (ev.kind == PW_EV_FULL) { full++; work(core); }
                else {
                    events++;
                    if (mode == PW_FEED) {
                        int flush = ev.kind == PW_EV_COMMAND && (ev.letter == 'T' || (ev.letter == 'G' && (ev.number == 28 || ev.number == 29)) || (ev.letter == 'M' && (ev.number == 109 || ev.number == 190 || ev.number == 191 || ev.number == 400)));
                        while ((flush ? pw_flush(core) : pw_mark(core, (uint32_t)events)) == PW_E_FULL) work(core);
                    }
                }
            }
        }
        if (mode == PW_FEED) {
            do {
                i = pw_end(core, &ev);
                if (i < 0) { printf("end: %s\n", pw_err_name(i)); return 1; }
                work(core);
            } while (ev.kind != PW_EV_END);
            while (work(core)) {}
        }
        t = now_s() - t0;
        printf("%s: %lld lines, %.3f s, %.0f lines/s, %lld events, %lld full\n", mode == PW_SCAN ? "scan" : "feed", (long long)lines, t, (double)lines / t, (long long)events, (long long)full);
        if (mode == PW_FEED) {
            int64_t all = steps[0] + steps[1] + steps[2] + steps[3];
            pw_status(core, &st);
            printf("moves %lld, steps %lld (%.2f M/s), runs %lld (%.1f steps each), marks %lld\n", (long long)st.moves, (long long)all, (double)all / t / 1e6, (long long)runs_seen, (double)all / (double)runs_seen, (long long)marks_seen);
            printf("print time %.3f s, idle %lld, segments %lld\n", (double)st.final_tick / cfg.tick_hz, (long long)st.idle, (long long)st.segments);
            printf("hash %016llx %016llx %016llx %016llx\n", (unsigned long long)hash[0], (unsigned long long)hash[1], (unsigned long long)hash[2], (unsigned long long)hash[3]);
        }
    }
    free(mem);
    fclose(in);
    return 0;
}
