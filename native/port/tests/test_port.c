/* The host port against a stand-in for the core: warp, marks, gates, leases, faults, the tap and the sink. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fake_core.h"

#define HZ 16000000
#define MS (HZ / 1000)
#define RATE ((int64_t)1 << 32)
#define CHECK(cond) do { if (!(cond)) { fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, __func__, #cond); exit(1); } } while (0)
#define EQ(a, b) do { int64_t a_ = (int64_t)(a), b_ = (int64_t)(b); if (a_ != b_) { fprintf(stderr, "%s:%d: %s: %s is %lld, not %lld\n", \
    __FILE__, __LINE__, __func__, #a, (long long)a_, (long long)b_); exit(1); } } while (0)

static uint64_t seed = 1;
static uint32_t rnd(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

struct rig {
    struct pw_core *core;
    struct pw_host *host;
    void *mem;
    struct pw_host_status st;
};

static struct pw_config machine(void)
{
    struct pw_config c;
    memset(&c, 0, sizeof c);
    c.abi = PW_ABI;
    c.tick_hz = HZ;
    c.max_velocity_um_s = 300000;
    c.max_accel_um_s2 = 3000000;
    c.axis_velocity_um_s[2] = 15000;
    c.axis_accel_um_s2[2] = 100000;
    c.motors = 4;
    c.max_e_velocity_um_s = 60000;
    c.max_e_accel_um_s2 = 5000000;
    return c;
}

static struct rig rig_with(struct pw_host_config hc)
{
    struct rig r;
    struct pw_config cfg = machine();
    size_t size;
    int32_t bad;
    hc.abi = PW_HOST_ABI;
    size = pw_host_size(&hc);
    CHECK(size > 0 && size % 8 == 0);
    r.core = malloc(sizeof *r.core);
    r.mem = malloc(size);
    CHECK(r.core && r.mem);
    fake_init(r.core);
    EQ(pw_host_init(r.mem, size, &cfg, &hc, r.core, &r.host, &bad), PW_OK);
    return r;
}

static struct rig rig(void)
{
    struct pw_host_config hc;
    memset(&hc, 0, sizeof hc);
    return rig_with(hc);
}

static void drop(struct rig *r)
{
    free(r->core);
    free(r->mem);
}

static struct pw_host_status *look(struct rig *r)
{
    EQ(pw_host_status(r->host, &r->st), PW_OK);
    return &r->st;
}

/* Motion of x and e over the span: x at constant speed, e in changing runs; everything final and flushed. */
static void some_motion(struct rig *r, int64_t span)
{
    int64_t at = 1000;
    int32_t direction = 1;
    while (at + 90000 < span) {
        fake_run(r->core, 0, (uint64_t)at << 16, (uint64_t)200 << 16, 0, 400, direction);
        fake_run(r->core, 3, (uint64_t)at << 16 | 0x8000u, (uint64_t)900 << 16, 37000, 60, 1);
        fake_run(r->core, 1, ((uint64_t)at << 16) + 0x9000u, (uint64_t)1200 << 16, -60000, 40, -direction);
        at += 90000;
        direction = -direction;
    }
    r->core->final = span;
    r->core->flushed = 1;
}

/* -- digest of what is played -------------------------------------------------------------------------------------------------- */

struct tape {
    uint8_t byte[PW_MOTORS][1 << 20];
    int64_t used[PW_MOTORS];
};

static void keep(struct tape *tape, uint8_t *const pack[PW_MOTORS], const struct pw_sink_status *ss)
{
    for (int m = 0; m < PW_MOTORS; m++) {
        CHECK(tape->used[m] + ss->pack_used[m] <= (int64_t)sizeof tape->byte[m]);
        memcpy(tape->byte[m] + tape->used[m], pack[m], (size_t)ss->pack_used[m]);
        tape->used[m] += ss->pack_used[m];
    }
}

static int same(const struct tape *a, const struct tape *b)
{
    for (int m = 0; m < PW_MOTORS; m++)
        if (a->used[m] != b->used[m] || memcmp(a->byte[m], b->byte[m], (size_t)a->used[m])) return 0;
    return 1;
}

/* What the prepared runs say, by pw_pack_ticks alone. */
static struct tape *expected(const struct pw_core *core)
{
    struct tape *tape = calloc(1, sizeof *tape);
    CHECK(tape);
    for (int m = 0; m < PW_MOTORS; m++) {
        int64_t last = 0;
        for (int32_t n = 0; n < core->runs[m]; n++) {
            const struct pw_steprun *run = &core->run[m][n];
            for (uint32_t i = 0; i < run->count; i++) {
                int64_t sum = (int64_t)run->first_q16 + (int64_t)run->interval_q16 * i + (int64_t)run->add_q16 * i * ((int64_t)i - 1) / 2;
                int64_t tick = (sum + 32768) >> 16;
                int8_t dir = (int8_t)run->direction;
                _Alignas(4) uint8_t out[12];
                int32_t bytes = pw_pack_ticks(&tick, &dir, 1, &last, out, 12);
                CHECK(bytes == 4 || bytes == 12);
                memcpy(tape->byte[m] + tape->used[m], out, (size_t)bytes);
                tape->used[m] += bytes;
            }
        }
    }
    return tape;
}

struct listener {
    void *mem;
    struct pw_sink *sink;
    uint8_t *pack[PW_MOTORS];
    struct tape *tape;
};

static struct listener listen_with(int32_t pack_size)
{
    struct listener l;
    l.mem = malloc(pw_sink_size());
    l.tape = calloc(1, sizeof *l.tape);
    CHECK(l.mem && l.tape);
    EQ(pw_sink_init(l.mem, pw_sink_size(), &l.sink), PW_OK);
    for (int m = 0; m < PW_MOTORS; m++) {
        l.pack[m] = malloc((size_t)pack_size);
        CHECK(l.pack[m]);
        EQ(pw_sink_buffers(l.sink, m, l.pack[m], pack_size, NULL, NULL, 0), PW_OK);
    }
    return l;
}

static void hear(struct listener *l, struct rig *r)
{
    struct pw_sink_status ss;
    int32_t more;
    do {
        more = pw_sink_host(l->sink, r->host, &ss);
        CHECK(more >= 0);
        keep(l->tape, l->pack, &ss);
    } while (more);
}

static void hush(struct listener *l)
{
    free(l->mem);
    free(l->tape);
    for (int m = 0; m < PW_MOTORS; m++) free(l->pack[m]);
}

/* -- the warp ------------------------------------------------------------------------------------------------------------------ */

static void plain_motion_takes_its_plan_time(void)
{
    struct rig r = rig();
    some_motion(&r, 1000 * MS);
    EQ(pw_host_advance(r.host, 1500 * MS, 0), PW_HOST_IDLE);
    look(&r);
    EQ(r.st.consumed, 1000 * MS);
    EQ(r.st.machine_tick, 1000 * MS);
    EQ(r.st.played_tick, 1000 * MS);
    EQ(r.st.pulses[0], 400 * r.core->runs[0]);
    EQ(r.st.pulses[3], 60 * r.core->runs[3]);
    EQ(r.st.count[3], 60 * r.core->runs[3]);
    EQ(r.st.count[0], r.core->runs[0] % 2 ? 400 : 0);
    EQ(r.st.physical[0], r.st.count[0]);
    EQ(r.st.physical[3], r.st.count[3]);
    EQ(r.st.starvations, 0);
    EQ(r.st.fault, PW_FAULT_NONE);
    EQ(pw_host_advance(r.host, 5 * MS, PW_ADVANCE_WAIT), PW_HOST_IDLE);
    EQ(look(&r)->machine_tick, 1005 * MS);
    drop(&r);
}

static void holds_change_machine_time_only(void)
{
    for (int round = 0; round < 12; round++) {
        struct pw_host_config hc;
        struct rig r;
        struct listener l = listen_with(round % 2 ? 16 : 4096);
        struct tape *want;
        int64_t rate = RATE, machine = 0, played = 0, slope;
        memset(&hc, 0, sizeof hc);
        hc.queue_runs = round % 3 ? 64 : 4;
        r = rig_with(hc);
        some_motion(&r, 400 * MS);
        want = expected(r.core);
        EQ(pw_host_tap(r.host, 1), PW_OK);
        slope = (((int64_t)6666 << 32) / ((int64_t)HZ * 1000));
        for (int turn = 0; turn < 100000; turn++) {
            int32_t reason = pw_host_advance(r.host, (int32_t)(1 + rnd(3 * MS)), 0);
            CHECK(reason == PW_HOST_DONE || reason == PW_HOST_HELD || reason == PW_HOST_IDLE || reason == PW_HOST_TAP);
            look(&r);
            CHECK(r.st.rate_q32 >= 0 && r.st.rate_q32 <= RATE);
            CHECK(r.st.machine_tick - machine == r.st.consumed && r.st.consumed >= 0);
            CHECK(r.st.played_tick >= played && r.st.played_tick - played <= r.st.consumed + 1);
            if (r.st.played_tick != 400 * MS) { /* a standstill allows any rate */
                CHECK(llabs(r.st.rate_q32 - rate) <= (r.st.consumed + 1) * slope);
            }
            rate = r.st.rate_q32;
            machine = r.st.machine_tick;
            played = r.st.played_tick;
            hear(&l, &r);
            if (reason == PW_HOST_IDLE) break;
            if (round && rnd(40) == 0) EQ(pw_host_set_rate(r.host, (int32_t)(rnd(3) * 500)), PW_OK);
            if (reason == PW_HOST_HELD && rnd(4) == 0) EQ(pw_host_set_rate(r.host, 1000), PW_OK);
        }
        EQ(r.st.played_tick, 400 * MS);
        EQ(r.st.starvations, 0);
        if (!round) EQ(r.st.machine_tick, 400 * MS);
        CHECK(same(l.tape, want));
        free(want);
        hush(&l);
        drop(&r);
    }
}

static void a_hold_takes_the_time_of_the_limit(void)
{
    struct rig r = rig();
    some_motion(&r, 2000 * MS);
    EQ(pw_host_advance(r.host, 100 * MS, 0), PW_HOST_DONE);
    EQ(pw_host_set_rate(r.host, 0), PW_OK);
    EQ(pw_host_advance(r.host, 1000 * MS, 0), PW_HOST_HELD);
    look(&r);
    /* z is slowest: 100 / 15 = 6.666 a second, so 150 ms, and half as much plan time */
    CHECK(r.st.consumed >= 150 * MS - 16 && r.st.consumed <= 150 * MS + MS / 10);
    CHECK(llabs(r.st.played_tick - 175 * MS) <= MS / 10);
    EQ(r.st.rate_q32, 0);
    EQ(pw_host_advance(r.host, 7 * MS, PW_ADVANCE_WAIT), PW_HOST_HELD);
    EQ(look(&r)->consumed, 7 * MS);
    EQ(pw_host_set_rate(r.host, 1000), PW_OK);
    EQ(pw_host_advance(r.host, 3000 * MS, 0), PW_HOST_IDLE);
    EQ(look(&r)->played_tick, 2000 * MS);
    drop(&r);
}

static void half_the_rate_is_half_the_time_to_the_tick(void)
{
    struct rig r = rig();
    int64_t machine, played;
    some_motion(&r, 2000 * MS);
    EQ(pw_host_set_rate(r.host, 500), PW_OK);
    EQ(pw_host_advance(r.host, 300 * MS, 0), PW_HOST_DONE);
    machine = look(&r)->machine_tick;
    played = r.st.played_tick;
    EQ(r.st.rate_q32, RATE / 2);
    for (int i = 0; i < 30001; i++) EQ(pw_host_advance(r.host, 1 + 2 * (i % 5), 0), PW_HOST_DONE); /* odd: half ticks are carried */
    look(&r);
    CHECK(llabs((r.st.machine_tick - machine) - 2 * (r.st.played_tick - played)) <= 2);
    drop(&r);
}

static void a_step_is_made_on_its_tick(void)
{
    struct rig r = rig();
    fake_run(r.core, 0, (uint64_t)1000 << 16, (uint64_t)100 << 16, 0, 50, 1);
    r.core->final = 20000;
    r.core->flushed = 1;
    pw_host_advance(r.host, 999, 0);
    EQ(look(&r)->count[0], 0);
    pw_host_advance(r.host, 1, 0);
    EQ(look(&r)->count[0], 1);
    pw_host_advance(r.host, 1999, 0); /* tick 2999: steps at 1000 to 2900 */
    EQ(look(&r)->count[0], 20);
    pw_host_advance(r.host, 1, 0);
    EQ(look(&r)->count[0], 21);
    drop(&r);
}

/* Feeds `ahead_ms` of final plan beyond what is played, every `every_ms` of machine time. */
static struct rig fed(int every_ms, int ahead_ms, int total_ms)
{
    struct rig r = rig();
    some_motion(&r, (int64_t)total_ms * MS);
    r.core->flushed = 0;
    r.core->final = 0;
    EQ(pw_host_open(r.host, 1), PW_OK);
    for (int turn = 0; turn < 20000; turn++) {
        int64_t want = look(&r)->played_tick + (int64_t)ahead_ms * MS;
        int32_t reason;
        if (want > r.core->final) r.core->final = want < (int64_t)total_ms * MS ? want : (int64_t)total_ms * MS;
        if (r.core->final == (int64_t)total_ms * MS) {
            r.core->flushed = 1;
            EQ(pw_host_open(r.host, 0), PW_OK);
        }
        reason = pw_host_advance(r.host, every_ms * MS, PW_ADVANCE_WAIT);
        CHECK(reason == PW_HOST_DONE || reason == PW_HOST_STARVED || reason == PW_HOST_IDLE);
        EQ(look(&r)->fault, PW_FAULT_NONE);
        EQ(r.st.hard_stops, 0);
        EQ(r.st.consumed, every_ms * MS);
        if (reason == PW_HOST_IDLE) break;
    }
    EQ(look(&r)->played_tick, (int64_t)total_ms * MS);
    return r;
}

static void enough_text_never_starves(void)
{
    int every[] = {1, 10, 50};
    for (int i = 0; i < 3; i++) {
        struct rig r = fed(every[i], 80 + every[i], 1000);
        EQ(r.st.starvations, 0);
        CHECK(r.st.machine_tick <= (int64_t)(1000 + 150 + every[i]) * MS); /* the rate rises from what the first plan allows */
        drop(&r);
    }
}

static void little_text_slows_and_never_stops_hard(void)
{
    for (int ahead = 1; ahead < 80; ahead += 13) {
        struct rig r = fed(10, ahead, 300);
        CHECK(r.st.starvations > 0 || ahead > 60);
        CHECK(r.st.machine_tick > 300 * MS);
        drop(&r);
    }
}

static void starved_motion_waits_and_goes_on(void)
{
    struct rig r = rig();
    some_motion(&r, 500 * MS);
    r.core->flushed = 0;
    r.core->final = 200 * MS;
    pw_host_open(r.host, 1);
    EQ(pw_host_advance(r.host, 2000 * MS, 0), PW_HOST_STARVED);
    look(&r);
    EQ(r.st.rate_q32, 0);
    EQ(r.st.starvations, 1);
    CHECK(r.st.played_tick <= 200 * MS && r.st.played_tick > 200 * MS - MS / 50);
    EQ(pw_host_advance(r.host, 20 * MS, PW_ADVANCE_WAIT), PW_HOST_STARVED);
    EQ(look(&r)->consumed, 20 * MS);
    r.core->final = 500 * MS;
    r.core->flushed = 1;
    pw_host_open(r.host, 0);
    EQ(pw_host_advance(r.host, 2000 * MS, 0), PW_HOST_IDLE);
    EQ(look(&r)->hard_stops, 0);
    EQ(r.st.pulses[0], 400 * r.core->runs[0]);
    drop(&r);
}

static void motion_that_was_not_flushed_ends_in_a_fault(void)
{
    struct rig r = rig();
    some_motion(&r, 100 * MS);
    r.core->flushed = 0;
    EQ(pw_host_heater(r.host, 1, 400), PW_OK);
    EQ(pw_host_advance(r.host, 200 * MS, 0), PW_HOST_FAULT);
    look(&r);
    EQ(r.st.fault, PW_FAULT_LATE);
    EQ(r.st.hard_stops, 1);
    EQ(pw_host_output(r.host, 1), 0);
    drop(&r);
}

static void text_after_a_flush_under_way_is_no_fault(void)
{
    struct rig r = rig();
    some_motion(&r, 300 * MS);
    r.core->final = 100 * MS;
    pw_host_advance(r.host, 60 * MS, 0);
    r.core->flushed = 0;
    EQ(pw_host_open(r.host, 1), PW_OK); /* 40 ms are left, a stop would take 75 */
    EQ(pw_host_advance(r.host, 200 * MS, 0), PW_HOST_STARVED);
    EQ(look(&r)->fault, PW_FAULT_NONE);
    EQ(r.st.hard_stops, 0);
    r.core->final = 300 * MS;
    r.core->flushed = 1;
    pw_host_open(r.host, 0);
    EQ(pw_host_advance(r.host, 600 * MS, 0), PW_HOST_IDLE);
    EQ(look(&r)->pulses[0], 400 * r.core->runs[0]);
    drop(&r);
}

static void a_quick_stop_holds_for_good(void)
{
    struct rig r = rig();
    some_motion(&r, 1000 * MS);
    pw_host_advance(r.host, 300 * MS, 0);
    EQ(pw_host_quick_stop(r.host), PW_OK);
    EQ(pw_host_advance(r.host, 1000 * MS, 0), PW_HOST_HELD);
    EQ(look(&r)->latched, PW_LATCH_STOP);
    EQ(pw_host_set_rate(r.host, 1000), PW_E_STATE);
    EQ(pw_host_set_rate(r.host, 0), PW_OK);
    /* the second context may move, to park */
    EQ(pw_host_enter(r.host), PW_OK);
    EQ(pw_host_enter(r.host), PW_E_STATE);
    EQ(look(&r)->side, 1);
    EQ(r.st.latched, 0);
    EQ(pw_host_leave(r.host), PW_OK);
    EQ(pw_host_leave(r.host), PW_E_STATE);
    EQ(look(&r)->latched, PW_LATCH_STOP);
    fake_init(r.core);
    EQ(pw_host_begin(r.host), PW_OK);
    EQ(look(&r)->latched, 0);
    EQ(r.st.played_tick, 0);
    some_motion(&r, 200 * MS);
    EQ(pw_host_advance(r.host, 1000 * MS, 0), PW_HOST_IDLE);
    drop(&r);
}

static void the_second_context_needs_a_standstill(void)
{
    struct rig r = rig();
    some_motion(&r, 1000 * MS);
    pw_host_advance(r.host, 300 * MS, 0);
    EQ(pw_host_enter(r.host), PW_E_STATE);
    pw_host_set_rate(r.host, 0);
    pw_host_advance(r.host, 100 * MS, 0);
    EQ(pw_host_enter(r.host), PW_E_STATE);
    EQ(pw_host_gate(r.host, 0, 0), PW_E_STATE);
    pw_host_advance(r.host, 100 * MS, 0);
    EQ(pw_host_enter(r.host), PW_OK);
    EQ(pw_host_gate(r.host, 0, 0), PW_OK);
    drop(&r);
}

/* -- a step on the tick of the standstill before it --------------------------------------------------------------------------- */

static void a_step_may_begin_where_the_rest_was_rounded(void)
{
    struct rig r = rig();
    fake_run(r.core, 0, (uint64_t)1000 << 16, 100 << 16, 0, 10, 1);
    r.core->final = 20000;
    r.core->flushed = 1;
    EQ(pw_host_advance(r.host, 10 * MS, 0), PW_HOST_IDLE);
    EQ(look(&r)->played_tick, 20000);
    fake_run(r.core, 0, ((uint64_t)20000 << 16) + 0x1234u, 100 << 16, 0, 10, 1); /* rounds to 20000, the tick played */
    r.core->final = 40000;
    EQ(pw_host_advance(r.host, 10 * MS, 0), PW_HOST_IDLE);
    EQ(look(&r)->fault, PW_FAULT_NONE);
    EQ(r.st.pulses[0], 20);
    fake_run(r.core, 0, (uint64_t)39000 << 16, 100 << 16, 0, 10, 1);
    r.core->final = 60000;
    EQ(pw_host_advance(r.host, 10 * MS, 0), PW_HOST_FAULT);
    EQ(look(&r)->fault, PW_FAULT_LATE);
    drop(&r);
}

/* -- marks ----------------------------------------------------------------------------------------------------------------------- */

static void marks_fire_when_played(void)
{
    struct rig r = rig();
    struct pw_markrec m[8];
    some_motion(&r, 100 * MS);
    fake_mark(r.core, 10 * MS, 7);
    fake_mark(r.core, 10 * MS + 1, 8);
    fake_mark(r.core, 100 * MS, 9);
    pw_host_advance(r.host, 10 * MS - 1, 0);
    EQ(pw_host_marks(r.host, m, 8), 0);
    pw_host_advance(r.host, 1, 0);
    EQ(look(&r)->marks_fired, 1);
    EQ(pw_host_marks(r.host, m, 8), 1);
    EQ(m[0].id, 7);
    EQ(m[0].tick, 10 * MS);
    pw_host_advance(r.host, 1, 0);
    EQ(pw_host_marks(r.host, m, 8), 1);
    EQ(m[0].id, 8);
    EQ(pw_host_advance(r.host, 200 * MS, 0), PW_HOST_IDLE);
    EQ(pw_host_marks(r.host, m, 8), 1);
    EQ(m[0].id, 9);
    drop(&r);
}

static void a_full_queue_of_marks_waits_for_its_reader(void)
{
    struct pw_host_config hc;
    struct rig r;
    struct pw_markrec m[4];
    uint32_t next = 0;
    memset(&hc, 0, sizeof hc);
    hc.queue_marks = 4;
    r = rig_with(hc);
    some_motion(&r, 100 * MS);
    for (uint32_t i = 0; i < 50; i++) fake_mark(r.core, (uint64_t)(i + 1) * MS, i);
    for (;;) {
        int32_t reason = pw_host_advance(r.host, 200 * MS, 0), n;
        CHECK(reason == PW_HOST_MARKS || reason == PW_HOST_IDLE);
        n = pw_host_marks(r.host, m, 4);
        for (int32_t i = 0; i < n; i++) {
            EQ(m[i].id, next);
            CHECK((int64_t)m[i].tick <= look(&r)->played_tick);
            next++;
        }
        if (reason == PW_HOST_IDLE) break;
    }
    EQ(next, 50);
    EQ(look(&r)->machine_tick, 100 * MS);
    EQ(r.st.fault, 0);
    drop(&r);
}

static void a_mark_that_comes_at_a_standstill_fires_there(void)
{
    struct rig r = rig();
    struct pw_markrec m[4];
    some_motion(&r, 100 * MS);
    EQ(pw_host_advance(r.host, 200 * MS, 0), PW_HOST_IDLE);
    fake_mark(r.core, 100 * MS, 5);
    fake_mark(r.core, 90 * MS, 6); /* placed in time that is over */
    r.core->marks_made = r.core->marks;
    EQ(pw_host_advance(r.host, MS, 0), PW_HOST_IDLE);
    EQ(pw_host_marks(r.host, m, 4), 2);
    EQ(m[0].id, 5);
    EQ(m[1].id, 6);
    drop(&r);
}

static void more_marks_than_the_queue_holds_at_the_end_of_the_plan(void)
{
    for (int open = 0; open < 2; open++) {
        struct pw_host_config hc;
        struct rig r;
        struct pw_markrec m[4];
        int32_t seen = 0, reason, turns = 0;
        memset(&hc, 0, sizeof hc);
        hc.queue_marks = 4;
        r = rig_with(hc);
        some_motion(&r, 100 * MS);
        for (uint32_t i = 0; i < 20; i++) fake_mark(r.core, 100 * MS, i);
        EQ(pw_host_open(r.host, open), PW_OK); /* open: text may come, and none does */
        do {
            reason = pw_host_advance(r.host, 500 * MS, 0);
            for (int32_t n = pw_host_marks(r.host, m, 4), i = 0; i < n; i++) EQ(m[i].id, seen++);
        } while ((reason == PW_HOST_MARKS || reason == PW_HOST_DONE) && ++turns < 100);
        EQ(reason, PW_HOST_IDLE);
        EQ(seen, 20);
        EQ(look(&r)->played_tick, 100 * MS);
        EQ(r.st.fault, PW_FAULT_NONE);
        EQ(r.st.hard_stops, 0);
        EQ(r.st.pulses[0], 400 * r.core->runs[0]);
        drop(&r);
    }
}

/* -- gates ------------------------------------------------------------------------------------------------------------------------- */

static void a_gate_triggers_on_its_step(void)
{
    const int32_t k[PW_MOTORS] = {-1, 0, 0, 0};
    for (int32_t threshold = 1; threshold < 3000; threshold += 371) {
        struct rig r = rig();
        int32_t reason, turns = 0;
        EQ(pw_host_enter(r.host), PW_OK);
        EQ(pw_host_place(r.host, 0, 1000000), PW_OK);
        EQ(pw_host_input(r.host, 2, PW_INPUT_LIVE, k, threshold - 1000000), PW_OK); /* closes after `threshold` steps back */
        EQ(pw_host_input_state(r.host, 2), 0);
        EQ(pw_host_gate(r.host, 0, 2), PW_OK);
        fake_run(r.core, 0, (uint64_t)5000 << 16, (uint64_t)333 << 16, 0, 3500, -1);
        fake_run(r.core, 1, (uint64_t)5000 << 16, (uint64_t)333 << 16, 0, 3500, 1);
        r.core->final = 5000 + 333 * 3500 + 5000;
        r.core->flushed = 1;
        do reason = pw_host_advance(r.host, 7 * MS, 0);
        while (reason == PW_HOST_DONE && ++turns < 1000);
        EQ(reason, PW_HOST_GATE);
        look(&r);
        EQ(r.st.triggered, 1);
        EQ(r.st.trigger_count[0], -threshold);
        EQ(r.st.count[0], -threshold);
        EQ(r.st.count[1], threshold); /* the step on the same tick belongs to it */
        EQ(r.st.physical[0], 1000000 - threshold);
        EQ(r.st.played_tick, 5000 + 333 * (threshold - 1));
        CHECK(llabs(r.st.machine_tick - r.st.played_tick) <= 1);
        EQ(pw_host_input_state(r.host, 2), 1);
        EQ(pw_host_advance(r.host, 1000 * MS, 0), PW_HOST_IDLE);
        look(&r);
        EQ(r.st.count[0], -threshold); /* discarded */
        EQ(r.st.pulses[0], threshold);
        EQ(r.st.count[1], 3500);
        EQ(pw_host_set_count(r.host, 0, 0), PW_OK);
        EQ(look(&r)->count[0], 0);
        EQ(r.st.physical[0], 1000000 - threshold);
        EQ(pw_host_leave(r.host), PW_OK);
        EQ(look(&r)->triggered, 0);
        drop(&r);
    }
}

static void a_gate_stops_both_motors_of_corexy(void)
{
    const int32_t k[PW_MOTORS] = {-1, -1, 0, 0}; /* x = (a + b) / 2 falls */
    struct rig r = rig();
    pw_host_enter(r.host);
    pw_host_input(r.host, 0, PW_INPUT_LIVE, k, 101);
    pw_host_gate(r.host, 0, 0);
    pw_host_gate(r.host, 1, 0);
    fake_run(r.core, 0, (uint64_t)100 << 16, (uint64_t)50 << 16, 0, 200, -1);
    fake_run(r.core, 1, (uint64_t)100 << 16, (uint64_t)50 << 16, 0, 200, -1);
    r.core->final = 20000;
    r.core->flushed = 1;
    EQ(pw_host_advance(r.host, 10 * MS, 0), PW_HOST_GATE);
    EQ(pw_host_advance(r.host, 10 * MS, 0), PW_HOST_IDLE);
    look(&r);
    EQ(r.st.triggered, 3);
    EQ(r.st.count[0], -51);
    EQ(r.st.count[1], -50);
    drop(&r);
}

static void stuck_and_closed_switches(void)
{
    const int32_t k[PW_MOTORS] = {1, 0, 0, 0};
    struct rig r = rig();
    pw_host_enter(r.host);
    pw_host_input(r.host, 0, PW_INPUT_CLOSED, k, 0);
    pw_host_input(r.host, 1, PW_INPUT_OPEN, k, -1000);
    pw_host_set_count(r.host, 0, 42);
    EQ(pw_host_gate(r.host, 0, 0), PW_OK); /* at once */
    EQ(look(&r)->triggered, 1);
    EQ(r.st.trigger_count[0], 42);
    EQ(pw_host_gate(r.host, 1, 1), PW_OK);
    fake_run(r.core, 0, (uint64_t)100 << 16, (uint64_t)50 << 16, 0, 200, 1);
    fake_run(r.core, 1, (uint64_t)100 << 16, (uint64_t)50 << 16, 0, 200, 1);
    r.core->final = 20000;
    r.core->flushed = 1;
    EQ(pw_host_advance(r.host, 10 * MS, 0), PW_HOST_IDLE);
    look(&r);
    EQ(r.st.count[0], 42);
    EQ(r.st.count[1], 200);
    EQ(r.st.triggered, 1);
    EQ(pw_host_gate(r.host, 0, -1), PW_OK);
    EQ(look(&r)->triggered, 0);
    EQ(pw_host_input_state(r.host, 7), 0);
    drop(&r);
}

/* -- heaters --------------------------------------------------------------------------------------------------------------------- */

static void a_lease_that_runs_out_puts_out_and_holds(void)
{
    struct rig r = rig();
    int64_t heat;
    some_motion(&r, 5000 * MS);
    EQ(pw_host_heater(r.host, 0, 250), PW_OK);
    EQ(pw_host_heater(r.host, 1, 1000), PW_OK);
    EQ(pw_host_advance(r.host, 1000 * MS, 0), PW_HOST_DONE);
    EQ(pw_host_renew(r.host, 0), PW_OK);
    EQ(pw_host_energy(r.host, 0, &heat), PW_OK);
    EQ(heat, (int64_t)250 * 1000 * MS);
    EQ(pw_host_advance(r.host, 500 * MS, 0), PW_HOST_DONE); /* just the lease */
    EQ(pw_host_output(r.host, 1), 1000);
    EQ(pw_host_advance(r.host, 1, 0), PW_HOST_DONE);
    EQ(pw_host_output(r.host, 1), 0);
    EQ(pw_host_output(r.host, 0), 250);
    look(&r);
    EQ(r.st.latched, PW_LATCH_LEASE);
    EQ(r.st.expired, 2);
    EQ(r.st.target_q32, 0);
    EQ(pw_host_energy(r.host, 1, &heat), PW_OK);
    EQ(heat, (int64_t)1000 * 1500 * MS);
    EQ(pw_host_heater(r.host, 1, 1), PW_E_STATE);
    EQ(pw_host_heater(r.host, 1, 0), PW_OK);
    EQ(pw_host_set_rate(r.host, 1000), PW_E_STATE);
    EQ(pw_host_advance(r.host, 400 * MS, 0), PW_HOST_HELD);
    EQ(pw_host_clear(r.host), PW_OK);
    EQ(look(&r)->latched, 0);
    EQ(r.st.target_q32, 0); /* goes on only when told */
    EQ(pw_host_heater(r.host, 1, 500), PW_OK);
    EQ(pw_host_set_rate(r.host, 1000), PW_OK);
    EQ(pw_host_advance(r.host, 100 * MS, 0), PW_HOST_DONE);
    drop(&r);
}

static void a_stall_in_one_call_costs_no_more_than_the_lease(void)
{
    struct rig r = rig();
    int64_t heat;
    r.core->flushed = 1;
    EQ(pw_host_heater(r.host, 3, 600), PW_OK);
    EQ(pw_host_advance(r.host, 60000 * MS, PW_ADVANCE_WAIT), PW_HOST_HELD);
    EQ(pw_host_energy(r.host, 3, &heat), PW_OK);
    EQ(heat, (int64_t)600 * 1500 * MS);
    EQ(look(&r)->expired, 8);
    EQ(pw_host_begin(r.host), PW_OK); /* a new job does not forget it */
    EQ(look(&r)->latched, PW_LATCH_LEASE);
    EQ(pw_host_set_rate(r.host, 1000), PW_E_STATE);
    drop(&r);
}

/* -- faults ---------------------------------------------------------------------------------------------------------------------- */

static void faults_stop_and_stay(void)
{
    for (int kind = 0; kind < 6; kind++) {
        struct rig r = rig();
        int want = PW_FAULT_ORDER;
        some_motion(&r, 100 * MS);
        EQ(pw_host_heater(r.host, 0, 250), PW_OK);
        pw_host_advance(r.host, MS, 0);
        if (kind == 0) r.core->error = PW_E_ASSERT, want = PW_FAULT_CORE;
        if (kind == 1) r.core->run_error = PW_E_ASSERT, want = PW_FAULT_CORE;
        if (kind == 2) want = pw_host_fault(r.host) == PW_OK ? PW_FAULT_ASKED : -1;
        if (kind == 3) r.core->run[0][r.core->runs[0] - 1].first_q16 = (uint64_t)80 * MS << 16; /* before the one that it follows */
        if (kind == 4) r.core->run[0][r.core->runs[0] - 1].direction = 0;
        if (kind == 5) r.core->run[1][r.core->runs[1] - 1].count = 0;
        EQ(pw_host_advance(r.host, 200 * MS, 0), PW_HOST_FAULT);
        look(&r);
        EQ(r.st.fault, want);
        EQ(r.st.rate_q32, 0);
        EQ(pw_host_output(r.host, 0), 0);
        EQ(pw_host_heater(r.host, 0, 1), PW_E_STATE);
        EQ(pw_host_set_rate(r.host, 1000), PW_E_STATE);
        EQ(pw_host_begin(r.host), PW_E_STATE);
        EQ(pw_host_enter(r.host), PW_E_STATE);
        EQ(pw_host_advance(r.host, 3 * MS, PW_ADVANCE_WAIT), PW_HOST_FAULT);
        EQ(look(&r)->consumed, 3 * MS);
        EQ(pw_host_fault(r.host), PW_OK);
        EQ(look(&r)->fault, want);
        drop(&r);
    }
}

static void bad_arguments_are_refused(void)
{
    struct rig r = rig();
    struct pw_host_config hc;
    struct pw_config cfg = machine();
    struct pw_host *host;
    struct pw_host_status st;
    const int32_t k[PW_MOTORS] = {1001, 0, 0, 0};
    int32_t bad;
    size_t size;
    memset(&hc, 0, sizeof hc);
    EQ(pw_host_size(&hc), 0); /* abi missing */
    hc.abi = PW_HOST_ABI;
    size = pw_host_size(&hc);
    CHECK(size > 0);
    {
        void *mem = malloc(size + 8);
        CHECK(mem);
        EQ(pw_host_init(mem, size - 8, &cfg, &hc, r.core, &host, &bad), PW_E_MEMORY);
        EQ(pw_host_init((char *)mem + 4, size, &cfg, &hc, r.core, &host, &bad), PW_E_MEMORY);
        hc.queue_runs = 48;
        EQ(pw_host_init(mem, size, &cfg, &hc, r.core, &host, &bad), PW_E_CONFIG);
        EQ(bad, 1);
        CHECK(!strcmp(pw_host_config_field(bad), "queue_runs"));
        EQ(pw_host_size(&hc), 0);
        hc.queue_runs = 0;
        hc.lease_ms = 99;
        EQ(pw_host_init(mem, size, &cfg, &hc, r.core, &host, &bad), PW_E_CONFIG);
        CHECK(!strcmp(pw_host_config_field(bad), "lease_ms"));
        free(mem);
    }
    CHECK(pw_host_config_field(8) == NULL && pw_host_config_field(-1) == NULL);
    EQ(pw_host_advance(r.host, -1, 0), PW_E_ARG);
    EQ(pw_host_advance(r.host, 1, 2), PW_E_ARG);
    EQ(pw_host_advance(NULL, 1, 0), PW_E_ARG);
    EQ(pw_host_status(r.host, NULL), PW_E_ARG);
    EQ(pw_host_status(NULL, &st), PW_E_ARG);
    EQ(pw_host_set_rate(r.host, 1001), PW_E_ARG);
    EQ(pw_host_set_rate(r.host, -1), PW_E_ARG);
    EQ(pw_host_heater(r.host, PW_HEATERS, 0), PW_E_ARG);
    EQ(pw_host_heater(r.host, 0, 1001), PW_E_ARG);
    EQ(pw_host_output(r.host, -1), PW_E_ARG);
    EQ(pw_host_set_count(r.host, 4, 0), PW_E_ARG);
    EQ(pw_host_input(r.host, 0, PW_INPUT_LIVE, k, 0), PW_E_ARG);
    EQ(pw_host_input(r.host, 8, PW_INPUT_LIVE, k, 0), PW_E_ARG);
    EQ(pw_host_input_state(r.host, 8), PW_E_ARG);
    EQ(pw_host_gate(r.host, 0, 8), PW_E_ARG);
    drop(&r);
}

/* -- tap and sink ---------------------------------------------------------------------------------------------------------------- */

static void a_full_tap_waits_for_its_reader(void)
{
    struct pw_host_config hc;
    struct rig r;
    struct listener l = listen_with(64);
    struct tape *want;
    int32_t taps = 0, reason;
    memset(&hc, 0, sizeof hc);
    hc.queue_runs = 4;
    r = rig_with(hc);
    some_motion(&r, 300 * MS);
    want = expected(r.core);
    EQ(pw_host_tap(r.host, 1), PW_OK);
    while ((reason = pw_host_advance(r.host, 1000 * MS, 0)) == PW_HOST_TAP) {
        taps++;
        hear(&l, &r);
        CHECK(taps < 1000);
    }
    EQ(reason, PW_HOST_IDLE);
    hear(&l, &r);
    CHECK(taps > 10);
    CHECK(same(l.tape, want));
    EQ(look(&r)->machine_tick, 300 * MS);
    EQ(pw_host_tap(r.host, 0), PW_OK);
    free(want);
    hush(&l);
    drop(&r);
}

static void the_sink_without_a_port_sees_the_same(void)
{
    int32_t sizes[] = {16, 20, 4096};
    for (int i = 0; i < 3; i++) {
        struct rig r = rig();
        struct listener l = listen_with(sizes[i]);
        struct pw_sink_status ss;
        struct tape *want;
        int32_t more;
        some_motion(&r, 300 * MS);
        /* slow steps: at the border of the long form, and beyond */
        fake_run(r.core, 2, (uint64_t)5 << 16, 0, 0, 1, 1);
        fake_run(r.core, 2, (uint64_t)0x80000003 << 16, ((uint64_t)0x7FFFFFFE << 16) - 100, 60, 4, -1);
        fake_run(r.core, 2, (uint64_t)0x300000003 << 16, (uint64_t)0x7FFFFFFF << 16, 0, 3, 1);
        fake_run(r.core, 2, (uint64_t)0x500000003 << 16, (uint64_t)0x80000000 << 16, -70000, 3, 1);
        r.core->final = 0x900000000;
        r.core->grain = 1 << 28;
        want = expected(r.core);
        fake_mark(r.core, 10, 1);
        fake_mark(r.core, 10, 2);
        do {
            more = pw_sink_core(l.sink, r.core, 8, &ss);
            CHECK(more >= 0);
            keep(l.tape, l.pack, &ss);
        } while (more);
        CHECK(same(l.tape, want));
        EQ(ss.marks, 2);
        EQ(ss.steps[2], 11);
        EQ(ss.steps[0], 400 * r.core->runs[0]);
        free(want);
        hush(&l);
        drop(&r);
    }
}

static void recorded_ticks_pack_to_the_digest(void)
{
    struct rig r = rig();
    struct listener l = listen_with(256);
    struct pw_sink_status ss;
    int64_t *ticks[PW_MOTORS], last[PW_MOTORS] = {0, 0, 0, 0};
    int8_t *dirs[PW_MOTORS];
    struct tape *again = calloc(1, sizeof *again);
    int32_t more;
    CHECK(again);
    some_motion(&r, 100 * MS);
    for (int m = 0; m < PW_MOTORS; m++) {
        ticks[m] = malloc(8 * 50);
        dirs[m] = malloc(50);
        CHECK(ticks[m] && dirs[m]);
        EQ(pw_sink_buffers(l.sink, m, l.pack[m], 256, ticks[m], dirs[m], 50), PW_OK);
    }
    do {
        more = pw_sink_core(l.sink, r.core, 8, &ss);
        CHECK(more >= 0);
        keep(l.tape, l.pack, &ss);
        for (int m = 0; m < PW_MOTORS; m++) {
            _Alignas(4) uint8_t out[600];
            int32_t n = pw_pack_ticks(ticks[m], dirs[m], (int32_t)ss.steps_used[m], &last[m], out, 600);
            CHECK(n >= 0);
            memcpy(again->byte[m] + again->used[m], out, (size_t)n);
            again->used[m] += n;
            EQ(ss.last_tick[m], last[m]);
        }
    } while (more);
    CHECK(again->used[0] > 1000);
    CHECK(same(again, l.tape));
    EQ(pw_pack_ticks(ticks[0], dirs[0], 50, &last[0], (uint8_t *)again, 599), PW_E_MEMORY);
    for (int m = 0; m < PW_MOTORS; m++) {
        free(ticks[m]);
        free(dirs[m]);
    }
    free(again);
    hush(&l);
    drop(&r);
}

static void the_digest_has_two_forms(void)
{
    const int64_t ticks[3] = {0x7FFFFFFE, 0x7FFFFFFE + 0x7FFFFFFFll, 0x7FFFFFFE + 0x7FFFFFFFll + 5};
    const int8_t dirs[3] = {1, -1, 1};
    const uint8_t want[20] = {0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0x0B, 0, 0, 0};
    _Alignas(4) uint8_t out[36];
    int64_t last = 0;
    EQ(pw_pack_ticks(ticks, dirs, 3, &last, out, 36), 20);
    CHECK(!memcmp(out, want, 20));
    EQ(last, ticks[2]);
    last = ticks[2] + 1;
    EQ(pw_pack_ticks(ticks, dirs, 3, &last, out, 36), PW_E_ARG); /* backwards */
}

static void the_port_takes_any_slicing(void)
{
    int64_t want = -1;
    for (int round = 0; round < 6; round++) {
        struct rig r = rig();
        int32_t reason;
        some_motion(&r, 200 * MS);
        r.core->grain = round ? 1 + rnd(50000) : 4000;
        r.core->ring_runs = 2 + (int32_t)rnd(30);
        do reason = pw_host_advance(r.host, round ? (int32_t)(1 + rnd(5 * MS)) : 1000 * MS, 0);
        while (reason == PW_HOST_DONE);
        EQ(reason, PW_HOST_IDLE);
        look(&r);
        if (want < 0) want = r.st.machine_tick;
        EQ(r.st.machine_tick, want);
        EQ(r.st.pulses[0], 400 * r.core->runs[0]);
        drop(&r);
    }
}

int main(void)
{
    plain_motion_takes_its_plan_time();
    holds_change_machine_time_only();
    a_hold_takes_the_time_of_the_limit();
    half_the_rate_is_half_the_time_to_the_tick();
    a_step_is_made_on_its_tick();
    enough_text_never_starves();
    little_text_slows_and_never_stops_hard();
    starved_motion_waits_and_goes_on();
    motion_that_was_not_flushed_ends_in_a_fault();
    text_after_a_flush_under_way_is_no_fault();
    a_quick_stop_holds_for_good();
    the_second_context_needs_a_standstill();
    a_step_may_begin_where_the_rest_was_rounded();
    marks_fire_when_played();
    a_full_queue_of_marks_waits_for_its_reader();
    a_mark_that_comes_at_a_standstill_fires_there();
    more_marks_than_the_queue_holds_at_the_end_of_the_plan();
    a_gate_triggers_on_its_step();
    a_gate_stops_both_motors_of_corexy();
    stuck_and_closed_switches();
    a_lease_that_runs_out_puts_out_and_holds();
    a_stall_in_one_call_costs_no_more_than_the_lease();
    faults_stop_and_stay();
    bad_arguments_are_refused();
    a_full_tap_waits_for_its_reader();
    the_sink_without_a_port_sees_the_same();
    recorded_ticks_pack_to_the_digest();
    the_digest_has_two_forms();
    the_port_takes_any_slicing();
    puts("ok");
    return 0;
}
