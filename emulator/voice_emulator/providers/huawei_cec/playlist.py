"""What a notification plays: the playList of V2 and the voiceContent of V1.

With a permissive catalogue any id plays; with a strict one only what exists, fits and was approved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from voice_emulator.providers.huawei_cec.fields import body_of, text_of
from voice_emulator.providers.huawei_cec.media import (
    APPROVED,
    AUDIO,
    NOTIFICATION_SCENE,
    TEXT,
    CecState,
    VoiceFile,
    all_files,
    configured_files,
    fill_template,
    find_by_name,
    is_strict,
    values_fault,
)
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID
from voice_emulator.providers.request import Problem, Request

#: The selectors in the order in which one counts when several are given.
SELECTORS = ("voiceId", "voiceFileName", "templateId")
LONGEST_VALUE = 32
_REVIEW_CODES = {"unsubmitted": "19", "pending": "20", "rejected": "21"}


def check_play_list(request: Request) -> list[Problem]:
    """Values longer than 32 bytes (13), and the files of a strict catalogue (17 to 23, 15 and 13)."""
    problems: list[Problem] = []
    strict = is_strict(request.settings)
    for index, item in enumerate(_items(request)):
        values = item.get("templateParams")
        for position, value in enumerate(values[:10] if isinstance(values, list) else ()):
            if not isinstance(value, str) or value.isascii():
                continue
            if len(value) <= LONGEST_VALUE < len(_utf8(value)):
                where = f"/playList/{index}/templateParams/{position}"
                problems.append(Problem("13", "a variable is longer than 32 bytes", where))
        if strict and (selector := _selector(item)) is not None:
            problems += _check_file(request, item, selector, f"/playList/{index}")
    return problems


def _utf8(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _check_file(request: Request, item: Mapping[str, Any], selector: str, place: str) -> list[Problem]:
    where = f"{place}/{selector}"
    name = item[selector]
    file = _named_file(request, selector, name)
    if file is None:
        return [Problem("17", f"there is no file {name[:60]!r}", where)]
    problems = []
    wanted = TEXT if selector == "templateId" else AUDIO
    if file.kind != wanted:
        code = "22" if wanted == TEXT else "23"
        problems.append(Problem(code, f"the file is {file.kind}, not {wanted}", where))
    if file.scene != NOTIFICATION_SCENE:
        message = f"the scene of the file is {file.scene}, not {NOTIFICATION_SCENE}"
        problems.append(Problem("18", message, where))
    status = file.status(request.now)
    if status != APPROVED:
        problems.append(Problem(_REVIEW_CODES[status], f"the file is {status}", where))
    if file.kind == TEXT and request.settings["check_template_values"]:
        fault = values_fault(file.text, _values(item))
        if fault is not None:
            where = f"{place}/templateParams"
            problems.append(Problem(fault, "templateParams do not fit the template's variables", where))
    return problems


def check_voice_content(request: Request) -> Iterator[Problem]:
    """The account's own limit of voiceContent, and its recordings under a strict catalogue (8)."""
    content = text_of(request, "voiceContent")
    limit = request.settings["voice_content_limit"]
    if limit < len(content) <= 1024:
        yield Problem("8", f"voiceContent is longer than {limit} characters", "/voiceContent")
    if not content or not is_strict(request.settings):
        return
    for segment in segments(content):
        if segment.startswith("$"):
            continue
        file = _named_file(request, "voiceId", segment)
        if file is None or file.kind != AUDIO or file.status(request.now) != APPROVED:
            yield Problem("8", f"there is no approved recording {segment[:60]!r}", "/voiceContent")


def segments(content: str) -> list[str]:
    """The segments of a voiceContent: recording ids, and texts with their dollar signs.

    A tilde separates segments, except inside a text.
    """
    found: list[str] = []
    current = ""
    in_text = False
    for character in content:
        if character == "~" and not in_text:
            found.append(current)
            current = ""
            continue
        if character == "$":
            in_text = not in_text
        current += character
    found.append(current)
    return found


def spoken_content(request: Request) -> list[str]:
    """What a voiceContent plays: its texts, and the ids of its recordings."""
    return [segment.strip("$") for segment in segments(text_of(request, "voiceContent"))]


def spoken_play_list(request: Request) -> list[str]:
    """What a playList plays, as far as it is known: texts as spoken, recordings by name or id."""
    spoken = []
    for item in _items(request):
        selector = _selector(item)
        if selector is None:
            continue
        file = _named_file(request, selector, item[selector])
        if file is not None and file.kind == TEXT:
            spoken.append(fill_template(file.text, _values(item)))
        else:
            spoken.append(file.name if file is not None else item[selector])
    return spoken


def _items(request: Request) -> Sequence[Mapping[str, Any]]:
    """The first five items. One of another type becomes an empty one, so that positions are kept."""
    play_list = body_of(request).get("playList")
    if not isinstance(play_list, list):
        return ()
    return [item if isinstance(item, dict) else {} for item in play_list[:5]]


def _values(item: Mapping[str, Any]) -> list[str]:
    values = item.get("templateParams")
    return [value for value in values[:10] if isinstance(value, str)] if isinstance(values, list) else []


def _selector(item: Mapping[str, Any]) -> str | None:
    for name in SELECTORS:
        value = item.get(name)
        if value and isinstance(value, str):
            return name
    return None


def has_files(request: Request) -> bool:
    """Whether the catalogue has any recording or template at all."""
    if request.settings["voice_files"]:
        return True
    return bool(request.tenant.account_state(PROVIDER_ID, CecState).files)


def _named_file(request: Request, selector: str, name: str) -> VoiceFile | None:
    """The file of that name or id; an id of the setting ``voice_files`` overrides an uploaded one."""
    if not has_files(request):
        return None
    settings = request.settings
    state = request.tenant.account_state(PROVIDER_ID, CecState)
    if selector == "voiceFileName":
        return find_by_name(all_files(settings, state), name, request.now)
    configured = next((file for file in configured_files(settings) if file.id == name), None)
    return configured or state.files.get(name)
