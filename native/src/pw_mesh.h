/* The bed's mesh: how much higher than at the home position the bed is, faded out with height.  Applied to a program's place before
 * skew and kinematics. */
#ifndef PW_MESH_H
#define PW_MESH_H
#include "printwright.h"

struct pw_mesh_state {
    int32_t nx, ny, kind, reserved;
    int64_t origin_q32[2];    /* mm */
    int64_t cells_q44[2];     /* a mm */
    int64_t fade_from_q32, fade_to_q32; /* mm of z */
    int64_t fade_q44;         /* loss a mm between them, 0: the mesh holds at any height */
    int64_t home_q32;         /* lift at the home position: taken off everywhere */
    int64_t fade_to_nm;       /* above it the mesh does nothing */
    /* what it may add to the motion of z, at most */
    int64_t slope_q30;        /* mm a mm along x and y */
    int64_t steep_q30;        /* mm a mm of z */
    int32_t velocity_um_s;    /* speed and acceleration along x and y above which z would need more than its own limits */
    int32_t accel_um_s2;
    int32_t *height_nm;       /* row by row along x */
};

/* Takes a mesh over; heights are copied to m->height_nm, which has room for cfg->mesh_points.  PW_OK or PW_E_MESH: unchanged then. */
int32_t pw_mesh_init(struct pw_mesh_state *m, const struct pw_config *cfg, const struct pw_mesh *mesh, const int32_t *height_nm);
/* mm Q32 to add to z at a place, and what it changes a mm of x, y, z (Q30, when wanted).  Places beside the grid are as its edge. */
int64_t pw_mesh_lift(const struct pw_mesh_state *m, const int64_t at_q32[3], int64_t slope_q30[3]);

#endif
