"""Every sentence of the panel comes from the translations, and every translation is used."""

import json
from pathlib import Path
import re
from typing import Final

import pytest

from custom_components.doorstep.inbox.requests import Attestation, Basis, IncidentType, Wanted

COMPONENT: Final = Path(__file__).parent.parent.parent / "custom_components" / "doorstep"
SOURCES: Final = {
    path.relative_to(COMPONENT / "frontend").as_posix(): path.read_text()
    for path in sorted((COMPONENT / "frontend").rglob("*.js"))
}
WORDS: Final[dict[str, str]] = json.loads((COMPONENT / "translations" / "en.json").read_text())[
    "common"
]
COMMENT: Final = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)
LITERAL: Final = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`]*)`")
# A capital and a small letter begin a word that a person reads; these are names in the browser.
BROWSER: Final = {"Polygon", "MultiPolygon", "Infinity"}
PLURALS: Final = ("_one", "_other")
LISTS: Final = {
    "basis": Basis,
    "basis_text": Basis,
    "incident": IncidentType,
    "wanted": Wanted,
    "attestation": Attestation,
    "attestation_missing": Attestation,
}


def used() -> set[str]:
    return {key for text in SOURCES.values() for key in re.findall(r"\"(panel_[a-z0-9_]+)\"", text)}


def without_plural(key: str) -> str:
    for ending in PLURALS:
        key = key.removesuffix(ending)
    return key


def test_every_key_has_its_sentence() -> None:
    there = WORDS.keys() | {without_plural(key) for key in WORDS}
    assert sorted(used() - there) == []


def test_every_sentence_is_used() -> None:
    panel = {key for key in WORDS if key.startswith("panel_")}
    assert sorted(key for key in panel if not {key, without_plural(key)} & used()) == []


def test_both_numbers_are_there() -> None:
    counted = {
        key for text in SOURCES.values() for key in re.findall(r"\.count\(\"([a-z_]+)\"", text)
    }
    counted |= {"panel_empty_text"}
    assert sorted(key + end for key in counted for end in PLURALS if key + end not in WORDS) == []


@pytest.mark.parametrize("name", LISTS)
def test_closed_lists_have_names(name: str) -> None:
    assert [one for one in LISTS[name] if f"{name}_{one}" not in WORDS] == []


@pytest.mark.parametrize("path", [path for path in SOURCES if path != "styles.js"])
def test_no_sentence_is_written_in_the_code(path: str) -> None:
    code = COMMENT.sub("", SOURCES[path])
    literals = [next(filter(None, groups), "") for groups in LITERAL.findall(code)]
    texts = [re.sub(r"\$\{[^}]*\}", "", literal) for literal in literals]
    readable = [
        text
        for text in texts
        if re.search(r"(?<![A-Za-z-])[A-Z][a-z]{2,}", text) and text not in BROWSER
    ]
    assert readable == []


def test_no_html_is_made_from_text() -> None:
    risky = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|setHTML"
        r"|\beval\(|new Function"
    )
    assert [path for path, text in SOURCES.items() if risky.search(text)] == []


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path, text in SOURCES.items():
        imports = re.findall(r"(?:from|import)\s*\(?\s*\"([^\"]+)\"", text)
        assert all(name.startswith(("./", "../")) for name in imports), path
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", COMMENT.sub("", text)))
        assert addresses <= {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"}, path


def test_files_stay_short() -> None:
    assert [path for path, text in SOURCES.items() if text.count("\n") > 400] == []
