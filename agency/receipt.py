"""Receipts: the signed answer to a package that was opened and found good (protocol section 4)."""

import shutil
from typing import Final

from . import bag, jws, package, statement
from .desk import Desk
from .encoding import JSON, format_time
from .files import PRIVATE, write
from .package import Report, Trust
from .uploads import Upload

TYP: Final = "receipt+jws"


def take_in(desk: Desk, upload: Upload) -> str:
    """Move a complete upload to the evidence, open it, answer it; return what to tell people.

    Repeatable: after a power cut the same upload leads to the same evidence and receipt.
    """
    if bag.sha256_of(upload.path) != upload.sha256:
        damaged = desk.evidence / f"damaged-{upload.id}.age"
        upload.path.replace(damaged)
        return f"An upload arrived damaged and is not answered: {damaged}"
    evidence = f"E-{upload.sha256[:16].upper()}"
    folder = desk.evidence / evidence
    folder.mkdir(exist_ok=True)
    opening, opened = folder / "opening", folder / "opened"
    for old in (opening, opened):
        shutil.rmtree(old, ignore_errors=True)
    report = package.open_package(upload.path, opening, Trust.of(desk), evidence)
    write(folder / "report.txt", f"{report.text()}\n".encode(), PRIVATE)
    opening.rename(opened)
    if report.good:
        _issue(desk, report, upload.sha256, evidence)
    upload.path.replace(folder / "release.age")
    answered = "answered with a receipt" if report.good else "NOT answered"
    return f"A package arrived and is {answered}: {folder}\n{report.text()}"


def _issue(desk: Desk, report: Report, package_sha256: str, evidence: str) -> None:
    path = desk.public / "receipts" / f"{package_sha256}.jws"
    if path.exists():
        return
    facts: dict[str, JSON] = {
        "v": 1,
        "release": report.release,
        "request": report.request,
        "package_sha256": package_sha256,
        "release_sha256": report.release_sha256,
        "received_at": format_time(desk.now()),
        "evidence_id": evidence,
        "terms_accepted": True,
    }
    write(path, jws.sign(facts, TYP, statement.signer(desk).key))
