"""Random lives of record logs against a dict: puts, deletes, flushes, restarts, power cuts, failing writes, in many geometries."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hal.errors import StorageError, StorageFull
from tests.firmware.jobs.helpers_flash import FakeFlash, PowerCut
from tests.power.helpers_scenario import Geometry, Judge

keys = st.integers(1, 7)
# a record that failed and lacks nothing but blank bytes counts all the same
values = st.binary(max_size=40).map(lambda value: value.replace(b"\xff", b"\xfe"))
geometries = st.builds(
    Geometry,
    st.just("random"),
    st.sampled_from([256, 512, 1024]),
    st.sampled_from([1, 4, 16, 64]),
    st.integers(4, 7),
    st.sampled_from([1, 2]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, values),
        st.tuples(st.just("delete"), keys),
        st.tuples(st.just("flush")),
        st.tuples(st.just("restart")),
        st.tuples(st.just("cut"), st.integers(0, 12), st.integers(0, 3)),
        st.tuples(st.just("fail")),
    ),
    min_size=30,
    max_size=150,
)


@settings(max_examples=120, deadline=None)
@given(geometries, steps)
def test_log_agrees_with_a_dict(geometry, steps):
    flash: FakeFlash = geometry.flash()
    log = geometry.log(flash)
    log.mount()
    judge = Judge()
    sure = {}  # key: value that get() must give, as long as the power stays on
    for step in steps:
        try:
            if step[0] == "put":
                judge.sent("put", step[1], step[2])
                try:
                    log.put(step[1], step[2])
                    sure[step[1]] = step[2]
                except StorageFull:
                    judge.may[step[1]].pop()
            elif step[0] == "delete":
                judge.sent("delete", step[1], b"")
                log.delete(step[1])
                sure.pop(step[1], None)
            elif step[0] == "flush":
                log.flush()
                judge.acknowledged()
            elif step[0] == "restart":
                log = geometry.log(flash)
                log.mount()
                assert judge.found(log) is None, judge.found(log)
                sure = {key: log.get(key) for key in log.keys()}
            elif step[0] == "cut":
                flash.cut(step[1], step[2])
            else:
                flash.fail = StorageError("ordered")
        except PowerCut:
            flash.power_on()
            log = geometry.log(flash)
            log.mount()
            assert judge.found(log) is None, judge.found(log)
            sure = {key: log.get(key) for key in log.keys()}
        except StorageError:
            # what was there before still is
            if step[0] in ("put", "delete"):
                judge.may[step[1]].append(sure.get(step[1]))
        for key in range(1, 8):
            assert log.get(key) == sure.get(key)
    flash.power_on()
    flash.fail = None
    log.flush()
    log = geometry.log(flash)
    log.mount()
    assert {key: log.get(key) for key in log.keys()} == sure
