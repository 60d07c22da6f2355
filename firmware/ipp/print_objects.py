"""print-objects of a job (PWG 5100.21-2019 section 6.4): what the document says that it prints, and which of it is left out.

The attribute lists the objects that print; Set-Job-Attributes with a list that lacks some leaves those out, also while the job prints.  An
object's UUID is made of the job's and its number.  Where the document does not say how large an object is, it is as large as the printer.
Loaded when it is asked for.
"""

import binascii
import struct

from firmware.ipp import codec, status, tags
from firmware.ipp.status import IppError
from hal.compat import sha256

NAME = "print-objects"


def uuid(job, index):
    """object-uuid (RFC 9562, version 8) of a job's object, from 0."""
    digest = sha256()
    digest.update(job.uuid_bytes)
    digest.update(struct.pack(">I", index))
    raw = bytearray(digest.digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    text = str(binascii.hexlify(raw), "ascii")
    return "urn:uuid:%s-%s-%s-%s-%s" % (text[:8], text[8:12], text[12:16], text[16:20], text[20:])


def encode(axes, job):
    """The attribute, None for a job without objects.  axes: of the machine's description."""
    if not job.objects:
        return None
    found = []
    for index in range(len(job.objects)):
        if index not in job.excluded:
            found.append(_members(axes, job, index))
    return codec.attribute(tags.COLLECTION, NAME, found) if found else None


def _members(axes, job, index):
    document, name, box = job.objects[index]
    offset = []
    size = []
    for at in range(3):
        axis = "xyz"[at]
        low = int(axes[axis]["min_mm"] * 100)
        high = int(axes[axis]["max_mm"] * 100)
        first, last = (box[at], box[at + 2]) if box is not None and at < 2 else (low, high)
        first = min(max(first, low), high)
        last = min(max(last, first), high)
        offset.append((axis + "-offset", [(tags.INTEGER, first - low)]))
        size.append((axis + "-dimension", [(tags.INTEGER, max(last - first, 1))]))
    return [
        ("document-number", [(tags.INTEGER, document + 1)]),
        ("object-offset", [(tags.COLLECTION, offset)]),
        ("object-size", [(tags.COLLECTION, size)]),
        ("object-uuid", [(tags.URI, uuid(job, index))]),
        ("printwright-object-name", [(tags.NAME, codec.clip(name, 255))]),
    ]


def left_out(job, asked):
    """Indexes of the objects that are not in the list of a Set-Job-Attributes request; IppError.  delete-attribute: none of them."""
    if not job.checked:
        raise IppError(status.NOT_POSSIBLE, "The document of job %d has not been read yet." % job.id)
    if asked[0][0] == tags.DELETE:
        return []
    known = [uuid(job, index) for index in range(len(job.objects))]
    stays = []
    for tag, members in asked:
        found = None
        if tag == tags.COLLECTION:
            for name, values in members:
                if name == "object-uuid" and values[0][0] == tags.URI:
                    found = _text(values[0][1])
        if found not in known:
            raise IppError(status.NOT_SUPPORTED, "The job has no such object; nothing was changed.", [codec.attribute_of(NAME, asked)])
        stays.append(known.index(found))
    return [index for index in range(len(known)) if index not in stays]


def _text(value):
    try:
        return value if isinstance(value, str) else str(value, "ascii")
    except UnicodeError:
        return ""
