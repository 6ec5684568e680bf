# Shared by the scripts beside it: where things are, and how they speak.
# shellcheck shell=bash

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TOOLS="$ROOT/.tools"
LOCKS="$ROOT/scripts/requirements"

cd "$ROOT"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# What setup downloaded is found before what the machine has.
export PATH="$TOOLS/bin:$PATH"

# Playwright's own Node.js wants libraries that a minimal machine lacks.
if have node; then PLAYWRIGHT_NODEJS_PATH="$(command -v node)" && export PLAYWRIGHT_NODEJS_PATH; fi

# The Chromium-like browser for the tests, if there is one.
browser() {
  local name
  for name in chromium chromium-browser google-chrome; do command -v "$name" && return; done
  return 1
}

# debian_fetch SUITE STATUS PACKAGE...
# Downloads packages and what they need into the current folder, without root
# and without touching the machine's own apt: lists, cache and state are
# private; mirror and keyring are the machine's. STATUS is the dpkg status
# file that says what counts as installed already.
debian_fetch() {
  local suite=$1 status=$2 state mirror
  shift 2
  have apt-get && have dpkg-deb || return 1
  mirror="$(grep -rhoE '^[^#]*https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list* \
    | grep -oE 'https?://[^ ]+' | sed -n 1p || true)"
  [ -n "$mirror" ] || return 1
  state="$(mktemp -d)"
  mkdir -p "$state"/{lists/partial,cache/archives/partial,etc/preferences.d}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
    > "$state/etc/sources.list"
  local options=(
    -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$status"
    -o Dir::Cache="$state/cache" -o Dir::Etc="$state/etc"
    -o Dir::Etc::sourcelist="$state/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o APT::Sandbox::User= -o Debug::NoLocking=1 -o APT::Get::List-Cleanup=0
    -o Acquire::Languages=none -qq
  )
  apt-get "${options[@]}" update >&2 \
    && apt-get "${options[@]}" install --download-only --yes --no-install-recommends "$@" >&2 \
    && mv "$state"/cache/archives/*.deb . || { rm -rf "$state"; return 1; }
  rm -rf "$state"
}
