# Program for tests/wasm/host.mjs: runs the unittest cases of one module, as `python -m unittest` would.
#     device_main.py tests.hal.device_stepcore
# After every test JavaScript gets a turn, so that garbage is collected.  A test may be a coroutine.

import asyncio
import sys
import unittest

_FAILURES_SHOWN = 20


def cases(module):
    """The module's TestCase classes, by name."""
    found = []
    for name in sorted(dir(module)):
        case = getattr(module, name)
        if isinstance(case, type) and issubclass(case, unittest.TestCase) and case is not unittest.TestCase:
            found.append(case)
    return found


def _nothing():
    pass


async def call(function):
    result = function()
    if hasattr(result, "send"):
        await result


async def run_case(case, results):
    """Runs every test of the class; results: [run, failed, skipped]."""
    one = case()
    if hasattr(case, "setUpClass"):
        case.setUpClass()
    for name in sorted(dir(one)):
        if not name.startswith("test") or not callable(getattr(one, name)):
            continue
        results[0] += 1
        label = "%s.%s" % (case.__name__, name)
        unittest.__current_test__ = label
        try:
            await call(getattr(one, "setUp", _nothing))
            try:
                await call(getattr(one, name))
            finally:
                await call(getattr(one, "tearDown", _nothing))
        except unittest.SkipTest as e:
            results[2] += 1
            print("skipped", label, e)
        except Exception as e:
            results[1] += 1
            if results[1] <= _FAILURES_SHOWN:
                print("FAILED", label)
                sys.print_exception(e)
        await asyncio.sleep(0)
    if hasattr(case, "tearDownClass"):
        case.tearDownClass()


async def main():
    asyncio.run = asyncio.run_blocking
    module = __import__(sys.argv[1], None, None, ("cases",))
    results = [0, 0, 0]
    sub = unittest.__test_result__ = unittest.TestResult()  # where subTest puts its failures
    await asyncio.sleep(0)
    for case in cases(module):
        await run_case(case, results)
    for label, why in sub.errors + sub.failures:
        print("FAILED", label, why)
    failed = results[1] + len(sub.errors) + len(sub.failures)
    print("%d run, %d failed, %d skipped" % (results[0], failed, results[2]))
    if failed or results[0] == 0:
        raise SystemExit(1)


asyncio.run(main())
