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
        assert handler.__doc__ and target in (0, 1, 2)
    for operation in (0x0002, 0x0003, 0x0012, 0x4001, 0xFFFF):
        assert operation not in table
    with pytest.raises(KeyError):
        table[0x0002]
    table.update({0x4001: "ours"})
    assert 0x4001 in table and table[0x4001] == "ours" and sorted(table) == [*ids, 0x4001]


def test_an_administrator_is_needed_for_what_changes_the_printer_only():
    need = {operation for operation in operations.table() if roles.minimum(operation) == roles.ADMINISTRATOR}
    assert need == {0x0013, 0x0029}  # Set-Printer-Attributes, Restart-Printer
