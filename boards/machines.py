"""Machines by name: which printer file goes with which PCB folder.  The first is the default.  Data only."""

DATA = (
    # name, PCB folder, printer file
    ("sim-cartesian", "sim_board", "sim_cartesian"),
    ("sim-corexy", "sim_board", "sim_corexy"),
    ("sim-delta", "sim_board", "sim_delta"),
)
