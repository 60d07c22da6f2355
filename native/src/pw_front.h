/* The front end: G-code bytes to straight lines.  Internal to native/src.
 *
 * bytes -> pw_text.c (words of a line) -> pw_command.c (modal state, what a line means) -> pw_move.c, pw_arc.c (targets, guard,
 * chords) -> pw_merge.c (straight lines into the planner).  Lengths in nm.  A front end is one text in progress: the core has
 * three, for the document, the scan and the second context. */
#ifndef PW_FRONT_H
#define PW_FRONT_H
#include "pw_plan.h"

enum {
    PW_MERGE_POINTS = 24,  /* junctions that one merged line may span */
    PW_PIECE_NM = 1000000000, /* longer lines are cut: differences stay in 31 bits */
    PW_LETTER_E = 4, PW_LETTER_F = 5, PW_LETTER_G = 6, PW_LETTER_I = 8, PW_LETTER_J = 9, PW_LETTER_K = 10, PW_LETTER_M = 12, PW_LETTER_N = 13,
    PW_LETTER_P = 15, PW_LETTER_R = 17, PW_LETTER_S = 18, PW_LETTER_T = 19, PW_LETTER_X = 23, PW_LETTER_Y = 24, PW_LETTER_Z = 25
};

static inline uint32_t pw_bit(int n) { return (uint32_t)1 << n; }

/* -- words of a line ------------------------------------------------------------------------------------------------------------ */

enum pw_text_result { PW_TEXT_MORE = 0, PW_TEXT_LINE = 1, PW_TEXT_LAYER = 2, PW_TEXT_ERROR = 3 };

struct pw_text {
    int64_t line;       /* number of the line in work, from 1 */
    int64_t line_taken; /* number of the last one that ended */
    int64_t column;     /* bytes of it taken */
    int64_t mark;       /* column of the word in work, or of an error */
    int64_t mantissa;   /* number in work */
    int64_t layer;      /* of a layer comment */
    int64_t value[PW_WORDS]; /* 1e-6; undefined for letters that are not in `words` */
    uint16_t column_of[PW_WORDS]; /* where each began, 65535 at most */
    int32_t command_column;
    uint32_t words;     /* bit per letter */
    uint32_t numbered;  /* those with a number */
    int32_t letter;     /* of the command, 0: none yet */
    int32_t number, sub;
    int32_t line_max;
    int32_t bytes;      /* of the line, comments excluded */
    int32_t error;
    uint8_t state;
    uint8_t back;       /* state behind a (comment) */
    uint8_t word;       /* letter in work, 0 to 25 */
    uint8_t is_command; /* the word in work is the command */
    uint8_t negative, digits, point, fraction, round_up;
    uint8_t started;    /* anything but blanks in the line */
    uint8_t was_cr;
    uint8_t numbered_line;
    uint8_t loose;      /* rest of the line may be anything */
    uint8_t sum, sum_wanted, sum_state; /* XOR of the bytes; after `*` */
    uint16_t sum_value;
    uint8_t match;      /* characters of a layer comment that agree */
    uint8_t layer_state;
};

void pw_text_begin(struct pw_text *tx, int32_t line_max);
/* Takes bytes up to the end of a line that says something.  *used counts them. */
enum pw_text_result pw_text_take(struct pw_text *tx, const char *text, int32_t len, int32_t *used);
enum pw_text_result pw_text_end(struct pw_text *tx); /* the text ends: as a newline, but not counted */
void pw_text_next(struct pw_text *tx); /* forgets the line taken */

/* -- lines on their way into the planner ----------------------------------------------------------------------------------------- */

struct pw_ratio { /* of extrusion to length: highest lower and lowest upper bound of the merged lines */
    int64_t lo_q24, hi_q24;
    int32_t sign, reserved;
};

struct pw_merge {
    struct pw_line line; /* waiting, when count > 0 */
    struct pw_ratio ratio; /* from count 2 on */
    int32_t count;       /* lines merged */
    int32_t reserved;
    int32_t point[PW_MERGE_POINTS][3]; /* junctions inside, from the start */
};

/* PW_OK or PW_E_FULL, with nothing changed. */
int32_t pw_merge_line(struct pw_merge *mg, struct pw_planner *pl, const struct pw_line *line, int64_t merge_nm);
int32_t pw_merge_push(struct pw_merge *mg, struct pw_planner *pl);

/* A straight line on its way to a place in machine coordinates (e: length fed). */
struct pw_leg {
    int64_t to_nm[4];
    int32_t velocity_um_s, accel_um_s2;
};

/* A move on its way: a line, or an arc cut into n pieces of which k are out. */
struct pw_travel {
    struct pw_leg leg;
    int64_t from_nm[4];
    int64_t center_nm[2]; /* in the plane, machine coordinates */
    int64_t radius_nm[2]; /* vector from the centre to the start */
    int64_t sweep_q62;    /* turns, from the first axis of the plane to the second positive */
    int64_t miss_nm[2];   /* end of the arc to the target, spread over it */
    int32_t n, k;
    int32_t arc;
    int32_t plane[3];     /* axes of an arc's plane, and the one across */
};

/* The document's moves that are left out, and the way back to where they are made again (pw_skip.c). */
struct pw_skip {
    int32_t on;
    int32_t away;        /* the machine is elsewhere than the document */
    int32_t step;        /* of the way back */
    int32_t reserved;
    int64_t high_nm;     /* highest z left out, of the machine */
    int64_t to_nm[4];    /* end of the way back */
    int32_t drawn_nm[PW_EXTRUDERS]; /* filament that the document has drawn back */
    int32_t real_nm[PW_EXTRUDERS];  /* and the machine */
};

/* Everything behind the guard; a scan has none. */
struct pw_stage {
    struct pw_planner *planner;
    struct pw_skip *skip; /* NULL: nothing can be left out */
    int64_t at_nm[4];    /* end of the last piece: machine coordinates, e = length that the extruder in force was fed */
    int64_t e_nm[PW_EXTRUDERS]; /* the same of the others */
    int32_t flow_rest[PW_EXTRUDERS]; /* of the division by 1000 */
    int32_t baby_nm;     /* added to z of the moves to come */
    int32_t speed_permille, flow_permille;
    struct pw_leg first; /* goes before `travel` */
    struct pw_travel travel;
    struct pw_merge merge;
};

/* -- state of a text ---------------------------------------------------------------------------------------------------------- */

struct pw_modal {
    int64_t pos_nm[4];    /* x y z of the nozzle, and e as G92 sets it */
    int64_t e_total_nm[PW_EXTRUDERS]; /* e since the beginning, flow not applied */
    int32_t tool;
    int32_t shift_nm[3];  /* the carriage stands at pos less this ... */
    int32_t want_nm[3];   /* ... and with the next move at its target less that: the tool's offset, less its lift */
    int32_t lift_nm[PW_EXTRUDERS]; /* z hop of a retracted extruder */
    uint32_t retracted;   /* bit per extruder */
    int32_t advance_us[PW_EXTRUDERS];
    int32_t feed_um_s;    /* 0: none yet */
    int32_t relative, relative_e, inch, plane;
    /* limits in force: never above the machine's */
    int32_t print_accel_um_s2, travel_accel_um_s2, retract_accel_um_s2;
    int32_t corner_um_s, e_corner_um_s;
    int32_t axis_velocity_um_s[3], axis_accel_um_s2[3];
    int32_t e_velocity_um_s, e_accel_um_s2;
};

/* Bounds that the guard needs, made from the configuration. */
struct pw_guard {
    int64_t min_nm[3], max_nm[3]; /* of the carriage */
    int64_t lo_nm[3], hi_nm[3]; /* where the nozzle in force may be: within the same limits, and the carriage as well */
    int64_t e_ratio_q24;    /* filament length to path length, at most */
    int64_t nozzle_nm, e_only_nm;
    int64_t e_total_nm[PW_EXTRUDERS];
    int64_t merge_nm, chord_nm;
};

enum { /* what is left to do for the line taken, in this order */
    PW_TODO_FIRST = 1,  /* a line before the travel */
    PW_TODO_TRAVEL = 2,
    PW_TODO_PUSH = 4,   /* merge ends */
    PW_TODO_DWELL = 8,
    PW_TODO_FLUSH = 16,
    PW_TODO_PLACE = 32, /* second context: coordinates are set */
    PW_TODO_EVENT = 64,
    PW_TODO_BACK = 128  /* before all others */
};

enum pw_front_state { PW_FRONT_IDLE = 0, PW_FRONT_OPEN = 1, PW_FRONT_ENDED = 2, PW_FRONT_FAILED = 3 };

struct pw_front {
    const struct pw_config *cfg;
    struct pw_guard guard;
    const struct pw_kin *kin; /* what it can reach; NULL: anything */
    struct pw_stage *stage; /* NULL: scan */
    int32_t dialect;
    int32_t side;           /* second context */
    int32_t state;
    int32_t error;
    uint32_t todo;
    uint32_t cold;          /* bit per extruder that must not push */
    int32_t event_kind;
    int32_t ending;         /* pw_end has been called */
    int64_t error_column;
    int64_t dwell_ticks;
    int64_t moves, ignored, lines;
    struct pw_modal modal;
    struct pw_text text;
};

void pw_guard_init(struct pw_guard *g, const struct pw_config *cfg, int32_t side);
void pw_front_begin(struct pw_front *f, const struct pw_config *cfg, struct pw_stage *stage, const int64_t position_nm[PW_MOTORS],
                    int32_t dialect, int32_t side);
int32_t pw_front_take(struct pw_front *f, const char *text, int32_t len, struct pw_event *event);
/* Queues what is left of the line taken and the merged line, for a mark or a flush behind it; an event of the line still comes. */
int32_t pw_front_settle(struct pw_front *f);
int32_t pw_front_end(struct pw_front *f, struct pw_event *event);

/* pw_command.c: carries out the line in f->text as far as the queue is not needed.  PW_OK or an error. */
int32_t pw_command(struct pw_front *f);
int32_t pw_limit_command(struct pw_front *f); /* pw_limits.c: M201 M203 M204 M205 */
int32_t pw_advance_command(struct pw_front *f); /* M900 */
void pw_limits_reset(struct pw_modal *md, const struct pw_config *cfg);
/* The error, at the column of a letter's word, or of the command for -1. */
int32_t pw_fail_at(struct pw_front *f, int letter, int32_t error);
int32_t pw_word_nm(const struct pw_front *f, int letter, int64_t *nm);
int32_t pw_no_words(struct pw_front *f, int32_t error);
/* PW_OK, or the error of a place that the bed or the kinematics leave out. */
int32_t pw_reachable(const struct pw_front *f, const int64_t at_nm[3]);

/* pw_move.c */
int32_t pw_move(struct pw_front *f, int32_t number);  /* G0 to G3 */
int32_t pw_home_travel(struct pw_front *f, uint32_t words); /* G28 */
int32_t pw_retract(struct pw_front *f, int32_t back); /* G10, or G11 */
void pw_tool_bounds(struct pw_front *f); /* makes want, lo and hi from the tool in force and its lift */
int32_t pw_leg_run(struct pw_front *f, const struct pw_leg *leg); /* pieces into the planner: PW_OK or PW_E_FULL */
int32_t pw_travel_run(struct pw_front *f);
/* pw_skip.c */
enum pw_skipped { PW_SKIP_NO = 0, PW_SKIP_OUT = 1, PW_SKIP_BACK = 2 };
/* A move of the document with the tool in force: d_e of filament, the carriage at most as high as z_nm (of the machine); still: neither x nor y,
 * and no extrusion along z.  PW_SKIP_OUT: it is left out; PW_SKIP_BACK: a way back comes before, on which owed_nm of filament is moved. */
enum pw_skipped pw_skip_move(struct pw_front *f, int64_t d_e, int64_t z_nm, int still, int64_t *owed_nm);
/* The way back to a place of the machine, with e_nm of filament, before the moves that are to come. */
void pw_skip_back(struct pw_front *f, const int64_t to_nm[3], int64_t e_nm);
int32_t pw_skip_run(struct pw_front *f);
/* pw_arc.c: fills plane, center, radius, sweep, miss and n, in the document's coordinates; L is the length in the plane. */
int32_t pw_arc_solve(struct pw_front *f, int32_t clockwise, const int64_t from[4], const int64_t to[4], struct pw_travel *tr,
                     int64_t *length_nm);
/* PW_OK, or the error of an arc of the machine's coordinates that leaves bed or reach between its ends. */
int32_t pw_arc_reach(const struct pw_front *f, const struct pw_travel *tr, const int64_t from_nm[3], const int64_t to_nm[3]);
void pw_arc_point(const struct pw_travel *tr, int32_t k, int64_t ab[2]);

/* pw_trig.c: angles in turns, Q62 */
int64_t pw_angle_q62(int64_t x, int64_t y); /* of a vector, 0 to below one turn; below 2^61 each, not both 0 */
void pw_cos_sin_q60(int64_t angle_q62, int64_t *cosine, int64_t *sine);

/* pw_config.c: index of the first bad field, or -1 */
int32_t pw_config_check(const struct pw_config *cfg);
int32_t pw_config_left_out(const struct pw_config *cfg); /* a field that asks for what this build is without, or -1 */

void pw_zero(void *mem, size_t n);

#endif
