/* The core as its users see it: errors, splits, budgets, marks, the second context, memory.
 * Usage: test_core [FILE...]: sliced files that must pass scan and feed as well. */
#include "check.h"
#include "helpers.h"

struct recording {
    uint64_t events, marks, steps[4]; /* hashes */
    int64_t event_count, mark_count, step_count, mark_tick[8], end_tick;
    int64_t count[4];
    struct pw_event last;
};

struct driver {
    struct pw_core *core;
    void *block;
    size_t size;
    uint64_t seed; /* 0: whole text, large budget */
    int32_t split; /* position of the only cut, or 0 */
    int32_t budget;
};

static uint32_t rnd(struct driver *d)
{
    d->seed = d->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(d->seed >> 33);
}

static void mix(uint64_t *h, uint64_t v) { *h = (*h ^ v) * UINT64_C(1099511628211); }

enum { CANARY = 64 };

static struct driver make(const struct pw_config *cfg)
{
    struct driver d;
    unsigned char *p;
    int32_t bad;
    memset(&d, 0, sizeof d);
    d.size = pw_core_size(cfg);
    CHECK(d.size > 0);
    p = malloc(d.size + 2 * CANARY);
    memset(p, 0xC5, d.size + 2 * CANARY);
    d.block = p;
    d.budget = 1000;
    CHECK_EQ(pw_init(p + CANARY, d.size, cfg, &d.core, &bad), PW_OK);
    return d;
}

static void unmake(struct driver *d)
{
    unsigned char *p = d->block;
    int i;
    for (i = 0; i < CANARY; i++) CHECK(p[i] == 0xC5 && p[CANARY + (int)d->size + i] == 0xC5);
    free(p);
}

static void drain(struct driver *d, struct recording *rec, int all)
{
    struct pw_steprun runs[40];
    struct pw_markrec marks[4];
    int64_t ticks[7];
    int m, n, i, k, got;
    for (m = 0; m < 4; m++) {
        while ((n = pw_steps(d->core, m, runs, d->seed ? 1 + (int)(rnd(d) % 40) : 40)) > 0) {
            for (i = 0; i < n; i++) {
                CHECK(runs[i].count >= 1 && runs[i].count <= 65535 && (runs[i].direction == 1 || runs[i].direction == -1));
                for (k = 0; (got = pw_expand(&runs[i], k, ticks, 7)) > 0; k += got) {
                    int q;
                    for (q = 0; q < got; q++) mix(&rec->steps[m], (uint64_t)ticks[q] * 2 + (runs[i].direction > 0));
                }
                CHECK_EQ(k, runs[i].count);
                rec->count[m] += runs[i].direction * (int64_t)runs[i].count;
                rec->step_count += runs[i].count;
            }
            if (!all && rnd(d) % 3 == 0) break;
        }
        CHECK(n >= 0);
    }
    while ((n = pw_marks(d->core, marks, 4)) > 0)
        for (i = 0; i < n; i++) {
            CHECK_EQ(marks[i].id, rec->mark_count + 1);
            if (rec->mark_count < 8) rec->mark_tick[rec->mark_count] = (int64_t)marks[i].tick;
            mix(&rec->marks, marks[i].tick);
            rec->mark_count++;
        }
}

static void work(struct driver *d, struct recording *rec)
{
    CHECK(pw_run(d->core, d->budget) >= 0);
    drain(d, rec, !d->seed);
}

static void note(struct recording *rec, const struct pw_event *ev)
{
    int i;
    rec->last = *ev;
    rec->event_count++;
    mix(&rec->events, (uint64_t)ev->kind);
    mix(&rec->events, (uint64_t)ev->code);
    mix(&rec->events, (uint64_t)ev->letter);
    mix(&rec->events, (uint64_t)ev->number);
    mix(&rec->events, (uint64_t)ev->sub);
    mix(&rec->events, (uint64_t)ev->line);
    mix(&rec->events, (uint64_t)ev->column);
    mix(&rec->events, (uint64_t)ev->words);
    for (i = 0; i < 26; i++) mix(&rec->events, (uint64_t)ev->value[i]);
}

/* Commands: flush behind G, mark behind M, nothing behind T; so does a layer. */
static void act(struct driver *d, struct recording *rec, uint32_t *id)
{
    int32_t r;
    if (rec->last.letter == 'T') return;
    for (;;) {
        r = rec->last.letter == 'G' ? pw_flush(d->core) : pw_mark(d->core, *id + 1);
        if (r == PW_OK) break;
        CHECK_EQ(r, PW_E_FULL);
        work(d, rec);
    }
    if (rec->last.letter != 'G') ++*id;
}

static struct recording play(struct driver *d, int mode, int dialect, const char *text, int32_t len)
{
    struct recording rec;
    struct pw_event ev;
    struct pw_status st;
    int32_t at = 0, n, m, end;
    uint32_t id = 0;
    memset(&rec, 0, sizeof rec);
    CHECK_EQ(pw_begin(d->core, mode, dialect), PW_OK);
    CHECK_EQ(pw_status(d->core, &st), PW_OK);
    if (mode == PW_FEED) for (m = 0; m < 4; m++) rec.count[m] = st.count[m];
    while (at < len) {
        end = len;
        if (d->seed) end = at + 1 + (int32_t)(rnd(d) % 30);
        if (d->split > at) end = d->split;
        if (end > len) end = len;
        for (;;) {
            char *copy = malloc((size_t)(end - at) + 1); /* exactly the bytes given, so that reading past them is caught */
            memcpy(copy, text + at, (size_t)(end - at));
            n = mode == PW_SCAN ? pw_scan(d->core, copy, end - at, &ev) : pw_feed(d->core, copy, end - at, &ev);
            free(copy);
            CHECK(n >= 0 && n <= end - at);
            at += n;
            if (ev.kind == PW_EV_NONE) {
                CHECK_EQ(at, end);
                break;
            }
            if (ev.kind == PW_EV_FULL) {
                CHECK_EQ(mode, PW_FEED);
                work(d, &rec);
                continue;
            }
            note(&rec, &ev);
            if (ev.kind == PW_EV_ERROR) {
                CHECK_EQ(mode == PW_SCAN ? pw_scan(d->core, "", 0, &ev) : pw_feed(d->core, "", 0, &ev), PW_E_STATE);
                goto over;
            }
            if (mode == PW_FEED) act(d, &rec, &id);
        }
        if (d->seed && mode == PW_FEED && rnd(d) % 4 == 0) work(d, &rec);
    }
    do {
        n = pw_end(d->core, &ev);
        CHECK_EQ(n, PW_OK);
        if (mode == PW_FEED) work(d, &rec);
        if (ev.kind == PW_EV_FULL) continue;
        note(&rec, &ev);
        if (ev.kind == PW_EV_ERROR) goto over;
        if (mode == PW_FEED && ev.kind != PW_EV_END) act(d, &rec, &id);
    } while (ev.kind != PW_EV_END);
over:
    if (mode == PW_FEED) {
        while (pw_flush(d->core) == PW_E_FULL) work(d, &rec);
        for (;;) {
            struct recording before = rec;
            work(d, &rec);
            CHECK_EQ(pw_status(d->core, &st), PW_OK);
            if (st.idle && before.step_count == rec.step_count) break;
        }
        drain(d, &rec, 1);
        for (m = 0; m < 4; m++) CHECK_EQ(rec.count[m], st.count[m]);
        CHECK_EQ(st.planned_tick, st.final_tick);
        rec.end_tick = st.final_tick;
        CHECK_EQ(rec.mark_count, id);
    }
    return rec;
}

static void same(const struct recording *a, const struct recording *b)
{
    int m;
    CHECK_EQ(a->event_count, b->event_count);
    CHECK_EQ(a->events, b->events);
    CHECK_EQ(a->marks, b->marks);
    CHECK_EQ(a->end_tick, b->end_tick);
    for (m = 0; m < 4; m++) {
        CHECK_EQ(a->count[m], b->count[m]);
        CHECK_EQ(a->steps[m], b->steps[m]);
    }
}

static struct recording play_text(struct driver *d, int mode, const char *text) { return play(d, mode, PW_GCODE, text, (int32_t)strlen(text)); }

/* -- errors -------------------------------------------------------------------------------------------------------------------- */

static const struct bad { const char *text; int code, line, column, dialect; } bads[] = {
    {"G1 X10 F600\nG1 X1O\n", PW_E_WORD, 2, 6, 0},
    {"\xEF\xBB\xBFG1 X1\n", PW_E_SYNTAX, 1, 1, 0},
    {"G1 X1 X2 F1\n", PW_E_REPEATED, 1, 7, 0},
    {"G1 G2\n", PW_E_REPEATED, 1, 4, 0},
    {"G1 X1 M3 F1\n", PW_E_REPEATED, 1, 7, 0},
    {"X10\n", PW_E_SYNTAX, 1, 1, 0},
    {"  Y10\n", PW_E_SYNTAX, 1, 3, 0},
    {"G1 X1 0 F1\n", PW_E_SYNTAX, 1, 7, 0},
    {"G1 A5 F600\n", PW_E_WORD, 1, 4, 0},
    {"G1 X5 F600 S3\n", PW_E_WORD, 1, 12, 0},
    {"G1 X5 (never closed\n", PW_E_SYNTAX, 1, 7, 0},
    {"%\n", PW_E_SYNTAX, 1, 1, 0},
    {"/G1 X1\n", PW_E_SYNTAX, 1, 1, 0},
    {"G1 X[1+2] F1\n", PW_E_SYNTAX, 1, 5, 0},
    {"EXCLUDE_OBJEKT\n", PW_E_SYNTAX, 1, 1, 0},
    {"SET_FAN S=1\n", PW_E_SYNTAX, 1, 1, 0},
    {"<html>\n", PW_E_SYNTAX, 1, 1, 0},
    {"G90 X1\n", PW_E_WORD, 1, 5, 0},
    {"M83 E\n", PW_E_WORD, 1, 5, 0},
    {"G1 X F600\n", PW_E_NUMBER, 1, 4, 0},
    {"G1 X- F600\n", PW_E_NUMBER, 1, 4, 0},
    {"G1 X. F600\n", PW_E_NUMBER, 1, 4, 0},
    {"G1 X1.2.3 F600\n", PW_E_NUMBER, 1, 4, 0},
    {"G1 X1e9999999999 F600\n", PW_E_NUMBER, 1, 6, 0},
    {"G1 X99999999999 F600\n", PW_E_NUMBER, 1, 4, 0},
    {"G1 XNaN F600\n", PW_E_REPEATED, 1, 7, 0},
    {"G1 Xinf F600\n", PW_E_REPEATED, 1, 9, 0},
    {"G1 X0x10 F600\n", PW_E_REPEATED, 1, 6, 0},
    {"G\n", PW_E_NUMBER, 1, 1, 0},
    {"G-1 X1\n", PW_E_NUMBER, 1, 1, 0},
    {"G1.25 X1\n", PW_E_NUMBER, 1, 1, 0},
    {"T\n", PW_E_NUMBER, 1, 1, 0},
    {"T?\n", PW_E_NUMBER, 1, 1, 0},
    {"G123456 X1\n", PW_E_NUMBER, 1, 1, 0},
    {"N1.5 G1 X1\n", PW_E_NUMBER, 1, 1, 0},
    {"N1 G1 X1 F60*7\n", PW_E_CHECKSUM, 1, 13, 0},
    {"G1 X1 F60*\n", PW_E_CHECKSUM, 1, 10, 0},
    {"G1 X1 F60*300\n", PW_E_CHECKSUM, 1, 10, 0},
    {"G1 X1 F60*1 2\n", PW_E_CHECKSUM, 1, 10, 0},
    {"G10\n", PW_E_RETRACT, 1, 1, 0},
    {"N5 G11\n", PW_E_RETRACT, 1, 4, 0},
    {"G1 X235.000001 F600\n", PW_E_VOLUME, 1, 4, 0},
    {"G1 X5 Y-.000001 F600\n", PW_E_VOLUME, 1, 7, 0},
    {"G91\nG1 Z-1 F600\n", PW_E_VOLUME, 2, 4, 0},
    {"G1 X1000000000 F600\n", PW_E_VOLUME, 1, 4, 0},
    {"G20\nG1 X9.3 F600\n", PW_E_VOLUME, 2, 4, 0},
    {"G1 X20 Y20 F600\nG2 I-21\n", PW_E_VOLUME, 2, 1, 0},
    {"G1 X5\n", PW_E_NO_FEEDRATE, 1, 1, 0},
    {"G0 X0\n", PW_E_NO_FEEDRATE, 1, 1, 0},
    {"G28\nG1 Z.3\n", PW_E_NO_FEEDRATE, 2, 1, 0},
    {"G1 X5 F0\n", PW_E_FEEDRATE, 1, 7, 0},
    {"G1 F-100\n", PW_E_FEEDRATE, 1, 4, 0},
    {"M83\nG1 X10 E5 F600\n", PW_E_EXTRUSION, 2, 8, 0},
    {"G1 E101 F600\n", PW_E_EXTRUSION, 1, 4, 0},
    {"G1 E50 F600\nG1 X10 E-51\n", PW_E_EXTRUSION, 2, 8, 0},
    {"G92 E9000000000\nG1 E0 F600\n", PW_E_EXTRUSION, 2, 4, 0},
    {"G1 X10 Y10 F600\nG2 X20\n", PW_E_ARC, 2, 1, 0},
    {"G1 X10 Y10 F600\nG2 X20 R1\n", PW_E_ARC, 2, 8, 0},
    {"G18\nG2 X10 J5 F600\n", PW_E_WORD, 2, 8, 0},
    {"G92 X0\n", PW_E_OFFSET, 1, 5, 0},
    {"G92\n", PW_E_OFFSET, 1, 1, 0},
    {"G92 E0 Z5\n", PW_E_OFFSET, 1, 8, 0},
    {"G4 P-1\n", PW_E_DWELL, 1, 4, 0},
    {"G4 S3601\n", PW_E_DWELL, 1, 1, 0},
    {"G4 X1\n", PW_E_WORD, 1, 4, 0},
    {"M204 S0\n", PW_E_VALUE, 1, 6, 0},
    {"M201 X-5\n", PW_E_VALUE, 1, 6, 0},
    {"M203 Z0\n", PW_E_VALUE, 1, 6, 0},
    {"M205 X-1\n", PW_E_VALUE, 1, 6, 0},
    {"M204 S\n", PW_E_NUMBER, 1, 6, 0},
    {"G20\n", PW_E_DIALECT, 1, 1, 1},
    {"G18\n", PW_E_DIALECT, 1, 1, 1},
    {"G29\n", PW_E_DIALECT, 1, 1, 1},
    {"G28.1\n", PW_E_DIALECT, 1, 1, 1},
    {"G1 X1 F60\nM204 S500\n", PW_E_DIALECT, 2, 1, 1},
    {"M900 K.1\n", PW_E_DIALECT, 1, 1, 1},
    {"M104 S2!0\n", PW_E_SYNTAX, 1, 8, 0},
    {"T1\n", PW_E_TOOL, 1, 1, 0},
    {"M900 T1 K0\n", PW_E_TOOL, 1, 6, 0},
};

static void test_errors(void)
{
    struct pw_config cfg = helper_config(0);
    struct driver d = make(&cfg);
    struct pw_status st;
    unsigned i, k, seen = 0;
    char big[1000];
    for (i = 0; i < sizeof bads / sizeof *bads; i++) {
        int32_t len = (int32_t)strlen(bads[i].text), cut;
        for (cut = 0; cut < len; cut++) {
            struct recording s, f;
            d.split = cut;
            s = play(&d, PW_SCAN, bads[i].dialect, bads[i].text, len);
            f = play(&d, PW_FEED, bads[i].dialect, bads[i].text, len);
            if (f.last.code != bads[i].code || f.last.line != bads[i].line || (bads[i].column && f.last.column != bads[i].column))
                printf("%s: %s line %lld column %lld\n", bads[i].text, pw_err_name((int32_t)f.last.code), (long long)f.last.line, (long long)f.last.column);
            CHECK_EQ(f.last.kind, PW_EV_ERROR);
            CHECK_EQ(f.last.code, bads[i].code);
            CHECK_EQ(f.last.line, bads[i].line);
            if (bads[i].column) CHECK_EQ(f.last.column, bads[i].column);
            CHECK_EQ(s.events, f.events);
            pw_status(d.core, &st);
            CHECK_EQ(st.state, 3);
            CHECK_EQ(st.error, bads[i].code);
        }
        /* the last line may lack its end */
        d.split = 0;
        CHECK_EQ(play(&d, PW_FEED, bads[i].dialect, bads[i].text, len - 1).last.code, bads[i].code);
    }
    memset(big, '0', sizeof big);
    memcpy(big, "G1 X", 4);
    big[300] = '\n';
    CHECK_EQ(play(&d, PW_FEED, PW_GCODE, big, 301).last.code, PW_E_LINE_LENGTH);
    memset(big, '9', sizeof big);
    memcpy(big, "G1 X0.", 6);
    memcpy(big + 200, " F60\n", 5);
    CHECK_EQ(play(&d, PW_FEED, PW_GCODE, big, 205).last.kind, PW_EV_END); /* many decimals are no error: they round to 1 */
    CHECK_EQ(pw_status(d.core, &st), PW_OK);
    CHECK_EQ(st.position_nm[0], 1000000);
    /* every code of the text occurs above, and has a name of its own */
    for (k = 20; k <= 35; k++)
        for (i = 0; i < sizeof bads / sizeof *bads; i++)
            if (bads[i].code == -(int)k || k == 22) { seen++; break; }
    CHECK_EQ(seen, 15);
    for (i = 0; i <= 15; i++)
        for (k = 0; k < i; k++) CHECK(strcmp(pw_err_name(-20 - (int)i), pw_err_name(-20 - (int)k)) != 0);
    CHECK(strcmp(pw_err_name(-34), "PW_E_DIALECT") == 0 && strcmp(pw_err_name(0), "PW_OK") == 0);
    unmake(&d);
}

static void test_long_line(void)
{
    struct pw_config cfg = helper_config(0);
    struct driver d = make(&cfg);
    struct pw_event ev;
    static char junk[65536];
    int i;
    memset(junk, 'x', sizeof junk);
    pw_begin(d.core, PW_SCAN, PW_GCODE);
    CHECK_EQ(pw_scan(d.core, "G1 F60 ;", 8, &ev), 8);
    for (i = 0; i < 160; i++) CHECK_EQ(pw_scan(d.core, junk, sizeof junk, &ev), (int)sizeof junk); /* 10 MB of comment */
    CHECK_EQ(pw_scan(d.core, "\nM117 ", 6, &ev), 6);
    for (i = 0; i < 160; i++) CHECK_EQ(pw_scan(d.core, junk, sizeof junk, &ev), (int)sizeof junk);
    CHECK_EQ(ev.kind, PW_EV_NONE);
    CHECK_EQ(pw_scan(d.core, "\n", 1, &ev), 1);
    CHECK_EQ(ev.number, 117);
    memset(junk, ' ', sizeof junk);
    for (i = 0; i < 160 && ev.kind != PW_EV_ERROR; i++) CHECK(pw_scan(d.core, junk, sizeof junk, &ev) >= 0);
    CHECK_EQ(ev.code, PW_E_LINE_LENGTH);
    CHECK_EQ(i, 1);
    unmake(&d);
}

/* -- what passes ----------------------------------------------------------------------------------------------------------------- */

static const char program[] =
    "; generated by hand\r\n"
    "M73 P0 R5\rM201 X2000 Y2000 Z100 E5000 ; limits\n"
    "M862.3 P \"MK3S\" ; printer\nN1 G28 X Y*19\n"
    "(a comment (with one inside) G21\n\n  g90 \n\tM83\n"
    "M104 S200 T0\nM117 Hello; wOrld (x\nM109 S200\nT0\nM486 Acube.stl id:0 copy 0\n"
    ";LAYER_CHANGE\n;Z:0.2\n;LAYER:0\n;LAYER:-3 \n;LAYER_COUNT:55\n ;LAYER:7\nG1 X1 F600 ;LAYER:8\n"
    "G1X60Y60F 6000\nG 1 X61.5 Y60 E .05\nG1 X62 Y60.4 E0.02\nG1 X62.5 Y61 E0.02\nG1 E-.8 F2100\nG1 Z.6 F600\nG0 X100 Y100 F9000\nG1 Z.2\nG1 E.8\n"
    "G2 X110 Y110 I10 J0 E.3 F1800\nG3 X100 Y100 R10 E.3\nM106 S127.5\nG3 I5 Z.4 E.3\nG4 P20\nM204 S800\nG1 X120 E.3\nG1 X120.05 E.002\n"
    "G1 X120.1 E.002\nG1 X120.15 E.002\nM205 X3 Y3\nG1 Y110 E.3\nG1 X110 E.3\nG1 Y100 E.3\nM107\nM900 K.04\nG92 E0\nM82\nG1 X100 E.3\nG1 X90 E.6\n"
    "N12 M117 with sum*3*103\nM300 S440 P200\nM220 S100\nG28 Z\nG1 X10 Y10 F12000\nM84 X Y E\nG91\nG1 Z1 F300\nG90\nG1 X0 Y0 F3000";

static void test_splits(void)
{
    struct pw_config cfg = helper_config(0);
    struct driver d = make(&cfg);
    int32_t len = (int32_t)sizeof program - 1, cut;
    struct recording whole, other;
    struct pw_status st;
    uint64_t seed;
    whole = play(&d, PW_FEED, PW_GCODE, program, len);
    if (whole.last.kind != PW_EV_END) printf("%s line %lld\n", pw_err_name((int32_t)whole.last.code), (long long)whole.last.line);
    CHECK_EQ(whole.last.kind, PW_EV_END);
    CHECK_EQ(whole.event_count, 20);
    CHECK(whole.step_count > 10000);
    CHECK_EQ(pw_status(d.core, &st), PW_OK);
    CHECK_EQ(st.ignored, 1);
    CHECK_EQ(st.state, 2);
    CHECK_EQ(st.position_nm[2], 1000000);
    for (cut = 1; cut < len; cut++) {
        d.split = cut;
        other = play(&d, PW_FEED, PW_GCODE, program, len);
        same(&whole, &other);
    }
    d.split = 0;
    for (seed = 1; seed <= 40; seed++) { /* random pieces, budgets, drains */
        d.seed = seed;
        d.budget = 1 + (int32_t)(seed % 9);
        other = play(&d, PW_FEED, PW_GCODE, program, len);
        same(&whole, &other);
    }
    unmake(&d);
    for (seed = 1; seed <= 4; seed++) { /* sizes of rings are no part of the stream */
        cfg.ring_runs = seed < 3 ? 16 : 4096;
        cfg.ring_marks = seed & 1 ? 1 : 50;
        d = make(&cfg);
        d.seed = seed;
        d.budget = 3;
        other = play(&d, PW_FEED, PW_GCODE, program, len);
        same(&whole, &other);
        unmake(&d);
    }
}

/* A longer program, with windows that fill: lines, curves, dwells, marks, flushes. */
static int32_t random_program(struct driver *r, char *out, int32_t size)
{
    int32_t at = 0;
    double x = 100, y = 100, e = 0;
    int i;
    at += snprintf(out, (size_t)size, "G1 X100 Y100 F6000\n");
    for (i = 0; i < 900; i++) {
        uint32_t k = rnd(r) % 60;
        if (k == 0) at += snprintf(out + at, (size_t)(size - at), "M106 S%u\n", rnd(r) % 255);
        else if (k == 1) at += snprintf(out + at, (size_t)(size - at), "G%u\nG1 X%.3f Y%.3f\n", rnd(r) % 2 ? 29 : 28, x, y);
        else if (k == 2) at += snprintf(out + at, (size_t)(size - at), "G4 P%u\n", rnd(r) % 30);
        else if (k == 3) at += snprintf(out + at, (size_t)(size - at), "G1 F%u\n", 300 + rnd(r) % 18000);
        else if (k == 4) at += snprintf(out + at, (size_t)(size - at), "M204 S%u\n", 300 + rnd(r) % 4000);
        else if (k == 5) { e -= 1; at += snprintf(out + at, (size_t)(size - at), "G1 E%.5f\n", e); }
        else if (k == 6) at += snprintf(out + at, (size_t)(size - at), "G1 Z%u.%u\n", rnd(r) % 3, rnd(r) % 10);
        else if (k == 7) at += snprintf(out + at, (size_t)(size - at), "G3 I%u J1\n", 1 + rnd(r) % 9);
        else if (k == 8) at += snprintf(out + at, (size_t)(size - at), "T0\n");
        else {
            double s = k < 40 ? 0.3 : 8;
            x += s * ((double)(rnd(r) % 1000) / 500 - 1);
            y += s * ((double)(rnd(r) % 1000) / 500 - 1);
            x = x < 20 ? 20 : x > 200 ? 200 : x;
            y = y < 20 ? 20 : y > 200 ? 200 : y;
            e += s * 0.01;
            at += snprintf(out + at, (size_t)(size - at), "G1 X%.3f Y%.3f E%.5f\n", x, y, e);
        }
    }
    return at;
}

static void test_budgets(void)
{
    static char text[80000];
    uint64_t seed;
    for (seed = 1; seed <= 12; seed++) {
        struct pw_config cfg = helper_config((int)(seed & 1));
        struct driver r, d;
        struct recording whole, other, scan;
        int32_t len, i;
        memset(&r, 0, sizeof r);
        r.seed = seed;
        cfg.window = seed % 3 == 0 ? 16 : seed % 3 == 1 ? 64 : 256;
        if (seed % 4 == 0) cfg.min_segment_us = 4000;
        len = random_program(&r, text, sizeof text);
        d = make(&cfg);
        whole = play(&d, PW_FEED, PW_GCODE, text, len);
        if (whole.last.kind != PW_EV_END) printf("%s line %lld\n", pw_err_name((int32_t)whole.last.code), (long long)whole.last.line);
        CHECK_EQ(whole.last.kind, PW_EV_END);
        scan = play(&d, PW_SCAN, PW_GCODE, text, len);
        CHECK_EQ(scan.event_count, whole.event_count);
        for (i = 1; i <= 6; i++) {
            d.seed = seed * 100 + (uint64_t)i;
            d.budget = i * i;
            other = play(&d, PW_FEED, PW_GCODE, text, len);
            same(&whole, &other);
        }
        unmake(&d);
    }
}

static void test_marks(void)
{
    struct pw_config cfg = helper_config(0);
    struct driver d = make(&cfg);
    struct recording r;
    struct pw_status st;
    struct pw_markrec mark;
    struct pw_event ev;
    /* a mark takes no look-ahead: the line through it is as fast as without */
    int64_t with = play_text(&d, PW_FEED, "G1 X50 F6000\nM106 S1\nG1 X100\n").end_tick, without = play_text(&d, PW_FEED, "G1 X50 F6000\nG1 X100 F6000\n").end_tick;
    CHECK(with - without < 16000 && without - with < 16000);
    CHECK(play_text(&d, PW_FEED, "G1 X50 F6000\nG29\nG1 X100\n").end_tick > with + 160000); /* a flush stops */
    r = play_text(&d, PW_FEED, "M106 S1\nG1 X50 F6000\nM106 S2\nG4 P100\nM106 S3\n");
    CHECK_EQ(r.mark_tick[0], 0);
    CHECK(r.mark_tick[1] > 8000000 && r.mark_tick[1] < 9600000);
    CHECK_NEAR(r.mark_tick[2] - r.mark_tick[1], 1600000, 1);
    CHECK_NEAR(r.mark_tick[2], r.end_tick, 1);
    /* calls by hand */
    CHECK_EQ(pw_begin(d.core, PW_FEED, PW_GCODE), PW_OK);
    CHECK_EQ(pw_mark(d.core, 77), PW_OK);
    CHECK_EQ(pw_marks(d.core, &mark, 1), 1);
    CHECK_EQ(mark.id, 77);
    CHECK_EQ(pw_feed(d.core, "G1 X9 F600\n", 11, &ev), 11);
    pw_status(d.core, &st);
    CHECK_EQ(st.idle, 0);
    CHECK_EQ(pw_run(d.core, 100), 0); /* may still grow */
    CHECK_EQ(pw_flush(d.core), PW_OK);
    CHECK(pw_run(d.core, 10000) > 0);
    pw_status(d.core, &st);
    CHECK_EQ(st.count[0], 720);
    CHECK_EQ(st.line, 1);
    CHECK_EQ(st.moves, 1);
    /* override from the next move on */
    CHECK_EQ(pw_override(d.core, 9, 1000), PW_E_ARG);
    CHECK_EQ(pw_override(d.core, 1000, 2001), PW_E_ARG);
    CHECK_EQ(pw_override(d.core, 500, 1000), PW_OK);
    unmake(&d);
}

/* -- the second context ---------------------------------------------------------------------------------------------------------- */

static void side(struct driver *d, struct recording *rec, const char *text, const int64_t want[4])
{
    struct recording scratch;
    struct pw_event ev;
    struct pw_status st;
    int32_t at = 0, len = (int32_t)strlen(text), m;
    (void)rec;
    memset(&scratch, 0, sizeof scratch);
    CHECK_EQ(pw_enter(d->core), PW_OK);
    CHECK_EQ(pw_enter(d->core), PW_E_STATE);
    while (at < len) {
        int32_t n = pw_feed(d->core, text + at, len - at, &ev);
        CHECK(n >= 0);
        at += n;
        CHECK(ev.kind != PW_EV_ERROR);
        work(d, &scratch);
    }
    while (pw_flush(d->core) == PW_E_FULL) work(d, &scratch);
    do {
        work(d, &scratch);
        drain(d, &scratch, 1);
        pw_status(d->core, &st);
    } while (!st.idle);
    if (want) for (m = 0; m < 3; m++) CHECK_EQ(st.count[m], want[m]);
    CHECK_EQ(pw_end(d->core, &ev), PW_E_STATE);
    CHECK_EQ(pw_leave(d->core), PW_OK);
    CHECK_EQ(pw_leave(d->core), PW_E_STATE);
}

static void test_side(void)
{
    struct pw_config cfg = helper_config(0);
    struct driver d = make(&cfg), e;
    static char text[80000];
    struct driver r;
    struct recording whole, rec;
    struct pw_event ev;
    struct pw_status st;
    int32_t len, at = 0, i;
    uint32_t id = 0;
    const int64_t home[4] = {800, 0, 0, 0}, parked[4] = {1600, 2400, 2000, -96};
    /* before any document */
    side(&d, 0, "G92 X0 Y0 Z0\nG91\nG1 X-200 F6000\nG92 X0\nG1 X10\n", home);
    memset(&r, 0, sizeof r);
    r.seed = 5;
    len = random_program(&r, text, sizeof text);
    whole = play(&d, PW_FEED, PW_GCODE, text, len);
    /* the same with the second context between any two calls */
    e = make(&cfg);
    memset(&rec, 0, sizeof rec);
    CHECK_EQ(pw_begin(e.core, PW_FEED, PW_GCODE), PW_OK);
    for (i = 0;; i++) {
        int32_t n = at < len ? pw_feed(e.core, text + at, len - at, &ev) : pw_end(e.core, &ev);
        CHECK(n >= 0);
        at += n;
        if (i % 7 == 3) side(&e, &rec, "G92 X10 Y10 Z1 E0\nG1 E-1 F600\nG1 Z5 F300\nG1 X20 Y30 F6000\n", parked);
        if (ev.kind == PW_EV_NONE) continue;
        if (ev.kind == PW_EV_FULL) { work(&e, &rec); continue; }
        note(&rec, &ev);
        if (ev.kind == PW_EV_END) break;
        act(&e, &rec, &id);
    }
    do {
        work(&e, &rec);
        pw_status(e.core, &st);
    } while (!st.idle);
    drain(&e, &rec, 1);
    rec.end_tick = st.final_tick;
    rec.count[0] = st.count[0]; rec.count[1] = st.count[1]; rec.count[2] = st.count[2]; rec.count[3] = st.count[3];
    same(&whole, &rec);
    /* after the end, and after an error */
    side(&e, 0, "G91\nG1 Z1 F300\n", 0);
    play_text(&e, PW_FEED, "G1 X50 Y50 Z2 F6000\nG1 X500\n");
    pw_status(e.core, &st);
    CHECK_EQ(st.state, 3);
    side(&e, 0, "G91\nG1 X0.5 Z1 F300\n", (const int64_t[4]){4040, 4000, 1200, 0});
    /* held in the middle: coordinates are those of the counts drained */
    CHECK_EQ(pw_begin(e.core, PW_FEED, PW_GCODE), PW_OK);
    pw_feed(e.core, "G1 X100 Y30 F6000\n", 18, &ev);
    pw_flush(e.core);
    do {
        CHECK(pw_run(e.core, 1) > 0);
        pw_status(e.core, &st);
    } while (st.count[0] == 0);
    CHECK(st.idle == 0 && st.count[0] > 0 && st.count[0] < 8000);
    CHECK_EQ(pw_enter(e.core), PW_OK);
    { struct pw_status s2; pw_status(e.core, &s2); CHECK_EQ(s2.count[0], st.count[0]); CHECK_EQ(s2.position_nm[0], st.count[0] * 12500); CHECK_EQ(s2.idle, 1); }
    CHECK_EQ(pw_leave(e.core), PW_OK);
    unmake(&d);
    unmake(&e);
}

/* -- arguments, memory, configuration ---------------------------------------------------------------------------------------------- */

static void test_arguments(void)
{
    struct pw_config cfg = helper_config(0), bad;
    struct driver d = make(&cfg);
    struct pw_event ev;
    struct pw_status st;
    struct pw_core *core;
    struct pw_steprun run = {65536, 65536, 0, 3, 1};
    int64_t ticks[8];
    int32_t field, i, n = 0;
    void *mem = malloc(d.size + 8);
    while (pw_config_field(n)) n++;
    CHECK_EQ(n, sizeof cfg / sizeof(int32_t));
    CHECK(pw_config_field(-1) == 0);
    CHECK(strcmp(pw_config_field(16), "max_um[1]") == 0);
    for (i = 0; i < n; i++) {
        bad = cfg;
        ((int32_t *)&bad)[i] = INT32_MAX;
        CHECK_EQ(pw_core_size(&bad), 0);
        CHECK_EQ(pw_init(mem, d.size, &bad, &core, &field), PW_E_CONFIG);
        CHECK_EQ(field, i);
        ((int32_t *)&bad)[i] = INT32_MIN;
        CHECK_EQ(pw_init(mem, d.size, &bad, &core, &field), PW_E_CONFIG);
        CHECK_EQ(field, i);
    }
    bad = cfg;
    bad.home_um[1] = -1;
    CHECK_EQ(pw_init(mem, d.size, &bad, &core, &field), PW_E_CONFIG);
    CHECK(strcmp(pw_config_field(field), "home_um[1]") == 0);
    bad = cfg;
    bad.tick_hz = 1000000;
    bad.max_velocity_um_s = 1000000;
    CHECK_EQ(pw_init(mem, d.size, &bad, &core, &field), PW_E_CONFIG);
    CHECK(strcmp(pw_config_field(field), "max_velocity_um_s") == 0);
    CHECK_EQ(pw_init(mem, d.size - 1, &cfg, &core, &field), PW_E_MEMORY);
    CHECK_EQ(pw_init((char *)mem + 4, d.size, &cfg, &core, &field), PW_E_MEMORY);
    CHECK_EQ(pw_init(0, d.size, &cfg, &core, &field), PW_E_ARG);
    CHECK_EQ(pw_core_size(0), 0);
    CHECK_EQ(pw_feed(d.core, "", 0, &ev), PW_E_STATE);
    CHECK_EQ(pw_scan(d.core, "", 0, &ev), PW_E_STATE);
    CHECK_EQ(pw_end(d.core, &ev), PW_E_STATE);
    CHECK_EQ(pw_begin(d.core, 2, 0), PW_E_ARG);
    CHECK_EQ(pw_begin(d.core, 0, 2), PW_E_ARG);
    CHECK_EQ(pw_begin(0, 0, 0), PW_E_ARG);
    pw_begin(d.core, PW_FEED, PW_GCODE);
    CHECK_EQ(pw_feed(d.core, 0, 1, &ev), PW_E_ARG);
    CHECK_EQ(pw_feed(d.core, "", -1, &ev), PW_E_ARG);
    CHECK_EQ(pw_feed(d.core, "", 0, 0), PW_E_ARG);
    CHECK_EQ(pw_status(d.core, 0), PW_E_ARG);
    CHECK_EQ(pw_status(0, &st), PW_E_ARG);
    CHECK_EQ(pw_run(d.core, -1), PW_E_ARG);
    CHECK_EQ(pw_steps(d.core, PW_MOTORS, &run, 1), PW_E_ARG);
    CHECK_EQ(pw_steps(d.core, 0, 0, 1), PW_E_ARG);
    CHECK_EQ(pw_marks(d.core, 0, 1), PW_E_ARG);
    CHECK_EQ(pw_expand(&run, 1, ticks, 8), 2);
    CHECK_EQ(ticks[0], 2);
    CHECK_EQ(ticks[1], 3);
    CHECK_EQ(pw_expand(&run, 3, ticks, 8), 0);
    CHECK_EQ(pw_expand(&run, -1, ticks, 8), PW_E_ARG);
    run.add_q16 = -32768; /* 1, 2, 2.5: rounds up */
    CHECK_EQ(pw_expand(&run, 0, ticks, 8), 3);
    CHECK_EQ(ticks[2], 3);
    /* ends twice; feeding after the end */
    pw_feed(d.core, "G1 F60", 6, &ev);
    CHECK_EQ(pw_end(d.core, &ev), PW_OK);
    CHECK_EQ(ev.kind, PW_EV_END);
    CHECK_EQ(pw_end(d.core, &ev), PW_OK);
    CHECK_EQ(ev.kind, PW_EV_END);
    CHECK_EQ(pw_feed(d.core, "\n", 1, &ev), PW_E_STATE);
    free(mem);
    unmake(&d);
}

/* A scan between two feeds does not touch them, and two cores do not touch each other. */
static void test_apart(void)
{
    struct pw_config cfg = helper_config(0), other = helper_config(1);
    struct driver a = make(&cfg), b = make(&other);
    struct recording alone, between;
    struct pw_event ev, ev2;
    struct pw_status st;
    int32_t at = 0, len = (int32_t)sizeof program - 1;
    uint32_t id = 0;
    alone = play(&a, PW_FEED, PW_GCODE, program, len);
    memset(&between, 0, sizeof between);
    CHECK_EQ(pw_begin(a.core, PW_FEED, PW_GCODE), PW_OK);
    CHECK_EQ(pw_begin(b.core, PW_FEED, PW_GCODE), PW_OK);
    for (;;) {
        int32_t n = at < len ? pw_feed(a.core, program + at, at + 5 < len ? 5 : len - at, &ev) : pw_end(a.core, &ev);
        CHECK(n >= 0);
        at += n;
        CHECK_EQ(pw_begin(a.core, PW_SCAN, PW_SAFE_GCODE), PW_OK);
        CHECK_EQ(pw_scan(a.core, "G1 X5 F600\nG2", 13, &ev2), 13);
        pw_feed(b.core, "G1 X5 F600\nG1 X6\n", 17, &ev2);
        pw_run(b.core, 10);
        if (ev.kind == PW_EV_NONE) continue;
        if (ev.kind == PW_EV_FULL) { work(&a, &between); continue; }
        note(&between, &ev);
        if (ev.kind == PW_EV_END) break;
        act(&a, &between, &id);
    }
    do {
        work(&a, &between);
        pw_status(a.core, &st);
    } while (!st.idle);
    drain(&a, &between, 1);
    CHECK_EQ(alone.events, between.events);
    CHECK_EQ(alone.steps[0], between.steps[0]);
    CHECK_EQ(alone.steps[3], between.steps[3]);
    unmake(&a);
    unmake(&b);
}

static void test_file(const char *name)
{
    struct pw_config cfg = helper_config(0);
    struct driver d = make(&cfg);
    struct recording feed, scan;
    char *text;
    long len;
    FILE *in = fopen(name, "rb");
    CHECK(in);
    fseek(in, 0, SEEK_END);
    len = ftell(in);
    rewind(in);
    text = malloc((size_t)len);
    CHECK_EQ(fread(text, 1, (size_t)len, in), len);
    fclose(in);
    scan = play(&d, PW_SCAN, PW_GCODE, text, (int32_t)len);
    feed = play(&d, PW_FEED, PW_GCODE, text, (int32_t)len);
    if (feed.last.kind == PW_EV_ERROR) printf("%s:%lld:%lld %s\n", name, (long long)feed.last.line, (long long)feed.last.column, pw_err_name((int32_t)feed.last.code));
    CHECK_EQ(feed.last.kind, PW_EV_END);
    CHECK_EQ(scan.last.kind, PW_EV_END);
    CHECK_EQ(scan.event_count, feed.event_count);
    free(text);
    unmake(&d);
}

int main(int argc, char **argv)
{
    int i;
    setvbuf(stdout, 0, _IOLBF, 0);
    test_errors();
    test_long_line();
    test_splits();
    test_budgets();
    test_marks();
    test_side();
    test_arguments();
    test_apart();
    for (i = 1; i < argc; i++) test_file(argv[i]);
    printf("core: ok\n");
    return 0;
}
