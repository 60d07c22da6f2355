/* Assertions of the C tests: the first that fails ends the program with its place. */
#ifndef CHECK_H
#define CHECK_H
#include <stdio.h>
#include <stdlib.h>

#define CHECK(what) do { if (!(what)) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); exit(1); } } while (0)
#define CHECK_EQ(got, want) do { long long got_ = (long long)(got), want_ = (long long)(want); \
    if (got_ != want_) { fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_, want_); exit(1); } } while (0)
#define CHECK_NEAR(got, want, tol) do { double got_ = (double)(got), want_ = (double)(want); \
    if (!(got_ - want_ <= (tol) && want_ - got_ <= (tol))) { fprintf(stderr, "%s:%d: %s is %.9g, not %.9g\n", __FILE__, __LINE__, #got, got_, want_); exit(1); } } while (0)

#endif
