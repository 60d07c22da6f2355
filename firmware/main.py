"""Boot entry on a board: machine data -> machine -> app.  The desktop's is tools/sim.py."""

import asyncio

from firmware import app


def main(backend, machine_name=None):
    """Runs the printer until the power goes.

    backend: the board's (hal/upy) as hal.factory.build wants it; machine_name: as for hal.factory.describe.
    """
    from hal import factory  # let go of after the start (app.py): so nothing here may keep it

    machine = factory.build(factory.describe(machine_name), backend)
    try:
        asyncio.run(app.build(machine).run())
    finally:
        machine.close()
