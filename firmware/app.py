"""The composition root: makes every object of the firmware, hands each what it needs, starts and watches the tasks.

The only place that knows all parts.  Nothing else is global, nothing is made at import.
"""

import asyncio

from firmware.config import Config
from firmware.ipp import attributes, registry_request
from firmware.ipp import operations as operation_table
from firmware.ipp.checks import SYSTEM_PATH
from firmware.ipp.dispatch import Dispatcher
from firmware.ipp.materials import Materials
from firmware.ipp.notifier import Notifier
from firmware.ipp.printer import PATH, Printer
from firmware.jobs.checker import Checker
from firmware.jobs.journal import keys_needed
from firmware.jobs.queue import JobQueue
from firmware.jobs.records import RecordLog
from firmware.jobs.runner import Runner
from firmware.motion.geometry import Geometry
from firmware.motion.side import SideMotion
from firmware.net.server import Server, Settings, desktop_settings
from firmware.safety.supervisor import Supervisor
from firmware.security.access import Access
from firmware.security.account_table import table as account_table
from firmware.security.accounts import Accounts
from firmware.security.basic import Basic
from firmware.thermal.control import Heating
from firmware.web.page import Pages
from hal.compat import CancelledError, collect, const, forget, print_exception, seldom, sleep_ms
from hal.errors import StorageError

VERSION = "0.1.0"
RESTART_MS = const(1000)  # a task that failed is started again after so long
_ROOMY_CONNECTIONS = const(32)  # a machine with room for so many has memory for long messages, too
# PBKDF2 of a chosen password, once until a restart: about a quarter of a second each (RP2040, PC), while the others run
_ITERATIONS = const(1000)
_ITERATIONS_ROOMY = const(600000)
_START_ONLY = ("hal.factory", "hal.schema")  # code that makes the machine: 5 KB that a board has better uses for


class App:
    """The firmware on one machine (hal.api.Machine).  Making it reads the flash: raises StorageError when that fails.

    server_settings: net.server.Settings, by default what fits the machine.  names: further names and addresses of the printer.
    staged: the caller steps `stages` to its end before anything else, and garbage can be collected in between.
    auth_required: peers on this computer need credentials, too.  audit(text): told of what concerns security.
    """

    def __init__(self, machine, server_settings=None, names=(), staged=False, auth_required=False, audit=None):
        self.machine = machine
        self.stages = self._make(machine, server_settings, names, auth_required, audit)
        if not staged:
            for _ in self.stages:
                pass
            self.stages = ()

    def _make(self, machine, server_settings, names, auth_required, audit):
        # a generator, since the whole leaves some 50 KB of garbage behind
        caps = machine.caps
        description = machine.description
        self.config = Config(machine)
        self.config.load()
        yield
        self.materials = Materials(description["printer"], self.config.get("material") or "")
        yield
        log = RecordLog(machine.flash, 0, machine.flash.size - caps.flash_settings_bytes, keys_needed(caps))
        self.queue = JobQueue(log, machine.files, machine.clock, caps, self._is_moving)
        yield
        self.heating = Heating(machine, self.config)
        self.supervisor = Supervisor(machine, self.heating)
        self.motion = SideMotion(machine, Geometry(description, machine.core))
        if description["printer"]["mesh"] is not None:
            from firmware.motion.mesh import BedMesh  # code that other machines have no room for

            self.motion.bed = BedMesh(machine, self.motion, self.config)  # pyright: ignore[reportAttributeAccessIssue]
            self.motion.bed.load()  # pyright: ignore[reportAttributeAccessIssue]
        self.runner = Runner(machine, self.queue, self.heating, self.motion, self.materials, self.supervisor, self.config)
        self.checker = Checker(machine.core, self.queue, self.materials, caps)
        # what only this part of the start needed is too much for a small heap
        printer = description["printer"]
        machine.description = {"printer": {"title": printer["title"], "axes": printer["axes"]}}
        description = printer = None
        yield
        self.queue.load()
        yield
        operations = operation_table.table()
        roomy = caps.connections >= _ROOMY_CONNECTIONS
        yield
        self.accounts = Accounts(self.config, _ITERATIONS_ROOMY if roomy else _ITERATIONS, audit)
        operations.update(account_table(self.accounts))
        ids = operation_table.of_printer(operations)
        files = None if roomy else machine.files
        self.printer = Printer(machine, self.queue, self.runner, self.heating, self.materials, self.config, ids, VERSION, files)
        yield
        access = Access(self.accounts, [Basic(self.accounts)], machine.net.tls, auth_required, audit)
        syntaxes = attributes.syntaxes(registry_request.ROWS) if roomy else attributes.Syntaxes(registry_request.ROWS)
        dispatcher = Dispatcher(operations, self.printer, self.queue.get, syntaxes, paths=(PATH, SYSTEM_PATH), authorize=access.authorize)
        if server_settings is None:
            server_settings = desktop_settings(caps.connections) if roomy else Settings(caps.connections)
        self.notifier = Notifier(self.config, self._may_store, roomy, self._spawn)
        self.printer.notifier = self.notifier  # pyright: ignore[reportAttributeAccessIssue]
        self.pages = Pages(self.config.get("printer_name") or "Printwright", self.facts, self._served)
        self.discovery = None
        if machine.net.datagrams:
            from firmware.net.discovery import Discovery  # code that others need not hold

            self.discovery = names = Discovery(machine.net, self.config, self._services, self._may_store, self.printer.load, names)
        self.server = Server(dispatcher, server_settings, names, self.pages.answer, access)
        self._tasks = []
        self._over = asyncio.Event()
        self._runner_task = None
        for module in _START_ONLY:
            forget(module)
        collect()

    def _is_moving(self):
        return self.runner.is_moving()

    def _may_store(self):
        return self.machine.caps.write_while_moving or not self.runner.is_moving()

    def _services(self, host):
        from firmware.net.advertised import services

        return services(self.config, self.machine.description["printer"]["title"], host, self.machine.net.port, True)

    def _served(self, path):
        return seldom("firmware.web.served", "answer")(self.printer, path)

    def facts(self, language="en"):
        """[(label, text)] for the built-in page."""
        return seldom("firmware.web.facts", "facts")(self, language)

    async def start(self):
        """Begins to serve; returns when connections are accepted.  Raises HalError when the network cannot be had."""
        try:
            await self.config.save()
            await self.queue.commit()
        except StorageError as error:
            # the printer can say so by IPP, which is better than silence
            print_exception(error)
        await self.printer.load()
        await self.machine.net.serve(self.server.handle)
        self._tasks = [
            asyncio.create_task(self._watch(self.server.run)),
            asyncio.create_task(self._watch(self.checker.run)),
        ]
        self.notifier.start(self.printer)
        if self.discovery is not None:
            self._spawn(self.discovery.run)
        self._runner_task = asyncio.create_task(self._watch_runner())

    async def run(self):
        """start(), then works until stop()."""
        await self.start()
        await self._over.wait()

    def _spawn(self, run):
        """A task beside the others, until run() returns."""
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(self._watch(run)))

    async def _watch(self, run):
        """Runs a task; one that fails is told and started again."""
        while True:
            try:
                await run()
                return
            except Exception as error:
                print_exception(error)
            await sleep_ms(RESTART_MS)

    async def _watch_runner(self):
        """The runner, too; but where it failed the machine stays stopped until somebody resumes it."""
        while True:
            try:
                await self.runner.run()
                return
            except Exception as error:
                print_exception(error)
                self.supervisor.stop(["other-error"], "internal failure: %s" % error)
            await sleep_ms(RESTART_MS)

    async def stop(self):
        """Ends everything in order: no new connections, the machine safe, the journal stored, tasks gone."""
        if self.discovery is not None:
            self.discovery.close()
        self.machine.net.close()
        self.runner.shut_down()
        if self._runner_task is not None:
            await _ended(self._runner_task)
        self.server.close()
        for task in self._tasks:
            # more than once: a wait_for() whose time is up at this very moment loses the first one (CPython 3.11)
            while not task.done():
                task.cancel()
                await sleep_ms(0)
            await _ended(task)
        self._tasks = []
        try:
            await self.queue.commit()
        except StorageError as error:
            print_exception(error)
        self._over.set()


async def _ended(task):
    try:
        await task
    except CancelledError:
        pass
    except Exception as error:
        print_exception(error)


def build(machine, server_settings=None, names=(), auth_required=False, audit=None):
    """The App of a machine."""
    return App(machine, server_settings, names, auth_required=auth_required, audit=audit)


async def build_in_stages(machine, server_settings=None, names=()):
    """build(), for a small heap."""
    made = App(machine, server_settings, names, True)
    for _ in made.stages:
        await sleep_ms(0)
    made.stages = ()  # it holds what was at hand then
    return made
