"""From the plan of a machine to the machine: puts a backend's parts together."""

from hal.api import AXES, HEATERS, Caps, Machine


def assemble(plan, backend):
    """The machine of a plan (hal/factory.plan), in a state where nothing moves and nothing heats.

    backend makes the parts; its calls, in this order: start(desc, caps) checks what it needs and puts every output in its safe state;
    clock and core come next, since everything else hangs on them; storage and network last.  Raises HalError.
    """
    desc = plan["description"]
    values = plan["caps"]
    # JSON knows lists only
    caps = Caps({key: tuple(values[key]) if isinstance(values[key], list) else values[key] for key in values})
    machine = Machine(desc["name"], desc, caps)
    printer = desc["printer"]
    backend.start(desc, caps)
    machine._close = backend.close
    try:
        machine.core = backend.core(plan["core"], plan["port"])
        machine.clock = backend.clock()
        for name in caps.heaters:
            part = printer["heaters"][name]
            machine.heaters[name] = backend.heater(name, part, HEATERS.index(name))
            machine.sensors[name] = backend.sensor(name, part)
        for name in caps.fans:
            machine.fans[name] = backend.fan(name, printer["fans"][name])
        for index in range(len(AXES)):
            axis = AXES[index]
            machine.endstops[axis] = backend.endstop(axis, printer["axes"][axis], index)
        if printer["probe"] is not None:
            machine.probe = backend.probe(printer["probe"], len(AXES))
        machine.flash = backend.flash()
        machine.files = backend.files()
        machine.net = backend.net()
        machine.trace = backend.trace()
        machine._identify = backend.identify
    except BaseException:
        machine.close()
        raise
    return machine
