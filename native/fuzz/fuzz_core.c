/* Feed, run, steps: any text over any machine.  The stream does not depend on pieces, budgets and drains; steps are in order;
 * counts agree with the runs; final plan is never behind; the second context leaves no trace; scan gives the verdict of feed; every motor ends within half a step of
 * its place; the planner never breaks a limit for want of a way out.
 * Input: 16 bytes of options (machine, window, rates, pieces), then text. */
#include <string.h>
#include "fuzz.h"
#include "pw_planner.h"

struct result {
    uint64_t events, steps[PW_MOTORS];
    int64_t end_tick, made[PW_MOTORS], position[4], last[PW_MOTORS], tool, lines;
    int32_t failed, given_up;
};

/* the core's beginning, for the planner's diagnosis (pw_core.c) */
struct core_head { uint32_t magic; int32_t a, b, c; struct pw_planner *planner; };

static const struct pw_config *conf;
static int bent; /* the motors' places are not simply those of the axes */

static int64_t drain(struct pw_core *core, struct result *r, uint32_t *seed)
{
    struct pw_steprun run[8];
    struct pw_markrec mark[4];
    int64_t ticks[64], seen = 0;
    int m, n, i, k, got, q;
    for (m = 0; m < conf->motors; m++) {
        n = pw_steps(core, m, run, *seed ? (int)fuzz_below(seed, 9) : 8);
        FUZZ_CHECK(n >= 0);
        for (i = 0; i < n; i++) {
            FUZZ_CHECK(run[i].count >= 1 && run[i].count <= 65535);
            FUZZ_CHECK(run[i].direction == 1 || run[i].direction == -1);
            seen += run[i].count;
            for (k = 0; (got = pw_expand(&run[i], k, ticks, 64)) > 0; k += got)
                for (q = 0; q < got; q++) {
                    FUZZ_CHECK(ticks[q] >= r->last[m]);
                    r->last[m] = ticks[q];
                    r->steps[m] = (r->steps[m] ^ ((uint64_t)ticks[q] * 2 + (run[i].direction > 0))) * 1099511628211u;
                }
            r->made[m] += run[i].direction * (int64_t)run[i].count;
        }
    }
    n = pw_marks(core, mark, 4);
    FUZZ_CHECK(n >= 0);
    return seen + n;
}

/* The second context, with motion that leaves no trace in the main one. */
static void aside(struct pw_core *core, uint32_t *seed)
{
    static const char text[] = "G92 X10 Y10 Z1\nG91\nG1 X5 Z1 F3000\nG3 I1 J2\nG28 Z\nG1 E-2\n";
    struct result scratch;
    struct pw_event ev;
    size_t at = 0;
    int i;
    memset(&scratch, 0, sizeof scratch);
    FUZZ_CHECK(pw_enter(core) == PW_OK);
    for (i = 0; i < 40 && at < sizeof text - 1; i++) {
        int32_t used = pw_feed(core, text + at, (int32_t)(1 + fuzz_below(seed, (uint32_t)(sizeof text - 1 - at))), &ev);
        FUZZ_CHECK(used >= 0 && ev.kind != PW_EV_ERROR);
        at += (size_t)used;
        if (fuzz_below(seed, 2)) FUZZ_CHECK(pw_run(core, 1 + (int32_t)fuzz_below(seed, 30)) >= 0);
        if (fuzz_below(seed, 2)) drain(core, &scratch, seed);
    }
    if (fuzz_below(seed, 2)) pw_flush(core);
    FUZZ_CHECK(pw_run(core, 20) >= 0);
    FUZZ_CHECK(pw_leave(core) == PW_OK);
}

static struct result play(struct pw_core *core, int dialect, const uint8_t *data, size_t size, uint32_t seed, int64_t most)
{
    struct result r;
    struct pw_event ev;
    struct pw_status st;
    size_t at = 0;
    int m, ending = 0, stuck = 0;
    uint32_t id = 0;
    int64_t work = 0, did;
    memset(&r, 0, sizeof r);
    pw_begin(core, PW_FEED, dialect);
    pw_status(core, &st);
    for (m = 0; m < conf->motors; m++) r.made[m] = st.count[m];
    for (;;) {
        size_t n = size - at;
        int32_t used = 0;
        if (seed && n > 1) n = 1 + fuzz_below(&seed, (uint32_t)(n < 40 ? n : 40));
        if (!ending) used = pw_feed(core, (const char *)data + at, (int32_t)n, &ev);
        else used = pw_end(core, &ev);
        FUZZ_CHECK(used >= 0 && (size_t)used <= n);
        at += (size_t)used;
        if (ev.kind == PW_EV_FULL) {
            int32_t ran;
            if (seed && fuzz_below(&seed, 16) == 0) aside(core, &seed);
            ran = pw_run(core, seed ? 1 + (int32_t)fuzz_below(&seed, 20) : 1000);
            FUZZ_CHECK(ran >= 0);
            did = drain(core, &r, &seed);
            work += did + ran;
            if (work > most) { r.given_up = 1; return r; }
            stuck = did + ran ? 0 : stuck + 1;
            FUZZ_CHECK(stuck < 1000);
            continue;
        }
        if (ev.kind == PW_EV_NONE) {
            if (at == size) ending = 1;
            if (seed && fuzz_below(&seed, 16) == 0) aside(core, &seed);
            if (seed && fuzz_below(&seed, 4) == 0) {
                FUZZ_CHECK(pw_run(core, 1 + (int32_t)fuzz_below(&seed, 20)) >= 0);
                work += drain(core, &r, &seed);
            }
            continue;
        }
        fuzz_mix(&r.events, &ev, sizeof ev);
        if (ev.kind == PW_EV_ERROR) {
            FUZZ_CHECK(ev.code != PW_E_ASSERT);
            r.failed = 1;
            break;
        }
        if (ev.kind == PW_EV_END) break;
        if (ev.letter == 'M' && ev.number == 106) FUZZ_CHECK(pw_baby_step(core, (int32_t)(ev.value['S' - 'A'] % 2000001)) == PW_OK);
        if (ev.letter == 'E') FUZZ_CHECK(pw_skip(core, (int32_t)(ev.line & 1)) == PW_OK);
        if (ev.letter == 'M' && ev.number == 140)
            FUZZ_CHECK(pw_override(core, 1000 + (int32_t)(ev.value['S' - 'A'] % 990), 1000 + (int32_t)(ev.value['S' - 'A'] % 999)) == PW_OK);
        for (stuck = 0;;) {
            int32_t done = ev.letter == 'G' ? pw_flush(core) : ev.letter == 'T' ? PW_OK : pw_mark(core, id + 1);
            if (done == PW_OK) break;
            FUZZ_CHECK(done == PW_E_FULL);
            did = pw_run(core, 50);
            FUZZ_CHECK(did >= 0);
            did += drain(core, &r, &seed);
            work += did;
            stuck = did ? 0 : stuck + 1;
            FUZZ_CHECK(stuck < 1000);
        }
        id++;
    }
    for (stuck = 0; pw_flush(core) == PW_E_FULL; stuck++) {
        FUZZ_CHECK(stuck < 10000000);
        pw_run(core, 100);
        work += drain(core, &r, &seed);
        if (work > most) { r.given_up = 1; return r; }
    }
    for (;;) {
        int32_t ran = pw_run(core, 100);
        FUZZ_CHECK(ran >= 0);
        did = drain(core, &r, &seed);
        work += did + ran;
        FUZZ_CHECK(pw_status(core, &st) == PW_OK);
        FUZZ_CHECK(st.planned_tick <= st.final_tick);
        if (st.idle && !ran && !did) {
            if (!seed) break;
            seed = 0; /* a random portion may have been none */
        }
        if (work > most) { r.given_up = 1; return r; }
    }
    FUZZ_CHECK(st.planned_tick == st.final_tick && st.segments == 0);
    for (m = 0; m < conf->motors; m++) {
        FUZZ_CHECK(r.made[m] == st.count[m]);
        FUZZ_CHECK(r.last[m] <= st.final_tick + 1 + conf->tick_hz / 1000); /* direction set-up may delay the last */
    }
    for (m = 0; m < 4; m++) r.position[m] = st.position_nm[m];
    for (m = bent ? 3 : 0; m < 4; m++) { /* of the extruders, the one in force */
        int64_t nm = r.position[m], at_q8;
        int motor = m == 3 ? 3 + (int)st.tool : m;
        if (conf->kinematics == PW_COREXZ && m == 0) nm = r.position[0] + r.position[2];
        if (conf->kinematics == PW_COREXZ && m == 2) nm = r.position[0] - r.position[2];
        if (conf->kinematics == PW_COREXY && m == 0) nm = r.position[0] + r.position[1];
        if (conf->kinematics == PW_COREXY && m == 1) nm = r.position[0] - r.position[1];
        at_q8 = (int64_t)((__int128)nm * conf->steps_per_m[motor] * 256 / 1000000000);
        FUZZ_CHECK(at_q8 - st.count[motor] * 256 <= 128 + 3 && st.count[motor] * 256 - at_q8 <= 128 + 3);
    }
    r.end_tick = st.final_tick;
    r.tool = st.tool;
    r.lines = st.line;
    return r;
}

static int32_t pick(uint8_t b, int32_t lo, int32_t hi) { return lo + (int32_t)((int64_t)(hi - lo) * b / 255); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_config cfg;
    struct pw_core *core;
    struct pw_event ev;
    struct result a, b;
    void *mem;
    int kind, i;
    uint64_t scan = 0;
    size_t at = 0;
    const struct core_head *head;
    static const int32_t rates[4] = {1000000, 12000000, 16000000, 200000000};
    if (size < 16) return 0;
    kind = data[2] < 128 ? 0 : data[2] >> 5; /* 4 CoreXZ, 5 a matrix, 6 a delta, 7 a mesh */
    cfg = kind == 6 ? helper_delta() : helper_config(data[0] & 1);
    cfg.tick_hz = rates[data[0] >> 2 & 3];
    cfg.window = 16 + data[1] % 64;
    cfg.ring_runs = 16 + data[2] % 32;
    cfg.ring_marks = 1 + data[3] % 8;
    cfg.line_max = 64;
    cfg.max_accel_um_s2 = pick(data[4], 50000, 20000000);
    cfg.max_jerk_mm_s3 = pick(data[5], 1000, 1000000);
    cfg.corner_um_s = pick(data[6], 0, 30000);
    cfg.curve_um = data[7] * 10;
    cfg.merge_um = data[8] % 6;
    cfg.chord_um = 5 + data[9] % 50;
    cfg.min_segment_us = data[10] % 2 ? data[10] * 40 : 0;
    cfg.max_velocity_um_s = pick(data[11], 10000, 500000);
    if (kind != 6) {
        cfg.steps_per_m[2] = pick(data[12], 1000, 400000);
        cfg.axis_accel_um_s2[2] = pick(data[13], 20000, 1000000);
    }
    if (kind == 4) cfg.kinematics = PW_COREXZ;
    if (kind == 5) {
        cfg.kinematics = PW_LINEAR;
        cfg.matrix_1e6[0] = 1000000;
        cfg.matrix_1e6[1] = pick(data[12], -500000, 500000);
        cfg.matrix_1e6[4] = data[13] & 1 ? -800000 : 900000;
        cfg.matrix_1e6[8] = 1250000;
        cfg.skew_1e6[1] = pick(data[14], -20000, 20000);
    }
    if (kind == 7) cfg.mesh_points = 12;
    cfg.dir_setup_ns = data[14] * 20;
    if (data[3] & 128) {
        cfg.shaper[0] = data[4] % 7;
        cfg.shaper[1] = data[5] % 7;
        cfg.shaper[2] = data[6] % 3;
        cfg.shaper_mhz[0] = pick(data[7], 10000, 200000);
        cfg.shaper_mhz[1] = pick(data[8], 10000, 200000);
        cfg.advance_us[0] = data[9] * 500;
        cfg.advance_smooth_us = pick(data[11], 20000, 100000);
    }
    if (data[0] & 64) {
        cfg.retract_um = 800;
        cfg.unretract_extra_um = 20;
        cfg.retract_lift_um = 300;
    }
    if (data[0] & 128) {
        cfg.advance_us[0] = 40000;
        cfg.advance_us[1] = 100000;
    }
    cfg.motors = 4 + (data[0] >> 4 & 3);
    cfg.steps_per_m[4] = 95522;
    cfg.steps_per_m[5] = 140000;
    cfg.steps_per_m[6] = 400000;
    cfg.tool_x_um[1] = 18000;
    cfg.tool_z_um[1] = -300;
    cfg.tool_y_um[2] = -7000;
    cfg.tool_x_um[3] = -30000;
    cfg.tool_z_um[3] = 450;
    if (pw_core_size(&cfg) == 0) return 0;
    conf = &cfg;
    mem = malloc(pw_core_size(&cfg));
    FUZZ_CHECK(pw_init(mem, pw_core_size(&cfg), &cfg, &core, 0) == PW_OK);
    head = mem;
    if (kind == 7) {
        static const struct pw_mesh shape = {PW_MESH_BILINEAR, 4, 3, {10000, 20000}, {60000, 90000}, 500, 9000};
        struct pw_mesh mesh = shape;
        int32_t heights[12];
        mesh.kind = data[13] & 1;
        for (i = 0; i < 12; i++) heights[i] = (data[i] - 128) * 2000;
        FUZZ_CHECK(pw_mesh(core, &mesh, heights) == PW_OK);
    }
    bent = kind > 4;
    data += 16;
    size -= 16;
    a = play(core, 0, data, size, 0, 600000);
    FUZZ_CHECK(head->planner->broken == 0);
    if (a.given_up) { /* a document that is still being fed would be ended instead of the scan */
        free(mem);
        return 0;
    }
    b = play(core, 0, data, size, data[-1] + 1u, 1000000000);
    FUZZ_CHECK(memcmp(&a, &b, sizeof a) == 0);
    pw_begin(core, PW_SCAN, 0);
    for (;;) {
        int32_t used = at < size ? pw_scan(core, (const char *)data + at, (int32_t)(size - at), &ev) : (pw_end(core, &ev) == PW_OK ? 0 : -1);
        FUZZ_CHECK(used >= 0);
        at += (size_t)used;
        if (ev.kind == PW_EV_NONE) continue;
        fuzz_mix(&scan, &ev, sizeof ev);
        if (ev.kind == PW_EV_ERROR || ev.kind == PW_EV_END) break;
    }
    FUZZ_CHECK(scan == a.events);
    free(mem);
    return 0;
}
