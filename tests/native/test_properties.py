"""Properties of the core over random programs and random machines, judged by the verifier, which shares no code with it."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.native.helpers_machines import KINEMATICS, files, random_machine, run, scan, with_mesh, with_overrides
from tests.tools.helpers_programs import sprinkled
from tools.verify.verifier import verify

# the same examples every time; `python -m tests.native.fuzz_machines SEED COUNT` goes on with others
SEEDS = st.integers(0, 1 << 30)
SOME = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


def wrong(folder, machine, text):
    report = verify(*files(folder, machine, text))
    return {name: (f.why, f.worst, f.limit, f.line) for name, f in report.findings.items() if not f.ok}


@pytest.mark.parametrize("kinematics", list(KINEMATICS))
@settings(SOME, max_examples=4)
@given(machine_seed=SEEDS, seed=SEEDS)
def test_limits_and_places_are_kept(tmp_path, kinematics, machine_seed, seed):
    """No limit is broken, each motor is within half a step of the path, and on the nearest step wherever motion stops."""
    machine = random_machine(random.Random(machine_seed), kinematics)
    assert not wrong(tmp_path, machine, machine.program(seed))


@pytest.mark.parametrize("kinematics", ["cartesian", "corexy", "delta"])
@settings(SOME, max_examples=3)
@given(machine_seed=SEEDS, seed=SEEDS)
def test_shaped_motion_is_the_convolved_plan(tmp_path, kinematics, machine_seed, seed):
    machine = random_machine(random.Random(machine_seed), kinematics, shaped=True)
    assert not wrong(tmp_path, machine, machine.program(seed, 40))


@settings(SOME, max_examples=5)
@given(machine_seed=SEEDS, seed=SEEDS, shaped=st.booleans())
def test_beds_that_are_not_flat_and_operators_are_followed(tmp_path, machine_seed, seed, shaped):
    rng = random.Random(machine_seed)
    machine = with_mesh(rng, random_machine(rng, shaped=shaped))
    text = machine.program(seed, 40)
    assert not wrong(tmp_path, with_overrides(rng, machine, text), text)


@SOME
@given(
    machine_seed=SEEDS,
    seed=SEEDS,
    shaped=st.booleans(),
    pieces=st.lists(st.integers(1, 300), min_size=1, max_size=8),
    budget=st.integers(1, 300),
    every=st.integers(0, 9),
    rings=st.sampled_from([{}, {"ring_runs": 16}, {"ring_runs": 4096}, {"ring_marks": 64}, {"line_max": 200}]),
)
def test_calls_and_sizes_do_not_change_the_stream(machine_seed, seed, shaped, pieces, budget, every, rings):
    machine = random_machine(random.Random(machine_seed), shaped=shaped)
    text = machine.program(seed)
    want = run(machine.config, text)
    got = run({**machine.config, **rings}, text, pieces, budget, every=every, pack_bytes=64)
    assert want.error is None and got.stream == want.stream


BAD_LINES = (
    b"G1 X9999|G1 X|G1 Q1|G2 X1 Y1 R0|G2 X10 Y10 I500 J2|G1 E900|G92 X1|G4 P-1|T9|G0 F0|G1 X1 X2|G3 I0 J0|G10|M204 S0|G1 Z9000|G5|"
    b"G18\nG2 X1 J1|G1 X1e9|M201 X0|M900 K-1|G11|G17\nG2 K4|G28 Q|G21 G20|N1 N2|\xff\xfe"
).split(b"|")


@settings(SOME, max_examples=60)
@given(
    machine_seed=SEEDS,
    seed=SEEDS,
    bad=st.sampled_from(BAD_LINES),
    share=st.floats(0.2, 1),
    pieces=st.lists(st.integers(1, 300), min_size=1),
)
def test_scan_and_feed_agree(machine_seed, seed, bad, share, pieces):
    """The same verdict, at the same place, from text that was good up to there; and the motion up to there is made."""
    machine = random_machine(random.Random(machine_seed))
    lines = machine.program(seed).splitlines(True)
    at = int(len(lines) * share)
    text = b"".join(lines[:at]) + bad + b"\n" + b"".join(lines[at:])
    fed = run(machine.config, text)
    assert scan(machine.config, text) == scan(machine.config, text, pieces) == fed.error
    if fed.error and fed.error[1] == at + 1:
        assert fed.steps == run(machine.config, b"".join(lines[:at])).steps


@SOME
@given(machine_seed=SEEDS, seed=SEEDS, mark_seed=SEEDS, line=st.sampled_from(["M106 S%d", ";LAYER_CHANGE", "M117 a"]))
def test_marks_take_no_time(machine_seed, seed, mark_seed, line):
    """5 % of the lines are marks: where nothing is merged, the same stream; else at most 2 % longer."""
    machine = random_machine(random.Random(machine_seed))
    machine.config["window"] = 100
    text = machine.program(seed).decode()
    marked = sprinkled(text, mark_seed, [line % n if "%" in line else line for n in (0, 128, 255)]).encode()
    unmerged = dict(machine.config, merge_um=0)
    assert run(unmerged, marked).digest == run(unmerged, text.encode()).digest
    assert run(machine.config, marked).print_s <= 1.02 * run(machine.config, text.encode()).print_s


@SOME
@given(machine_seed=SEEDS, seed=SEEDS, mark_seed=SEEDS)
def test_limits_that_change_nothing_take_no_time(machine_seed, seed, mark_seed):
    """M204 and M205 on 5 % of the lines, at what is in force anyway: the same stream."""
    machine = random_machine(random.Random(machine_seed))
    machine.config["merge_um"] = 0
    text = "".join(line for line in machine.program(seed).decode().splitlines(True) if not line.startswith("M20"))
    same = ["M204 S%d" % (machine.config["max_accel_um_s2"] // 1000 + 1), "M205 X90 Y90", "M203 X2000"]
    assert run(machine.config, sprinkled(text, mark_seed, same).encode()).digest == run(machine.config, text.encode()).digest
