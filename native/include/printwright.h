/* Printwright motion core: G-code bytes in, runs of steps out.
 *
 * Integers only; the caller owns all memory; no globals.  The stream of runs is a function of the configuration and the bytes fed
 * (with marks, flushes and overrides at their places), never of how calls are split or timed.  Plan time is counted in ticks of
 * tick_hz.  Lengths in G-code words are carried in units of 1e-6 mm (nm).
 *
 * This header is parsed by cffi as it stands: plain C declarations and enums only, no conditional code below the guard. */
#ifndef PRINTWRIGHT_H
#define PRINTWRIGHT_H
#include <stddef.h>
#include <stdint.h>

enum {
    PW_ABI = 2,
    PW_MOTORS = 8,    /* at most: three of the axes (x y z; a b z for CoreXY; a b c for a delta), then one an extruder */
    PW_EXTRUDERS = 5, /* at most */
    PW_WORDS = 26  /* letters A to Z */
};

/* 0 ok, negative errors.  pw_err_name() names each. */
enum pw_err {
    PW_OK = 0,
    PW_E_ARG = -1,       /* a null pointer or a number out of the call's range */
    PW_E_CONFIG = -2,    /* a configuration field is out of range; bad_field names it */
    PW_E_MEMORY = -3,    /* the memory given is too small or misaligned */
    PW_E_STATE = -4,     /* the call does not fit the state (feed before begin, leave without enter, after an error) */
    PW_E_FULL = -5,      /* the queue is full: run, drain, call again */
    PW_E_FEATURE = -6,   /* a configuration field asks for what this build is without (src/pw_features.h); bad_field names it */
    /* errors of the text, reported by an event of kind PW_EV_ERROR */
    PW_E_SYNTAX = -20,   /* not a word, a stray character, a word before the command */
    PW_E_NUMBER = -21,   /* not a number, or beyond 1e-6 * 2^53 */
    PW_E_LINE_LENGTH = -22, /* a command longer than line_max bytes (comments do not count) */
    PW_E_CHECKSUM = -23,
    PW_E_RETRACT = -24,  /* G10 or G11 on a machine without firmware retraction */
    PW_E_VOLUME = -25,   /* the target is outside the travel limits */
    PW_E_NO_FEEDRATE = -26, /* first motion without F */
    PW_E_FEEDRATE = -27, /* F is not positive */
    PW_E_EXTRUSION = -28, /* too much filament for the length of the move, or an extruder-only move too long */
    PW_E_ARC = -29,      /* degenerate arc, or radii that differ */
    PW_E_OFFSET = -31,   /* G92 of X, Y or Z */
    PW_E_DWELL = -32,    /* a dwell below zero or beyond an hour */
    PW_E_VALUE = -33,    /* a limit command with a value out of range */
    PW_E_DIALECT = -34,  /* a command that the dialect does not allow */
    PW_E_TOOL = -35,     /* a tool that the machine does not have */
    PW_E_REACH = -36,    /* a place that the kinematics cannot reach */
    PW_E_MESH = -37,     /* a mesh with more points than mesh_points, or with a number out of range */
    PW_E_REPEATED = -38, /* a letter twice in a line, or a second command */
    PW_E_WORD = -39,     /* a word that does not belong to the command, as it stands (K while G17 is in force) */
    PW_E_COLD = -40,     /* filament is pushed by an extruder that pw_scan_cold has named */
    PW_E_ASSERT = -90    /* a broken invariant: the core stops */
};

enum pw_kinematics { PW_CARTESIAN = 0, PW_COREXY = 1, PW_COREXZ = 2, PW_LINEAR = 3, PW_DELTA = 4 };
enum pw_shaper { PW_SHAPER_NONE = 0, PW_ZV = 1, PW_ZVD = 2, PW_MZV = 3, PW_EI = 4, PW_2HUMP_EI = 5, PW_3HUMP_EI = 6 };
enum pw_mesh_kind { PW_MESH_BILINEAR = 0, PW_MESH_BICUBIC = 1 };
enum pw_mode { PW_FEED = 0, PW_SCAN = 1 };
enum pw_dialect { PW_GCODE = 0, PW_SAFE_GCODE = 1 };

/* All integers; copied by pw_init.  Every field is an int32_t, so that a binding may fill an array in the order of
 * pw_config_field().  Lengths in um, speeds in um/s, accelerations in um/s^2. */
struct pw_config {
    int32_t abi;               /* PW_ABI */
    int32_t tick_hz;           /* plan ticks a second, 1,000,000 to 200,000,000 */
    int32_t kinematics;        /* enum pw_kinematics */
    int32_t motors;            /* 3 and one an extruder: 4 to 8 */
    int32_t steps_per_m[8];    /* per motor: steps a metre (80 steps/mm = 80000), 1 to 10,000,000; 1 where there is no motor */
    int32_t min_um[3];         /* travel limits x y z */
    int32_t max_um[3];
    int32_t home_um[3];        /* start position of program motion */
    int32_t max_velocity_um_s; /* along the path */
    int32_t max_accel_um_s2;
    int32_t max_jerk_mm_s3;
    int32_t corner_um_s;       /* square-corner velocity */
    int32_t min_cruise_permille; /* share of a move's way that cruises at least: 0 to 900 */
    int32_t axis_velocity_um_s[3]; /* x y z: limits of their own; 0: none beside those along the path */
    int32_t axis_accel_um_s2[3];
    int32_t max_e_velocity_um_s;
    int32_t max_e_accel_um_s2;
    int32_t e_corner_um_s;     /* jump of extruder speed at a junction */
    int32_t filament_um;       /* diameter */
    int32_t nozzle_um;         /* diameter */
    int32_t max_e_only_um;     /* longest move of the extruder alone */
    int32_t merge_um;          /* deviation allowed when segments are merged, 0 = no merging */
    int32_t chord_um;          /* chord error of arcs */
    int32_t curve_um;          /* length over which curvature is measured */
    int32_t window;            /* look-ahead in segments, 16 to 1024 */
    int32_t queue_segments;    /* final segments that may wait behind it; a quarter of the window at least do */
    int32_t ring_runs;         /* runs that each motor's ring holds, 16 to 65536 */
    int32_t ring_marks;        /* marks queued */
    int32_t line_max;          /* longest command in bytes */
    int32_t max_step_hz;       /* pulse rate per motor */
    int32_t dir_setup_ns;      /* direction set-up before a pulse */
    int32_t min_segment_us;    /* mean over any 16 segments; 0 = no limit */
    int32_t tool_x_um[5];      /* per extruder: where its nozzle is, seen from that of extruder 0 */
    int32_t tool_y_um[5];
    int32_t tool_z_um[5];
    int32_t retract_um;        /* G10: filament drawn back; 0: G10 and G11 are refused */
    int32_t retract_um_s;
    int32_t unretract_extra_um; /* G11: so much more than was drawn back */
    int32_t unretract_um_s;
    int32_t retract_lift_um;   /* z hop of G10 */
    int32_t matrix_1e6[9];     /* PW_LINEAR: rows a b c over x y z; otherwise not looked at */
    int32_t arm_um;            /* PW_DELTA: length of the arms */
    int32_t tower_x_um[3];     /* PW_DELTA: where the towers' joints are, less the effector's offset */
    int32_t tower_y_um[3];
    int32_t bed_radius_um;     /* x and y lie within it as well; 0: the travel limits are all */
    int32_t top_um;            /* PW_DELTA: carriages end where they are with the nozzle so high over 0 0; 0: no limit */
    int32_t skew_1e6[3];       /* xy, xz, yz: spec motion 13; about the home position */
    int32_t mesh_points;       /* room for a mesh of so many points; 0: none */
    int32_t shaper[3];         /* enum pw_shaper of x y z */
    int32_t shaper_mhz[3];     /* frequency in 1/1000 Hz */
    int32_t shaper_damping_1e4[3]; /* damping ratio in 1/10000 */
    int32_t advance_us[5];     /* pressure advance per extruder; 0: none */
    int32_t advance_smooth_us; /* over which it is smoothed; 20,000 or more */
};

/* How high the bed is, over a grid of nx * ny points; beside the grid as at its edge.  Bicubic is Catmull-Rom.  What is added to z is the
 * height times fade, less the same at the home position, so that program motion starts where homing ends.  Fade is 1 up to
 * fade_from_um, then falls to 0 at fade_to_um (0: no fade, the mesh holds at any height).
 *
 * 2 to 256 points a side and mesh_points in all, spacing 1 to 1000 mm, heights up to 5 mm, neighbours at most 1 mm in 20 apart, fading
 * over at least 10 times the greatest height.  Lines that the mesh moves are slowed so that z keeps its limits: speed by slope,
 * acceleration half by slope and half by curvature, and where the slope breaks (bilinear: between cells) by the corner velocity. */
struct pw_mesh {
    int32_t kind;          /* enum pw_mesh_kind */
    int32_t nx, ny;
    int32_t origin_um[2];  /* of the first point */
    int32_t spacing_um[2];
    int32_t fade_from_um, fade_to_um;
};

enum pw_event_kind {
    PW_EV_NONE = 0,    /* all of the text was taken; line reached, number = motion commands so far, sub = commands ignored with a warning */
    PW_EV_FULL = 1,    /* the queue is full: run, drain, feed the rest */
    PW_EV_COMMAND = 2, /* a command for Python stands in line; its text is consumed */
    PW_EV_LAYER = 3,   /* a layer comment; number = its value or -1 (";LAYER_CHANGE") */
    PW_EV_ERROR = 4,   /* code, line, column; nothing more is taken until pw_begin */
    PW_EV_END = 5      /* pw_end: the document is complete */
};

/* Every field is an int64_t, so that a binding may pass an array.  value[] in 1e-6 units of the word, unscaled by G20. */
struct pw_event {
    int64_t kind;
    int64_t code;      /* enum pw_err for PW_EV_ERROR */
    int64_t letter;    /* 'G', 'M', 'T'; 'E' for EXCLUDE_OBJECT and what follows it without a blank */
    int64_t number;    /* 104 for M104; layer number for PW_EV_LAYER */
    int64_t sub;       /* 2 for G38.2, else 0 */
    int64_t line;      /* from 1 */
    int64_t column;    /* from 1; of a word at most 65535 */
    int64_t words;     /* bit n: letter 'A'+n present (command letter excluded) */
    int64_t value[26]; /* 1e-6 units; a word without a number is 0 */
};

/* n steps: tick of step i = round(first + interval*i + add*i*(i-1)/2), all in 1/65536 tick (add: sum taken before the final
 * rounding).  Ties round up. */
struct pw_steprun {
    uint64_t first_q16;    /* plan time of step 0 in 1/65536 tick */
    uint64_t interval_q16; /* between step 0 and step 1, 1/65536 tick */
    int32_t add_q16;       /* change of the interval per step */
    uint16_t count;        /* 1 to 65535 */
    int16_t direction;     /* +1 or -1 */
};

struct pw_markrec {
    uint64_t tick;
    uint32_t id;
    uint32_t reserved;
};

struct pw_status {
    int64_t state;           /* 0 idle, 1 feeding, 2 ended, 3 failed */
    int64_t error;           /* enum pw_err of the failure */
    int64_t line;            /* last line taken */
    int64_t moves;           /* motion commands taken */
    int64_t segments;        /* segments queued, look-ahead included */
    int64_t planned_tick;    /* end of the motion that is turned into runs */
    int64_t final_tick;      /* end of final plan (whole ticks, rounded down) */
    int64_t position_nm[4];  /* where the last motion taken ends: x y z of the machine (as T0's nozzle), e of the extruder in force */
    int64_t tool;            /* extruder in force */
    int64_t count[8];        /* steps made by the runs drained or in the rings */
    int64_t ignored;         /* commands ignored with a warning (M900) */
    int64_t idle;            /* 1 when everything fed is turned into runs and nothing waits */
    int64_t made_tick[8];    /* per motor: its steps before this plan tick are in its ring or drained (2 us of fit and rounding apart) */
};

struct pw_core;

/* -- application ------------------------------------------------------------------------------------------------------------- */
const char *pw_err_name(int32_t code);
const char *pw_config_field(int32_t index); /* name of the index-th int32_t of struct pw_config, NULL past the end */
size_t pw_core_size(const struct pw_config *cfg); /* 0 when the configuration is refused */
int32_t pw_init(void *mem, size_t size, const struct pw_config *cfg, struct pw_core **core, int32_t *bad_field);
int32_t pw_begin(struct pw_core *core, int32_t mode, int32_t dialect);
/* Both return the bytes consumed (>= 0) or a negative PW_E_ARG / PW_E_STATE. */
int32_t pw_scan(struct pw_core *core, const char *text, int32_t len, struct pw_event *event);
int32_t pw_feed(struct pw_core *core, const char *text, int32_t len, struct pw_event *event);
/* Extruders (bit n: Tn) that must not push filament from here on in the scan: PW_E_COLD for a line that does.  pw_begin makes it 0. */
int32_t pw_scan_cold(struct pw_core *core, uint32_t extruders);
/* End of the document that is being fed (of the scan, when none is): takes a last line without newline; call again until the event is
 * PW_EV_END (FULL and COMMAND as in feed). */
int32_t pw_end(struct pw_core *core, struct pw_event *event);
/* Both also work after an error of the text, behind its last good move.  PW_OK, or PW_E_FULL: run, drain, call again. */
int32_t pw_mark(struct pw_core *core, uint32_t id);  /* takes no look-ahead; 32 that wait for it end it */
int32_t pw_flush(struct pw_core *core);              /* ends look-ahead: the motion fed so far ends in a stop */
/* The document's speed (10 to 10000) and flow (1 to 2000) from the next move fed on; pw_begin makes both 1000. */
int32_t pw_override(struct pw_core *core, int32_t speed_permille, int32_t flow_permille);
/* Baby steps: the document's z moves by so much in all (at most 2,000,000 either way), from the next move fed on, within the travel
 * limits; pw_begin makes it 0. */
int32_t pw_baby_step(struct pw_core *core, int32_t z_nm);
/* From the next line fed on the document's moves are left out (on != 0), or made again: for an object that was canceled.  Everything else goes
 * on, modal state included.  The first move in x or y that is made again is preceded by the way to where it begins: up to the highest
 * place left out, across, down, with the filament as far drawn back as the document has it.  pw_begin makes it 0. */
int32_t pw_skip(struct pw_core *core, int32_t on);
/* The mesh in force from now on (the heights row by row along x, copied), or none where mesh is NULL.  It is part of the machine's settings:
 * the stream is a function of configuration, mesh and bytes.  Between documents, or in one where everything fed is made and the
 * motion stands at the home position, which no mesh moves: else PW_E_STATE.  PW_E_MESH changes nothing. */
int32_t pw_mesh(struct pw_core *core, const struct pw_mesh *mesh, const int32_t *height_nm);
/* What it adds to z at a place of the program; 0 without a mesh. */
int32_t pw_mesh_lift_at(struct pw_core *core, const int64_t *place_nm, int64_t *lift_nm);
/* Counts of the axis motors (3) where the machine stands at x y z, and the way back (PW_E_REACH: there is no such place).  Places of the
 * machine, as of the second context: without mesh and skew. */
int32_t pw_counts_at(struct pw_core *core, const int64_t *place_nm, int64_t *counts);
int32_t pw_place_at(struct pw_core *core, const int64_t *counts, int64_t *place_nm);
/* The second context: pw_feed, pw_mark, pw_flush, pw_run, pw_steps, pw_marks and pw_status act in it until pw_leave, which drops what it
 * has queued and brings the main context back as it was.  It begins with default modal state (no F), at plan tick 0, where the
 * main one's planned motion ends, or, when that is not all made, at the counts of the runs made.  Travel limits are wider by one
 * axis length on each side, and G92 X Y Z names the place (behind a flush).  Allowed before, in, and after a document. */
int32_t pw_enter(struct pw_core *core);
int32_t pw_leave(struct pw_core *core);
int32_t pw_status(struct pw_core *core, struct pw_status *status);

/* -- port -------------------------------------------------------------------------------------------------------------------- */
int32_t pw_run(struct pw_core *core, int32_t budget); /* units of work done (0: nothing to do), or an error */
int32_t pw_steps(struct pw_core *core, int32_t motor, struct pw_steprun *out, int32_t n);
int32_t pw_marks(struct pw_core *core, struct pw_markrec *out, int32_t n);
/* Steps of a run from step `from` on, as plan ticks; returns how many were written. */
int32_t pw_expand(const struct pw_steprun *run, int32_t from, int64_t *ticks, int32_t n);

#endif
