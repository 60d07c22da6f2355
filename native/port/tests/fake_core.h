/* A stand-in for the motion core in the port's tests: hands out prepared runs and marks, as far as a test has "fed" them. */
#ifndef FAKE_CORE_H
#define FAKE_CORE_H
#include "printwright_port.h"

enum { FAKE_RUNS = 4096, FAKE_MARKS = 256 };

struct pw_core {
    struct pw_steprun run[PW_MOTORS][FAKE_RUNS];
    struct pw_markrec mark[FAKE_MARKS];
    int32_t runs[PW_MOTORS], marks;          /* prepared */
    int32_t made[PW_MOTORS], marks_made;     /* in the rings or taken */
    int32_t taken[PW_MOTORS], marks_taken;
    int64_t planned, final;                  /* plan ticks; final: what the test has fed */
    int64_t grain;                           /* plan ticks that a unit of work covers */
    int32_t ring_runs;                       /* room of each ring */
    int32_t flushed;                         /* nothing is kept back for look-ahead */
    int32_t error;                           /* reported by status */
    int32_t run_error;                       /* returned by pw_run */
};

void fake_init(struct pw_core *core);
/* count steps from tick first_q16 / 65536 on. */
void fake_run(struct pw_core *core, int32_t motor, uint64_t first_q16, uint64_t interval_q16, int32_t add_q16, uint32_t count,
              int32_t direction);
void fake_mark(struct pw_core *core, uint64_t tick, uint32_t id);

#endif
