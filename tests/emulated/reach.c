/* What the port calls while it moves, and nothing else: bench/targets.py looks how much code the linker finds to be reached by it. */
#include "bare.h"
#include "printwright.h"

int bare_main(void)
{
    size_t size;
    struct pw_core *core = bare_memory(&size);
    struct pw_steprun run;
    struct pw_markrec mark;
    int32_t done = pw_run(core, 16);
    done |= pw_steps(core, 0, &run, 1);
    done |= pw_marks(core, &mark, 1);
    return done != 0;
}
