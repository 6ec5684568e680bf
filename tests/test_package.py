"""What hassfest and HACS look at on GitHub, looked at here: the files around the code."""

import ast
import json
from pathlib import Path
import re
from statistics import median
import string
from typing import Any, Final

from PIL import Image
import pytest
import yaml

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = ROOT / "custom_components" / "doorstep"
SLUG: Final = re.compile(r"[a-z0-9_-]+")
MANIFEST: Final[dict[str, Any]] = json.loads((PACKAGE / "manifest.json").read_text())
ENGLISH: Final[dict[str, Any]] = json.loads((PACKAGE / "translations" / "en.json").read_text())
ICONS: Final[dict[str, Any]] = json.loads((PACKAGE / "icons.json").read_text())
SERVICES: Final[dict[str, Any]] = yaml.safe_load((PACKAGE / "services.yaml").read_text())
RULES: Final[dict[str, Any]] = yaml.safe_load((PACKAGE / "quality_scale.yaml").read_text())["rules"]
PYTHON: Final = "\n".join(path.read_text() for path in sorted(PACKAGE.rglob("*.py")))
TOP_LEVEL: Final = {
    ".ci",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "agency",
    "blueprints",
    "custom_components",
    "docs",
    "hacs.json",
    "pyproject.toml",
    "scripts",
    "tests",
}


def flatten(tree: dict[str, Any], path: str = "") -> dict[str, str]:
    """Every sentence under its dotted path."""
    flat: dict[str, str] = {}
    for key, value in tree.items():
        below = f"{path}.{key}" if path else key
        flat |= flatten(value, below) if isinstance(value, dict) else {below: value}
    return flat


SENTENCES: Final = flatten(ENGLISH)


def test_manifest_keys_are_in_hassfests_order() -> None:
    keys = list(MANIFEST)
    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]


def test_manifest_says_what_a_custom_integration_must() -> None:
    assert MANIFEST["domain"] == PACKAGE.name
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])
    assert MANIFEST["iot_class"] == "local_push"
    assert MANIFEST["integration_type"] == "hub"
    assert MANIFEST["documentation"].startswith("https://")
    assert MANIFEST["issue_tracker"].startswith("https://")
    assert all(owner.startswith("@") for owner in MANIFEST["codeowners"])


def test_nothing_is_required_beyond_home_assistant() -> None:
    assert MANIFEST["requirements"] == []


def test_one_version_everywhere() -> None:
    assert f'VERSION: Final = "{MANIFEST["version"]}"' in PYTHON
    assert f"## {MANIFEST['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_hacs_finds_what_it_wants() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert hacs == {"name": "Doorstep", "homeassistant": "2026.10.0"}
    assert [path.parent.name for path in PACKAGE.parent.glob("*/manifest.json")] == ["doorstep"]


@pytest.mark.parametrize(("name", "side"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_brand_images_have_their_sizes(name: str, side: int) -> None:
    with Image.open(PACKAGE / "brand" / name) as image:
        assert image.format == "PNG"
        assert image.size == (side, side)


def test_top_level_holds_nothing_else() -> None:
    ignored = set((ROOT / ".gitignore").read_text().replace("/", "").split())
    here = {path.name for path in ROOT.iterdir()}
    # tools leave hidden folders
    visible = {name for name in here if not name.startswith((".", "__"))}
    assert visible - TOP_LEVEL - ignored == set()
    assert here >= TOP_LEVEL


@pytest.mark.parametrize("path", sorted(SENTENCES), ids=str)
def test_sentences_are_as_hassfest_wants_them(path: str) -> None:
    sentence = SENTENCES[path]
    assert sentence == sentence.strip()
    assert "<" not in sentence
    assert not re.search(r"'\{\w+\}'", sentence)
    assert all(SLUG.fullmatch(key) for key in path.split("."))
    names = [name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None]
    assert all(name.isidentifier() for name in names)


def test_every_other_language_is_complete() -> None:
    for path in (PACKAGE / "translations").glob("*.json"):
        other = flatten(json.loads(path.read_text()))
        assert other.keys() == SENTENCES.keys(), path.name
        for key, sentence in other.items():
            fields = sorted(f for _, f, _, _ in string.Formatter().parse(sentence) if f)
            english = sorted(f for _, f, _, _ in string.Formatter().parse(SENTENCES[key]) if f)
            assert fields == english, key


def test_every_error_has_its_sentence() -> None:
    raised = set(re.findall(r'\w+Error\(\s*"([a-z0-9_]+)"', PYTHON))
    assert len(raised) > 30
    assert sorted(raised - ENGLISH["exceptions"].keys()) == []


def test_every_entity_has_name_and_icon() -> None:
    keys = set(re.findall(r'translation_key\s?=\s?"(\w+)"', PYTHON)) - ENGLISH["issues"].keys()
    named = {key for platform in ENGLISH["entity"].values() for key in platform}
    pictured = {key for platform in ICONS["entity"].values() for key in platform}
    assert keys - ENGLISH["exceptions"].keys() <= named
    assert pictured == named


def test_every_action_is_described() -> None:
    assert SERVICES.keys() == ENGLISH["services"].keys() == ICONS["services"].keys()
    for name, service in SERVICES.items():
        fields = (service or {}).get("fields", {})
        assert fields.keys() == ENGLISH["services"][name].get("fields", {}).keys()


def test_icons_are_material_design() -> None:
    assert all(icon.startswith("mdi:") for icon in flatten(ICONS).values())


def test_every_quality_rule_is_answered() -> None:
    assert len(RULES) == 54
    for rule, answer in RULES.items():
        if isinstance(answer, str):
            assert answer == "done", rule
            continue
        assert answer["status"] in {"done", "exempt", "todo"}, rule
        assert answer["comment"].endswith("."), rule


def test_rooms_know_no_home_assistant() -> None:
    for room in ("disclosure", "footage", "inbox", "ledger", "neighbourhood"):
        for path in (PACKAGE / room).rglob("*.py"):
            assert not re.search(
                r"^\s*(from|import) homeassistant", path.read_text(), re.MULTILINE
            ), path


@pytest.mark.parametrize(
    ("room", "beneath"),
    [
        ("ledger", set()),
        ("footage", {"ledger"}),
        ("inbox", {"ledger", "footage"}),
        ("disclosure", {"ledger", "footage", "inbox"}),
    ],
)
def test_rooms_look_down_only(room: str, beneath: set[str]) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        used = set(re.findall(r"^from \.\.(\w+)", path.read_text(), re.MULTILINE))
        assert used <= beneath | {"encoding", "errors"}, path


def test_functions_keep_the_budget() -> None:
    lengths = [
        node.end_lineno - node.lineno + 1
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]
    assert max(lengths) <= 60
    assert median(lengths) <= 10


def test_files_keep_the_budget() -> None:
    long = {
        str(path.relative_to(ROOT))
        for folder in (PACKAGE, ROOT / "agency")
        for path in folder.rglob("*")
        if path.suffix in {".py", ".js"} and len(path.read_text().splitlines()) > 400
    }
    assert long == set()
