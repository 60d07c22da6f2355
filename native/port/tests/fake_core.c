#include "fake_core.h"
#include <string.h>

void fake_init(struct pw_core *core)
{
    memset(core, 0, sizeof *core);
    core->grain = 4000;
    core->ring_runs = 16;
}

void fake_run(struct pw_core *core, int32_t motor, uint64_t first_q16, uint64_t interval_q16, int32_t add_q16, uint32_t count,
              int32_t direction)
{
    core->run[motor][core->runs[motor]++] = (struct pw_steprun){first_q16, interval_q16, add_q16, (uint16_t)count, (int16_t)direction};
}

void fake_mark(struct pw_core *core, uint64_t tick, uint32_t id) { core->mark[core->marks++] = (struct pw_markrec){tick, id, 0}; }

static int everything_made(const struct pw_core *core)
{
    return core->flushed && core->planned == core->final;
}

int32_t pw_status(struct pw_core *core, struct pw_status *status)
{
    memset(status, 0, sizeof *status);
    status->error = core->error;
    status->planned_tick = core->planned;
    status->final_tick = core->final;
    status->idle = everything_made(core);
    for (int32_t m = 0; m < PW_MOTORS; m++) status->made_tick[m] = core->planned;
    return PW_OK;
}

/* Moves on by one grain, or by what the rings have room for; 0 when nothing was to be done. */
static int grain(struct pw_core *core)
{
    int64_t to = core->planned + core->grain;
    int made = 0;
    if (to > core->final) to = core->final;
    if (to == core->planned) return 0;
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        while (core->made[m] < core->runs[m] && (int64_t)(core->run[m][core->made[m]].first_q16 >> 16) < to) {
            if (core->made[m] - core->taken[m] >= core->ring_runs) return made;
            core->made[m]++;
            made = 1;
        }
    }
    while (core->marks_made < core->marks && (int64_t)core->mark[core->marks_made].tick <= to) core->marks_made++;
    core->planned = to;
    return 1;
}

int32_t pw_run(struct pw_core *core, int32_t budget)
{
    int32_t done = 0;
    if (core->run_error) return core->run_error;
    while (done < budget && grain(core)) done++;
    return done;
}

int32_t pw_steps(struct pw_core *core, int32_t motor, struct pw_steprun *out, int32_t n)
{
    int32_t got = 0;
    while (got < n && core->taken[motor] < core->made[motor]) out[got++] = core->run[motor][core->taken[motor]++];
    return got;
}

int32_t pw_marks(struct pw_core *core, struct pw_markrec *out, int32_t n)
{
    int32_t got = 0;
    while (got < n && core->marks_taken < core->marks_made) out[got++] = core->mark[core->marks_taken++];
    return got;
}
