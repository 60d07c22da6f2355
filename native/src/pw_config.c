/* Names and ranges of the configuration. */
#include "pw_features.h"
#include "pw_front.h"
#include "pw_kin.h"
#include "pw_math.h"

#define PW_FIELDS ((int32_t)(sizeof(struct pw_config) / sizeof(int32_t)))

struct pw_field {
    const char *name;
    int32_t lo, hi;
};

/* Ends of the ranges on which the bounds of numbers rest. */
#define PW_TICK_LO 1000000
#define PW_TICK_HI 200000000
#define PW_TRAVEL_UM 2000000
#define PW_SPEED_HI 2000000
#define PW_ACCEL_HI 100000000
#define PW_JERK_LO 1000
#define PW_JERK_HI 100000000
#define PW_STEPS_HI 10000000
#define PW_MATRIX_HI 4000000
#define PW_RATE_HI 10000000
#define PW_DENSE_US 100000
#define PW_SPEED_UNIT 64 /* mm in 65536 ticks, checked below */

static const struct pw_field pw_fields[] = {
    {"abi", PW_ABI, PW_ABI},
    {"tick_hz", PW_TICK_LO, PW_TICK_HI},
    {"kinematics", PW_CARTESIAN, PW_DELTA},
    {"motors", 4, PW_MOTORS},
    {"steps_per_m[0]", 1, PW_STEPS_HI},
    {"steps_per_m[1]", 1, PW_STEPS_HI},
    {"steps_per_m[2]", 1, PW_STEPS_HI},
    {"steps_per_m[3]", 1, PW_STEPS_HI},
    {"steps_per_m[4]", 1, PW_STEPS_HI},
    {"steps_per_m[5]", 1, PW_STEPS_HI},
    {"steps_per_m[6]", 1, PW_STEPS_HI},
    {"steps_per_m[7]", 1, PW_STEPS_HI},
    {"min_um[0]", -PW_TRAVEL_UM, PW_TRAVEL_UM},
    {"min_um[1]", -PW_TRAVEL_UM, PW_TRAVEL_UM},
    {"min_um[2]", -PW_TRAVEL_UM, PW_TRAVEL_UM},
    {"max_um[0]", -PW_TRAVEL_UM, PW_TRAVEL_UM},
    {"max_um[1]", -PW_TRAVEL_UM, PW_TRAVEL_UM},
    {"max_um[2]", -PW_TRAVEL_UM, PW_TRAVEL_UM},
    {"home_um[0]", -PW_TRAVEL_UM, PW_TRAVEL_UM},
    {"home_um[1]", -PW_TRAVEL_UM, PW_TRAVEL_UM},
    {"home_um[2]", -PW_TRAVEL_UM, PW_TRAVEL_UM},
    {"max_velocity_um_s", 1000, PW_SPEED_HI},
    {"max_accel_um_s2", 1000, PW_ACCEL_HI},
    {"max_jerk_mm_s3", PW_JERK_LO, PW_JERK_HI},
    {"corner_um_s", 0, 1000000},
    {"min_cruise_permille", 0, 900},
    {"axis_velocity_um_s[0]", 0, PW_SPEED_HI},
    {"axis_velocity_um_s[1]", 0, PW_SPEED_HI},
    {"axis_velocity_um_s[2]", 0, PW_SPEED_HI},
    {"axis_accel_um_s2[0]", 0, PW_ACCEL_HI},
    {"axis_accel_um_s2[1]", 0, PW_ACCEL_HI},
    {"axis_accel_um_s2[2]", 0, PW_ACCEL_HI},
    {"max_e_velocity_um_s", 100, PW_SPEED_HI},
    {"max_e_accel_um_s2", 1000, PW_ACCEL_HI},
    {"e_corner_um_s", 0, 1000000},
    {"filament_um", 500, 5000},
    {"nozzle_um", 50, 5000},
    {"max_e_only_um", 100, 1000000},
    {"merge_um", 0, 20},
    {"chord_um", 1, 100},
    {"curve_um", 0, 10000},
    {"window", 16, 1024},
    {"queue_segments", 0, 4096},
    {"ring_runs", 16, 65536},
    {"ring_marks", 1, 65536},
    {"line_max", 16, 65536},
    {"max_step_hz", 100, PW_RATE_HI},
    {"dir_setup_ns", 0, 1000000},
    {"min_segment_us", 0, PW_DENSE_US},
    {"tool_x_um[0]", 0, 0},
    {"tool_x_um[1]", -500000, 500000},
    {"tool_x_um[2]", -500000, 500000},
    {"tool_x_um[3]", -500000, 500000},
    {"tool_x_um[4]", -500000, 500000},
    {"tool_y_um[0]", 0, 0},
    {"tool_y_um[1]", -500000, 500000},
    {"tool_y_um[2]", -500000, 500000},
    {"tool_y_um[3]", -500000, 500000},
    {"tool_y_um[4]", -500000, 500000},
    {"tool_z_um[0]", 0, 0},
    {"tool_z_um[1]", -500000, 500000},
    {"tool_z_um[2]", -500000, 500000},
    {"tool_z_um[3]", -500000, 500000},
    {"tool_z_um[4]", -500000, 500000},
    {"retract_um", 0, 100000},
    {"retract_um_s", 100, 2000000},
    {"unretract_extra_um", 0, 100000},
    {"unretract_um_s", 100, 2000000},
    {"retract_lift_um", 0, 20000},
    {"matrix_1e6[0]", -PW_MATRIX_HI, PW_MATRIX_HI},
    {"matrix_1e6[1]", -PW_MATRIX_HI, PW_MATRIX_HI},
    {"matrix_1e6[2]", -PW_MATRIX_HI, PW_MATRIX_HI},
    {"matrix_1e6[3]", -PW_MATRIX_HI, PW_MATRIX_HI},
    {"matrix_1e6[4]", -PW_MATRIX_HI, PW_MATRIX_HI},
    {"matrix_1e6[5]", -PW_MATRIX_HI, PW_MATRIX_HI},
    {"matrix_1e6[6]", -PW_MATRIX_HI, PW_MATRIX_HI},
    {"matrix_1e6[7]", -PW_MATRIX_HI, PW_MATRIX_HI},
    {"matrix_1e6[8]", -PW_MATRIX_HI, PW_MATRIX_HI},
    {"arm_um", 0, 2000000},
    {"tower_x_um[0]", -2000000, 2000000},
    {"tower_x_um[1]", -2000000, 2000000},
    {"tower_x_um[2]", -2000000, 2000000},
    {"tower_y_um[0]", -2000000, 2000000},
    {"tower_y_um[1]", -2000000, 2000000},
    {"tower_y_um[2]", -2000000, 2000000},
    {"bed_radius_um", 0, 2000000},
    {"top_um", 0, 2000000},
    {"skew_1e6[0]", -100000, 100000},
    {"skew_1e6[1]", -100000, 100000},
    {"skew_1e6[2]", -100000, 100000},
    {"mesh_points", 0, 4096},
    {"shaper[0]", PW_SHAPER_NONE, PW_3HUMP_EI},
    {"shaper[1]", PW_SHAPER_NONE, PW_3HUMP_EI},
    {"shaper[2]", PW_SHAPER_NONE, PW_3HUMP_EI},
    {"shaper_mhz[0]", 5000, 500000},
    {"shaper_mhz[1]", 5000, 500000},
    {"shaper_mhz[2]", 5000, 500000},
    {"shaper_damping_1e4[0]", 0, 3000},
    {"shaper_damping_1e4[1]", 0, 3000},
    {"shaper_damping_1e4[2]", 0, 3000},
    {"advance_us[0]", 0, 2000000},
    {"advance_us[1]", 0, 2000000},
    {"advance_us[2]", 0, 2000000},
    {"advance_us[3]", 0, 2000000},
    {"advance_us[4]", 0, 2000000},
    {"advance_smooth_us", 20000, 200000},
};

_Static_assert(sizeof pw_fields / sizeof *pw_fields == sizeof(struct pw_config) / sizeof(int32_t), "a row per field");

/* The table of numbers in DESIGN.md, at these ends (U = 65536 ticks; nm, mm and steps as said there). */
#define PW_BELOW(x, bits) ((x) < ((int64_t)1 << (bits)))
_Static_assert(PW_BELOW((int64_t)3 * PW_TRAVEL_UM * 1000, 33), "places: the second context goes one axis length beyond");
_Static_assert(PW_BELOW((int64_t)3 * PW_TRAVEL_UM / 1000 * (PW_STEPS_HI / 1000) * (3 * PW_MATRIX_HI / 1000000), 30),
               "steps of a motor whose row takes all of three axes, Q32");
_Static_assert(PW_BELOW((int64_t)PW_SPEED_UNIT * PW_SPEED_UNIT * 3 - 1, 62 - 48), "sums of three squared speeds, Q48");
_Static_assert(PW_BELOW((int64_t)PW_ACCEL_HI / 1000 * 65536 / PW_TICK_LO * 65536 / PW_TICK_LO, 41 - 32), "acceleration, mm/U^2, Q32");
_Static_assert(PW_BELOW((int64_t)PW_JERK_HI * 65536 / PW_TICK_LO * 65536 / PW_TICK_LO * 65536 / PW_TICK_LO, 62 - 32), "jerk, mm/U^3, Q32");
_Static_assert(((int64_t)PW_JERK_LO << 32) / (PW_TICK_HI / 65536) / (PW_TICK_HI / 65536) / (PW_TICK_HI / 65536) > 100,
               "the least jerk is no 0");
_Static_assert(PW_BELOW((int64_t)16 * PW_DENSE_US * (PW_TICK_HI / 1000000), 62 - 16), "time of 16 segments, Q16 ticks");
_Static_assert(PW_BELOW((int64_t)PW_TICK_HI * 65536 / 100, 62), "the longest time between pulses, Q16 ticks");
_Static_assert(PW_BELOW((int64_t)PW_RATE_HI * 1000000, 62 - 16), "pulses in units of steps a metre");

const char *pw_config_field(int32_t index)
{
    return index >= 0 && index < PW_FIELDS ? pw_fields[index].name : (const char *)0;
}

static int32_t pw_field_index(const struct pw_config *cfg, const int32_t *field) { return (int32_t)(field - &cfg->abi); }

int32_t pw_config_check(const struct pw_config *cfg)
{
    const int32_t *value = &cfg->abi;
    int32_t i;
    for (i = 0; i < PW_FIELDS; i++)
        if (value[i] < pw_fields[i].lo || value[i] > pw_fields[i].hi) return i;
    for (i = 0; i < 3; i++) {
        if (cfg->max_um[i] <= cfg->min_um[i]) return pw_field_index(cfg, &cfg->max_um[i]);
        if (cfg->home_um[i] < cfg->min_um[i] || cfg->home_um[i] > cfg->max_um[i]) return pw_field_index(cfg, &cfg->home_um[i]);
    }
    if (cfg->bed_radius_um) { /* home is in the bed's circle */
        int64_t x = cfg->home_um[0], y = cfg->home_um[1], r = cfg->bed_radius_um;
        if (x * x + y * y > r * r) return pw_field_index(cfg, &cfg->bed_radius_um);
    }
    /* speeds stay below 64 mm in 65536 ticks, so that their squares stay below 2^60 in Q48 */
    if ((int64_t)cfg->max_velocity_um_s * 65536 / cfg->tick_hz > PW_SPEED_UNIT * 1000) return pw_field_index(cfg, &cfg->max_velocity_um_s);
    if ((int64_t)cfg->max_e_velocity_um_s * 65536 / cfg->tick_hz > PW_SPEED_UNIT * 1000)
        return pw_field_index(cfg, &cfg->max_e_velocity_um_s);
    value = pw_kin_check(cfg);
    return value ? pw_field_index(cfg, value) : -1;
}

int32_t pw_config_left_out(const struct pw_config *cfg)
{
    int32_t i;
    if (!PW_WITH_DELTA && cfg->kinematics == PW_DELTA) return pw_field_index(cfg, &cfg->kinematics);
    if (!PW_WITH_MATRIX && cfg->kinematics == PW_LINEAR) return pw_field_index(cfg, &cfg->kinematics);
    if (!PW_WITH_MESH && cfg->mesh_points) return pw_field_index(cfg, &cfg->mesh_points);
    for (i = 0; i < 3; i++) {
        if (!PW_WITH_MATRIX && cfg->skew_1e6[i]) return pw_field_index(cfg, &cfg->skew_1e6[i]);
        if (!PW_WITH_SHAPING && cfg->shaper[i]) return pw_field_index(cfg, &cfg->shaper[i]);
    }
    for (i = 0; i < PW_EXTRUDERS; i++)
        if (!PW_WITH_SHAPING && cfg->advance_us[i]) return pw_field_index(cfg, &cfg->advance_us[i]);
    return -1;
}

const char *pw_err_name(int32_t code)
{
    switch (code) {
    case PW_OK: return "PW_OK";
    case PW_E_ARG: return "PW_E_ARG";
    case PW_E_CONFIG: return "PW_E_CONFIG";
    case PW_E_MEMORY: return "PW_E_MEMORY";
    case PW_E_STATE: return "PW_E_STATE";
    case PW_E_FULL: return "PW_E_FULL";
    case PW_E_FEATURE: return "PW_E_FEATURE";
    case PW_E_SYNTAX: return "PW_E_SYNTAX";
    case PW_E_NUMBER: return "PW_E_NUMBER";
    case PW_E_LINE_LENGTH: return "PW_E_LINE_LENGTH";
    case PW_E_CHECKSUM: return "PW_E_CHECKSUM";
    case PW_E_RETRACT: return "PW_E_RETRACT";
    case PW_E_VOLUME: return "PW_E_VOLUME";
    case PW_E_NO_FEEDRATE: return "PW_E_NO_FEEDRATE";
    case PW_E_FEEDRATE: return "PW_E_FEEDRATE";
    case PW_E_EXTRUSION: return "PW_E_EXTRUSION";
    case PW_E_ARC: return "PW_E_ARC";
    case PW_E_OFFSET: return "PW_E_OFFSET";
    case PW_E_DWELL: return "PW_E_DWELL";
    case PW_E_VALUE: return "PW_E_VALUE";
    case PW_E_DIALECT: return "PW_E_DIALECT";
    case PW_E_TOOL: return "PW_E_TOOL";
    case PW_E_REACH: return "PW_E_REACH";
    case PW_E_MESH: return "PW_E_MESH";
    case PW_E_REPEATED: return "PW_E_REPEATED";
    case PW_E_WORD: return "PW_E_WORD";
    case PW_E_COLD: return "PW_E_COLD";
    case PW_E_ASSERT: return "PW_E_ASSERT";
    default: return "PW_E_?";
    }
}
