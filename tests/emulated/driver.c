#include "driver.h"

#include "printwright.h"
#include "sha256.h"

enum { RUNS = 8, FEED = 0, RUN = 1, STEPS = 2, METERS = 3 };

struct driver {
    const struct pw_driver_io *io;
    const uint32_t *policy;
    struct pw_core *core;
    int32_t budget;
    uint32_t before[2], idle[2], longest[2];
    uint64_t spent[METERS][2];
    struct sha256 sha[PW_MOTORS];
    uint64_t last[PW_MOTORS];
    uint32_t steps[PW_MOTORS];
    uint32_t runs;
};

/* -- text out ------------------------------------------------------------------------------------------------------------------- */

static void put_number(const struct pw_driver_io *io, int64_t n)
{
    char text[24], *at = text + sizeof text;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    *--at = 0;
    do *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (n < 0) *--at = '-';
    *--at = ' ';
    io->put(at);
}

static void put_hex(const struct pw_driver_io *io, const uint8_t *bytes, int n)
{
    char text[3] = {0, 0, 0};
    for (int i = 0; i < n; i++) {
        text[0] = "0123456789abcdef"[bytes[i] >> 4];
        text[1] = "0123456789abcdef"[bytes[i] & 15];
        io->put(text);
    }
}

/* -- meter ---------------------------------------------------------------------------------------------------------------------- */

static void start(struct driver *d) { d->io->count(d->before); }

static void stop(struct driver *d, int meter)
{
    uint32_t now[2];
    d->io->count(now);
    for (int i = 0; i < 2; i++) {
        uint32_t n = ((now[i] - d->before[i]) & d->io->mask) - d->idle[i];
        d->spent[meter][i] += n;
        if (meter == RUN && n > d->longest[i]) d->longest[i] = n;
    }
}

static void calibrate(struct driver *d)
{
    d->idle[0] = d->idle[1] = 0;
    start(d);
    stop(d, STEPS);
    for (int i = 0; i < 2; i++) d->idle[i] = (uint32_t)d->spent[STEPS][i];
    d->spent[STEPS][0] = d->spent[STEPS][1] = 0;
}

/* -- steps ---------------------------------------------------------------------------------------------------------------------- */

static void hash_run(struct driver *d, int motor, const struct pw_steprun *run)
{
    uint64_t sum = run->first_q16, interval = run->interval_q16;
    uint32_t forward = run->direction > 0;
    for (uint32_t i = 0; i < run->count; i++) {
        uint64_t tick = (sum + 0x8000) >> 16, gap = tick - d->last[motor], wide = gap * 2 + forward;
        if (gap < 0x7FFFFFFF) {
            sha256_word(&d->sha[motor], (uint32_t)wide);
        } else {
            sha256_word(&d->sha[motor], 0xFFFFFFFF);
            sha256_word(&d->sha[motor], (uint32_t)wide);
            sha256_word(&d->sha[motor], (uint32_t)(wide >> 32));
        }
        d->last[motor] = tick;
        sum += interval;
        interval += (uint64_t)(int64_t)run->add_q16;
    }
    d->steps[motor] += run->count;
    d->runs++;
}

/* Runs the core dry.  0, or the error of a call. */
static int32_t drain(struct driver *d)
{
    for (;;) {
        struct pw_steprun runs[RUNS];
        struct pw_markrec marks[RUNS];
        int32_t done, n, moved = 0;
        start(d);
        done = pw_run(d->core, d->budget);
        stop(d, RUN);
        if (done < 0) return done;
        for (int motor = 0; motor < PW_MOTORS; motor++) {
            do {
                start(d);
                n = pw_steps(d->core, motor, runs, RUNS);
                stop(d, STEPS);
                if (n < 0) return n;
                moved += n;
                for (int32_t i = 0; i < n; i++) hash_run(d, motor, &runs[i]);
            } while (n == RUNS);
        }
        do {
            start(d);
            n = pw_marks(d->core, marks, RUNS);
            stop(d, STEPS);
            if (n < 0) return n;
            moved += n;
        } while (n == RUNS);
        if (!done && !moved) return 0;
    }
}

/* -- commands ------------------------------------------------------------------------------------------------------------------- */

enum { IGNORE = 1, MARK = 2, FLUSH = 3 }; /* as in firmware/gcode/policy.py */

static int action_of(const struct driver *d, const struct pw_event *event)
{
    uint32_t name = (uint32_t)event->letter << 24 | (uint32_t)event->number;
    for (uint32_t i = 1; i <= d->policy[0]; i++)
        if ((d->policy[i] & 0xFF0FFFFF) == name) return (int)(d->policy[i] >> 20 & 15);
    return FLUSH;
}

/* Marks or flushes, running the core while it is full. */
static int32_t act(struct driver *d, int action)
{
    for (;;) {
        int32_t err;
        start(d);
        err = action == MARK ? pw_mark(d->core, 0) : pw_flush(d->core);
        stop(d, FEED);
        if (err != PW_E_FULL) return err;
        err = drain(d);
        if (err) return err;
    }
}

/* The whole text.  0, or the error of a call; *error and *line are those of the text. */
static int32_t feed(struct driver *d, const char *text, uint32_t size, uint32_t piece, int64_t *error, int64_t *line)
{
    struct pw_event event;
    uint32_t at = 0;
    int32_t err = pw_begin(d->core, PW_FEED, PW_GCODE);
    if (err) return err;
    for (;;) {
        uint32_t rest = size - at < piece ? size - at : piece;
        start(d);
        err = rest ? pw_feed(d->core, text + at, (int32_t)rest, &event) : pw_end(d->core, &event);
        stop(d, FEED);
        if (err < 0) return err;
        at += (uint32_t)err;
        err = 0;
        if (event.kind == PW_EV_COMMAND && action_of(d, &event) != IGNORE) err = act(d, action_of(d, &event));
        else if (event.kind == PW_EV_LAYER) err = act(d, MARK);
        else if (event.kind == PW_EV_FULL) err = drain(d);
        else if (event.kind == PW_EV_ERROR || event.kind == PW_EV_END) break;
        if (err) return err;
    }
    if (event.kind == PW_EV_ERROR) { /* what was right up to there still counts */
        *error = event.code;
        *line = event.line;
        err = act(d, FLUSH);
        if (err) return err;
    }
    return drain(d);
}

static int one(struct driver *d, uint32_t index, const uint32_t *at, void *mem, size_t room)
{
    static const char *const names[METERS] = {" feed", " run", " steps"};
    const struct pw_driver_io *io = d->io;
    const struct pw_config *cfg = (const struct pw_config *)(const void *)(at + 5);
    const struct pw_mesh *mesh = (const struct pw_mesh *)(const void *)(at + 5 + at[0]);
    const char *text = (const char *)(at + 5 + at[0] + at[4]);
    struct pw_status status;
    struct sha256 whole;
    uint8_t digest[32];
    int64_t error = 0, line = 0;
    int32_t bad = -1, err;
    size_t size = at[0] * 4 == sizeof *cfg ? pw_core_size(cfg) : 0;
    io->put("case");
    put_number(io, index);
    if (!size || size > room) {
        io->put(size ? " does not fit\n" : " has a configuration that is refused\n");
        return 1;
    }
    err = pw_init(mem, size, cfg, &d->core, &bad);
    d->budget = (int32_t)at[3];
    for (int m = 0; m < cfg->motors; m++) {
        sha256_begin(&d->sha[m]);
        d->last[m] = d->steps[m] = 0;
    }
    for (int i = 0; i < METERS; i++) d->spent[i][0] = d->spent[i][1] = 0;
    d->longest[0] = d->longest[1] = 0;
    d->runs = 0;
    calibrate(d);
    if (!err && at[4]) err = pw_mesh(d->core, mesh, (const int32_t *)(const void *)(mesh + 1));
    if (!err) err = feed(d, text, at[1], at[2], &error, &line);
    if (!err) err = pw_status(d->core, &status);
    if (err) {
        io->put(" failed");
        put_number(io, err);
        io->put("\n");
        return 1;
    }
    sha256_begin(&whole);
    for (int m = 0; m < cfg->motors; m++) {
        sha256_end(&d->sha[m], digest);
        for (int i = 0; i < 32; i += 4)
            sha256_word(&whole, digest[i] | (uint32_t)digest[i + 1] << 8 | (uint32_t)digest[i + 2] << 16 | (uint32_t)digest[i + 3] << 24);
    }
    sha256_end(&whole, digest);
    io->put(" error");
    put_number(io, error);
    put_number(io, line);
    io->put(" moves");
    put_number(io, status.moves);
    io->put(" sha256 ");
    put_hex(io, digest, 32);
    io->put(" steps");
    for (int m = 0; m < cfg->motors; m++) put_number(io, d->steps[m]);
    io->put(" runs");
    put_number(io, d->runs);
    io->put(" ticks");
    put_number(io, status.planned_tick);
    io->put(" memory");
    put_number(io, (int64_t)size);
    io->put("\ncount");
    for (int i = 0; i < METERS; i++) {
        io->put(names[i]);
        for (int k = 0; k < 2; k++) put_number(io, (int64_t)d->spent[i][k]);
    }
    io->put(" longest");
    for (int k = 0; k < 2; k++) put_number(io, d->longest[k]);
    io->put("\n");
    return 0;
}

int pw_drive(const uint32_t *cases, void *mem, size_t size, const struct pw_driver_io *io)
{
    struct driver d;
    const uint32_t *at = cases + 2 + cases[1];
    int failed = 0;
    d.io = io;
    d.policy = cases + 1;
    for (uint32_t i = 0; i < cases[0]; i++) {
        failed |= one(&d, i, at, mem, size);
        at += 5 + at[0] + at[4] + (at[1] + 3) / 4;
    }
    return failed;
}
