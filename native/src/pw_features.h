/* What the core is built with.  A board's build sets to 0 what none of its machines has: less code, of which that below pw_run has to
 * be in RAM on some chips.  A machine that asks for it is refused then (PW_E_FEATURE); the stream of any other is the same in every build. */
#ifndef PW_FEATURES_H
#define PW_FEATURES_H

#ifndef PW_WITH_SHAPING /* input shapers, pressure advance */
#define PW_WITH_SHAPING 1
#endif
#ifndef PW_WITH_MESH
#define PW_WITH_MESH 1
#endif
#ifndef PW_WITH_DELTA
#define PW_WITH_DELTA 1
#endif
#ifndef PW_WITH_MATRIX /* PW_LINEAR, skew */
#define PW_WITH_MATRIX 1
#endif

#define PW_WITH_TRACKS (PW_WITH_SHAPING || PW_WITH_MESH || PW_WITH_DELTA) /* motors that follow pieces of the path (pw_follow.h) */

#endif
