"""`make bench`: runs every benchmark and leaves one JSON file each in build/bench/, the whole on standard output.

A benchmark is a module of this folder with `run(log) -> dict`; `log(text)` tells a person what is going on.  Figures are compared as
ratios within one run; nothing here fails on a slow machine.
"""

import argparse
import importlib
import json
import platform
import sys
from pathlib import Path

NAMES = ("motion", "targets", "ipp", "watchers", "memory")
OUT = Path("build/bench")


def log(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which: " + " ".join(NAMES))
    names = parser.parse_args().names or NAMES
    OUT.mkdir(parents=True, exist_ok=True)
    whole = {"machine": platform.machine(), "python": platform.python_version(), "system": platform.system()}
    for name in names:
        if name not in NAMES:
            parser.error("no benchmark is called %s; there are: %s" % (name, " ".join(NAMES)))
        whole[name] = importlib.import_module("bench." + name).run(log)
        (OUT / (name + ".json")).write_text(json.dumps(whole[name], indent=1) + "\n", encoding="utf-8")
    json.dump(whole, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
