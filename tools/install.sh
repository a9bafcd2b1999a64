#!/usr/bin/env bash
# Brings what the tests need beside .venv into .tools/: npm packages (real clients, a real server, the conformance
# suite, a Node new enough for them) and the Python SDK's first major version. Called by `make tools`.
#
# Each part is made again only when its list has changed: its stamp is named after the list's digest. Nothing is
# written outside .tools but the package clients' own caches.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { echo "tools: $*"; }

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  say "this machine lacks ${missing[*]}. On Debian: apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

stamp() { # NAME FILE...: the stamp of this part for the lists as they are now
  local name=$1
  shift
  echo ".tools/.$name-$(cat "$@" | sha256sum | cut -c1-16)"
}

install_npm() {
  local mark
  mark=$(stamp npm tools/package.json tools/package-lock.json tools/install.sh)
  [ -e "$mark" ] && return
  say "npm packages (about 30 s, 350 MB) ..."
  rm -rf .tools/npm .tools/.npm-*
  mkdir -p .tools/npm .tools/bin
  cp tools/package.json tools/package-lock.json .tools/npm/
  # No package's own script runs: none of them is needed, and each would be foreign code with our rights.
  (cd .tools/npm && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --omit-lockfile-registry-resolved --loglevel=error)
  link_node
  touch "$mark"
}

link_node() { # .tools/bin/node: the packaged one, or the machine's own where it is new enough (macOS)
  local packaged
  packaged=$(cd .tools && compgen -G "npm/node_modules/node-linux-*/bin/node" | head -n 1 || true)
  if [ -n "$packaged" ]; then
    ln -sfn "../$packaged" .tools/bin/node
  elif [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 22 ]; then
    ln -sfn "$(command -v node)" .tools/bin/node
  else
    say "no packaged Node for this machine, and its own is $(node --version); version 22 or newer is needed" >&2
    exit 1
  fi
}

install_py_sdk_1() {
  local mark
  mark=$(stamp py-sdk-1 tools/py-sdk-1.txt tools/install.sh)
  [ -e "$mark" ] && return
  say "the Python SDK's first major version (about 5 s with uv, 15 s with pip) ..."
  rm -rf .tools/py-sdk-1 .tools/.py-sdk-1-*
  python3 -m venv .tools/py-sdk-1
  UV_SYSTEM_CERTS=1 .venv/bin/uv pip install -q --python .tools/py-sdk-1/bin/python -r tools/py-sdk-1.txt 2>/dev/null \
    || .tools/py-sdk-1/bin/pip install -q --disable-pip-version-check -r tools/py-sdk-1.txt
  touch "$mark"
}

mkdir -p .tools
install_npm
install_py_sdk_1
say "ready ($(.tools/bin/node --version) in .tools/bin)"
