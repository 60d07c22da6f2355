"""Settings: proposals of the machine data, saved values, checks, power cuts."""

import asyncio
import uuid

import pytest

from firmware.config import Config
from hal import factory
from hal.errors import ConfigError, StorageError
from hal.sim import SimOptions, build
from hal.sim.flash import PowerCut, RamFlash

FLASH_BYTES = 131072


def machine(flash, **settings):
    desc = factory.describe()
    desc["pcb"]["flash"].update(bytes=FLASH_BYTES, settings_bytes=16384)
    desc["settings"].update(settings)
    return build(desc, SimOptions(flash=flash))


@pytest.fixture
def flash():
    return RamFlash(FLASH_BYTES, 4096, 256)


def start(flash, **settings):
    config = Config(machine(flash, **settings))
    config.load()
    return config


def save(config):
    asyncio.run(config.save())


def test_the_machine_data_propose(flash):
    config = start(flash, location="hall")
    assert config.get("location") == "hall"
    assert config.get("printer_name") == "Printwright"
    assert config.get("info", "nothing") == ""
    assert config.get("no such", 7) == 7


def test_what_was_saved_wins_and_stays(flash):
    config = start(flash, location="hall")
    config.set("location", "Werkstatt 3, Größe L")
    assert config.get("location") == "Werkstatt 3, Größe L"
    save(config)
    assert start(flash, location="elsewhere").get("location") == "Werkstatt 3, Größe L"


def test_what_was_not_saved_is_gone(flash):
    config = start(flash)
    save(config)
    config.set("info", "x")
    assert start(flash).get("info") == ""


def test_the_uuid_is_made_once_and_cannot_be_set(flash):
    first = start(flash)
    save(first)
    assert start(flash).get("printer_uuid") == first.get("printer_uuid")
    parsed = uuid.UUID(first.get("printer_uuid"))
    assert parsed.version == 4 and parsed.variant == uuid.RFC_4122
    assert start(RamFlash(FLASH_BYTES, 4096, 256)).uuid != first.uuid
    with pytest.raises(ConfigError):
        first.set("printer_uuid", "urn:uuid:0")


@pytest.mark.parametrize(
    "name, value, said",
    [
        ("colour", "blue", "no such setting"),
        ("info", 5, "a text"),
        ("info", "x" * 128, "127 bytes"),
        ("info", "ä" * 64, "127 bytes"),
        ("info", "two\nlines", "control"),
        ("printer_name", "", "not empty"),
        ("geo_location", "52,13", "geo:"),
    ],
)
def test_wrong_values_change_nothing(flash, name, value, said):
    config = start(flash)
    with pytest.raises(ConfigError, match=said) as error:
        config.set(name, value)
    assert error.value.path == "settings." + name
    assert start(flash).get(name, None) == factory.describe()["settings"].get(name)


def test_geo_location(flash):
    config = start(flash)
    config.set("geo_location", "geo:52.5,13.4")
    config.set("geo_location", "")
    assert config.get("geo_location") == ""


def test_settings_stay_out_of_the_journals_part(flash):
    config = start(flash)
    for turn in range(2000):
        config.set("info", "turn %d" % turn)
    save(config)
    rest = bytearray(FLASH_BYTES - 16384)
    flash.read_into(0, rest)
    assert rest == b"\xff" * len(rest)
    assert start(flash).get("info") == "turn 1999"


def test_power_cuts_keep_the_last_saved_value():
    """Cut at each flash operation of many saves: afterwards the value is the last saved or the one being saved."""
    operations = None
    cut_at = 0
    while operations is None or cut_at < operations:
        flash = RamFlash(FLASH_BYTES, 4096, 256)
        config = start(flash)
        save(config)
        saved = None
        before = flash.operations
        if cut_at:
            flash.cut_after(cut_at, "part", cut_at)
        try:
            for turn in range(80):
                config.set("info", "%d " % turn + "x" * 100)
                save(config)
                saved = turn
        except PowerCut:
            pass
        if operations is None:
            operations = flash.operations - before
            assert operations > 80
        else:
            flash.power_on()
            again = start(flash)
            assert again.damaged == 0
            found = again.get("info").split(" ")[0]
            assert found in [str(saved) if saved is not None else "", str((saved if saved is not None else -1) + 1)]
            assert again.uuid == config.uuid
        cut_at += 1
    assert cut_at > 80


def test_failing_flash_is_an_error_and_changes_nothing(flash):
    config = start(flash)
    save(config)
    flash.attach(failing=lambda: True)
    config.set("info", "x")
    with pytest.raises(StorageError):
        save(config)
    flash.attach()
    save(config)
    assert start(flash).get("info") == "x"
