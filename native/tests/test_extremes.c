/* The core at the ends of its configuration: every field as low and as high as it is accepted beside the others, alone and many at once.
 * Built with sanitizers (tests/native/test_core_c.py): nothing undefined, no broken invariant; the stream is in order, keeps the pulse rate,
 * and motors end on the nearest step.  Usage: test_extremes [FIRST COUNT] for random mixtures of ends beyond those of the test. */
#include "check.h"
#include "helpers.h"

enum { FIELDS = 128, MOST_STEPS = 40000, MOST_WORK = 6000 };

static uint32_t seed_;
static uint32_t chance(uint32_t n)
{
    seed_ ^= seed_ << 13;
    seed_ ^= seed_ >> 17;
    seed_ ^= seed_ << 5;
    return seed_ % n;
}

/* From the home position, wherever it is: down on a delta, into the volume from a corner. */
static const char program[] =
    "G91\nM83\nG1 Z%1$s2 F600\nG1 X3 Y2 F6000\nG1 E1.2 F1500\nG1 X5 Y-1 E.2\nG1 X-5 Y1 E.1\nG2 X2 I1 J0 E.05 F3000\nG3 I0 J1.5\n"
    "G18\nG2 X1 I.5 E.01\nG17\nM204 S100\nG1 X.3 Y.2 E.02 F12000\nG1 X.3 Y.1 E.02\nG1 X.3 Y.05 E.02\nG1 X.3 Y-.05 E.02\nM900 K.01\nG4 P3\n"
    "M106 S1\nG1 E-.8 F2400\nG1 X9 Y4 Z%1$s.4 F30000\nG1 E.8\nT1\nG1 X1 Y1\nT0\nM201 X100 Y9 E70\nM205 X1 E.3\nG1 X-.001\nG1 X2 Y2 E.1\n"
    "G10\nG1 X3 F9000\nG11\nG1 X-6 Y3 E.3 F1\nG1 X-.01 E.0003 F60000\nG90\nG28 X Y\n";

static struct pw_config base_of(int kind)
{
    struct pw_config c = kind == 4 ? helper_delta() : helper_config(kind == 1);
    int i;
    c.kinematics = kind;
    c.motors = 5;
    c.steps_per_m[4] = 140000;
    c.tool_x_um[1] = 3000;
    c.retract_um = 700;
    c.retract_lift_um = 200;
    c.ring_runs = 64;
    c.window = 32;
    c.queue_segments = 16;
    if (kind == 3) {
        static const int32_t rows[9] = {1000000, 250000, 0, -125000, 900000, 50000, 0, 20000, 1250000};
        for (i = 0; i < 9; i++) c.matrix_1e6[i] = rows[i];
        c.skew_1e6[0] = 3000;
    }
    return c;
}

static int accepted(const struct pw_config *c) { return pw_core_size(c) != 0; }

/* The lowest or highest value of a field that is accepted beside what the others are. */
static int32_t end_of(const struct pw_config *base, int field, int high)
{
    struct pw_config c = *base;
    int32_t *value = (int32_t *)&c + field;
    int64_t good = *value, bad = high ? (int64_t)INT32_MAX + 1 : (int64_t)INT32_MIN - 1;
    CHECK(accepted(&c));
    while (high ? bad - good > 1 : good - bad > 1) {
        int64_t mid = good + (bad - good) / 2;
        if (mid == good) break;
        *value = (int32_t)mid;
        if (accepted(&c)) good = mid;
        else bad = mid;
    }
    return (int32_t)good;
}

static struct pw_config cfg;
static int64_t last[PW_MOTORS], made[PW_MOTORS], steps;

/* Is the pulse rate kept between any two steps?  Not where axes that are shaped apart meet in a motor at other times than in the plan, or
 * pressure advance adds its own; nor where a motor gets from rest, or around a corner, to half its rate (or that of the direction's set-up) within a
 * step: the first step after a reversal may be late by as much, and the next is not. */
static int keeps_rate(void)
{
    double setup_hz = 1e9 / (cfg.dir_setup_ns + 1), rate = cfg.max_step_hz < setup_hz ? cfg.max_step_hz : setup_hz;
    int m, i;
    for (i = 0; i < 3; i++)
        if (cfg.shaper[i]) return 0;
    for (m = 0; m < cfg.motors; m++) {
        double per = cfg.steps_per_m[m] * 1e-6 * 8, half = rate / 2; /* a matrix and a delta multiply */
        double corner = m < 3 ? cfg.corner_um_s : cfg.e_corner_um_s, accel = m < 3 ? cfg.max_accel_um_s2 : cfg.max_e_accel_um_s2;
        if (m > 2 && cfg.advance_us[m - 3]) return 0;
        if (corner * per > half || half * half < 2 * accel * per) return 0;
    }
    return 1;
}

static void drain(struct pw_core *core)
{
    struct pw_steprun run[8];
    struct pw_markrec mark[4];
    int64_t ticks[64], gap = cfg.tick_hz / cfg.max_step_hz;
    int m, i, n, q, got;
    int32_t k;
    /* rounding, 0.25 us, and the first step after a reversal, which falls due 1/256 of a step late */
    gap -= 2 + cfg.tick_hz / 4000000 + gap / 255;
    if (!keeps_rate()) gap = 0;
    for (m = 0; m < cfg.motors; m++)
        while ((n = pw_steps(core, m, run, 8)) > 0)
            for (i = 0; i < n; i++) {
                CHECK(run[i].count >= 1 && (run[i].direction == 1 || run[i].direction == -1));
                for (k = 0; (got = pw_expand(&run[i], k, ticks, 64)) > 0; k += got)
                    for (q = 0; q < got; q++) {
                        CHECK(ticks[q] >= 0 && (last[m] < 0 || ticks[q] >= last[m]));
                        if (last[m] >= 0 && ticks[q] - last[m] < gap) {
                            fprintf(stderr, "motor %d: %lld ticks between two steps, %lld allowed\n", m, (long long)(ticks[q] - last[m]), (long long)gap);
                            exit(1);
                        }
                        last[m] = ticks[q];
                    }
                steps += run[i].count;
                made[m] += run[i].count * run[i].direction;
            }
    while (pw_marks(core, mark, 4) == 4) {}
}

/* 1: played to the end; 0: given up, since there are too many steps. */
static int until(struct pw_core *core, int32_t (*call)(struct pw_core *), int *work)
{
    while (call(core) == PW_E_FULL) {
        CHECK(pw_run(core, 16) >= 0);
        drain(core);
        if (++*work > MOST_WORK || steps > MOST_STEPS) return 0;
    }
    return 1;
}

static int32_t mark(struct pw_core *core) { return pw_mark(core, 1); }

static int play(struct pw_core *core, const char *text, int *error)
{
    struct pw_event ev;
    size_t at = 0, size = strlen(text);
    int work = 0;
    *error = 0;
    for (;;) {
        int32_t used = at < size ? pw_feed(core, text + at, (int32_t)(size - at), &ev) : pw_end(core, &ev);
        CHECK(used >= 0);
        at += (size_t)used;
        if (ev.kind == PW_EV_ERROR) {
            CHECK(ev.code != PW_E_ASSERT && ev.line > 0 && ev.column > 0);
            *error = 1;
            break;
        }
        if (ev.kind == PW_EV_END) break;
        if (ev.kind == PW_EV_COMMAND && !until(core, ev.letter == 'M' ? mark : pw_flush, &work)) return 0;
        if (ev.kind != PW_EV_FULL) continue;
        CHECK(pw_run(core, 16) >= 0);
        drain(core);
        if (++work > MOST_WORK || steps > MOST_STEPS) return 0;
    }
    if (!until(core, pw_flush, &work)) return 0;
    for (;;) {
        int32_t ran = pw_run(core, 64);
        int64_t before = steps;
        CHECK(ran >= 0);
        drain(core);
        if (!ran && steps == before) return 1;
        if (++work > MOST_WORK || steps > MOST_STEPS) return 0;
    }
}

/* Plays on a machine, with a mesh where it has room for one; -1 given up, 0 ended in an error of the text, 1 played. */
static int machine(int mesh)
{
    static const int32_t heights[4] = {100000, -150000, 50000, 0};
    struct pw_mesh shape = {PW_MESH_BICUBIC, 2, 2, {0, 0}, {100000, 100000}, 1000, 9000};
    struct pw_core *core;
    struct pw_status st;
    char text[sizeof program + 64];
    size_t size = pw_core_size(&cfg);
    int32_t bad = -1;
    int64_t counts[3];
    int m, played, error = 0;
    void *mem;
    CHECK(size > 0 && size < (size_t)64 << 20);
    mem = malloc(size);
    CHECK_EQ(pw_init(mem, size, &cfg, &core, &bad), PW_OK);
    shape.kind = mesh == 2 ? PW_MESH_BICUBIC : PW_MESH_BILINEAR;
    if (mesh && cfg.mesh_points >= 4) CHECK_EQ(pw_mesh(core, &shape, heights), PW_OK);
    CHECK_EQ(pw_begin(core, PW_FEED, PW_GCODE), PW_OK);
    CHECK_EQ(pw_status(core, &st), PW_OK);
    steps = 0;
    for (m = 0; m < PW_MOTORS; m++) {
        last[m] = -1;
        made[m] = st.count[m];
    }
    snprintf(text, sizeof text, program, cfg.home_um[2] - cfg.min_um[2] > cfg.max_um[2] - cfg.home_um[2] ? "-" : "");
    played = play(core, text, &error);
    CHECK_EQ(pw_status(core, &st), PW_OK);
    CHECK(st.error != PW_E_ASSERT);
    if (played) {
        CHECK(st.idle && st.planned_tick == st.final_tick);
        for (m = 0; m < cfg.motors; m++) CHECK_EQ(made[m], st.count[m]);
        if (!(mesh && cfg.mesh_points >= 4) && !cfg.skew_1e6[0] && !cfg.skew_1e6[1] && !cfg.skew_1e6[2]) {
            CHECK_EQ(pw_counts_at(core, st.position_nm, counts), PW_OK);
            for (m = 0; m < 3; m++) CHECK(counts[m] - st.count[m] <= 1 && st.count[m] - counts[m] <= 1);
        }
    }
    free(mem);
    return played ? !error : -1;
}

static int fields(void)
{
    int n = 0;
    while (pw_config_field(n)) n++;
    CHECK(n < FIELDS);
    return n;
}

/* Which fields a mixture may turn: not those that only make it large. */
static int turns(const char *name) { return strcmp(name, "abi") && strncmp(name, "ring_", 5) && strcmp(name, "kinematics") && strcmp(name, "mesh_points"); }

static int tried, ended[3];

static void count(int got)
{
    tried++;
    ended[got + 1]++;
}

static void describe(const struct pw_config *plain)
{
    int i;
    fprintf(stderr, "  kinematics %d:", cfg.kinematics);
    for (i = 0; pw_config_field(i); i++)
        if (((int32_t *)&cfg)[i] != ((const int32_t *)plain)[i]) fprintf(stderr, " %s=%d", pw_config_field(i), ((int32_t *)&cfg)[i]);
    fprintf(stderr, "\n");
}

static struct pw_config shown;
static void at_exit(void)
{
    if (shown.abi) describe(&shown);
}

static void mixture(uint32_t seed, int n)
{
    int turned = 1 + (int)(seed % 12), i;
    seed_ = seed * 2654435761u | 1;
    cfg = shown = base_of((int)chance(5));
    if (chance(2)) {
        cfg.shaper[0] = 1 + (int32_t)chance(6);
        cfg.shaper[1] = 1 + (int32_t)chance(6);
        cfg.advance_us[0] = (int32_t)chance(2) * 40000;
    }
    if (chance(3) == 0) cfg.mesh_points = 4;
    CHECK(accepted(&cfg));
    for (i = 0; i < turned; i++) {
        int field = (int)chance((uint32_t)n);
        if (!turns(pw_config_field(field))) continue;
        ((int32_t *)&cfg)[field] = end_of(&cfg, field, (int)chance(2));
    }
    count(machine((int)chance(3)));
    shown.abi = 0;
}

int main(int argc, char **argv)
{
    int n = fields(), kind, field, high;
    uint32_t seed, first = argc > 2 ? (uint32_t)atoi(argv[1]) : 1, rounds = argc > 2 ? (uint32_t)atoi(argv[2]) : 150;
    atexit(at_exit);
    for (kind = 0; argc < 3 && kind < 5; kind++)
        for (field = 0; field < n; field++)
            for (high = 0; high < 2; high++) {
                struct pw_config base = base_of(kind);
                int32_t end = end_of(&base, field, high), other;
                if (end == ((int32_t *)&base)[field]) continue;
                cfg = shown = base;
                ((int32_t *)&cfg)[field] = end;
                if (kind) { /* beside the plain machine, the others shaped */
                    cfg.shaper[0] = kind;
                    cfg.shaper[1] = 6;
                    cfg.advance_us[0] = 30000;
                }
                if (accepted(&cfg)) count(machine(0));
                other = end + (high ? 1 : -1); /* and the next value is refused by its name */
                ((int32_t *)&cfg)[field] = other;
                CHECK(!accepted(&cfg) || end == INT32_MAX || end == INT32_MIN);
                shown.abi = 0;
            }
    for (seed = first; seed < first + rounds; seed++) {
        mixture(seed, n);
        if (argc > 2 && seed % 1000 == 0) fprintf(stderr, "%u\n", seed);
    }
    CHECK(ended[2] * 4 > tried); /* many are played to the end */
    printf("extremes: %d machines, %d played, %d refused text, %d too long: ok\n", tried, ended[2], ended[1], ended[0]);
    return 0;
}
