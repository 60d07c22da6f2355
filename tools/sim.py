"""The simulated printer as a program: machine data and options -> machine -> firmware, until it is told to end."""

import asyncio
import os
import re
import signal
import socket
import sys
import time

from firmware import app
from firmware.security import passwords, roles
from hal.errors import StorageError
from hal.sim import SimOptions, build
from tools import certificates, machine_check, stepfile, stepheader

PATH = "/ipp/print3d"
FIRST_USER = "admin"
FIRST_PASSWORD = "first-password"  # file in the state folder
AUDIT_LOG = "audit.log"  # there, too; one older part is kept
_AUDIT_BYTES_MAX = 1 << 20


def default_state(machine_name: str) -> str:
    """Folder of a machine's state: $XDG_STATE_HOME/printwright/<machine> (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME") or ""
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "printwright", re.sub(r"[^A-Za-z0-9._-]", "_", machine_name).lstrip(".") or "machine")


def step_writer(path: str):
    """`record` of SimOptions: one step file at `path`, replaced whenever a job ends."""

    def writer_of(core_config):
        return stepfile.StepFileWriter(path, stepheader.describe_machine(core_config))

    return writer_of


def describe(machine: str | None) -> dict:
    """The machine's description.  ConfigError names file and key."""
    return machine_check.describe(machine)


def ready_line(machine) -> dict:
    """What is told when connections are accepted."""
    port = machine.net.port
    return {"event": "ready", "uri": "ipps://localhost:%d%s" % (port, PATH), "port": port, "pid": os.getpid()}


class Security:
    """Who is let in.  required: everybody needs credentials; network: other computers reach the printer, too."""

    def __init__(self, required: bool = False, network: bool = False):
        self.required = required
        self.network = network


class OwnNames:
    """This computer's names and addresses, as a container: for the check of the Host field (DNS rebinding)."""

    def __init__(self):
        name = socket.gethostname().lower()
        short = name.split(".")[0]
        self._names = {name, short, short + ".local", socket.getfqdn().lower()}

    def __contains__(self, name) -> bool:
        if name in self._names:
            return True
        # an address is ours when a socket can have it
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                socket.inet_pton(family, name.partition("%")[0])
                with socket.socket(family, socket.SOCK_DGRAM) as probe:
                    probe.bind((name, 0))
                return name not in ("0.0.0.0", "::")
            except OSError:
                continue
        return False


class AuditLog:
    """Lines with time in a file of the state folder, of bounded size."""

    def __init__(self, folder: str):
        self._path = os.path.join(folder, AUDIT_LOG)

    def __call__(self, text: str) -> None:
        line = "%s %s\n" % (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), text)
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, line.encode("utf-8", "replace"))
                full = os.fstat(handle).st_size >= _AUDIT_BYTES_MAX
            finally:
                os.close(handle)
            if full:
                os.replace(self._path, self._path + ".1")
        except OSError as error:
            print("printwright: %s: %s: %s" % (self._path, error.strerror, line.rstrip()), file=sys.stderr, flush=True)


async def first_administrator(accounts, folder: str) -> None:
    """Makes an administrator when there is none; the password is told in a file and on standard error.  StorageError."""
    if accounts.has_administrator():
        return
    password = passwords.generate()
    path = os.path.join(folder, FIRST_PASSWORD)
    try:
        # before the account, or nobody might ever know it
        certificates.write_private(path, password.encode() + b"\n")
    except OSError as error:
        raise StorageError("%s: cannot be written: %s" % (path, error.strerror)) from None
    await accounts.put(FIRST_USER, roles.ADMINISTRATOR, password, passwords.GENERATED)
    print("printwright: administrator is %s, password %s (kept in %s)" % (FIRST_USER, password, path), file=sys.stderr, flush=True)


async def serve(machine, on_ready, state: str, security: Security) -> None:
    """Runs the firmware until SIGTERM or Ctrl-C; on_ready(dict) is called once.  HalError when it cannot start."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    names = OwnNames() if security.network else ()
    printer = app.build(machine, names=names, auth_required=security.required, audit=AuditLog(state))
    try:
        if security.required or security.network:
            await first_administrator(printer.accounts, state)
        await printer.start()
        on_ready(ready_line(machine))
        await over.wait()
    finally:
        await printer.stop()
        starved = machine.core.port.status().starvations
        if starved:
            print("printwright: the motion starved %d times: this computer was too slow" % starved, file=sys.stderr, flush=True)


def run(description: dict, options: SimOptions, on_ready, security: Security | None = None) -> None:
    """One simulated printer, from start to end; options.state is a folder.  HalError when it cannot start."""
    machine = build(description, options)
    assert options.state
    try:
        asyncio.run(serve(machine, on_ready, options.state, security or Security()))
    finally:
        machine.close()


def told_on_stderr(actions: list) -> None:
    """Identify-Printer of a machine that is a process."""
    print("printwright: this is the printer (%s)\a" % ", ".join(actions), file=sys.stderr, flush=True)
