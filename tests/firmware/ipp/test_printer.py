"""The printer object: its answers, whole and in parts, and what changes them."""

import struct

import pytest

from firmware.ipp import attributes, codec, registry_printer, tags
from firmware.ipp.requested import PRINTER_GROUPS, Requested
from firmware.jobs.queue import DISABLED
from tests.firmware.helpers_ipp import decode
from tests.firmware.ipp.helpers_objects import URI, UUID, make_printer


def answer(printer, *names, uri=URI):
    """{name: [(tag, value), ...]} of an answer to requested-attributes `names` (none: all)."""
    values = [(tags.KEYWORD, name.encode()) for name in names] or None
    octets = b"".join(printer.attributes(Requested(values, PRINTER_GROUPS), uri))
    message = decode(struct.pack(">BBHI", 2, 0, 0, 1) + b"\x04" + octets + b"\x03")
    group = message.groups[0][1]
    assert len(dict(group)) == len(group), "an attribute occurs twice"
    return dict(group)


def names(group):
    return {row[attributes.NAME] for row in attributes.rows(registry_printer.ROWS) if row[attributes.GROUP] in group}


def first(group, name):
    return group[name][0][1]


@pytest.mark.parametrize("machine", ["sim-cartesian", "sim-corexy"])
def test_all_holds_every_row_with_values_of_its_syntax(machine):
    printer = make_printer(machine)
    group = answer(printer)
    missing = names("TDS") - set(group)
    chamber = {"chamber-temperature-default", "chamber-temperature-supported", "chamber-temperature-current"}
    assert missing == (set() if machine == "sim-corexy" else chamber)
    for row in attributes.rows(registry_printer.ROWS):
        name = row[attributes.NAME]
        if name in group and name not in ("printer-state-change-date-time", "printer-message-date-time"):
            assert attributes.problem(row[attributes.SYNTAX], group[name]) is None, row


def test_groups_are_parts_of_all():
    printer = make_printer()
    everything = answer(printer)
    assert answer(printer, "all") == everything
    assert set(answer(printer, "job-template")) == names("T")
    assert set(answer(printer, "printer-description")) == names("DS")
    assert answer(printer, "job-template", "printer-description") == everything
    assert answer(printer, "none") == {}


def test_single_names_from_every_kind_of_source():
    printer = make_printer()
    everything = answer(printer)
    for name in everything:
        assert answer(printer, name) == {name: everything[name]}
    some = ("printer-state", "printer-name", "materials-col-ready", "printer-uri-supported")
    assert answer(printer, *some) == {name: everything[name] for name in some}


def test_a_name_in_a_group_that_is_wanted_anyway_comes_once():
    printer = make_printer()
    group = answer(printer, "job-template", "materials-col-ready", "printer-state")
    assert set(group) == names("T") | {"printer-state"}


def test_unknown_names_are_ignored():
    printer = make_printer()
    assert answer(printer, "no-such-thing", "media-col-database") == {}
    assert set(answer(printer, "no-such-thing", "printer-state", "job-description")) == {"printer-state"}


def test_values_that_end_like_a_name_do_not_confuse():
    # "materials-col" is a value of job-creation-attributes-supported and no attribute of the printer
    assert answer(make_printer(), "materials-col", "print-quality") == {}


def test_addresses_are_those_of_the_client():
    printer = make_printer()
    for host in ("printer.local:8631", "[::1]:8631", "10.0.0.7", "a", "b", "c", "printer.local:8631"):
        group = answer(printer, uri=("ipp", host, "/ipp/print3d"))
        assert first(group, "printer-uri-supported") == f"ipp://{host}/ipp/print3d".encode()
        assert first(group, "printer-more-info").startswith(f"http://{host}/".encode())
        assert first(group, "printer-icons").startswith(f"http://{host}/".encode())
        members = dict(first(group, "printer-xri-supported"))
        assert members["xri-uri"][0][1] == first(group, "printer-uri-supported")


def test_the_three_lists_of_uris_run_in_parallel():
    group = answer(make_printer())
    counts = [len(group[name]) for name in ("printer-uri-supported", "uri-security-supported", "uri-authentication-supported")]
    assert counts == [1, 1, 1]
    assert len(group["printer-xri-supported"]) == 1


def test_status_follows_the_runner():
    printer = make_printer()
    status = printer.runner.status
    group = answer(printer)
    assert first(group, "printer-state") == 3
    assert group["printer-state-reasons"] == [(tags.KEYWORD, b"none")]
    assert first(group, "printer-is-accepting-jobs") is True
    status.printer_state = 5
    status.state_reasons = ["paused", "extruder-failure"]
    status.state_message = "the nozzle's sensor is open"
    printer.queue.set_flag(DISABLED, True)
    status.changed_s = 90
    group = answer(printer)
    assert first(group, "printer-state") == 5
    assert [value for _, value in group["printer-state-reasons"]] == [b"paused", b"extruder-failure"]
    assert first(group, "printer-state-message") == b"the nozzle's sensor is open"
    assert first(group, "printer-is-accepting-jobs") is False
    assert first(group, "printer-state-change-time") == 90
    printer.machine.clock.uptime = 105
    assert first(answer(printer), "printer-up-time") == 105


def test_state_message_is_cut_between_characters():
    printer = make_printer()
    printer.runner.status.state_message = "\u00e4" * 600
    text = first(answer(printer, "printer-state-message"), "printer-state-message")
    assert text.decode() == "\u00e4" * 511


def test_without_a_clock_dates_are_unknown():
    printer = make_printer()
    printer.machine.clock.unix = None
    printer.refresh()
    group = answer(printer)
    for name in ("printer-current-time", "printer-config-change-date-time", "printer-state-change-date-time"):
        assert group[name] == [(tags.UNKNOWN, None)]


def test_dates_with_a_clock():
    printer = make_printer()
    assert first(answer(printer), "printer-current-time") == struct.pack(">HBBBBBBBBB", 2026, 9, 21, 14, 13, 20, 0, 43, 0, 0)


def test_live_values_of_the_machine():
    group = answer(make_printer())
    temperatures = [{name: values[0][1] for name, values in value} for _, value in group["printwright-temperatures"]]
    assert temperatures == [
        {"name": b"nozzle", "current": 25, "target": 0},
        {"name": b"bed", "current": None, "target": 60},
        {"name": b"chamber", "current": 30, "target": 0},
    ]
    position = {name: values[0][1] for name, values in first(group, "printwright-position")}
    assert position == {"x": 100, "y": 2000, "z": 30}
    assert first(group, "chamber-temperature-current") == 30


def test_settings_and_identity():
    settings = {"printer_name": "Left", "location": "Lab 3", "organization": "ACME", "geo_location": "geo:47.3,8.5"}
    group = answer(make_printer(settings=settings))
    assert first(group, "printer-name") == b"Left"
    assert first(group, "printer-dns-sd-name") == b"Left"
    assert first(group, "printer-location") == b"Lab 3"
    assert first(group, "printer-organization") == b"ACME"
    assert group["printer-geo-location"] == [(tags.URI, b"geo:47.3,8.5")]
    assert first(group, "printer-uuid") == UUID.encode()
    assert answer(make_printer())["printer-geo-location"] == [(tags.UNKNOWN, None)]


def test_a_name_too_long_for_dns_sd_is_cut_between_characters():
    group = answer(make_printer(settings={"printer_name": "\u00e4" * 60}))
    assert first(group, "printer-dns-sd-name").decode() == "\u00e4" * 31
    assert first(group, "printer-name").decode() == "\u00e4" * 60


def test_refresh_tells_of_the_change():
    printer = make_printer()
    printer.machine.clock.uptime = 500
    printer.settings["location"] = "Cellar"
    assert first(answer(printer), "printer-location") == b""
    printer.refresh()
    group = answer(printer)
    assert first(group, "printer-location") == b"Cellar"
    assert first(group, "printer-config-change-time") == 500


def test_another_material_shows_at_once():
    printer = make_printer()
    printer.materials.loaded = printer.materials.by_key("petg")
    ready = dict(first(answer(printer, "materials-col-ready"), "materials-col-ready"))
    assert ready["material-key"] == [(tags.KEYWORD, b"petg")]
    printer.materials.loaded = None
    assert answer(printer, "materials-col-ready") == {"materials-col-ready": [(tags.NO_VALUE, None)]}


def test_default_material_has_what_a_client_that_slices_needs():
    default = dict(first(answer(make_printer(), "materials-col-default"), "materials-col-default"))
    for name in ("fill-density", "key", "name", "purpose", "shell-thickness", "type"):
        assert "material-" + name in default


def test_operations_are_those_of_the_table_and_no_others():
    printer = make_printer()
    group = answer(printer, "operations-supported")
    assert [value for _, value in group["operations-supported"]] == sorted(printer.table)
    assert 0x0002 not in printer.table and 0x0003 not in printer.table


def test_volume_and_accuracy_come_from_the_machine():
    group = answer(make_printer("sim-cartesian"))
    volume = {name: values[0][1] for name, values in first(group, "printer-volume-supported")}
    assert volume == {"x-dimension": 23500, "y-dimension": 23500, "z-dimension": 25000}
    accuracy = {name: values[0][1] for name, values in first(group, "print-accuracy-supported")}
    assert accuracy == {"accuracy-units": b"um", "x-accuracy": 13, "y-accuracy": 13, "z-accuracy": 3}


def test_job_creation_attributes_leave_out_what_the_machine_lacks():
    group = answer(make_printer("sim-cartesian"), "job-creation-attributes-supported")
    listed = [value for _, value in group["job-creation-attributes-supported"]]
    assert b"platform-temperature" in listed and b"materials-col" in listed and b"job-name" in listed
    assert b"chamber-temperature" not in listed
    assert listed == sorted(listed)


def test_the_fixed_part_is_not_built_again():
    printer = make_printer()
    pieces = [list(printer.attributes(Requested(None, PRINTER_GROUPS), URI)) for _ in range(2)]
    assert pieces[0][0] is pieces[1][0]
    assert len(pieces[0][0]) > 0.7 * sum(len(piece) for piece in pieces[0])


def test_attribute_of_all_fits_a_small_board():
    # one piece is sent at a time; the fixed one is kept
    octets = b"".join(make_printer().attributes(Requested(None, PRINTER_GROUPS), URI))
    assert len(octets) < 11264
    assert codec.Decoder(codec.Limits(16384, 2000)).feed(b"\2\0\0\0\0\0\0\1\4" + octets + b"\3")
