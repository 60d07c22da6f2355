/* The tokenizer and the commands, without a planner behind: whole text, the same text in pieces, and a scan agree on every event;
 * nothing outside the bytes given is read; no number leaves its bounds.
 * Input: one byte of options, one for the pieces, then text. */
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

static uint64_t play(struct pw_core *core, int dialect, const uint8_t *data, size_t size, uint32_t seed)
{
    uint64_t hash = 1469598103934665603u;
    struct pw_event ev;
    size_t at = 0;
    int i;
    pw_begin(core, PW_SCAN, dialect);
    for (;;) {
        size_t n = size - at;
        int32_t used;
        char *copy;
        if (seed) n = fuzz_below(&seed, 9) < n ? fuzz_below(&seed, 9) % (n + 1) : n;
        copy = malloc(n + 1);
        memcpy(copy, data + at, n);
        used = pw_scan(core, copy, (int32_t)n, &ev);
        free(copy);
        FUZZ_CHECK(used >= 0 && (size_t)used <= n);
        at += (size_t)used;
        FUZZ_CHECK(ev.kind != PW_EV_FULL && ev.kind != PW_EV_END);
        if (ev.kind == PW_EV_NONE) {
            if (at == size) break;
            continue;
        }
        FUZZ_CHECK(ev.line >= 1 && ev.column >= 0);
        for (i = 0; i < 26; i++) FUZZ_CHECK(ev.value[i] >= -((int64_t)1 << 53) && ev.value[i] <= (int64_t)1 << 53 && ((ev.words >> i & 1) || ev.value[i] == 0));
        fuzz_mix(&hash, &ev, sizeof ev);
        if (ev.kind == PW_EV_ERROR) {
            FUZZ_CHECK(ev.code <= PW_E_SYNTAX && ev.code >= PW_E_WORD);
            return hash;
        }
    }
    do { /* the end */
        FUZZ_CHECK(pw_end(core, &ev) == PW_OK);
        fuzz_mix(&hash, &ev, sizeof ev);
    } while (ev.kind == PW_EV_COMMAND || ev.kind == PW_EV_LAYER);
    FUZZ_CHECK(ev.kind == PW_EV_END || ev.kind == PW_EV_ERROR);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_config cfg = helper_config(0);
    struct pw_core *core;
    void *mem;
    uint64_t whole;
    if (size < 2) return 0;
    cfg.line_max = 16 << (data[0] >> 1 & 3);
    cfg.window = 16;
    cfg.ring_runs = 16;
    mem = malloc(pw_core_size(&cfg));
    FUZZ_CHECK(pw_init(mem, pw_core_size(&cfg), &cfg, &core, 0) == PW_OK);
    whole = play(core, data[0] & 1, data + 2, size - 2, 0);
    FUZZ_CHECK(whole == play(core, data[0] & 1, data + 2, size - 2, data[1] + 1u));
    free(mem);
    return 0;
}
