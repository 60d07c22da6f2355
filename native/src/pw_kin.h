/* Kinematics: where the motors of the axes (0 to 2) are when the tool is at a place, and the way back.
 *
 * A place is x y z in mm Q32.  It is the program's, with the mesh added to z: the skew of the machine is taken into account here.
 * Positions are steps Q32.  Extruders are not here: their steps are length times steps a mm.
 *
 * pw_kin.c dispatches to one file a family: pw_kin_linear.c (cartesian, CoreXY, CoreXZ, any matrix), pw_kin_delta.c. */
#ifndef PW_KIN_H
#define PW_KIN_H
#include "printwright.h"
#include "pw_features.h"
#include "pw_math.h"

struct pw_kin {
    int32_t kind;              /* enum pw_kinematics */
    int32_t skewed;
    int64_t step_q44[3];       /* steps a mm of a motor's travel */
    int64_t step_q64[3];       /* steps a nm */
    int64_t mm_q44[3];         /* mm a step */
    int64_t home_nm[3], home_q32[3];
    int64_t skew_q32[3];       /* mm of x a mm of y, of x a mm of z, of y a mm of z */
    int64_t radius_nm;         /* of the bed, 0: the travel limits are all */
    union {
        struct {
            int64_t row_q44[3][3];  /* steps a mm of x y z, skew included */
            int64_t row_q64[3][3];  /* steps a nm */
            int64_t home_steps_q32[3];
            int64_t back_q30[3][3]; /* mm of x y z a mm of travel of motor 0 1 2; no skew */
        } linear;
        struct {
            int64_t tower_q32[3][2];
            int64_t arm_q32;
            int64_t arm2_q40;       /* mm^2 */
            int64_t top_q32;        /* no carriage gets higher, 0: no limit */
            int64_t far2_q40;       /* square of the farthest that a joint may be from its tower, seen from above */
        } delta;
    } of;
};

void pw_kin_init(struct pw_kin *k, const struct pw_config *cfg); /* cfg was checked */
/* The first field that makes the geometry impossible, or NULL.  Ranges of single fields were checked before. */
const int32_t *pw_kin_check(const struct pw_config *cfg);

/* Are positions linear functions of the place (plus a constant)?  Then pw_kin_velocity depends on v alone. */
static inline int pw_kin_is_linear(const struct pw_kin *k) { return !PW_WITH_DELTA || k->kind != PW_DELTA; }

static inline int pw_kin_is_skewed(const struct pw_kin *k) { return PW_WITH_MATRIX && k->skewed; }

/* Steps Q32 of motor 0 to 2, to 1e-9 mm and 2^-40 of the place.  Places out of reach give what flat arms would. */
int64_t pw_kin_position(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3]);
/* The same of a place in nm. */
int64_t pw_kin_position_nm(const struct pw_kin *k, int32_t motor, const int64_t at_nm[3]);
/* Change of the position a change v of the place, there: v in mm a unit of any kind, Q32, below 2^13; steps a unit, Q32.
 * To 2^-28 of |v| and 2^-30 mm. */
int64_t pw_kin_velocity(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3], const int64_t v_q32[3]);
/* Both, for little more than one. */
void pw_kin_both(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3], const int64_t v_q32[3], int64_t *position_q32,
                 int64_t *velocity_q32);

/* Steps of the motor a metre of path, at most, with a mesh of any allowed slope. */
int64_t pw_kin_most(const struct pw_kin *k, int32_t motor);

/* The place in nm, to 2 nm, whose positions these are; PW_E_REACH when there is none. */
int32_t pw_kin_place_nm(const struct pw_kin *k, const int64_t position_q32[3], int64_t at_nm[3]);
/* PW_OK; PW_E_VOLUME beyond the bed's radius; PW_E_REACH where arms are too flat, or a carriage too high.  The first two regions are
 * convex: a line between two good places is good; the last is not. */
int32_t pw_kin_guard(const struct pw_kin *k, const int64_t at_nm[3]);
/* Of a line between two places that passed: PW_E_REACH where a carriage of a delta would get too high on the way. */
int32_t pw_kin_guard_line(const struct pw_kin *k, const int64_t from_nm[3], const int64_t to_nm[3]);
/* May a place at this height be too high for a carriage? */
int pw_kin_high(const struct pw_kin *k, int64_t z_nm);

static inline int64_t pw_nm_q32(int64_t nm) { return pw_mulshift(nm, INT64_C(18446744073710), 32); } /* mm Q32; 2^64 / 1e6 */
static inline int64_t pw_mm_nm(int64_t mm_q32) { return pw_asr(pw_mulshift(mm_q32, 2000000, 32) + 1, 1); } /* rounded */

/* -- between the files of the kinematics; places here are without skew ------------------------------------------------------- */

void pw_linear_init(struct pw_kin *k, const struct pw_config *cfg);
const int32_t *pw_linear_check(const struct pw_config *cfg);
int64_t pw_linear_position(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3]); /* skew included */
int64_t pw_linear_position_nm(const struct pw_kin *k, int32_t motor, const int64_t at_nm[3]);
int64_t pw_linear_velocity(const struct pw_kin *k, int32_t motor, const int64_t v_q32[3]);
void pw_linear_back(const struct pw_kin *k, const int64_t travel_q32[3], int64_t d_q32[3]);

void pw_delta_init(struct pw_kin *k, const struct pw_config *cfg);
const int32_t *pw_delta_check(const struct pw_config *cfg);
/* Height of carriage mm Q32; with v, its change. */
int64_t pw_delta_height(const struct pw_kin *k, int32_t motor, const int64_t at_q32[3], const int64_t *v_q32, int64_t *change_q32);
int32_t pw_delta_place(const struct pw_kin *k, const int64_t height_q32[3], int64_t at_q32[3]);
int32_t pw_delta_guard(const struct pw_kin *k, const int64_t at_q32[3]);
int32_t pw_delta_guard_line(const struct pw_kin *k, const int64_t from_q32[3], const int64_t to_q32[3]);

#endif
