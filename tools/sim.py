"""The simulated printer as a program: machine data and options -> machine -> firmware, until it is told to end."""

import asyncio
import os
import re
import signal
import sys

from firmware import app
from hal import factory
from hal.sim import SimOptions, build
from tools import stepfile

PATH = "/ipp/print3d"


def default_state(machine_name: str) -> str:
    """Folder of a machine's state: $XDG_STATE_HOME/printwright/<machine> (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME") or ""
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "printwright", re.sub(r"[^A-Za-z0-9._-]", "_", machine_name).lstrip(".") or "machine")


def step_writer(path: str):
    """`record` of SimOptions: one step file at `path`, replaced whenever a job ends."""

    def writer_of(core_config):
        return stepfile.StepFileWriter(path, stepfile.describe_machine(core_config))

    return writer_of


def describe(machine: str | None) -> dict:
    """The machine's description.  ConfigError names file and key."""
    return factory.describe(machine)


def ready_line(machine) -> dict:
    """What is told when connections are accepted."""
    port = machine.net.port
    return {"event": "ready", "uri": "ipp://localhost:%d%s" % (port, PATH), "port": port, "pid": os.getpid()}


async def serve(machine, on_ready) -> None:
    """Runs the firmware until SIGTERM or Ctrl-C; on_ready(dict) is called once.  HalError when it cannot start."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    printer = app.build(machine)
    try:
        await printer.start()
        on_ready(ready_line(machine))
        await over.wait()
    finally:
        await printer.stop()


def run(description: dict, options: SimOptions, on_ready) -> None:
    """One simulated printer, from start to end.  HalError when it cannot start."""
    machine = build(description, options)
    try:
        asyncio.run(serve(machine, on_ready))
    finally:
        machine.close()


def told_on_stderr(actions: list) -> None:
    """Identify-Printer of a machine that is a process."""
    print("printwright: this is the printer (%s)\a" % ", ".join(actions), file=sys.stderr, flush=True)
