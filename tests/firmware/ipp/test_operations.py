"""The table of operations against the parts' own, the roles and the IPP registry's names."""

import pytest

from firmware.ipp import operations
from firmware.security import roles


def test_the_ids_are_those_of_the_parts():
    for number, (_, ids) in enumerate(operations.PARTS):
        assert sorted(ids) == sorted(operations.part(number))


def test_it_is_a_mapping():
    table = operations.table()
    ids = sorted(table)
    assert len(ids) == len(set(ids)) == sum(len(ids) for _, ids in operations.PARTS)
    for operation in ids:
        assert operation in table
        handler, target = table[operation]
        assert handler.__doc__ and target in (0, 1, 2, 3, 4)
    for operation in (0x0002, 0x0003, 0x0012, 0x4001, 0xFFFF):
        assert operation not in table
    with pytest.raises(KeyError):
        table[0x0002]
    table.update({0x4001: "ours"})
    assert 0x4001 in table and table[0x4001] == "ours" and sorted(table) == [*ids, 0x4001]


def test_an_administrator_is_needed_for_what_changes_the_printer_only():
    need = {operation for operation in operations.table() if roles.minimum(operation) == roles.ADMINISTRATOR}
    system = {0x52, 0x53, 0x54, 0x55, 0x59, 0x5A, 0x5D, 0x5E, 0x60, 0x61, 0x62, 0x63, 0x64}  # resources; all printers; the system
    assert need == {0x0013, 0x0029} | system  # Set-Printer-Attributes, Restart-Printer


def test_what_is_of_printer_and_system():
    table = operations.table()
    printer, system = operations.of_printer(table), operations.of_system()
    assert {id for id in table if table[id][1] in (3, 4)} == set(system)
    assert {id for id in table if table[id][1] != 3} == set(printer)
