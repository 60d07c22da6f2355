/* What the C tests share: the machines of design.md section 6 and a configuration by name. */
#ifndef HELPERS_H
#define HELPERS_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "printwright.h"

static inline struct pw_config helper_config(int corexy)
{
    struct pw_config c;
    memset(&c, 0, sizeof c);
    c.abi = PW_ABI;
    c.tick_hz = 16000000;
    c.kinematics = corexy ? PW_COREXY : PW_CARTESIAN;
    int i;
    c.motors = 4;
    for (i = 4; i < 8; i++) c.steps_per_m[i] = 1;
    c.steps_per_m[0] = c.steps_per_m[1] = corexy ? 320000 : 80000;
    c.steps_per_m[2] = corexy ? 1600000 : 400000;
    c.steps_per_m[3] = corexy ? 1662338 : 95522;
    c.max_um[0] = c.max_um[1] = 235000;
    c.max_um[2] = 250000;
    c.max_velocity_um_s = corexy ? 400000 : 300000;
    c.max_accel_um_s2 = corexy ? 8000000 : 3000000;
    c.max_jerk_mm_s3 = corexy ? 1000000 : 100000;
    c.corner_um_s = 5000;
    for (i = 0; i < 3; i++) {
        c.shaper_mhz[i] = 50000;
        c.shaper_damping_1e4[i] = 1000;
    }
    c.axis_velocity_um_s[2] = 15000;
    c.axis_accel_um_s2[2] = 100000;
    c.retract_um_s = c.unretract_um_s = 30000;
    c.advance_smooth_us = 40000;
    c.max_e_velocity_um_s = 60000;
    c.max_e_accel_um_s2 = 5000000;
    c.e_corner_um_s = 5000;
    c.filament_um = 1750;
    c.nozzle_um = 400;
    c.max_e_only_um = 100000;
    c.merge_um = 2;
    c.chord_um = 5;
    c.curve_um = 300;
    c.window = 256;
    c.queue_segments = 264;
    c.ring_runs = 512;
    c.ring_marks = 64;
    c.line_max = 256;
    c.max_step_hz = 500000;
    c.dir_setup_ns = 1000;
    return c;
}

/* sim-delta: 160 steps/mm a tower, radius 174.75 mm, towers at 210, 330 and 90 degrees. */
static inline struct pw_config helper_delta(void)
{
    struct pw_config c = helper_config(0);
    int i;
    c.kinematics = PW_DELTA;
    for (i = 0; i < 3; i++) {
        c.steps_per_m[i] = 160000;
        c.axis_velocity_um_s[i] = c.axis_accel_um_s2[i] = 0;
        c.min_um[i] = i < 2 ? -140000 : 0;
        c.max_um[i] = i < 2 ? 140000 : 300000;
    }
    c.home_um[2] = 300000;
    c.arm_um = 333000;
    c.tower_x_um[0] = -151338;
    c.tower_x_um[1] = 151338;
    c.tower_y_um[0] = c.tower_y_um[1] = -87375;
    c.tower_y_um[2] = 174750;
    c.bed_radius_um = 140000;
    c.top_um = 305000;
    return c;
}

/* "name=value" */
static inline int helper_set(struct pw_config *c, const char *text)
{
    const char *eq = strchr(text, '=');
    int32_t i;
    for (i = 0; eq && pw_config_field(i); i++)
        if (strlen(pw_config_field(i)) == (size_t)(eq - text) && strncmp(pw_config_field(i), text, (size_t)(eq - text)) == 0) {
            ((int32_t *)c)[i] = atoi(eq + 1);
            return 1;
        }
    return 0;
}

#endif
