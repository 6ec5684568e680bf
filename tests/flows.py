"""What flows show, and whether it has words."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any, Final

_TRANSLATIONS: Final = Path(__file__).parent.parent / "custom_components/doorstep/translations"
ENGLISH: Final[dict[str, Any]] = json.loads((_TRANSLATIONS / "en.json").read_text())


def well_worded(step: Mapping[str, Any], texts: Mapping[str, Any]) -> None:
    """See that all that a step shows has words, with nothing left to fill in."""
    told = step.get("description_placeholders") or {}
    for error in (step.get("errors") or {}).values():
        assert texts["error"][error].format(**told)
    if step["type"] == "abort":
        assert step.get("translation_domain") or texts["abort"][step["reason"]]
        return
    if step["type"] == "create_entry":
        assert step["description"] is None or texts["create_entry"][step["description"]]
        return
    words = texts["step"][step["step_id"]]
    assert words["title"].format(**told)
    assert words["description"].format(**told)
    if step["type"] == "menu":
        for option in step["menu_options"]:
            assert words["menu_options"][option]
            assert words["menu_option_descriptions"][option]
        return
    for one in step.get("data_schema") or []:
        place = words["sections"][one["name"]] if one.get("type") == "expandable" else words
        for name in [sub["name"] for sub in one.get("schema", [])] or [one["name"]]:
            assert place["data"][name]
            assert place["data_description"][name]


def fields(step: Mapping[str, Any]) -> dict[str, Any]:
    """What a form asks for, and what stands in it already."""
    shown = {}
    for one in step["data_schema"]:
        suggested = (one.get("description") or {}).get("suggested_value")
        shown[one["name"]] = one.get("default") if suggested is None else suggested
    return shown
