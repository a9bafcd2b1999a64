#!/usr/bin/env bash
# Resolves tools/package.json again into tools/package-lock.json: exact versions and integrity hashes, no addresses.
# Run it after a change of package.json and commit both.
set -euo pipefail
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp package.json "$scratch/"
(cd "$scratch" && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel=error)
# Funding links are the only addresses left, and nothing reads them.
python3 - "$scratch/package-lock.json" package-lock.json <<'PY'
import json, pathlib, sys

lock = json.loads(pathlib.Path(sys.argv[1]).read_text())
for package in lock["packages"].values():
    package.pop("funding", None)
    if "resolved" in package:
        sys.exit("npm wrote an address into the lock; it needs omit-lockfile-registry-resolved (npm 9 or newer)")
pathlib.Path(sys.argv[2]).write_text(json.dumps(lock, indent=2) + "\n")
PY
echo "tools/package-lock.json is renewed"
