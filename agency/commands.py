"""What each command does with its arguments."""

import argparse
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from . import desk, package, requests, server, statement
from .desk import Desk
from .encoding import JSON, format_time, object_member, parse_span, parse_time
from .errors import AgencyError
from .package import Trust

LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}


def init(arguments: argparse.Namespace) -> int:
    """Make the folder."""
    base = _folder_url(arguments.base_url)
    identifier = _folder_url(arguments.id or base)
    oversight = {"name": arguments.oversight_name, "url": arguments.oversight_url or identifier}
    contact = {
        "phone": arguments.phone,
        "email": arguments.email or f"footage@{urlsplit(identifier).hostname}",
        "url": identifier,
    }
    config: dict[str, JSON] = {
        "name": arguments.name,
        "kind": arguments.kind,
        "id": identifier,
        "base_url": base,
        "jurisdiction": arguments.jurisdiction or arguments.jurisdiction_around,
        "contact": dict(contact),
        "oversight": dict(oversight),
        "policy_url": arguments.policy_url or identifier,
        "holder": arguments.holder or arguments.name,
        "delivery": {
            "tus": arguments.delivery or f"{base}uploads/",
            "receipts": arguments.receipts or f"{base}receipts/{{package_sha256}}.jws",
        },
    }
    made = desk.create(arguments.folder, config)
    log = made.log()
    print(f"Made {arguments.folder}: agency.json, public/ (to be served), private/ (the keys).")
    print(f"Feed:            {base}feed.json")
    print(f"Log key:         {log.vkey}")
    print(f"  fingerprint:   {log.fingerprint}")
    print(f"Encryption key:  {made.identity().recipient}")
    print(f"Next:            python -m agency statement {arguments.folder}")
    return 0


def publish_statement(arguments: argparse.Namespace) -> int:
    """Log the statement."""
    office = Desk(arguments.folder)
    if arguments.new_key:
        office.add_key()
    said, logged = statement.publish(office)
    office.publish_feed()
    verb = "Logged" if logged else "Nothing is new; homes hold"
    print(f"{verb} statement {said['sequence']} of {said['id']}.")
    for key in office.signing_keys():
        print(f"Signing key:     {key.kid} ({key.state})")
    print("Next:            python -m agency ask … (see: python -m agency ask --help)")
    return 0


def ask(arguments: argparse.Namespace) -> int:
    """Log a request."""
    office = Desk(arguments.folder)
    wish = _wish(office, arguments, office.now().replace(microsecond=0))
    logged = requests.ask(office, wish)
    print(f"Published {logged.urn}")
    print(f"  window:   {format_time(wish.start)} to {format_time(wish.end)}")
    print(f"  expires:  {format_time(wish.expires)}")
    print(f"  signed:   {', '.join(wish.attestations) or 'no attestations: homes will refuse'}")
    print("Homes read it within about five minutes. Those that say no, you will not hear of.")
    return 0


def close(arguments: argparse.Namespace) -> int:
    """Withdraw or resolve a request."""
    closed = requests.close(
        Desk(arguments.folder), arguments.request, arguments.action, arguments.reason
    )
    print(f"Logged: {arguments.action} {closed.properties['replaces']}; its details are erased.")
    return 0


def dispose(arguments: argparse.Namespace) -> int:
    """Log that footage was deleted."""
    requests.dispose(Desk(arguments.folder), arguments.release, arguments.reason)
    print(f"Logged: the footage of release {arguments.release} was deleted.")
    return 0


def refresh(arguments: argparse.Namespace) -> int:
    """Cosign anew."""
    office = Desk(arguments.folder)
    erased = requests.refresh(office)
    head = office.log().head()
    print(f"Cosigned the log at {head.size} entries; erased the details of {erased} expired ones.")
    return 0


def show(arguments: argparse.Namespace) -> int:
    """List what is in the log."""
    office = Desk(arguments.folder)
    for one in requests.all_logged(office):
        facts = one.properties
        print(f"{one.index:>6}  {facts['action']:<9} {one.urn}  case {facts['case_id']}")
    return 0


def serve(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    return server.run(
        Desk(arguments.folder),
        server.Settings(
            host=arguments.host,
            port=arguments.port,
            max_bytes=arguments.max_mb * 1024 * 1024,
            certificate=arguments.cert,
            key=arguments.key,
        ),
    )


def open_package(arguments: argparse.Namespace) -> int:
    """Open and check one package."""
    trust = Trust.of(Desk(arguments.folder))
    report = package.open_package(arguments.package, arguments.out, trust)
    print(f"{report.text()}\nWhat is inside: {arguments.out}")
    return 0 if report.good else 1


def _wish(office: Desk, arguments: argparse.Namespace, now: datetime) -> requests.Ask:
    start, end = _window(arguments, now)
    contact = object_member(office.config, "contact", desk.CONFIG)
    return requests.Ask(
        area=arguments.area or arguments.around,
        start=start,
        end=end,
        expires=_moment(arguments.expires, now),
        case=arguments.case,
        incident=arguments.incident,
        wanted=tuple(arguments.wanted),
        basis=arguments.basis,
        attestations=tuple(
            name for name in requests.ATTESTATIONS if name not in arguments.without_attestation
        ),
        terms=_terms(arguments, now),
        language=arguments.language,
        summary=arguments.summary,
        subject=arguments.subject,
        officer={
            "name": arguments.officer,
            "badge": arguments.badge,
            "email": arguments.officer_email or contact.get("email"),
            "phone": arguments.officer_phone or contact.get("phone"),
        },
        supervisor=arguments.supervisor,
        amends=arguments.amend,
    )


def _terms(arguments: argparse.Namespace, now: datetime) -> dict[str, JSON]:
    return {
        "purpose": arguments.purpose or f"Investigation of case {arguments.case}",
        "retain_until": format_time(_moment(arguments.retain, now)),
        "onward_sharing": arguments.onward_sharing,
        "public_release": arguments.public_release,
        "biometrics": arguments.biometrics,
        "disposal_notice": True,
    }


def _window(arguments: argparse.Namespace, now: datetime) -> tuple[datetime, datetime]:
    if arguments.last and not (arguments.start or arguments.end):
        return now - arguments.last, now
    if arguments.last or not (arguments.start and arguments.end):
        raise AgencyError("say when: --from and --to, or --last")
    return arguments.start, arguments.end


def _moment(text: str, now: datetime) -> datetime:
    """Read a time, or a span from NOW on."""
    return parse_time(text) if text.endswith("Z") else now + parse_span(text)


def _folder_url(text: str) -> str:
    """Return a URL that ends in `/`. Raises AgencyError unless https, or http on loopback."""
    parts = urlsplit(text)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if (
        not parts.hostname
        or parts.query
        or parts.fragment
        or not (local or parts.scheme == "https")
    ):
        raise AgencyError(f"{text} has to be an https URL (http only on this machine, for a demo)")
    return text if text.endswith("/") else f"{text}/"
