"""Recordings and text templates: the catalogue, its review, and the variables of a template.

Sources: "Uploading IVR Voice Files" (cec_07_1039, cec_07_0049), "Uploading a TTS Template for Voice
Notifications" (cec_07_1040, cec_07_0050). The catalogue has the files of the setting ``voice_files`` and
uploaded ones; an upload is reviewed after the setting ``review_delay``.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from voice_emulator.core.clock import SECOND
from voice_emulator.core.pushes import Push
from voice_emulator.core.values import plain_record
from voice_emulator.providers.kit.memory import Remembered

AUDIO = "audio"
TEXT = "text"
NOTIFICATION_SCENE = "3"
APPROVED = "approved"

#: Uploaded files, serial numbers and links remembered per tenant before the oldest is forgotten.
FILES_REMEMBERED = 10_000
LINKS_REMEMBERED = 10_000

_VARIABLE = re.compile(r"\$\{(?:(TXT|NUM)_([0-9]{1,4})|(DATE)|(TIME))\}")
_ANY_VARIABLE = re.compile(r"\$\{[^}]*\}?")
_SHAPES = {
    "DATE": re.compile(r"[0-9]{4}/(?:0[1-9]|1[0-2])/(?:0[1-9]|[12][0-9]|3[01])"),
    "TIME": re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"),
}
LONGEST_VARIABLE = 32


@plain_record
class VoiceFile:
    """One recording or template. Instants are microseconds on the tenant's clock.

    ``verdict`` is the state after ``reviewed_at`` (None: at once); until then the review is pending.
    """

    id: str
    name: str
    kind: str
    scene: str
    verdict: str
    uploaded_at: int = 0
    reviewed_at: int | None = None
    text: str = ""
    path: str = ""
    comment: str = ""
    callback_url: str | None = None
    review: Push | None = None

    def status(self, now: int) -> str:
        """``approved``, ``pending``, ``rejected`` or ``unsubmitted`` at instant ``now``."""
        return "pending" if self.reviewed_at is not None and now < self.reviewed_at else self.verdict


class CecState:
    """What one tenant's account remembers besides calls: bounded, and cleared by a reset."""

    def __init__(self) -> None:
        self.files: Remembered[str, VoiceFile] = Remembered(FILES_REMEMBERED)
        self.uploads: deque[int] = deque()
        self.last_nonce: str | None = None
        #: Download links: the id of the call, and the instant at which the link expires.
        self.links: Remembered[str, tuple[str, int]] = Remembered(LINKS_REMEMBERED)

    def admit_upload(self, now: int, rate: int) -> bool:
        """Count an upload, unless ``rate`` was reached in the second up to ``now``. 0: no limit."""
        while self.uploads and self.uploads[0] <= now - SECOND:
            self.uploads.popleft()
        if rate and len(self.uploads) >= rate:
            return False
        self.uploads.append(now)
        return True


def is_strict(settings: Mapping[str, Any]) -> bool:
    """Whether only approved files of the catalogue can be played."""
    mode = settings["catalogue"]
    return bool(mode == "strict" or (mode == "auto" and settings["voice_files"]))


def configured_files(settings: Mapping[str, Any]) -> Iterator[VoiceFile]:
    """The files of the setting ``voice_files``; their state never changes."""
    for file_id, entry in settings["voice_files"].items():
        kind = str(entry.get("type", AUDIO))
        yield VoiceFile(
            id=str(file_id),
            name=str(entry.get("name", file_id)),
            kind=kind,
            scene=str(entry.get("scene", NOTIFICATION_SCENE)),
            verdict=str(entry.get("status", APPROVED)),
            text=str(entry.get("text", "")),
            path="" if kind == TEXT else f"Y:/IVR/voice/{NOTIFICATION_SCENE}/{file_id}.wav",
        )


def all_files(settings: Mapping[str, Any], state: CecState) -> Iterator[VoiceFile]:
    """Configured files, then uploaded ones, oldest first."""
    yield from configured_files(settings)
    yield from state.files.values()


def find_by_name(files: Iterable[VoiceFile], name: str, now: int) -> VoiceFile | None:
    """The recording called ``name``; an approved one where several share the name."""
    named = [file for file in files if file.kind == AUDIO and file.name == name]
    return next((file for file in named if file.status(now) == APPROVED), named[0] if named else None)


def template_fault(text: str) -> str | None:
    """What is wrong with a template's text; None for a good one.

    At most 500 bytes of UTF-8, no variable at the start, only the documented variables, each of at most
    32 bytes.
    """
    if len(text.encode("utf-8", "surrogatepass")) > 500:
        return "textcontent is longer than 500 bytes"
    if text.startswith("${"):
        return "textcontent must not begin with a variable"
    for found in _ANY_VARIABLE.finditer(text):
        variable = _VARIABLE.fullmatch(found.group())
        if variable is None:
            return f"textcontent has an unknown variable {found.group()[:40]}"
        if variable[2] and not 1 <= int(variable[2]) <= LONGEST_VARIABLE:
            return f"a variable takes 1 to {LONGEST_VARIABLE} bytes, not {int(variable[2])}"
    return None


def values_fault(text: str, values: Sequence[str]) -> str | None:
    """The result code for values that do not fit a template's variables by position, None when they fit."""
    variables = list(_VARIABLE.finditer(text))
    if len(variables) != len(values):
        return "15"
    for variable, value in zip(variables, values, strict=True):
        if variable[1] == "TXT":
            fits = len(value.encode("utf-8", "surrogatepass")) <= int(variable[2])
        elif variable[1] == "NUM":
            fits = len(value) <= int(variable[2]) and re.fullmatch("[0-9]+", value) is not None
        else:
            fits = _SHAPES[variable[3] or variable[4]].fullmatch(value) is not None
        if not fits:
            return "13"
    return None


def fill_template(text: str, values: Sequence[str]) -> str:
    """The spoken text: variables are replaced by position, as long as there are values."""
    remaining = iter(values)
    return _VARIABLE.sub(lambda found: next(remaining, found.group()), text)
