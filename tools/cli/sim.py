"""`printwright sim`: a simulated printer that speaks IPP."""

import ipaddress
import json
import os
import sys

import click

from tools.cli.main import CommandError


def _loopback(host):
    """True for a host that only this computer reaches."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _addresses(hosts):
    """What to listen at; "localhost" is its addresses."""
    found = []
    for host in hosts or ("localhost",):
        found += ("127.0.0.1", "::1") if host.lower() == "localhost" else (host.strip("[]"),)
    return tuple(dict.fromkeys(found))


@click.command()
@click.option("--machine", metavar="NAME|FILE", help="A machine that comes with it, or a JSON file.  [default: sim-cartesian]")
@click.option("--port", type=click.IntRange(0, 65535), default=8631, show_default=True, help="TCP port; 0 picks a free one.")
@click.option(
    "--host", "hosts", metavar="ADDR", multiple=True, help="Address to listen on, e.g. 0.0.0.0; may be repeated.  [default: 127.0.0.1, ::1]"
)
@click.option(
    "--advertise/--no-advertise",
    default=None,
    help="Tell the network of the printer (mDNS, DNS-SD).  [default: only if other computers can reach it]",
)
@click.option("--state", metavar="DIR", help="Folder of queue and settings.  [default: $XDG_STATE_HOME/printwright/<machine>]")
@click.option("--pace", default="realtime", show_default=True, help="Speed of the machine's clock: max, realtime or a factor.")
@click.option("--auth", type=click.Choice(["loopback", "required"]), default="loopback", show_default=True, help="Who needs a password.")
@click.option("--record", metavar="FILE", help="Write the last finished job's steps to this step file.")
@click.option("--fault", "faults", metavar="SPEC", multiple=True, help="Order a fault: KIND[:PART][=VALUE][@SECONDS]; may be repeated.")
@click.option("--capacity", type=int, metavar="BYTES", help="Room for documents.")
def command(machine, port, hosts, advertise, state, pace, auth, record, faults, capacity):
    """Runs a simulated printer until it is interrupted.

    One line of JSON on standard output tells when it accepts connections.  Without --host only this computer can reach it; others need
    TLS (ipps:) and credentials.
    """
    # what follows takes its time to load; wrong usage is told without it
    from hal.errors import ConfigError, HalError
    from hal.sim import SimOptions, parse_pace
    from tools import certificates, sim

    if record is not None:
        folder = os.path.dirname(os.path.abspath(record))
        if (os.path.exists(record) and not os.path.isfile(record)) or not os.path.isdir(folder):
            raise click.UsageError("--record %s: cannot be written there; give the name of a file in a folder that exists" % record)
    try:
        description = sim.describe(machine)
        hosts = _addresses(hosts)
        network = not all(_loopback(name) for name in hosts)
        folder = os.path.abspath(state) if state else sim.default_state(description["name"])
        options = SimOptions(
            state=folder,
            pace=parse_pace(pace),
            port=port,
            hosts=hosts,
            capacity=capacity,
            faults=faults,
            record=sim.step_writer(record) if record else None,
            identify=sim.told_on_stderr,
            tls=lambda: certificates.context(folder),
            advertise=network if advertise is None else advertise,
        )
        security = sim.Security(auth == "required", network)
        sim.run(description, options, _ready(description, options), security)
    except ConfigError as error:
        if error.path.startswith("--"):
            raise click.UsageError(str(error)) from None
        raise CommandError(str(error)) from None
    except HalError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError("%s: %s" % (error.filename or "system", error.strerror or error)) from None


def _ready(description, options):
    def told(line):
        print(json.dumps(line), flush=True)
        click.echo(
            "printwright: %s prints at %s; state in %s; Ctrl-C ends it" % (description["name"], line["uri"], options.state), file=sys.stderr
        )

    return told
