"""The command line: which commands there are, how they are written, what --help teaches."""

import argparse
from pathlib import Path
from typing import Final

from . import area, commands
from .encoding import parse_span, parse_time
from .requests import ATTESTATIONS

KINDS: Final = (
    "municipal_police",
    "sheriff",
    "state_police",
    "federal",
    "immigration",
    "fire",
    "emergency_management",
    "prosecutor",
    "defence",
    "court",
    "other",
)
INCIDENTS: Final = (
    "theft",
    "burglary",
    "robbery",
    "assault",
    "sexual_offence",
    "homicide",
    "missing_person",
    "vandalism",
    "weapons",
    "traffic",
    "fire",
    "disaster",
    "other",
)
DEMO_URL: Final = "http://127.0.0.1:8765/"

_ABOUT: Final = """\
Be an agency that asks homes for doorbell footage. Homes read a public log of signed requests and
decide by themselves; footage comes only from those that say yes, encrypted to your key.

A demonstration on one machine:

  python -m agency init desk --name "Example Police" --jurisdiction-around 52.37,4.89,5000
  python -m agency statement desk
  python -m agency serve desk            (in another terminal, goes on until Ctrl-C)
  python -m agency ask desk --around 52.3731,4.8922,200 --last 30m \\
      --case 24-118 --incident theft --summary "A bicycle was taken." --officer "A. Jansen"

Homes are given one address: http://127.0.0.1:8765/feed.json
For real use, --base-url is the https address where public/ is served, and --id the agency's own
web site, which must also serve public/.well-known/.
"""
_WHEN: Final = "like 2026-11-23T20:00:00Z"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="python -m agency",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    adders = top.add_subparsers(required=True, metavar="COMMAND")
    _init(adders)
    _statement(adders)
    _ask(adders)
    _close(adders, "withdraw", "take a request back; homes close it, releases on their way stop")
    _close(adders, "resolve", "say that a request is answered and needs nothing more")
    _dispose(adders)
    _small(adders)
    _serve(adders)
    _open(adders)
    return top


type Adders = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse's only name for it


def _add(adders: Adders, name: str, summary: str) -> argparse.ArgumentParser:
    added = adders.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    added.add_argument("folder", type=Path, metavar="DIR", help="the agency's folder")
    return added


def _init(adders: Adders) -> None:
    command = _add(adders, "init", "make an agency's folder: keys, configuration, an empty log")
    command.set_defaults(run=commands.init)
    add = command.add_argument
    add("--name", required=True, help="what people call the agency")
    add("--kind", choices=KINDS, default="municipal_police", help="default: %(default)s")
    add("--base-url", default=DEMO_URL, help="where public/ is served (default: %(default)s)")
    add("--id", metavar="URL", help="the agency's web site (default: the base URL)")
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--jurisdiction", type=area.read, metavar="FILE", help="GeoJSON polygon it may ask within"
    )
    where.add_argument(
        "--jurisdiction-around",
        type=area.parse_around,
        metavar="LAT,LON,METRES",
        help="a circle instead, for a demonstration",
    )
    add("--email", help="how residents reach it (default: footage@ the web site)")
    add("--phone", default="", help="likewise")
    add("--oversight-name", default="none named", help="the body that oversees the agency")
    add("--oversight-url", help="its web site (default: the agency's)")
    add("--policy-url", help="the agency's policy on footage (default: its web site)")
    add("--holder", help="who holds the decryption key (default: the agency's name)")
    add("--delivery", metavar="URL", help="tus upload address (default: BASE/uploads/)")
    add("--receipts", metavar="URL", help="with {package_sha256} (default: BASE/receipts/…)")


def _statement(adders: Adders) -> None:
    command = _add(adders, "statement", "sign and log what agency.json says about the agency")
    command.set_defaults(run=commands.publish_statement)
    command.add_argument(
        "--new-key", action="store_true", help="make a new signing key and retire the old one"
    )


def _ask(adders: Adders) -> None:
    command = _add(adders, "ask", "sign and log a footage request")
    command.set_defaults(run=commands.ask)
    add = command.add_argument
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("--area", type=area.read, metavar="FILE", help="GeoJSON polygon")
    where.add_argument(
        "--around", type=area.parse_around, metavar="LAT,LON,METRES", help="a circle"
    )
    add("--from", dest="start", type=parse_time, metavar="TIME", help=_WHEN)
    add("--to", dest="end", type=parse_time, metavar="TIME", help="in the past")
    add("--last", type=parse_span, metavar="SPAN", help="instead: from a span ago (30m, 2h) to now")
    add("--expires", default="7d", metavar="TIME|SPAN", help="default: in %(default)s; at most 14d")
    add("--case", required=True, help="your case number; homes see requests of a case together")
    add("--incident", required=True, choices=INCIDENTS, help="what kind of incident")
    add("--summary", required=True, help="what happened, for the residents (erasable)")
    add("--subject", default="", help="what you look for, e.g. a red van (erasable)")
    add("--officer", required=True, metavar="NAME", help="who asks (erasable)")
    add("--badge", default="", help="badge number")
    add("--officer-email", metavar="EMAIL", help="default: the agency's")
    add("--officer-phone", metavar="PHONE", help="default: the agency's")
    add("--supervisor", default="", metavar="NAME", help="who approved the request")
    add("--wanted", nargs="+", choices=("video", "audio", "stills"), default=["video"])
    add("--basis", choices=("voluntary", "preservation", "emergency"), default="voluntary")
    add(
        "--without-attestation",
        action="append",
        default=[],
        choices=ATTESTATIONS,
        help="asking attests all of these; leave one out if it is not true",
    )
    add("--purpose", help="what the footage is used for (default: investigation of the case)")
    add("--retain", default="90d", metavar="TIME|SPAN", help="deleted after (default: %(default)s)")
    add("--onward-sharing", default="the prosecution only", help="default: %(default)s")
    add("--public-release", action="store_true", help="it may be shown in public")
    add("--biometrics", action="store_true", help="faces may be searched in it")
    add("--language", default="en", help="of your texts, BCP 47 (default: %(default)s)")
    add("--amend", metavar="REQUEST", help="a request of yours that this one narrows")


def _close(adders: Adders, action: str, summary: str) -> None:
    command = _add(adders, action, summary)
    command.set_defaults(run=commands.close, action=action)
    command.add_argument("request", metavar="REQUEST", help="urn:uuid:…, or `last`")
    command.add_argument("--reason", default="", help="for the residents")


def _dispose(adders: Adders) -> None:
    command = _add(adders, "dispose", "tell a home that the footage it gave was deleted")
    command.set_defaults(run=commands.dispose)
    command.add_argument("release", metavar="RELEASE", help="its release id (from the report)")
    command.add_argument("--reason", default="no longer needed", help="default: %(default)s")


def _small(adders: Adders) -> None:
    command = _add(adders, "refresh", "cosign the log with today's time; run it once a day")
    command.set_defaults(run=commands.refresh)
    command = _add(adders, "list", "show the requests in the log")
    command.set_defaults(run=commands.show)


def _serve(adders: Adders) -> None:
    command = _add(adders, "serve", "serve the feed and take uploads; for demonstrations")
    command.set_defaults(run=commands.serve)
    add = command.add_argument
    add("--host", default="127.0.0.1", help="default: %(default)s")
    add("--port", type=int, help="default: that of the base URL")
    add("--max-mb", type=int, default=4096, help="largest package in MiB (default: %(default)s)")
    add("--cert", type=Path, help="TLS certificate chain (PEM)")
    add("--key", type=Path, help="its private key (PEM)")


def _open(adders: Adders) -> None:
    command = _add(adders, "open", "decrypt a package and check all that it claims")
    command.set_defaults(run=commands.open_package)
    command.add_argument("package", type=Path, metavar="PACKAGE", help="release.age")
    command.add_argument("--out", type=Path, required=True, help="a new folder for what is inside")
