"""Bad input of motion (issue "motion at the limit"): told with line and column before anything moves; what is odd but right never jumps."""

import pytest

from firmware.gcode import messages, policy
from hal import factory, stepcore
from hal.stepcore import CoreError, StepCore
from tests.native.helpers_machines import Machine, base, files, run, scan
from tools.verify.verifier import verify

START = "G28\nG90\nM83\nG1 X50 Y50 Z5 F6000\n"  # four lines
DELTA = "G28\nG90\nM83\nG1 X0 Y0 Z5 F6000\n"


def told(machine, text):
    """What the printer says of a document (a scan), or None; the feed says the same, with the motion up to there and no further."""
    config = factory.core_config(factory.describe(machine))
    core = StepCore(config)
    core.begin(stepcore.PW_SCAN)
    data = bytearray(text.encode())
    at, event = 0, core.event
    while at < len(data) or event.kind != stepcore.PW_EV_END:
        if at < len(data):
            at += core.scan(data, at, len(data))
        else:
            core.end_document()
        if event.kind == stepcore.PW_EV_ERROR:
            break
    said = messages.core_error(event) if event.kind == stepcore.PW_EV_ERROR else None
    fed = run(config, bytes(data))
    assert (fed.error is None) == (said is None)
    if said:
        assert fed.error == scan(config, bytes(data))
        good = "".join(text.splitlines(True)[: fed.error[1] - 1]).encode()
        assert fed.steps == run(config, good).steps
    return said


BAD = [
    # degenerate arcs
    ("G2 X60 Y50 I0 J0", "column 1: G2: this is no arc: radius or centre do not fit its ends"),
    ("G2 X60 Y50 R4", "column 12: G2: this is no arc: radius or centre do not fit its ends"),
    ("G3 X50 Y50 R8", "column 12: G3: this is no arc: radius or centre do not fit its ends"),
    ("G3 X60", "G3: this is no arc: radius or centre do not fit its ends"),
    ("G2 X60 Y50 I9000000 J0", "column 12: G2: this is no arc: radius or centre do not fit its ends"),
    ("G2 X60 Y50 I5 K1", "column 15: G2: this word does not belong to the command"),
    ("G18\nG2 X60 J5", "column 8: G2: this word does not belong to the command"),
    ("G2 X60 Y50 I5 J90", "G2: the move leaves the print volume"),
    ("G2 I140 J0", "G2: the move leaves the print volume"),
    # enormous moves
    ("G1 X9007199254740", "column 4: G1: not a number, or one too large"),
    ("G1 X5000000", "column 4: G1: the move leaves the print volume"),
    ("G91\nG1 X-1e9", "column 7: G1: too much filament for this move"),
    ("G1 Z-0.001", "column 4: G1: the move leaves the print volume"),
    ("G1 X60 E2000", "column 8: G1: too much filament for this move"),
    # speed 0 and below
    ("G1 X60 F0", "column 8: G1: F must be above 0"),
    ("G1 X60 F-5", "column 8: G1: F must be above 0"),
    # the extruder alone
    ("G1 E201", "column 4: G1: too much filament for this move"),
    ("G1 E-201 F2400", "column 4: G1: too much filament for this move"),
    # pressure advance, shapers, limits
    ("M204 S0", "column 6: M204: the limit given is out of range"),
    ("M201 X-5", "column 6: M201: the limit given is out of range"),
    # what is no move at all
    ("G1 X60 X61", "column 8: G1: a letter or a command twice in one line"),
    ("G1 X60 G1 Y60", "column 8: G1: a letter or a command twice in one line"),
    ("G1 X60 S3", "column 8: G1: this word does not belong to the command"),
    ("G1 X" + "0" * 300, "the line is too long"),
    ("M900 K-1", "M900: the limit given is out of range"),
]


@pytest.mark.parametrize("machine", ["sim-cartesian", "sim-corexy"])
@pytest.mark.parametrize("line, text", BAD)
def test_what_is_wrong_is_told_before_anything_moves(machine, line, text):
    said = told(machine, START + line + "\nG1 X70 Y70\n")
    if line.startswith("M900") and machine == "sim-cartesian":  # a machine without pressure advance takes no notice
        assert said is None
        return
    number = 4 + len(line.split("\n"))
    assert said and said.startswith("line %d, column " % number) and said.endswith(text), said


@pytest.mark.parametrize(
    "line, text",
    [
        ("G1 X139 Y60", "column 1: G1: the move leaves the print volume"),
        ("G1 X100 Y100", "column 1: G1: the move leaves the print volume"),
        ("G1 X0 Y200", "column 7: G1: the move leaves the print volume"),
        ("G2 I90 J-90", "G2: the move leaves the print volume"),
        ("G1 Z301", "column 4: G1: the move leaves the print volume"),
    ],
)
def test_places_beyond_a_delta(line, text):
    said = told("sim-delta", DELTA + line + "\nG1 X1 Y1\n")
    assert said and said.startswith("line 5, column ") and said.endswith(text), said


def test_a_carriage_that_would_be_too_high():
    """Within the bed, but not within the towers."""
    description = factory.describe("sim-delta", {"printer": {"axes": {"z": {"endstop_mm": 301}}}})
    config = factory.core_config(description)
    error = scan(config, b"G1 X0 Y0 Z299 F6000\nG1 X130 Y-20\n")
    assert error == ("PW_E_REACH", 2, 1)
    assert scan(config, b"G1 X0 Y0 Z200 F6000\nG1 X130 Y-20\n") is None


def test_a_singular_delta_is_no_machine():
    for change in ({"arm_um": 200000}, {"tower_x_um": [0, 0, 0]}, {"tower_y_um": [0, 0, 0]}, {"arm_um": 0}):
        config = factory.core_config(factory.describe("sim-delta"))
        config.update(change)
        with pytest.raises(stepcore.ConfigError, match="arm_um|tower_[xy]_um"):
            StepCore(config)


def test_a_mesh_beyond_its_limits_changes_nothing():
    config = base(mesh_points=16)
    text = START.encode() + b"G1 X90 Y80\n"
    good = ([0, 4, 4, 0, 0, 50000, 50000, 0, 0], [k * 1000 for k in range(16)])
    want = run(config, text, mesh=good).digest
    assert want != run(config, text).digest
    for shape, heights in (
        ([0, 5, 4, 0, 0, 50000, 50000, 0, 0], [0] * 20),  # more points than there is room for
        ([0, 1, 4, 0, 0, 50000, 50000, 0, 0], [0] * 4),
        ([0, 4, 4, 0, 0, 50000, 900, 0, 0], [0] * 16),
        ([2, 4, 4, 0, 0, 50000, 50000, 0, 0], [0] * 16),
        ([0, 4, 4, 0, 0, 50000, 50000, 0, 0], [6000000] * 16),  # 6 mm
        ([0, 4, 4, 0, 0, 50000, 50000, 0, 0], [0, 3000000] * 8),  # steeper than 1 in 20
        ([0, 4, 4, 0, 0, 50000, 50000, 1000, 1100], good[1]),  # fades within a tenth of a millimetre
    ):
        core = StepCore(config)
        core.mesh(*good)
        with pytest.raises(CoreError) as refused:
            core.mesh(shape, heights)
        assert refused.value.code == stepcore.PW_E_MESH
        core.begin()
        lift = core.mesh_lift_nm([50000000, 50000000, 0])
        assert lift == 5000  # still the one before


ODD = (
    "G28\nG90\nM83\nG1 X%(far)s Y%(near)s Z5 F30000\nG1 X%(far)s Y%(near)s\nG1 E0\nG1 X%(near)s\nG1 X%(far)s\n"
    "G1 X%(near)s Y%(near)s\nG1 X%(far)s\nG1 X%(near)s.000001\nG1 X%(near)s\nG1 X%(far)s Y%(far)s E1\n"
    "G1 X%(near)s Y%(near)s E1\nG1 X%(far)s Y%(far)s E1 F200\nG1 F30000\nG1 E-1 F6000\nG1 E1\nG1 E-1\nG1 E1\n"
    "G2 I0.02 F3000\nG3 X%(far)s.04 I0.02\nG4 P0\nG4 S0\nM593 F40\nM572 S0.1\nM900 K0.01\n"
    "G1 X%(near)s Y%(near)s E0.5 F30000\nM900 K1\nG1 X%(far)s\n"
)


@pytest.mark.parametrize("name", ["sim-cartesian", "sim-corexy", "sim-delta"])
def test_odd_motion_never_jumps(tmp_path, name):
    """Zero lengths, reversals at full speed, a nanometre, tiny circles, changes of pressure advance: the verifier judges."""
    config = factory.core_config(factory.describe(name))
    near, far = ("10", "20") if name == "sim-delta" else ("60", "75")
    text = (ODD % {"near": near, "far": far}).encode()
    report = verify(*files(tmp_path, Machine(config), text))
    assert report.ok, {key: (report[key].why, report[key].worst, report[key].line) for key in report.failed()}


def test_shapers_cannot_be_changed_by_a_document():
    """M593 and M572 are nothing to a document; M900 stops, on a machine that has pressure advance."""
    assert policy.classify(policy.GCODE, "M", 593, 0) == policy.IGNORE == policy.classify(policy.GCODE, "M", 572, 0)
    config = factory.core_config(factory.describe("sim-corexy"))
    moves = START.encode() + b"G1 X90 Y50 E2 F9000\n%sG1 X130 Y50 E2\n"
    plain = run(config, moves % b"")
    assert run(config, moves % b"M593 F10\nM572 S1\n").stream == plain.stream
    pressed = run(config, moves % b"M900 K0.01\n")
    assert pressed.steps[:3] == plain.steps[:3] and pressed.print_s > plain.print_s + 0.04
