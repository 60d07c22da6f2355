"""The table of conformance agrees with the printer."""

from firmware.ipp import operations
from tools import conformance


def test_the_page_is_up_to_date():
    assert conformance.PAGE.read_text() == conformance.page()


def test_every_operation_is_listed_with_a_reason_where_it_is_missing():
    have = set(operations.table())
    listed = {code for code, _, _, _ in conformance.OPERATIONS}
    assert have <= listed
    for code, name, _, reason in conformance.OPERATIONS:
        assert bool(reason) == (code not in have), name
