"""The documents say what the code says: diagrams, names, links, pictures, tests."""

import json
from pathlib import Path
import re
import textwrap
from typing import Any, Final
from urllib.parse import unquote

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
import yaml

from custom_components.doorstep import config_flow, const, doorbell_forms, storage_forms
from custom_components.doorstep.inbox.states import RELEASE, REQUEST, mermaid

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = ROOT / "custom_components" / "doorstep"
README: Final = (ROOT / "README.md").read_text()
DOORBELLS: Final = (ROOT / "docs/doorbells.md").read_text()
CLIPS: Final = (ROOT / "docs/clips.md").read_text()
ENGLISH: Final[dict[str, Any]] = json.loads((PACKAGE / "translations" / "en.json").read_text())
DOORBELL: Final[dict[str, Any]] = ENGLISH["config_subentries"]["doorbell"]["step"]
PAGES: Final = sorted(
    str(path.relative_to(ROOT))
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
)
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
YAML: Final = re.compile(r"^ *```yaml\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
EXAMPLES: Final = [text for text in YAML.findall(README + DOORBELLS) if "triggers:" in text]


def without_code(page: str) -> str:
    return FENCE.sub("", (ROOT / page).read_text())


def anchors(path: Path) -> set[str]:
    """What headings are called in links, as GitHub makes them."""
    titles = HEADING.findall(path.read_text())
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_diagrams_are_those_of_the_code() -> None:
    drawn = re.findall(
        r"^```mermaid\n(.*?)^```$", (ROOT / "docs/states.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert drawn == [mermaid(REQUEST), mermaid(RELEASE)]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in LINK.findall(without_code(page)):
        if link.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / unquote(path)).resolve() if path else ROOT / page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("example", EXAMPLES)
async def test_home_assistant_takes_the_examples(hass: HomeAssistant, example: str) -> None:
    read = yaml.safe_load(textwrap.dedent(example))
    assert await async_setup_component(
        hass, "automation", {"automation": read.get("automation", read)}
    )
    [automation] = hass.states.async_all("automation")
    assert automation.state == "on"


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text()
    decisions = [path for path in (ROOT / "docs/adr").glob("*.md") if path.name != "README.md"]
    assert len(decisions) >= 6
    assert all(f"({path.name})" in listed for path in decisions)


def test_every_picture_is_shown_and_small() -> None:
    shown = "".join((ROOT / page).read_text() for page in PAGES)
    for picture in (ROOT / "docs/images").glob("*.png"):
        assert f"images/{picture.name})" in shown, picture
        assert picture.stat().st_size < 200_000, picture


@pytest.mark.parametrize("page", PAGES)
def test_named_tests_exist(page: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", without_code(page)))
    written = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert {name for name in named if f"def {name}(" not in written} == set()


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_place_on_one_machine(page: str) -> None:
    assert re.findall(r"(?:^|[\s`(\"'])(/(?:work|root|tmp)\b)|/home/\w", without_code(page)) == []


def test_the_readme_names_every_action() -> None:
    actions = yaml.safe_load((PACKAGE / "services.yaml").read_text())
    assert actions
    assert all(f"`doorstep.{action}`" in README for action in actions)


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        (platform, entity["name"])
        for platform, entities in ENGLISH["entity"].items()
        for entity in entities.values()
    ],
)
def test_readme_and_doorbells_name_every_entity(platform: str, name: str) -> None:
    assert f"`{platform}` **{name}**" in README
    assert f"| `{platform}` | **{name}** |" in DOORBELLS + CLIPS


@pytest.mark.parametrize("menu", ["user", "reconfigure"])
def test_doorbells_names_what_its_menus_offer(menu: str) -> None:
    for label in DOORBELL[menu]["menu_options"].values():
        assert f"**{label}" in DOORBELLS


def test_the_readme_names_every_platform() -> None:
    assert [platform for platform in const.PLATFORMS if f"| `{platform}` " not in README] == []


@pytest.mark.parametrize(
    ("place", "schema", "step"),
    [
        ("Doorstep", storage_forms.FOLDER_SCHEMA, ENGLISH["config"]["step"]["user"]),
        ("Doorstep", storage_forms.LIMITS_SCHEMA, ENGLISH["config"]["step"]["storage"]),
        ("Doorbell", doorbell_forms.camera_schema([]), DOORBELL["adopt"]),
        ("Doorbell", doorbell_forms.sources_schema([], streams=True), DOORBELL["sources"]),
        ("Doorbell", doorbell_forms.CONNECTION_SCHEMA, DOORBELL["direct"]),
        ("Doorbell", doorbell_forms.options_schema(), DOORBELL["options"]),
        ("Doorbell", storage_forms.DOORBELL_SCHEMA, DOORBELL["limits"]),
        ("Feed", config_flow.FEED_SCHEMA, ENGLISH["config_subentries"]["feed"]["step"]["user"]),
    ],
    ids=["household", "limits", "adopt", "sources", "direct", "options", "own limits", "feed"],
)
def test_the_readme_names_every_field_of_a_form(
    place: str, schema: Any, step: dict[str, Any]
) -> None:
    labels = {**step["data"], **{k: s["name"] for k, s in step.get("sections", {}).items()}}
    for key in map(str, schema.schema):
        assert f"| {place} | {labels[key]} | `{key}` |" in README


def test_the_readme_names_every_repair_issue() -> None:
    for issue in ENGLISH["issues"].values():
        title = re.sub(r"\{\w+\}", "...", issue["title"])
        assert f'"{title}"' in README, title
