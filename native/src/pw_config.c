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

static const struct pw_field pw_fields[] = {
    {"abi", PW_ABI, PW_ABI},
    {"tick_hz", 1000000, 200000000},
    {"kinematics", PW_CARTESIAN, PW_DELTA},
    {"motors", 4, PW_MOTORS},
    {"steps_per_m[0]", 1, 10000000},
    {"steps_per_m[1]", 1, 10000000},
    {"steps_per_m[2]", 1, 10000000},
    {"steps_per_m[3]", 1, 10000000},
    {"steps_per_m[4]", 1, 10000000},
    {"steps_per_m[5]", 1, 10000000},
    {"steps_per_m[6]", 1, 10000000},
    {"steps_per_m[7]", 1, 10000000},
    {"min_um[0]", -2000000, 2000000},
    {"min_um[1]", -2000000, 2000000},
    {"min_um[2]", -2000000, 2000000},
    {"max_um[0]", -2000000, 2000000},
    {"max_um[1]", -2000000, 2000000},
    {"max_um[2]", -2000000, 2000000},
    {"home_um[0]", -2000000, 2000000},
    {"home_um[1]", -2000000, 2000000},
    {"home_um[2]", -2000000, 2000000},
    {"max_velocity_um_s", 1000, 2000000},
    {"max_accel_um_s2", 1000, 100000000},
    {"max_jerk_mm_s3", 1000, 100000000},
    {"corner_um_s", 0, 1000000},
    {"min_cruise_permille", 0, 900},
    {"axis_velocity_um_s[0]", 0, 2000000},
    {"axis_velocity_um_s[1]", 0, 2000000},
    {"axis_velocity_um_s[2]", 0, 2000000},
    {"axis_accel_um_s2[0]", 0, 100000000},
    {"axis_accel_um_s2[1]", 0, 100000000},
    {"axis_accel_um_s2[2]", 0, 100000000},
    {"max_e_velocity_um_s", 100, 2000000},
    {"max_e_accel_um_s2", 1000, 100000000},
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
    {"max_step_hz", 100, 10000000},
    {"dir_setup_ns", 0, 1000000},
    {"min_segment_us", 0, 100000},
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
    {"matrix_1e6[0]", -4000000, 4000000},
    {"matrix_1e6[1]", -4000000, 4000000},
    {"matrix_1e6[2]", -4000000, 4000000},
    {"matrix_1e6[3]", -4000000, 4000000},
    {"matrix_1e6[4]", -4000000, 4000000},
    {"matrix_1e6[5]", -4000000, 4000000},
    {"matrix_1e6[6]", -4000000, 4000000},
    {"matrix_1e6[7]", -4000000, 4000000},
    {"matrix_1e6[8]", -4000000, 4000000},
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
    if ((int64_t)cfg->max_velocity_um_s * 65536 / cfg->tick_hz > 64000) return pw_field_index(cfg, &cfg->max_velocity_um_s);
    if ((int64_t)cfg->max_e_velocity_um_s * 65536 / cfg->tick_hz > 64000) return pw_field_index(cfg, &cfg->max_e_velocity_um_s);
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
