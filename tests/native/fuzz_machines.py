"""`python -m tests.native.fuzz_machines FIRST COUNT`: random programs on random machines, plain and shaped, until one is wrong."""

import random
import sys
import tempfile

from tests.native.helpers_machines import files, random_machine, with_mesh, with_overrides
from tools.verify.verifier import verify


def main(first, count):
    """0 when all were right, else 1; each seed that was not is told with what broke."""
    failed = 0
    for seed in range(first, first + count):
        rng = random.Random(seed)
        machine = random_machine(rng, shaped=seed % 2 == 1)
        text = machine.program(seed)
        if seed % 5 in (1, 2):
            machine = with_mesh(rng, machine)
        if seed % 7 in (1, 2, 3):
            machine = with_overrides(rng, machine, text)
        with tempfile.TemporaryDirectory() as folder:
            report = verify(*files(folder, machine, text))
        for name in report.failed():
            finding = report[name]
            print(
                "seed %d: %s %.6g of %.6g %s, line %s" % (seed, name, finding.worst, finding.limit, finding.why, finding.line), flush=True
            )
        failed |= not report.ok
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
