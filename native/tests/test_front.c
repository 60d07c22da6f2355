/* The front end alone, before a planner that only writes down what it is given: modal state, arcs against floating point, the
 * deviation of merged lines, travels of G28, and that a full queue changes nothing. */
#include <math.h>
#include "check.h"
#include "helpers.h"
#include "pw_front.h"

enum { MOST = 200000 };
enum { LINE = 0, DWELL, MARK, FLUSH, PLACE };

static struct taken { int kind; struct pw_line line; int64_t value; } log_[MOST];
static int taken_count, full_every, calls;

static int32_t take(int kind, const struct pw_line *line, int64_t value)
{
    if (full_every && ++calls % full_every == 0) return PW_E_FULL;
    CHECK(taken_count < MOST);
    log_[taken_count].kind = kind;
    memset(&log_[taken_count].line, 0, sizeof *line);
    if (line) log_[taken_count].line = *line;
    log_[taken_count++].value = value;
    return PW_OK;
}

int32_t pw_plan_line(struct pw_planner *pl, const struct pw_line *line)
{
    int i;
    (void)pl;
    for (i = 0; i < 4; i++) CHECK(llabs(line->to_nm[i] - line->from_nm[i]) <= INT32_MAX);
    return take(LINE, line, 0);
}
int32_t pw_plan_dwell(struct pw_planner *pl, int64_t ticks) { (void)pl; return take(DWELL, 0, ticks); }
int32_t pw_plan_flush(struct pw_planner *pl) { (void)pl; return take(FLUSH, 0, 0); }
int32_t pw_plan_place(struct pw_planner *pl, const int64_t nm[PW_MOTORS]) { (void)pl; return take(PLACE, 0, nm[0]); }

static struct pw_config cfg;
static struct pw_stage stage;
static struct pw_front front;
static struct pw_event ev;
static char planner; /* its address alone is used */

static void begin(int side)
{
    int64_t home[PW_MOTORS] = {cfg.home_um[0] * INT64_C(1000), cfg.home_um[1] * INT64_C(1000), cfg.home_um[2] * INT64_C(1000), 0};
    stage.planner = (struct pw_planner *)(void *)&planner;
    pw_front_begin(&front, &cfg, &stage, home, PW_GCODE, side);
    taken_count = calls = 0;
}

/* Feeds a text; returns the number of events, the last is in ev unless that says NONE. */
static int feed(const char *text)
{
    int32_t len = (int32_t)strlen(text), at = 0;
    int events = 0;
    struct pw_event last;
    memset(&last, 0, sizeof last);
    for (;;) {
        at += pw_front_take(&front, text + at, len - at, &ev);
        if (ev.kind == PW_EV_NONE) break;
        if (ev.kind == PW_EV_FULL) continue;
        last = ev;
        events++;
        if (ev.kind == PW_EV_ERROR) break;
    }
    ev = last;
    return events;
}

static void push(void) { while (pw_front_settle(&front) == PW_E_FULL) {} }

static const struct pw_line *line(int i) { CHECK(i < taken_count && log_[i].kind == LINE); return &log_[i].line; }

#define TO(i, x, y, z, e) do { CHECK_EQ(line(i)->to_nm[0], x); CHECK_EQ(line(i)->to_nm[1], y); CHECK_EQ(line(i)->to_nm[2], z); CHECK_EQ(line(i)->to_nm[3], e); } while (0)

static void test_modal(void)
{
    cfg = helper_config(0);
    cfg.merge_um = 0;
    cfg.nozzle_um = 2000; /* extrusion is another test's */
    begin(0);
    CHECK_EQ(feed("G1 X10 Y20 F600\nG91\nG1 X1.5 E1\nG90\nG1X1Y2Z3\nM83\nG1 X2 E.5\nM82\nG92 E0\nG1 X3 E0.25\n"
                  "g20\ng1 x1 y1 f60\nG21\nG1 X30. E1\nG1 F1200\nG1 X31\n"), 0);
    CHECK_EQ(taken_count, 8);
    TO(0, 10000000, 20000000, 0, 0);
    TO(1, 11500000, 20000000, 0, 1000000);
    TO(2, 1000000, 2000000, 3000000, 1000000);
    TO(3, 2000000, 2000000, 3000000, 1500000);
    TO(4, 3000000, 2000000, 3000000, 1750000);
    TO(5, 25400000, 25400000, 3000000, 1750000);
    TO(6, 30000000, 25400000, 3000000, 2500000);
    CHECK_EQ(line(0)->velocity_um_s, 10000);
    CHECK_EQ(line(5)->velocity_um_s, 25400);
    CHECK_EQ(line(6)->velocity_um_s, 25400);
    CHECK_EQ(line(7)->velocity_um_s, 20000);
    CHECK_EQ(front.moves, 8);
    /* rounding: the seventh decimal, half away from zero; inches to whole nm */
    begin(0);
    CHECK_EQ(feed("G1 X1.0000005 F600\nG1 X2.00000049999\nG91\nG1 X-1.0000005\nG20\nG1 X.000001\n"), 0);
    CHECK_EQ(line(0)->to_nm[0], 1000001);
    CHECK_EQ(line(1)->to_nm[0], 2000000);
    CHECK_EQ(line(2)->to_nm[0], 999999);
    CHECK_EQ(line(3)->to_nm[0], 1000024);
}

static void test_limits(void)
{
    cfg = helper_config(0);
    cfg.merge_um = 0;
    begin(0);
    CHECK_EQ(feed("M204 P1000 T2000 R500\nG1 X10 E.1 F6000\nG1 X20\nG1 E0\nM204 S1500\nG1 X30 E.1\nG1 X40\nM201 X700 Y900 Z50 E4000\nG1 X50\n"
                  "M201 X99999 Y99999 Z99999 E99999\nM203 X40 Y50 Z3 E10\nG1 X60\nM205 X2 Y3 E1\nG1 X70\nM204 S99999\nM205 X50 Y50 E50\nG1 X80\nM205 J0.01\nG1 X90\n"), 0);
    CHECK_EQ(line(0)->accel_um_s2, 1000000);
    CHECK_EQ(line(1)->accel_um_s2, 2000000);
    CHECK_EQ(line(2)->accel_um_s2, 500000);
    CHECK_EQ(line(3)->accel_um_s2, 1500000);
    CHECK_EQ(line(4)->accel_um_s2, 1500000);
    CHECK_EQ(line(5)->accel_um_s2, 1500000); /* along the path; what X and Y say is projected */
    CHECK_EQ(line(5)->axis_accel_um_s2[0], 700000);
    CHECK_EQ(line(5)->axis_accel_um_s2[1], 900000);
    CHECK_EQ(line(5)->axis_accel_um_s2[2], 50000);
    CHECK_EQ(line(5)->e_accel_um_s2, 4000000);
    CHECK_EQ(line(6)->velocity_um_s, 100000);
    CHECK_EQ(line(6)->axis_velocity_um_s[0], 40000);
    CHECK_EQ(line(6)->axis_velocity_um_s[1], 50000);
    CHECK_EQ(line(6)->axis_accel_um_s2[0], cfg.max_accel_um_s2);
    CHECK_EQ(line(6)->axis_velocity_um_s[2], 3000);
    CHECK_EQ(line(6)->e_velocity_um_s, 10000);
    CHECK_EQ(line(6)->axis_accel_um_s2[2], cfg.axis_accel_um_s2[2]);
    CHECK_EQ(line(7)->corner_um_s, 2000);
    CHECK_EQ(line(7)->e_corner_um_s, 1000);
    CHECK_EQ(line(8)->accel_um_s2, cfg.max_accel_um_s2);
    CHECK_EQ(line(8)->corner_um_s, cfg.corner_um_s);
    cfg.corner_um_s = 20000; /* J 0.01 at 3000: sqrt(0.01 * 3000 / 0.41421) = 8.51 mm/s */
    begin(0);
    CHECK_EQ(feed("M205 J0.01\nG1 X9 F600\n"), 0);
    CHECK_NEAR(line(0)->corner_um_s, 8510.4, 2);
}

/* The word that is wrong, in front of the others. */
static void test_limit_errors(void)
{
    static const struct { const char *text; int code, column; } bad[] = {
        {"M201 X0\n", PW_E_VALUE, 6}, {"M203 X100 Y0 Z5\n", PW_E_VALUE, 11}, {"M203 E-1\n", PW_E_VALUE, 6}, {"M204 S0\n", PW_E_VALUE, 6},
        {"M204 P100 T0\n", PW_E_VALUE, 11}, {"M205 X-1\n", PW_E_VALUE, 6}, {"M201 X\n", PW_E_NUMBER, 6}, {"G1 X1 F0\n", PW_E_FEEDRATE, 7},
        {"G1 X1 F-1\n", PW_E_FEEDRATE, 7}, {"G1 Xnan F60\n", PW_E_REPEATED, 7}, {"G1 Xinf F60\n", PW_E_REPEATED, 9}, {"G1 X F60\n", PW_E_NUMBER, 4},
        {"G1 X--1 F60\n", PW_E_NUMBER, 4}, {"G1 X1e3 F60\n", PW_E_EXTRUSION, 6}, {"G1 X999999999999 F60\n", PW_E_NUMBER, 4},
        {"G1 X9007199254 F60\n", PW_E_VOLUME, 4}, {"G91\nG1 X-9007199254 F60\n", PW_E_VOLUME, 4}, {"G1 E200 F60\n", PW_E_EXTRUSION, 4},
        {"G1 E-100.000001 F60\n", PW_E_EXTRUSION, 4}, {"G1 X1 E9007199254 F60\n", PW_E_EXTRUSION, 7}, {"G1 X1\n", PW_E_NO_FEEDRATE, 1},
        {"G20\nG1 X9007199254 F60\n", PW_E_VOLUME, 4}, {"G1 X5 X6 F60\n", PW_E_REPEATED, 7},
    };
    unsigned i;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        cfg = helper_config(0);
        begin(0);
        if (feed(bad[i].text) != 1 || ev.code != bad[i].code || ev.column != bad[i].column)
            printf("%s gives %s at %d\n", bad[i].text, pw_err_name((int32_t)ev.code), (int)ev.column);
        CHECK_EQ(ev.kind, PW_EV_ERROR);
        CHECK_EQ(ev.code, bad[i].code);
        CHECK_EQ(ev.column, bad[i].column);
        CHECK_EQ(taken_count, 0);
    }
}

/* Every chord of an arc against the circle itself. */
static void arc(const char *text, double x0, double y0, double cx, double cy, double turn, double x1, double y1, double dz, double de)
{
    double r = hypot(x0 - cx, y0 - cy), a0 = atan2(y0 - cy, x0 - cx), chord = cfg.chord_um / 1000.0;
    int i, n;
    char move[100];
    begin(0);
    snprintf(move, sizeof move, "M83\nG1 X%.6f Y%.6f F3000\n", x0, y0);
    feed(move);
    CHECK_EQ(feed(text), 0);
    n = taken_count - 1;
    CHECK(n >= 1);
    for (i = 1; i <= n; i++) {
        double part = (double)i / n, a = a0 + turn * part, x = (double)line(i)->to_nm[0] / 1e6, y = (double)line(i)->to_nm[1] / 1e6;
        double ex = cx + r * cos(a) + (x1 - (cx + r * cos(a0 + turn))) * part, ey = cy + r * sin(a) + (y1 - (cy + r * sin(a0 + turn))) * part;
        CHECK_NEAR(x, ex, 5e-6);
        CHECK_NEAR(y, ey, 5e-6);
        CHECK_NEAR((double)line(i)->to_nm[2] / 1e6, dz * part, 2e-6);
        CHECK_NEAR((double)line(i)->to_nm[3] / 1e6, de * part, 2e-6);
    }
    CHECK(r * (1 - cos(turn / n / 2)) <= chord * 1.0001);
    CHECK_NEAR((double)line(n)->to_nm[0] / 1e6, x1, 1e-9);
    CHECK_NEAR((double)line(n)->to_nm[1] / 1e6, y1, 1e-9);
    /* no finer than needed: at most twice as many, and at least an eighth of a turn each */
    CHECK(n <= 2 + 1.01 * fabs(turn) / fmin(sqrt(8 * chord / r), acos(-1.0) / 4));
}

static void test_arcs(void)
{
    const double pi = acos(-1.0);
    char text[200];
    int i;
    cfg = helper_config(0);
    cfg.merge_um = 0;
    arc("G2 X110 Y100 I5 J0\n", 100, 100, 105, 100, -pi, 110, 100, 0, 0);
    arc("G3 X110 Y100 I5 J0 E1 Z2\n", 100, 100, 105, 100, pi, 110, 100, 2, 1);
    arc("G2 I5\n", 100, 100, 105, 100, -2 * pi, 100, 100, 0, 0);
    arc("G3 J-7.5 Z3 E2\n", 100, 100, 100, 92.5, 2 * pi, 100, 100, 3, 2);
    arc("G3 X105 Y105 R5\n", 100, 100, 100, 105, pi / 2, 105, 105, 0, 0);
    arc("G3 X105 Y105 R-5\n", 100, 100, 105, 100, 3 * pi / 2, 105, 105, 0, 0);
    arc("G2 X105 Y105 R5\n", 100, 100, 105, 100, -pi / 2, 105, 105, 0, 0);
    arc("G2 X105 Y105 R-5\n", 100, 100, 100, 105, -3 * pi / 2, 105, 105, 0, 0);
    arc("G2 X110 Y100 R5\n", 100, 100, 105, 100, -pi, 110, 100, 0, 0);
    arc("G2 X110.04 Y100 I5 J0\n", 100, 100, 105, 100, -pi, 110.04, 100, 0, 0);
    arc("G3 X100 Y100.0001 I0.01 J0\n", 100, 100, 100.01, 100, 2 * pi - atan(0.01), 100, 100.0001, 0, 0);
    for (i = 0; i < 500; i++) { /* any quarter, any length */
        double r = 0.05 + (i % 37) * 0.9, a0 = i * 0.37, turn = (0.01 + (i * 0.0139)) * (i & 1 ? 1 : -1), cx = 117.5, cy = 117.5, x0, y0, x1, y1;
        if (fabs(turn) > 6.2) turn /= 7;
        x0 = round((cx + r * cos(a0)) * 1e6) / 1e6;
        y0 = round((cy + r * sin(a0)) * 1e6) / 1e6;
        x1 = round((cx + r * cos(a0 + turn)) * 1e6) / 1e6;
        y1 = round((cy + r * sin(a0 + turn)) * 1e6) / 1e6;
        snprintf(text, sizeof text, "G%d X%.6f Y%.6f I%.6f J%.6f\n", turn < 0 ? 2 : 3, x1, y1, cx - x0, cy - y0);
        turn = atan2(y1 - cy, x1 - cx) - atan2(y0 - cy, x0 - cx);
        if (i & 1) { while (turn <= 0) turn += 2 * pi; } else { while (turn >= 0) turn -= 2 * pi; }
        arc(text, x0, y0, cx, cy, turn, x1, y1, 0, 0);
    }
}

static void test_arc_errors(void)
{
    static const struct { const char *text; int code; } bad[] = {
        {"G2 X10 Y0\n", PW_E_ARC}, {"G2 X10 I5 R5\n", PW_E_ARC}, {"G2 X40 R5\n", PW_E_ARC}, {"G2 X20 Y20 R5\n", PW_E_ARC},
        {"G2 X30.2 Y20 I5\n", PW_E_ARC}, {"G2 X30 Y20 I0 J0\n", PW_E_ARC}, {"G3 I30\n", PW_E_VOLUME}, {"G2 X30 Y20 I5 J0 K1\n", PW_E_WORD},
        {"G2 X30 Y20 I20000 J0\n", PW_E_ARC}, {"G18\nG2 X30 Y20 I5 J0\n", PW_E_WORD}, {"G19\nG3 X30 Y20 I5 J0\n", PW_E_WORD},
        {"G2 X30 Y20 I J0\n", PW_E_NUMBER}, {"G2 X20.001 Y30 J-25\n", PW_E_ARC}, {"G2 X20 Y20.002 I-20.5 J.001\n", PW_E_VOLUME},
    };
    unsigned i;
    cfg = helper_config(0);
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin(0);
        feed("G1 X20 Y20 F600\n");
        push();
        CHECK_EQ(taken_count, 1);
        if (feed(bad[i].text) != 1) { printf("%s", bad[i].text); CHECK(0); }
        CHECK_EQ(ev.code, bad[i].code);
        CHECK_EQ(taken_count, 1); /* nothing of it is queued */
    }
    begin(0); /* touching the limit is inside */
    CHECK_EQ(feed("G1 X20 Y20 F600\nG2 I-10 J0\nG2 I-10 J.001 X20 Y20\n"), 0);
    push();
}

/* The same arc in each plane, seen from its third axis: the same chords. */
static void test_planes(void)
{
    static const char *const text[2][3] = {
        {"G17\nG2 X110 Y110 Z102 I5 J5 E1\n", "G18\nG2 Z110 X110 Y102 K5 I5 E1\n", "G19\nG2 Y110 Z110 X102 J5 K5 E1\n"},
        {"G17\nG3 X105 Y105 R-5 E1\n", "G18\nG3 Z105 X105 R-5 E1\n", "G19\nG3 Y105 Z105 R-5 E1\n"},
    };
    static const int axes[3][3] = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
    static struct taken first[MOST];
    int which, plane, i, k, n = 0;
    cfg = helper_config(0);
    cfg.merge_um = 0;
    for (which = 0; which < 2; which++)
        for (plane = 0; plane < 3; plane++) {
            cfg.nozzle_um = 2000;
            begin(0);
            CHECK_EQ(feed("G1 X100 Y100 Z100 F600\n"), 0);
            CHECK_EQ(feed(text[which][plane]), 0);
            if (plane == 0) {
                n = taken_count;
                CHECK(n > 20);
                memcpy(first, log_, sizeof first);
            }
            CHECK_EQ(taken_count, n);
            for (k = 1; k < n; k++) {
                for (i = 0; i < 3; i++) CHECK_EQ(log_[k].line.to_nm[axes[plane][i]], first[k].line.to_nm[i]);
                CHECK_EQ(log_[k].line.to_nm[3], first[k].line.to_nm[3]);
            }
        }
    begin(0); /* seen from +y, with z up, x grows to the left: clockwise from 100 to 120 is the lower way */
    CHECK_EQ(feed("G1 X100 Y100 Z100 F600\nG18\nG2 X120 I10\n"), 0);
    for (k = 1; k < taken_count - 1; k++) CHECK(line(k)->to_nm[2] < 100000000);
    begin(0);
    CHECK_EQ(feed("G1 X100 Y100 Z5 F600\nG18\nG2 X120 I10\n"), 1); /* it dips below the bed between its ends */
    CHECK_EQ(ev.code, PW_E_VOLUME);
    push();
    CHECK_EQ(taken_count, 1);
    begin(0);
    CHECK_EQ(feed("G1 X100 Y100 Z5 F600\nG19\nG2 J3 I1\n"), 1);
    CHECK_EQ(ev.code, PW_E_WORD);
    CHECK_EQ(ev.column, 7);
}

/* A machine with three extruders. */
static void three_tools(void)
{
    cfg = helper_config(0);
    cfg.merge_um = 0;
    cfg.motors = 6;
    cfg.steps_per_m[4] = cfg.steps_per_m[5] = 95522;
    cfg.tool_x_um[1] = 20000;
    cfg.tool_y_um[1] = -1000;
    cfg.tool_z_um[2] = -500;
    CHECK_EQ(pw_config_check(&cfg), -1);
}

static void test_tools(void)
{
    three_tools();
    begin(0);
    CHECK_EQ(feed("G1 X100 Y100 Z5 F6000\nG1 E2\nT1\nG1 X110\nG1 E3\nT1\nT0\nG1 E4 X100 Y110\nT1\nG1 E5\nG1 X105 E6\n"), 4);
    CHECK_EQ(ev.letter, 'T');
    TO(0, 100000000, 100000000, 5000000, 0);
    TO(1, 100000000, 100000000, 5000000, 2000000);
    CHECK_EQ(log_[2].kind, FLUSH);
    TO(3, 90000000, 101000000, 5000000, 0); /* a travel goes straight to where the new nozzle is to be; its filament starts at 0 */
    CHECK_EQ(line(3)->tool, 1);
    TO(4, 90000000, 101000000, 5000000, 1000000); /* E goes on counting */
    CHECK_EQ(log_[5].kind, FLUSH); /* T1 again: nothing */
    TO(6, 110000000, 100000000, 5000000, 2000000); /* one that draws begins where it should */
    TO(7, 100000000, 110000000, 5000000, 3000000);
    CHECK_EQ(line(7)->tool, 0);
    CHECK_EQ(log_[8].kind, FLUSH);
    TO(9, 100000000, 110000000, 5000000, 2000000); /* E alone: the carriage stays */
    TO(10, 80000000, 111000000, 5000000, 2000000);
    TO(11, 85000000, 111000000, 5000000, 3000000);
    CHECK_EQ(front.modal.e_total_nm[0], 3000000);
    CHECK_EQ(front.modal.e_total_nm[1], 3000000);
    /* arcs begin where the nozzle in force is to be; relative moves count from the document's place */
    begin(0);
    CHECK_EQ(feed("G1 X100 Y100 Z5 F6000\nT1\nG3 X110 Y110 J10\nT2\nG91\nG1 Z1 X1\nG28 Y\n"), 3);
    CHECK_EQ(log_[1].kind, FLUSH);
    TO(2, 80000000, 101000000, 5000000, 0);
    CHECK_EQ(line(taken_count - 5)->to_nm[0], 90000000);
    CHECK_EQ(line(taken_count - 5)->to_nm[1], 111000000);
    CHECK_EQ(log_[taken_count - 4].kind, FLUSH);
    TO(taken_count - 3, 111000000, 110000000, 6500000, 0);
    TO(taken_count - 2, 111000000, 0, 6500000, 0);
    /* there and back without a move between: nothing to catch up with */
    begin(0);
    CHECK_EQ(feed("G1 X100 F6000\nT1\nT0\nG1 X101 E.01\n"), 2);
    CHECK_EQ(taken_count, 4);
    TO(3, 101000000, 0, 0, 10000);
    /* e per extruder: bounds and rests of flow */
    begin(0);
    stage.flow_permille = 950;
    CHECK_EQ(feed("M83\nG1 X1 E.000001 F600\nT2\nG1 X2 E.000001\nT0\nG1 X3 E.000001\n"), 2);
    CHECK_EQ(line(0)->to_nm[3], 0);
    CHECK_EQ(line(taken_count - 1)->to_nm[3], 1);
}

static void test_tool_bounds(void)
{
    static const struct { const char *text; int code, line, column; } bad[] = {
        {"G1 X30 Y30 F600\nT3\n", PW_E_TOOL, 2, 1}, {"T0.5\n", PW_E_TOOL, 1, 1}, {"G1 X1 F600\n  T99999\n", PW_E_TOOL, 2, 3},
        {"T1\nG1 X19.999 Y20 F600\n", PW_E_VOLUME, 2, 4},  /* the carriage would be below 0 */
        {"T1\nG1 X100 Y234.5 F600\n", PW_E_VOLUME, 2, 9},  /* and here beyond 235 */
        {"T2\nG1 Z250 F600\n", PW_E_VOLUME, 2, 4},        /* likewise */
        {"T1\nG1 X30 E.1 F600\nG1 X31 E.2\n", PW_E_VOLUME, 2, 1},  /* it would draw from x = 0 */
        {"T1\nG3 X30 Y10 I15 J5 F600\n", PW_E_VOLUME, 2, 1}, {"G1 X100 Y100 F600\nT1\nG2 X20 Y100 I-45 J0\n", PW_E_ARC, 3, 1},
        {"G1 X110 Y100 F600\nT1\nG2 I-46\n", PW_E_VOLUME, 3, 1}, {"G10\n", PW_E_RETRACT, 1, 1}, {"G11\n", PW_E_RETRACT, 1, 1},
    };
    unsigned i;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        three_tools();
        begin(0);
        feed(bad[i].text);
        if (ev.kind != PW_EV_ERROR || ev.code != bad[i].code) printf("%s gives %s\n", bad[i].text, pw_err_name((int32_t)ev.code));
        CHECK_EQ(ev.code, bad[i].code);
        CHECK_EQ(ev.line, bad[i].line);
        CHECK_EQ(ev.column, bad[i].column);
    }
    three_tools();
    begin(0); /* a start as slicers write it: x cannot take the offset at home, so it waits until it is named */
    CHECK_EQ(feed("G28\nT1\nG1 Z5 F600\nG1 X50 Y50\n"), 2);
    TO(taken_count - 2, 0, 1000000, 5000000, 0);
    TO(taken_count - 1, 30000000, 51000000, 5000000, 0);
}

static void test_retract(void)
{
    three_tools();
    cfg.retract_um = 800;
    cfg.retract_um_s = 35000;
    cfg.unretract_extra_um = 100;
    cfg.unretract_um_s = 25000;
    cfg.retract_lift_um = 400;
    begin(0);
    CHECK_EQ(feed("M204 R1000\nG1 X10 Y10 Z2 E.5 F600\nG10\nG10\nG1 X20 F9000\nG11\nG11\nG1 E.6 F60\n"), 0);
    CHECK_EQ(taken_count, 7);
    TO(1, 10000000, 10000000, 2000000, -300000);
    CHECK_EQ(line(1)->velocity_um_s, 35000);
    CHECK_EQ(line(1)->accel_um_s2, 1000000);
    TO(2, 10000000, 10000000, 2400000, -300000);
    CHECK_EQ(line(2)->velocity_um_s, cfg.axis_velocity_um_s[2]);
    TO(3, 20000000, 10000000, 2400000, -300000);
    TO(4, 20000000, 10000000, 2000000, -300000);
    TO(5, 20000000, 10000000, 2000000, 600000);
    CHECK_EQ(line(5)->velocity_um_s, 25000);
    TO(6, 20000000, 10000000, 2000000, 700000); /* the document's E knows nothing of it */
    CHECK_EQ(front.modal.e_total_nm[0], 700000);
    /* each extruder has its own, and the lift belongs to it */
    begin(0);
    CHECK_EQ(feed("G1 X50 Y50 Z2 F600\nG10\nT1\nG11\nG1 X60\nG1 E1\nT0\nG1 X50\nG11\n"), 2);
    CHECK_EQ(log_[3].kind, FLUSH);
    TO(4, 40000000, 51000000, 2000000, 0); /* down again, to where T1 stands */
    TO(5, 40000000, 51000000, 2000000, 1000000);
    TO(7, 50000000, 50000000, 2400000, -800000);
    TO(8, 50000000, 50000000, 2000000, -800000);
    TO(9, 50000000, 50000000, 2000000, 100000);
    CHECK_EQ(taken_count, 10);
    /* never beyond the top; homing ends the lift */
    begin(0);
    CHECK_EQ(feed("G1 Z249.9 F600\nG10\nG1 Z249.95\nG1 Z200\nG11\nG10\nG28 Z\n"), 1);
    TO(2, 0, 0, 250000000, -800000);
    TO(3, 0, 0, 200050000, -800000); /* Z249.95 was there already */
    CHECK_EQ(front.modal.lift_nm[0], 0);
    TO(taken_count - 2, 0, 0, 0, front.modal.e_total_nm[0]);
    begin(0); /* words are refused where they stand, like what would be too much in all */
    CHECK_EQ(feed("G10 P0 S1\n"), 1);
    CHECK_EQ(ev.code, PW_E_DIALECT);
    CHECK_EQ(ev.column, 5);
    begin(0);
    front.modal.e_total_nm[0] = 799999 - front.guard.e_total_nm[0];
    CHECK_EQ(feed("G10\n"), 1);
    CHECK_EQ(ev.code, PW_E_EXTRUSION);
}

static void test_advance(void)
{
    three_tools();
    cfg.advance_us[0] = 50000;
    cfg.advance_us[2] = 30000;
    begin(0);
    CHECK_EQ(feed("M83\nG1 X10 E.1 F600\nG1 X11\nG1 Z1 E.1\nG1 E-1\nG1 X12 E-.1\nM900 K0.02\nM900 K.02\nM900 K1.5\nM900 T2 K.01\nM900\nG1 X13 E.01\nM900 K0\nG1 X14 E.01\n"), 0);
    CHECK_EQ(line(0)->advance_us, 50000);
    CHECK_EQ(line(1)->advance_us, 0);
    CHECK_EQ(line(2)->advance_us, 0);
    CHECK_EQ(line(3)->advance_us, 0);
    CHECK_EQ(line(4)->advance_us, 0);
    CHECK_EQ(log_[5].kind, FLUSH);
    CHECK_EQ(log_[6].kind, FLUSH); /* the second one changed nothing; the third is the machine's */
    CHECK_EQ(log_[7].kind, FLUSH); /* T2 */
    CHECK_EQ(line(8)->advance_us, 50000);
    CHECK_EQ(line(10)->advance_us, 0);
    CHECK_EQ(front.modal.advance_us[2], 10000);
    CHECK_EQ(front.ignored, 0);
    CHECK_EQ(feed("T1\nM900 K2 L4\n"), 1); /* this one has none */
    CHECK_EQ(front.ignored, 1);
    CHECK_EQ(feed("M900 T3 K0\n"), 1);
    CHECK_EQ(ev.code, PW_E_TOOL);
    begin(0);
    CHECK_EQ(feed("M900 K-1\n"), 1);
    CHECK_EQ(ev.code, PW_E_VALUE);
    begin(0);
    CHECK_EQ(feed("M900 K.1 S2\n"), 1);
    CHECK_EQ(ev.code, PW_E_WORD);
}

static void test_baby_steps(void)
{
    three_tools();
    begin(0);
    CHECK_EQ(feed("G1 X10 Z.2 F600\n"), 0);
    stage.baby_nm = -150000;
    CHECK_EQ(feed("G1 E.1\nG1 X20 E.2\nG1 X30\n"), 0);
    TO(1, 10000000, 0, 200000, 100000); /* the extruder alone moves nothing else */
    TO(2, 20000000, 0, 50000, 200000);
    stage.baby_nm = -400000; /* never below the travel limit */
    CHECK_EQ(feed("G1 X40\nG2 X50 I5\nG28\nG1 Z250\n"), 1);
    TO(4, 40000000, 0, 0, 200000);
    CHECK_EQ(line(5)->to_nm[2], 0);
    stage.baby_nm = 100000;
    CHECK_EQ(feed("G1 X40 Z250\nG1 X100 Y50 Z1\nG3 I10\n"), 0);
    CHECK_EQ(line(taken_count - 1)->to_nm[2], 1100000);
    for (; line(taken_count - 1)->from_nm[2] == 1100000; taken_count--) {}
    TO(taken_count - 1, 100000000, 50000000, 1100000, 200000);
    CHECK_EQ(line(taken_count - 2)->to_nm[2], 250000000);
}

/* Random walks: no point that was merged lies further than merge_um from the lines that came out. */
static uint64_t seed = 1;
static double uniform(double lo, double hi)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return lo + (hi - lo) * (double)(seed >> 33) / 2147483648.0;
}

static double away(const double p[3], const struct pw_line *l)
{
    double d[3], q[3], n = 0, t = 0, s = 0;
    int i;
    for (i = 0; i < 3; i++) {
        d[i] = (double)(l->to_nm[i] - l->from_nm[i]);
        q[i] = p[i] - (double)l->from_nm[i];
        n += d[i] * d[i];
        t += d[i] * q[i];
    }
    t = fmin(fmax(n > 0 ? t / n : 0, 0), 1);
    for (i = 0; i < 3; i++) s += (q[i] - t * d[i]) * (q[i] - t * d[i]);
    return sqrt(s);
}

static void test_merge(void)
{
    enum { N = 4000 };
    static double point[N][4];
    int style, i, k;
    cfg = helper_config(0);
    for (style = 0; style < 6; style++) {
        double x = 100, y = 100, z = 5, e = 0, a = 0, worst = 0;
        char text[120];
        begin(0);
        feed("G1 X100 Y100 Z5 F3000\n");
        for (i = 0; i < N; i++) {
            double step = uniform(0.005, 0.2), ratio = style == 3 ? uniform(0.03, 0.0304) : 0.033;
            a += style == 0 ? 0 : style == 1 ? step / 20 : style == 2 ? uniform(-0.02, 0.02) : style == 5 ? uniform(-1, 1) : 0.0003;
            x += step * cos(a);
            y += step * sin(a);
            if (style == 4) z += step * 0.01;
            if (x > 230 || x < 5 || y > 230 || y < 5 || z > 200) { x = 100; y = 100; z = 5; a += 1; }
            e += step * ratio;
            x = round(x * 1000) / 1000;
            y = round(y * 1000) / 1000;
            z = round(z * 1000) / 1000;
            e = round(e * 1e5) / 1e5;
            point[i][0] = round(x * 1e6);
            point[i][1] = round(y * 1e6);
            point[i][2] = round(z * 1e6);
            point[i][3] = round(e * 1e6);
            snprintf(text, sizeof text, "G1 X%.3f Y%.3f Z%.3f E%.5f\n", x, y, z, e);
            CHECK_EQ(feed(text), 0);
        }
        push();
        for (i = 0, k = 1; i < N; i++) { /* every point in its line, in order */
            while (away(point[i], line(k)) > 2000.5) CHECK(++k < taken_count);
            worst = fmax(worst, away(point[i], line(k)));
            if ((double)line(k)->to_nm[3] > (double)line(k)->from_nm[3]) {
                double d[3], n = 0, l = 0, part;
                int j;
                for (j = 0; j < 3; j++) { d[j] = point[i][j] - (double)line(k)->from_nm[j]; n += d[j] * d[j]; l += pow((double)(line(k)->to_nm[j] - line(k)->from_nm[j]), 2); }
                part = (double)line(k)->from_nm[3] + (double)(line(k)->to_nm[3] - line(k)->from_nm[3]) * sqrt(n / l);
                CHECK_NEAR(part, point[i][3], 1000 + 0.012 * fabs((double)(line(k)->to_nm[3] - line(k)->from_nm[3])));
            }
        }
        if (style == 0) CHECK(taken_count < N / 5);
        if (style == 5) CHECK(taken_count > N / 2);
    }
}

static void test_merge_ends(void)
{
    cfg = helper_config(0);
    begin(0);
    feed("G1 X1 F3000\nG1 X2\nG1 X3\n");
    push();
    CHECK_EQ(taken_count, 1);
    feed("G1 X4 F2000\nG1 X5\nG1 X6 F3000\n");
    push();
    CHECK_EQ(taken_count, 3); /* another speed */
    begin(0);
    CHECK_EQ(feed("M83\nG1 X1 E.03 F3000\nG1 X2 E.03\nG1 X3 E.0302\nG1 X4 E.031\nG1 X5 E-.031\nG1 X6\nG1 X7\n"), 0);
    push();
    CHECK_EQ(taken_count, 4); /* ratio, sign, none */
    begin(0);
    CHECK_EQ(feed("G1 X1 F3000\nM106 S100\nG1 X2\n;LAYER_CHANGE\nG1 X3\nG4 P1\nG1 X4\n"), 2);
    push();
    CHECK_EQ(taken_count, 5); /* commands, layers and dwells stand between */
    begin(0);
    feed("G1 X1 F3000\nG1 X2\nG1 X1\n"); /* back */
    push();
    CHECK_EQ(taken_count, 2);
}

static void test_home(void)
{
    int i;
    cfg = helper_config(0);
    cfg.home_um[0] = 5000;
    begin(0);
    CHECK_EQ(feed("G1 X50 Y60 Z7 F600\nG28 X\n"), 1);
    CHECK_EQ(ev.kind, PW_EV_COMMAND);
    CHECK_EQ(taken_count, 3);
    TO(1, 5000000, 60000000, 7000000, 0);
    CHECK_EQ(line(1)->velocity_um_s, cfg.max_velocity_um_s);
    CHECK_EQ(log_[2].kind, FLUSH);
    CHECK_EQ(feed("G28 W\n"), 1);
    TO(3, 5000000, 0, 7000000, 0);
    TO(4, 5000000, 0, 0, 0);
    CHECK_EQ(line(4)->velocity_um_s, cfg.axis_velocity_um_s[2]);
    CHECK_EQ(log_[5].kind, FLUSH);
    CHECK_EQ(feed("G28\n"), 1); /* already there: nothing but the flush */
    CHECK_EQ(taken_count, 7);
    CHECK_EQ(feed("G1 Z3\nG28 Y\n"), 1);
    CHECK_EQ(taken_count, 9);
    CHECK_EQ(feed("G1 X50\nG29 P1 X3\n"), 1); /* as G28 alone, whatever its words */
    TO(10, 5000000, 0, 3000000, 0);
    TO(11, 5000000, 0, 0, 0);
    CHECK_EQ(log_[12].kind, FLUSH);
    CHECK_EQ(feed("G1 Z3\n"), 0);
    push();
    for (i = 0; i < 3; i++) CHECK_EQ(front.modal.pos_nm[i], i == 0 ? 5000000 : i == 2 ? 3000000 : 0);
}

static void test_side(void)
{
    cfg = helper_config(0);
    begin(1);
    CHECK_EQ(feed("G92 X-100 Y5\nG91\nG1 X-100 F600\n"), 0); /* one length more on each side */
    push();
    CHECK_EQ(log_[0].kind, FLUSH);
    CHECK_EQ(log_[1].kind, PLACE);
    CHECK_EQ(log_[1].value, -100000000);
    TO(2, -200000000, 5000000, 0, 0);
    CHECK_EQ(line(2)->from_nm[0], -100000000);
    CHECK_EQ(feed("G1 X-36\n"), 1);
    CHECK_EQ(ev.code, PW_E_VOLUME);
}

static void test_override(void)
{
    cfg = helper_config(0);
    cfg.merge_um = 0;
    begin(0);
    stage.flow_permille = 950;
    stage.speed_permille = 500;
    CHECK_EQ(feed("M83\nG1 X1 E.000001 F600\nG1 X2 E.000001\nG1 X3 E.0001\n"), 0);
    CHECK_EQ(line(0)->velocity_um_s, 5000);
    CHECK_EQ(line(0)->to_nm[3], 0);
    CHECK_EQ(line(1)->to_nm[3], 1); /* 1.9 nm: the rest is carried */
    CHECK_EQ(line(2)->to_nm[3], 96); /* 96.9 */
    CHECK_EQ(front.modal.e_total_nm[0], 102);
}

static void test_dwell(void)
{
    cfg = helper_config(0);
    begin(0);
    CHECK_EQ(feed("G4 P1500\nG4 S2\nG4 P5 S1\nG4\nG4 P0.0005\nG4 S3600\n"), 0);
    CHECK_EQ(log_[0].value, 24000000);
    CHECK_EQ(log_[1].value, 32000000);
    CHECK_EQ(log_[2].value, 16000000);
    CHECK_EQ(log_[3].value, 0);
    CHECK_EQ(log_[4].value, 16);
    CHECK_EQ(log_[5].value, INT64_C(57600000000));
}

static void test_cold(void)
{
    three_tools();
    cfg.retract_um = 1000;
    begin(0);
    front.cold = 5; /* T0 and T2 */
    CHECK_EQ(feed("G1 X50 Y50 F600\nG1 E-1\nT1\nG1 E0\nT2\nG1 E-5\nG1 X30\n"), 2);
    CHECK_EQ(feed("  G1 X40 E-4.5\n"), 1);
    CHECK_EQ(ev.code, PW_E_COLD);
    CHECK_EQ(ev.line, 8);
    CHECK_EQ(ev.column, 10);
    begin(0);
    front.cold = 1;
    CHECK_EQ(feed("G10\nG11\n"), 1);
    CHECK_EQ(ev.code, PW_E_COLD);
    CHECK_EQ(ev.line, 2);
    begin(0);
    CHECK_EQ(feed("G10\nG11\n"), 0);
}

static void test_exclude_object(void)
{
    cfg = helper_config(0);
    begin(0);
    CHECK_EQ(feed("EXCLUDE_OBJECT_START NAME='a (b' * 5 \"\n"), 1);
    CHECK_EQ(ev.kind, PW_EV_COMMAND);
    CHECK_EQ(ev.letter, 'E');
    CHECK_EQ(ev.number, 0);
    CHECK_EQ(ev.column, 1);
    CHECK_EQ(feed("  exclude_object_end\r\nG1 X1 F60\nEXCLUDE_OBJECT\n"), 2);
    CHECK_EQ(ev.line, 4);
    CHECK_EQ(feed("EXCLUDE_OBJECT_DEFINE NAME=x POLYGON=[[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],"
                  "[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4],[1,2],[3,4]] ; rest\n"), 1);
    CHECK_EQ(ev.kind, PW_EV_COMMAND);
    CHECK_EQ(ev.line, 5);
    CHECK_EQ(feed("EXCLUDE\n"), 1);
    CHECK_EQ(ev.code, PW_E_SYNTAX);
    begin(0);
    CHECK_EQ(feed(" E5\n"), 1);
    CHECK_EQ(ev.code, PW_E_SYNTAX);
    CHECK_EQ(ev.column, 2);
    begin(0);
    CHECK_EQ(feed("G1 X1 EXCLUDE_OBJECT F60\n"), 1);
    CHECK_EQ(ev.kind, PW_EV_ERROR);
}

static struct pw_skip skip;

static void skipping(void)
{
    cfg = helper_config(0);
    cfg.merge_um = 0;
    cfg.nozzle_um = 2000;
    stage.skip = &skip;
    begin(0);
}

static void test_skip(void)
{
    skipping();
    CHECK_EQ(feed("G1 X10 Y10 Z2 E5 F600\n"), 0);
    skip.on = 1;
    /* prints, draws back, lifts, travels, comes down, pushes, prints, draws back */
    CHECK_EQ(feed("G1 X20 E6\nG1 E5\nG1 Z5\nG1 X30 Y20\nG1 Z2\nG1 E6\nG2 X40 I5 E7\nG1 E6.2\n"), 0);
    push();
    CHECK_EQ(taken_count, 1);
    CHECK_EQ(front.modal.pos_nm[0], 40000000);
    skip.on = 0;
    CHECK_EQ(feed("G1 E6.1\nG1 Z6\nG1 Z2\n"), 0); /* extruder and z alone wait for x or y */
    push();
    CHECK_EQ(taken_count, 1);
    CHECK_EQ(feed("G1 X50 Y30 F1200\n"), 0);
    push();
    CHECK_EQ(taken_count, 5);
    TO(1, 10000000, 10000000, 2000000, 4100000); /* 0.9 mm are drawn back */
    TO(2, 10000000, 10000000, 6000000, 4100000);
    TO(3, 50000000, 30000000, 6000000, 4100000);
    TO(4, 50000000, 30000000, 2000000, 4100000);
    CHECK_EQ(feed("G1 E7\nG1 X60 E8\n"), 0);
    push();
    CHECK_EQ(taken_count, 7);
    TO(5, 50000000, 30000000, 2000000, 5000000);
    TO(6, 60000000, 30000000, 2000000, 6000000);
    /* what prints begins where the document has the nozzle; the machine had drawn back more than the document has now */
    skipping();
    CHECK_EQ(feed("M83\nG1 X10 Y10 Z2 F600\nG1 E-1\n"), 0);
    skip.on = 1;
    CHECK_EQ(feed("G1 X20 Y20\nG1 E1\nG1 X30 E1\n"), 0);
    skip.on = 0;
    CHECK_EQ(feed("G1 Y30 E.5\n"), 0);
    push();
    CHECK_EQ(taken_count, 5);
    TO(2, 30000000, 20000000, 2000000, -1000000);
    TO(3, 30000000, 20000000, 2000000, 0);
    TO(4, 30000000, 30000000, 2000000, 500000);
    /* an arc, with baby steps and twice the flow */
    skipping();
    stage.baby_nm = 100000;
    stage.flow_permille = 2000;
    CHECK_EQ(feed("M83\nG1 X50 Y50 Z2 F600\n"), 0);
    skip.on = 1;
    CHECK_EQ(feed("G1 Z10\nG1 X100 Y100\nG1 Z1\nG1 E-1\n"), 0);
    skip.on = 0;
    CHECK_EQ(feed("G2 X110 Y110 I10 J0 E1\n"), 0);
    push();
    CHECK_EQ(line(1)->to_nm[3], -2000000);
    TO(2, 50000000, 50000000, 10100000, -2000000);
    TO(3, 100000000, 100000000, 10100000, -2000000);
    TO(4, 100000000, 100000000, 1100000, -2000000);
    CHECK(taken_count > 10);
    CHECK_EQ(line(5)->to_nm[2], 1100000);
    TO(taken_count - 1, 110000000, 110000000, 1100000, 0);
    /* nothing between on and off leaves nothing behind; a tool that was changed to meanwhile pays its own */
    three_tools();
    cfg.retract_um = 1000;
    cfg.unretract_extra_um = 100;
    begin(0);
    CHECK_EQ(feed("M83\nG1 X10 F600\n"), 0);
    skip.on = 1;
    skip.on = 0;
    CHECK_EQ(feed("G1 X20\n"), 0);
    push();
    CHECK_EQ(taken_count, 2);
    skip.on = 1;
    CHECK_EQ(feed("G10\nT1\nG10\nT0\nG11\n"), 2);
    skip.on = 0;
    CHECK_EQ(feed("G1 X30\nG1 X40\n"), 0);
    push();
    CHECK_EQ(line(taken_count - 1)->to_nm[0], 40000000);
    CHECK_EQ(line(taken_count - 1)->to_nm[3], 0);
    CHECK_EQ(feed("T1\n"), 1);
    taken_count = 0;
    CHECK_EQ(feed("G11\n"), 0);
    push();
    CHECK_EQ(line(taken_count - 1)->to_nm[3], cfg.unretract_extra_um * 1000); /* drawn back first, then pushed */
    CHECK_EQ(skip.real_nm[1], 0);
    stage.skip = 0;
}

/* The same lines whatever the queue does, on the way back as well. */
static void test_skip_full(void)
{
    static struct taken first[64];
    int n = 0, every;
    for (every = 0; every < 9; every += every ? 1 : 2) {
        full_every = every;
        skipping();
        CHECK_EQ(feed("M83\nG1 X10 Y10 Z2 F600\nG1 E-1\n"), 0);
        skip.on = 1;
        CHECK_EQ(feed("G1 X20 Y20 Z7\nG1 Z3\nG1 E1\nG1 X30 E1\n"), 0);
        skip.on = 0;
        CHECK_EQ(feed("G1 Y30 E.5\nG1 X100\n"), 0);
        push();
        if (!every) {
            n = taken_count;
            CHECK_EQ(n, 8);
            memcpy(first, log_, sizeof first);
        }
        CHECK_EQ(taken_count, n);
        CHECK(memcmp(first, log_, (size_t)n * sizeof *first) == 0);
    }
    full_every = 0;
    stage.skip = 0;
}

/* The same lines whatever the queue does. */
static void test_full(void)
{
    static struct taken first[MOST];
    const char *text = "G28\nG1 X50 Y50 F3000\nG2 I20 E5\nG1 X51\nG1 X52\nG1 X53 Y50.5\nG3 X60 Y60 R9\nG4 P5\nM104 S200\nG1 X10\nG1 X11\n;LAYER:3\nG1 Z2\nG28 Z\n";
    int n = 0, every;
    cfg = helper_config(0);
    for (every = 0; every < 9; every += every ? 1 : 2) {
        full_every = every;
        begin(0);
        CHECK_EQ(feed(text), 4);
        push();
        if (!every) {
            n = taken_count;
            memcpy(first, log_, sizeof first);
        }
        CHECK_EQ(taken_count, n);
        CHECK(memcmp(first, log_, (size_t)n * sizeof *first) == 0);
    }
    full_every = 0;
}

static void test_trig(void)
{
    int i;
    int64_t c, s;
    for (i = 0; i < 4000; i++) {
        double a = i * (2 * acos(-1.0) / 4000) + 1e-7;
        int64_t x = llround(cos(a) * 1e9), y = llround(sin(a) * 1e9), q = pw_angle_q62(x, y);
        double got = (double)q / 4611686018427387904.0 * 2 * acos(-1.0), want = atan2((double)y, (double)x);
        if (want < 0) want += 2 * acos(-1.0);
        CHECK_NEAR(got, want, 2e-11);
        pw_cos_sin_q60(q, &c, &s);
        CHECK_NEAR((double)c / 1152921504606846976.0, cos(want), 1e-11);
        CHECK_NEAR((double)s / 1152921504606846976.0, sin(want), 1e-11);
    }
    pw_cos_sin_q60(0, &c, &s);
    CHECK_EQ(c, INT64_C(1) << 60);
    CHECK_EQ(s, 0);
    CHECK_NEAR(pw_angle_q62(0, -5), 3.0 * 1152921504606846976.0, 4e6); /* 1e-12 of a turn */
}

int main(void)
{
    test_modal();
    test_limits();
    test_limit_errors();
    test_trig();
    test_arcs();
    test_arc_errors();
    test_planes();
    test_tools();
    test_tool_bounds();
    test_retract();
    test_advance();
    test_baby_steps();
    test_merge();
    test_merge_ends();
    test_home();
    test_side();
    test_override();
    test_dwell();
    test_full();
    test_cold();
    test_exclude_object();
    test_skip();
    test_skip_full();
    printf("front: ok\n");
    return 0;
}
