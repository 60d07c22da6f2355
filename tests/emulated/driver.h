/* Runs programs through the core alone, without a port, and prints the digest of each stream (design.md section 6).
 *
 * Freestanding: the same file is compiled for every target.  Runs are expanded and hashed here, by code that is not the core's.
 *
 * Cases, all words uint32_t little-endian, 4-byte aligned: number of cases; number of commands that the policy names, and each of
 * them: letter << 24 | action << 20 | number (action: 1 ignore, 2 mark, 3 flush, which is also what others do); then each case:
 * words of struct pw_config, bytes of text, bytes that one pw_feed gets at most, budget of one pw_run, words of a mesh (0: none); the
 * configuration; the mesh (struct pw_mesh, then its heights); the text, padded to a whole word.
 *
 * Printed, a line per case:
 *   case 0 error -25 4 moves 2 sha256 HEX steps 1 2 3 4 runs 5 ticks 6 memory BYTES
 *   count feed 0 0 run 0 0 steps 0 0 longest 0 0
 * ticks: plan time at the end.  error: enum pw_err of the text (0: none) and its line.  count: what `count` of pw_driver_io gave for calls of pw_feed and its like,
 * of pw_run, of pw_steps with pw_marks; and for the longest single pw_run.  */
#ifndef DRIVER_H
#define DRIVER_H
#include <stddef.h>
#include <stdint.h>

struct pw_driver_io {
    void (*put)(const char *text);
    void (*count)(uint32_t now[2]); /* two counters that wrap at `mask`, the time of this call included */
    uint32_t mask;
};

/* 0, or 1 when a case could not be run. */
int pw_drive(const uint32_t *cases, void *mem, size_t size, const struct pw_driver_io *io);

#endif
