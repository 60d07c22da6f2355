"""What the printer serves beside IPP: its page in the reader's language, its texts, resources."""

import asyncio

import pytest

from firmware.ipp import resources, tags
from firmware.strings import catalog
from firmware.strings.languages import LANGUAGES
from firmware.web import icon, page, served
from tests.firmware.ipp.test_job_ops import Client


class Request:
    def __init__(self, path, **headers):
        self.path = path
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def install(printer, kind, format, data, language="en"):
    """A resource, from creation to use."""

    async def run():
        one = printer.resources.create(kind)
        one.language = language
        await printer.resources.store(one, True)
        receiver = printer.resources.receive(one, format)
        assert receiver.write(data)
        await receiver.close()
        await printer.resources.install(one)
        return one

    return asyncio.run(run())


@pytest.fixture
def printer():
    return Client().printer


def test_texts(printer):
    for language in LANGUAGES:
        status, headers, body = served.answer(printer, "/strings/%s.strings" % language)
        assert status == 200 and body == catalog.load(language).encode()
        assert dict(headers)["Content-Type"] == "text/strings; charset=utf-8"


def test_installed_texts_come_last(printer):
    more = b'"job-state.9" = "Gedruckt";\n'
    install(printer, "static-strings", "text/strings", more, "de-AT")
    assert served.answer(printer, "/strings/de.strings")[2] == catalog.load("de").encode() + more
    assert served.answer(printer, "/strings/fr.strings")[2] == catalog.load("fr").encode()


def test_resources(printer):
    one = install(printer, "static-image", "image/png", icon.SMALL)
    status, headers, body = served.answer(printer, "/resource/%d" % one.id)
    assert (status, body, dict(headers)["Content-Type"]) == (200, icon.SMALL, "image/png")
    assert dict(headers)["X-Content-Type-Options"] == "nosniff"
    asyncio.run(printer.resources.end(one, resources.CANCELED))
    assert served.answer(printer, "/resource/%d" % one.id) is None


@pytest.mark.parametrize(
    "path",
    [
        "/strings/",
        "/strings/xx.strings",
        "/strings/de",
        "/strings/../app.py",
        "/resource/",
        "/resource/9",
        "/resource/1/2",
        "/resource/" + "9" * 30,
        "/x",
    ],
)
def test_nothing_there(printer, path):
    assert served.answer(printer, path) is None


@pytest.mark.parametrize(
    "accepted, language",
    [
        (None, "en"),
        (b"de-DE,de;q=0.9,en;q=0.8", "de"),
        (b"pt-BR, JA;q=0.3", "ja"),
        (b"*", "en"),
        (b"\xff\xfe,de", "de"),
        (b",;,=;q", "en"),
        (b"x" * 4000, "en"),
    ],
)
def test_language_of_the_page(accepted, language):
    pages = page.Pages("Name", lambda asked: [("language", asked)])
    _, _, body = pages.answer(Request("/", **({"accept_language": accepted} if accepted else {})))
    assert ('<html lang="%s">' % language).encode() in body and ("<td>%s</td>" % language).encode() in body


def test_strings_uri_follows_the_language_of_the_request():
    client = Client()
    from firmware.ipp import codec
    from tests.firmware.helpers_ipp import decode, operation_group
    from tests.firmware.ipp.test_job_ops import Body

    for asked, language in (("en", "en"), ("de-ch", "de"), ("tlh", "en")):
        extra = ("requested-attributes", [(tags.KEYWORD, "printer-strings-uri"), (tags.KEYWORD, "printer-strings-languages-supported")])
        message = codec.message((2, 0), 0x0B, 7, [operation_group(extra, language=asked)])
        group = dict(asyncio.run(client._ask(decode(message), Body())).group(tags.PRINTER_GROUP) or [])
        assert group["printer-strings-uri"] == [(tags.URI, b"http://printer.local:8631/strings/%s.strings" % language.encode())]
        assert len(group["printer-strings-languages-supported"]) == 5
