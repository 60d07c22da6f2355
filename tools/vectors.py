"""Slicing recipes: real G-code for tests (tests/vectors/sliced) and for measurements (build/vectors).

`python -m tools.vectors` makes what is missing in build/vectors (a million lines and more; takes minutes); `--small` makes the files
of tests/vectors/sliced anew.  Needs Debian's prusa-slicer and cura-engine, and for CuraEngine the settings definitions of the
Debian package `cura`, which is unpacked into build/slicers, not installed.  Tests never run this.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import click

from tools import arcs, models

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SMALL = os.path.join(ROOT, "tests", "vectors", "sliced")
LARGE = os.path.join(ROOT, "build", "vectors")

START_GCODE = (
    r"G90\nM140 S60\nM104 S215\nG28\nM190 S60\nM109 S215\nG92 E0\n"
    r"G1 Z2 F600\nG1 X5 Y10 F6000\nG1 Z0.28 F600\nG1 X5 Y90 E%s F1500\n"
)
END_GCODE = r"M104 S0\nM140 S0\nM107\nG91\nG1 Z5 F600\nG90\nG1 X5 Y220 F6000\nM84\n"

PRUSA = {
    "gcode-flavor": "marlin2",
    "bed-shape": "0x0,235x0,235x235,0x235",
    "max-print-height": "250",
    "center": "117.5,117.5",
    "nozzle-diameter": "0.4",
    "filament-diameter": "1.75",
    "filament-type": "PLA",
    "temperature": "215",
    "first-layer-temperature": "215",
    "bed-temperature": "60",
    "first-layer-bed-temperature": "60",
    "layer-height": "0.2",
    "first-layer-height": "0.28",
    "perimeters": "2",
    "top-solid-layers": "3",
    "bottom-solid-layers": "3",
    "fill-density": "15%",
    "fill-pattern": "grid",
    "skirts": "1",
    "perimeter-speed": "120",
    "external-perimeter-speed": "60",
    "small-perimeter-speed": "40",
    "infill-speed": "180",
    "solid-infill-speed": "120",
    "top-solid-infill-speed": "60",
    "travel-speed": "250",
    "first-layer-speed": "30",
    "default-acceleration": "2000",
    "perimeter-acceleration": "1500",
    "infill-acceleration": "2500",
    "first-layer-acceleration": "500",
    "machine-limits-usage": "emit_to_gcode",
    "machine-max-acceleration-x": "3000",
    "machine-max-acceleration-y": "3000",
    "machine-max-acceleration-z": "100",
    "machine-max-acceleration-e": "5000",
    "machine-max-acceleration-extruding": "3000",
    "machine-max-acceleration-retracting": "2500",
    "machine-max-acceleration-travel": "3000",
    "machine-max-feedrate-x": "300",
    "machine-max-feedrate-y": "300",
    "machine-max-feedrate-z": "12",
    "machine-max-feedrate-e": "50",
    "machine-max-jerk-x": "8",
    "machine-max-jerk-y": "8",
    "machine-max-jerk-z": "0.4",
    "machine-max-jerk-e": "5",
    "retract-length": "0.8",
    "retract-speed": "35",
    "retract-lift": "0.2",
    "fan-always-on": "1",
    "thumbnails": "",
    "slowdown-below-layer-time": "3",
    "gcode-comments": "0",
    "gcode-resolution": "0.0125",
    "use-relative-e-distances": "0",
    "end-gcode": END_GCODE,
}

# What CuraEngine does not derive by itself from the definitions (it reads default values, not their formulas).
CURA = {
    "machine_width": 235, "machine_depth": 235, "machine_height": 250, "machine_center_is_zero": "false",
    "machine_gcode_flavor": "RepRap (Marlin/Sprinter)", "machine_heated_bed": "true", "mesh_position_x": 0, "mesh_position_y": 0,
    "center_object": "true", "material_diameter": 1.75, "machine_nozzle_size": 0.4, "machine_extruder_count": 1,
    "layer_height": 0.2, "layer_height_0": 0.28, "line_width": 0.4, "wall_line_width": 0.4, "wall_line_width_0": 0.4,
    "wall_line_width_x": 0.4, "skin_line_width": 0.4, "infill_line_width": 0.4, "skirt_brim_line_width": 0.4, "wall_line_count": 2,
    "wall_thickness": 0.8, "top_layers": 3, "bottom_layers": 3, "initial_bottom_layers": 3, "infill_line_distance": 5.0,
    "infill_sparse_density": 16, "infill_pattern": "grid", "adhesion_type": "skirt", "skirt_line_count": 1, "skirt_gap": 3,
    "speed_print": 100, "speed_infill": 150, "speed_wall": 80, "speed_wall_0": 60, "speed_wall_x": 100, "speed_topbottom": 80,
    "speed_travel": 200, "speed_layer_0": 30, "speed_print_layer_0": 30, "speed_travel_layer_0": 100, "skirt_brim_speed": 30,
    "speed_z_hop": 10, "acceleration_enabled": "true", "acceleration_print": 2000, "acceleration_infill": 2500, "acceleration_wall": 1500,
    "acceleration_wall_0": 1000, "acceleration_wall_x": 1500, "acceleration_topbottom": 1500, "acceleration_travel": 3000,
    "acceleration_layer_0": 500, "acceleration_print_layer_0": 500, "acceleration_travel_layer_0": 1000, "acceleration_skirt_brim": 500,
    "jerk_enabled": "true", "jerk_print": 8, "jerk_infill": 8, "jerk_wall": 8, "jerk_wall_0": 8, "jerk_wall_x": 8, "jerk_topbottom": 8,
    "jerk_travel": 8, "jerk_layer_0": 8, "jerk_print_layer_0": 8, "jerk_travel_layer_0": 8, "jerk_skirt_brim": 8,
    "retraction_enable": "true", "retraction_amount": 1.0, "retraction_speed": 35, "retraction_retract_speed": 35,
    "retraction_prime_speed": 35, "retraction_hop_enabled": "false", "retraction_combing": "all", "material_print_temperature": 210,
    "material_print_temperature_layer_0": 210, "material_bed_temperature": 60, "material_bed_temperature_layer_0": 60,
    "material_standby_temperature": 180, "material_initial_print_temperature": 210, "material_final_print_temperature": 205,
    "cool_fan_enabled": "true", "cool_fan_speed": 100, "cool_fan_speed_min": 100, "cool_fan_speed_max": 100, "cool_fan_speed_0": 0,
    "cool_fan_full_layer": 2, "cool_min_layer_time": 3, "cool_min_speed": 10, "meshfix_maximum_resolution": 0.25,
    "meshfix_maximum_deviation": 0.025, "relative_extrusion": "false", "roofing_layer_count": 0, "material_flow": 100,
    "machine_start_gcode": START_GCODE % "8", "machine_end_gcode": END_GCODE,
}  # fmt: skip

# name: (what slices it, solid, settings that differ)
SMALL_RECIPES = {
    "prusa_cube": ("prusa", lambda: models.cube(20, 6), {}),
    "prusa_gear_relative_e": ("prusa", lambda: models.gear(16, 1.25, 8, 1.2), {"use-relative-e-distances": "1", "fill-pattern": "gyroid"}),
    "prusa_vase_spiral": (
        "prusa",
        lambda: models.vase(12, 8, 90, 40),
        {"spiral-vase": "1", "perimeters": "1", "top-solid-layers": "0", "fill-density": "0%", "use-relative-e-distances": "1"},
    ),
    "prusa_plate": (
        "prusa",
        lambda: models.plate(32, 9, 1.4),
        {"machine-limits-usage": "time_estimate_only", "layer-height": "0.28", "avoid-crossing-perimeters": "1"},
    ),
    "cura_cube": ("cura", lambda: models.cube(20, 6), {}),
    "cura_boat": ("cura", lambda: models.boat(20, 8, 28), {"layer_height": 0.28, "retraction_hop_enabled": "true", "retraction_hop": 0.3}),
    "cura_plate_relative_e": ("cura", lambda: models.plate(24, 8, 0.9), {"relative_extrusion": "true"}),
}
LARGE_RECIPES = {
    "prusa_vase_large": (
        "prusa",
        lambda: models.vase(50, 50, 900, 70, lobes=9, depth=0.06, twist=0.5),
        {"layer-height": "0.16", "fill-pattern": "gyroid", "fill-density": "12%", "gcode-resolution": "0", "resolution": "0",
         "perimeters": "3", "slowdown-below-layer-time": "1"},
    ),
    "cura_boat_large": ("cura", lambda: models.boat(150, 90, 480), {"layer_height": 0.16, "meshfix_maximum_resolution": 0.05,
                                                                    "meshfix_maximum_deviation": 0.005}),
}  # fmt: skip


def run(command, **kwargs):
    """Runs a slicer quietly; RuntimeError with the end of its output when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs)
    if done.returncode:
        raise RuntimeError("%s failed (%d):\n%s" % (command[0], done.returncode, done.stdout[-2000:]))


def slice_prusa(stl, out, settings):
    """PrusaSlicer without a window."""
    merged = {**PRUSA, **settings}
    merged.setdefault("start-gcode", START_GCODE % "8")
    if merged["use-relative-e-distances"] == "1":
        merged["layer-gcode"] = r"G92 E0\n"
    ini = stl + ".ini"
    center = merged.pop("center")
    with open(ini, "w", encoding="ascii") as file:
        file.writelines("%s = %s\n" % (key.replace("-", "_"), value) for key, value in merged.items())
    run(["prusa-slicer", "--load", ini, "--center", center, "--export-gcode", "-o", out, stl])


def cura_definitions():
    """Folder with fdmprinter.def.json; unpacks the Debian package `cura` once, without installing it."""
    unpacked = os.path.join(ROOT, "build", "slicers", "usr", "share", "cura", "resources")
    for folder in (os.environ.get("CURA_RESOURCES", ""), "/usr/share/cura/resources", unpacked):
        if os.path.exists(os.path.join(folder, "definitions", "fdmprinter.def.json")):
            return folder
    target = os.path.join(ROOT, "build", "slicers")
    os.makedirs(target, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        run(["apt-get", "download", "cura"], cwd=temporary)
        run(["dpkg-deb", "-x", os.path.join(temporary, os.listdir(temporary)[0]), target])
    return unpacked


def slice_cura(stl, out, settings):
    """CuraEngine without its front end."""
    resources = cura_definitions()
    search = os.pathsep.join(os.path.join(resources, name) for name in ("definitions", "extruders"))
    environment = {**os.environ, "CURA_ENGINE_SEARCH_PATH": search}
    command = ["CuraEngine", "slice", "-j", os.path.join(resources, "definitions", "fdmprinter.def.json"), "-o", out]
    for key, value in {**CURA, **settings}.items():
        command += ["-s", "%s=%s" % (key, str(value).replace("\\n", "\n"))]
    command += ["-e0"]
    for key, value in {**CURA, **settings}.items():
        command += ["-s", "%s=%s" % (key, str(value).replace("\\n", "\n"))]
    run(command + ["-l", stl], env=environment)


SLICERS = {"prusa": slice_prusa, "cura": slice_cura}


def tidy(path):
    """Takes the date and the temporary folder's name out."""
    with open(path, "rb") as file:
        text = file.read()
    head, rest = text[:2000], text[2000:]
    head = re.sub(rb"; generated by (.*) on \d{4}-\d\d-\d\d at \d\d:\d\d:\d\d UTC", rb"; generated by \1", head)
    rest = re.sub(rb"(?m)^;MESH:.*/", b";MESH:", rest)
    with open(path, "wb") as file:
        file.write(head + rest)


def make(name, recipe, folder):
    """One file by its recipe; returns its path."""
    slicer, solid, settings = recipe
    with tempfile.TemporaryDirectory() as temporary:
        stl = os.path.join(temporary, name.split("_", 1)[1] + ".stl")
        out = os.path.join(temporary, name + ".gcode")
        models.write_stl(stl, solid())
        SLICERS[slicer](stl, out, settings)
        tidy(out)
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name + ".gcode")
        shutil.move(out, path)
    return path


@click.command()
@click.option("--small", is_flag=True, help="make the files of tests/vectors/sliced anew")
@click.option("--only", metavar="NAME", help="only the file of this name")
def command(small, only):
    """Slices the test models."""
    recipes, folder = (SMALL_RECIPES, SMALL) if small else (LARGE_RECIPES, LARGE)
    for slicer in ("prusa-slicer", "CuraEngine"):
        if not shutil.which(slicer):
            sys.exit("%s is missing: apt-get install --no-install-recommends prusa-slicer cura-engine" % slicer)
    for name, recipe in recipes.items():
        path = os.path.join(folder, name + ".gcode")
        if (only and only != name) or (not small and not only and os.path.exists(path)):
            continue
        click.echo("%s ..." % name, err=True)
        make(name, recipe, folder)
        click.echo("%s %d bytes" % (path, os.path.getsize(path)))
    if small and not only:
        source = os.path.join(SMALL, "prusa_plate.gcode")
        path = os.path.join(SMALL, "prusa_plate_arcs.gcode")
        with open(source, encoding="ascii") as lines, open(path, "w", encoding="ascii") as out:
            out.writelines(arcs.fit(lines))
        click.echo("%s %d bytes" % (path, os.path.getsize(path)))


if __name__ == "__main__":
    command()
