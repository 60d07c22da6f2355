/* Steps out of runs: digest bytes, ticks with directions, or counts alone.
 *
 * The inner loops carry the Q16 sum of a run (first + interval*i + add*i(i-1)/2) by two additions a step, which is exact, so the
 * ticks equal those of pw_expand. */
#include "pw_host_parts.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "digest bytes are stored as they lie in memory");

#define HOLD 16u                  /* runs fetched at once */
#define LONG_GAP 0x7FFFFFFFll     /* from this gap on the long form is used */
#define LONG_MARK 0xFFFFFFFFu
#define SLOW_Q16 ((uint64_t)(LONG_GAP - 1) << 16) /* shorter intervals make short gaps, rounding included */

struct outlet {
    uint32_t *pack;               /* words of the digest */
    int64_t *ticks;
    int8_t *dirs;
    uint32_t pack_cap, pack_used; /* words */
    uint32_t steps_cap, steps_used;
    int64_t steps, last;
    struct pw_steprun hold[HOLD]; /* fetched from the core, not yet taken whole */
    uint32_t hold_n, hold_at, hold_from;
};

struct pw_sink {
    struct outlet motor[PW_MOTORS];
    int64_t marks;
};

size_t pw_sink_size(void) { return sizeof(struct pw_sink); }

int32_t pw_sink_init(void *mem, size_t size, struct pw_sink **sink)
{
    struct pw_sink *s = mem;
    if (!mem || !sink) return PW_E_ARG;
    if (size < sizeof *s || (uintptr_t)mem % 8u) return PW_E_MEMORY;
    for (uint32_t m = 0; m < PW_MOTORS; m++) {
        struct outlet *o = &s->motor[m];
        o->pack = NULL;
        o->ticks = NULL;
        o->dirs = NULL;
        o->pack_cap = o->pack_used = o->steps_cap = o->steps_used = 0;
        o->steps = o->last = 0;
        o->hold_n = o->hold_at = o->hold_from = 0;
    }
    s->marks = 0;
    *sink = s;
    return PW_OK;
}

int32_t pw_sink_buffers(struct pw_sink *sink, int32_t motor, uint8_t *pack, int32_t pack_size, int64_t *ticks, int8_t *dirs,
                        int32_t steps)
{
    struct outlet *o;
    if (!sink || motor < 0 || motor >= PW_MOTORS) return PW_E_ARG;
    if (pack && pack_size < 16) return PW_E_ARG;
    if (!ticks != !dirs || (ticks && steps < 1)) return PW_E_ARG;
    if ((uintptr_t)pack % 4u || (uintptr_t)ticks % 8u) return PW_E_MEMORY;
    o = &sink->motor[motor];
    o->pack = (uint32_t *)(void *)pack;
    o->pack_cap = pack ? (uint32_t)pack_size / 4u : 0u;
    o->ticks = ticks;
    o->dirs = dirs;
    o->steps_cap = ticks ? (uint32_t)steps : 0u;
    o->pack_used = o->steps_used = 0;
    return PW_OK;
}

/* Three words at most; the caller has room. */
static uint32_t *put_gap(uint32_t *at, int64_t gap, uint32_t forward)
{
    uint64_t wide = (uint64_t)gap * 2u + forward;
    if (gap < LONG_GAP) {
        *at++ = (uint32_t)wide;
        return at;
    }
    *at++ = LONG_MARK;
    *at++ = (uint32_t)wide;
    *at++ = (uint32_t)(wide >> 32);
    return at;
}

/* n steps from sum on, every gap but perhaps the first below LONG_GAP and room for n + 2 words.  Returns the words' end. */
static uint32_t *pack_steps(uint32_t *at, int64_t *last, uint64_t sum, uint64_t interval, uint64_t add, uint32_t n, uint32_t forward)
{
    int64_t tick = (int64_t)((sum + 0x8000u) >> 16);
    uint32_t before;
    at = put_gap(at, tick - *last, forward);
    before = (uint32_t)(uint64_t)tick; /* gaps below 2^31 are the same in 32 bits */
    for (uint32_t i = 1; i < n; i++) {
        uint32_t now;
        sum += interval;
        interval += add;
        now = (uint32_t)((sum + 0x8000u) >> 16);
        *at++ = (now - before) * 2u + forward;
        before = now;
    }
    *last = (int64_t)((sum + 0x8000u) >> 16);
    return at;
}

uint32_t pw_sink_take(struct pw_sink *sink, int32_t motor, const struct pw_steprun *run, uint32_t from, uint32_t to)
{
    struct outlet *o = &sink->motor[motor];
    uint32_t n = to - from, forward = run->direction > 0;
    uint64_t add = (uint64_t)(int64_t)run->add_q16;
    uint64_t tri = (uint64_t)from * (from - 1u) / 2u;
    uint64_t sum = run->first_q16 + run->interval_q16 * from + tri * add; /* modulo 2^64: the true sum is below 2^62 */
    uint64_t interval = run->interval_q16 + from * add;
    if (!o->pack && !o->ticks) {
        if (n) o->last = run_tick(run, to - 1u);
        o->steps += n;
        return n;
    }
    if (o->ticks && n > o->steps_cap - o->steps_used) n = o->steps_cap - o->steps_used;
    if (o->pack) {
        uint32_t room = o->pack_cap - o->pack_used;
        if (room < 3u) n = 0;
        else if (n > room - 2u) n = room - 2u;
        /* the intervals of a run lie between these two; a negative one looks huge, and is packed step by step as well */
        if (n > 1 && (run->interval_q16 >= SLOW_Q16 || run->interval_q16 + (run->count - 1u) * add >= SLOW_Q16)) n = 1;
    }
    if (!n) return 0;
    if (o->ticks) {
        int64_t *t = o->ticks + o->steps_used;
        int8_t *d = o->dirs + o->steps_used;
        uint64_t s = sum, step = interval;
        int8_t direction = (int8_t)run->direction;
        for (uint32_t i = 0; i < n; i++) {
            t[i] = (int64_t)((s + 0x8000u) >> 16);
            d[i] = direction;
            s += step;
            step += add;
        }
        o->steps_used += n;
        if (!o->pack) o->last = t[n - 1u];
    }
    if (o->pack) {
        uint32_t *at = o->pack + o->pack_used;
        o->pack_used += (uint32_t)(pack_steps(at, &o->last, sum, interval, add, n, forward) - at);
    }
    o->steps += n;
    return n;
}

void pw_sink_reset(struct pw_sink *sink)
{
    for (uint32_t m = 0; m < PW_MOTORS; m++) sink->motor[m].pack_used = sink->motor[m].steps_used = 0;
}

void pw_sink_report(const struct pw_sink *sink, struct pw_sink_status *status)
{
    for (uint32_t m = 0; m < PW_MOTORS; m++) {
        const struct outlet *o = &sink->motor[m];
        status->pack_used[m] = (int64_t)o->pack_used * 4;
        status->steps_used[m] = o->steps_used;
        status->steps[m] = o->steps;
        status->last_tick[m] = o->last;
    }
    status->marks = sink->marks;
}

/* Takes what the core's ring of one motor holds; 1 when a buffer is full first.  *moved counts runs fetched. */
static int32_t empty_ring(struct pw_sink *sink, struct pw_core *core, int32_t motor, int32_t *moved)
{
    struct outlet *o = &sink->motor[motor];
    for (;;) {
        while (o->hold_at < o->hold_n) {
            const struct pw_steprun *r = &o->hold[o->hold_at];
            while (o->hold_from < r->count) {
                uint32_t n = pw_sink_take(sink, motor, r, o->hold_from, r->count);
                if (!n) return 1;
                o->hold_from += n;
            }
            o->hold_at++;
            o->hold_from = 0;
        }
        int32_t got = pw_steps(core, motor, o->hold, (int32_t)HOLD);
        if (got < 0) return got;
        o->hold_at = 0;
        o->hold_n = (uint32_t)got;
        if (!got) return 0;
        *moved += got;
    }
}

int32_t pw_sink_core(struct pw_sink *sink, struct pw_core *core, int32_t budget, struct pw_sink_status *status)
{
    int32_t result = 0;
    if (!sink || !core || !status || budget < 0) return PW_E_ARG;
    pw_sink_reset(sink);
    for (;;) {
        struct pw_markrec mark[8];
        int32_t moved = 0, n;
        for (int32_t m = 0; m < PW_MOTORS; m++) {
            n = empty_ring(sink, core, m, &moved);
            if (n < 0) return n;
            result |= n;
        }
        while ((n = pw_marks(core, mark, 8)) > 0) {
            sink->marks += n;
            moved += n;
        }
        if (n < 0) return n;
        if (result || budget == 0) break;
        n = pw_run(core, budget);
        if (n < 0) return n;
        if (!n && !moved) break;
    }
    pw_sink_report(sink, status);
    return result;
}

int32_t pw_sink_host(struct pw_sink *sink, struct pw_host *host, struct pw_sink_status *status)
{
    int32_t result = 0;
    if (!sink || !host || !status) return PW_E_ARG;
    pw_sink_reset(sink);
    for (int32_t m = 0; m < PW_MOTORS; m++) {
        struct track *t = pw_host_main_track(host, m);
        while (t->out != t->at || t->tapped != t->step) {
            const struct pw_steprun *r = &t->ring[t->out & t->mask];
            uint32_t to = t->out == t->at ? t->step : r->count, n;
            if (t->tapped == to) { /* this run is handed on whole */
                t->out++;
                t->tapped = 0;
                continue;
            }
            n = pw_sink_take(sink, m, r, t->tapped, to);
            if (!n) {
                result = 1;
                break;
            }
            t->tapped += n;
        }
    }
    pw_sink_report(sink, status);
    return result;
}

int32_t pw_pack_ticks(const int64_t *ticks, const int8_t *dirs, int32_t n, int64_t *last, uint8_t *out, int32_t size)
{
    uint32_t *at = (uint32_t *)(void *)out, *first = at;
    if (!ticks || !dirs || !last || !out || n < 0 || size < 0) return PW_E_ARG;
    if ((uintptr_t)out % 4u || size / 12 < n) return PW_E_MEMORY;
    for (int32_t i = 0; i < n; i++) {
        if (ticks[i] < *last) return PW_E_ARG;
        at = put_gap(at, ticks[i] - *last, dirs[i] > 0);
        *last = ticks[i];
    }
    return (int32_t)((at - first) * 4);
}
