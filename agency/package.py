"""Packages: opened, checked against everything they claim, and reported on (protocol section 3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
import re
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from . import bag, jws, notes, seals
from .age import Identity
from .desk import Desk
from .encoding import (
    JSON,
    canonical_json,
    object_member,
    parse_object,
    parse_time,
    text_member,
)
from .errors import AgencyError
from .requests import TYP as REQUEST
from .seals import Window

_REQUEST: Final = "metadata/request.jws"
_RELEASE: Final = "metadata/release.json"
_SIGNATURE: Final = "metadata/signature.jws"
SIGNATURE: Final = "package-signature+jws"
_PLAIN: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What an agency knows by itself, and checks a package against."""

    agency: str
    keys: Mapping[str, Ed25519PublicKey]
    log_name: str
    log_key: Ed25519PublicKey
    identity: Identity

    @classmethod
    def of(cls, desk: Desk) -> Self:
        """Take it from the agency's folder. Raises AgencyError."""
        log = desk.log()
        return cls(
            agency=desk.text("id"),
            keys={key.kid: key.public for key in desk.signing_keys()},
            log_name=log.name,
            log_key=log.public_key,
            identity=desk.identity(),
        )


@dataclass(slots=True)
class Report:
    """What was found. Good means that every check passed."""

    name: str
    findings: list[tuple[bool, str]] = field(default_factory=list)
    release: str = ""
    request: str = ""
    release_sha256: str = ""

    @property
    def good(self) -> bool:
        """Say whether nothing failed."""
        return all(passed for passed, _ in self.findings)

    def text(self) -> str:
        """Return the report for people."""
        lines = [f"{'ok    ' if passed else 'FAILED'}  {text}" for passed, text in self.findings]
        verdict = "GOOD: every check passed" if self.good else "NOT GOOD: see what failed"
        return "\n".join((f"Package {self.name}", *lines, verdict))

    def note(self, check: Callable[[], str]) -> bool:
        """Run one check and write down how it ended."""
        try:
            self.findings.append((True, check()))
        except AgencyError as error:
            self.findings.append((False, str(error)))
            return False
        return True


def open_package(package: Path, folder: Path, trust: Trust, name: str = "") -> Report:
    """Decrypt PACKAGE into the new FOLDER and check it. Never raises for what is in it."""
    report = Report(name or package.name)
    found: list[Path] = []

    def unpack() -> str:
        found.append(bag.unpack(package, trust.identity, folder))
        return "it was encrypted to us and arrived whole"

    def whole() -> str:
        return f"the bag is complete: {bag.check(found[0])} files are as listed"

    if report.note(unpack) and report.note(whole):
        _Checks(found[0], trust, report).run()
    return report


class _Checks:
    """The checks of one bag whose files are as listed."""

    def __init__(self, folder: Path, trust: Trust, report: Report) -> None:
        self._folder = folder
        self._trust = trust
        self._report = report
        self._statement: dict[str, JSON] = {}
        self._feature: dict[str, JSON] = {}

    def run(self) -> None:
        if self._report.note(self._request):
            for check in (self._logged, self._details):
                self._report.note(check)
            if self._report.note(self._release):
                for check in (self._terms, self._signature, self._clips, self._remarks):
                    self._report.note(check)

    def _request(self) -> str:
        token = bag.read_bytes(self._folder, _REQUEST)
        signed = jws.verify(token, REQUEST, self._trust.keys, "the request")
        self._feature = parse_object(signed.payload, "the request")
        self._report.request = text_member(self._feature, "id", "the request")
        return f"it answers our request {self._report.request}"

    def _logged(self) -> str:
        tree = notes.check_proof(
            bag.read_bytes(self._folder, "metadata/request.tlog-proof"),
            bag.read_bytes(self._folder, _REQUEST),
            self._trust.log_name,
            self._trust.log_key,
        )
        return f"the request was in our public log when that had {tree.size} entries"

    def _details(self) -> str:
        properties = object_member(self._feature, "properties", "the request")
        wanted = object_member(properties, "details", "the request").get("sha256")
        details = bag.read_bytes(self._folder, "metadata/details.json")
        if sha256(details).hexdigest() != wanted:
            raise AgencyError("metadata/details.json is not what the request names")
        return "the details are those of the request"

    def _release(self) -> str:
        data = bag.read_bytes(self._folder, _RELEASE)
        release = parse_object(data, _RELEASE)
        self._statement = object_member(release, "statement", _RELEASE)
        decision = object_member(release, "decision", _RELEASE)
        digest = sha256(canonical_json(self._statement)).hexdigest()
        if decision.get("statement_sha256") != digest:
            raise AgencyError("what was approved is not what metadata/release.json states")
        self._report.release = text_member(self._statement, "release", _RELEASE)
        self._report.release_sha256 = sha256(data).hexdigest()
        at = text_member(decision, "at", _RELEASE)
        return f"release {self._report.release} was approved by a person at {at}"

    def _terms(self) -> str:
        stated = self._statement
        token = bag.read_bytes(self._folder, _REQUEST)
        properties = object_member(self._feature, "properties", "the request")
        terms = object_member(properties, "terms", "the request")
        same = {
            "request": stated.get("request") == self._report.request,
            "request_sha256": stated.get("request_sha256") == sha256(token).hexdigest(),
            "window": _window(stated) == _window(properties),
            "terms": object_member(stated, "terms", _RELEASE).items() <= terms.items(),
            "agency": _agency(stated) == self._trust.agency,
            "recipient": self._trust.identity.recipient in _recipients(stated),
        }
        for name, holds in same.items():
            if not holds:
                raise AgencyError(f"the release states another {name} than our request")
        return "request, terms, window and recipient are those of our request"

    def _signature(self) -> str:
        release = parse_object(bag.read_bytes(self._folder, _RELEASE), _RELEASE)
        key = jws.public_key(object_member(release, "key", _RELEASE))
        token = bag.read_bytes(self._folder, _SIGNATURE)
        signed = jws.verify(token, SIGNATURE, {jws.thumbprint(key): key}, _SIGNATURE)
        manifest = bag.read_bytes(self._folder, bag.TAG_MANIFEST)
        expected = {
            "v": 1,
            "release": self._report.release,
            "tagmanifest_sha256": sha256(manifest).hexdigest(),
        }
        if parse_object(signed.payload, _SIGNATURE) != expected:
            raise AgencyError(f"{_SIGNATURE} signs another {bag.TAG_MANIFEST}")
        return "the bag is signed by the key made for this release"

    def _clips(self) -> str:
        span = _window(self._statement)
        clips = self._statement.get("clips")
        if not isinstance(clips, list) or not clips:
            raise AgencyError("the release names no clips")
        count = sum(self._clip(clip, span) for clip in clips)
        return f"{len(clips)} clips, {count} fragments: byte for byte as sealed at home"

    def _clip(self, clip: JSON, span: Window) -> int:
        if not isinstance(clip, dict):
            raise AgencyError("the release names a clip that is no object")
        names = [text_member(clip, name, _RELEASE) for name in ("camera", "clip")]
        if not all(_PLAIN.fullmatch(name) for name in names):
            raise AgencyError("the release names a clip or camera oddly")
        camera, name = names
        video = self._folder / "data" / camera / f"{name}.mp4"
        lines = bag.read_bytes(self._folder, f"metadata/seals/{name}.jsonl")
        if not video.exists() or bag.sha256_of(video) != clip.get("sha256"):
            raise AgencyError(f"{camera}/{name}.mp4 is not what was approved")
        return seals.check(lines, video, text_member(clip, "root", _RELEASE), span)

    def _remarks(self) -> str:
        stated = self._statement
        test = "A TEST, not evidence. " if stated.get("test") else ""
        sound = "with sound" if stated.get("audio") else "without sound"
        sealed = stated.get("sealed_when")
        return f"{test}identity: {stated.get('identity')}; {sound}; sealed when: {sealed}"


def _window(record: Mapping[str, JSON]) -> Window:
    window = object_member(record, "window", "the window")
    start, end = (text_member(window, name, "the window") for name in ("start", "end"))
    return Window(parse_time(start), parse_time(end))


def _agency(stated: Mapping[str, JSON]) -> str:
    return text_member(object_member(stated, "agency", _RELEASE), "id", _RELEASE)


def _recipients(stated: Mapping[str, JSON]) -> list[JSON]:
    listed = stated.get("recipients")
    records = listed if isinstance(listed, list) else []
    return [record.get("recipient") for record in records if isinstance(record, dict)]
