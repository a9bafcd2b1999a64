#!/usr/bin/env bash
# What a newcomer does: start everything, run the command that is printed, stop. In a state folder of its own, which
# is removed. Fails if the command's answer is not a tool's result, or if anything is left running.
set -euo pipefail
cd "$(dirname "$0")/.."
archway=${ARCHWAY:-.venv/bin/archway}
folder=$(mktemp -d)
state=$folder/state
finish() {
  "$archway" down --state "$state" >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT

"$archway" up --detach --state "$state" --proxy-port 0 --control-port 0 | tee "$folder/said"
echo "first call: up after ${SECONDS} s"
# The one command stands on a line of its own and begins with curl.
command=$(grep -E '^[[:space:]]*curl ' "$folder/said" | tail -n 1) || true
[ -n "$command" ] || { echo "first call: no command was printed" >&2; exit 1; }
answer=$(timeout 90 bash -c "$command")
echo "$answer"
grep -q '"datetime' <<<"${answer//\\/}" || { echo "first call: the answer is not the demo tool's result" >&2; exit 1; }
"$archway" status --state "$state"
pids=$(.venv/bin/python -c 'import json, sys; d = json.load(open(sys.argv[1]))["pids"]
print(*[p for v in d.values() for p in (v if isinstance(v, list) else [v]) if p])' "$state/up.json")
"$archway" down --state "$state"

runs() { [ -e "/proc/$1/stat" ] && ! grep -q ') [ZX] ' "/proc/$1/stat"; }
for pid in $pids; do
  for _ in 1 2 3 4 5 6 7 8 9 10; do runs "$pid" && sleep 0.2; done
  if runs "$pid"; then
    echo "first call: process $pid still runs after archway down" >&2
    exit 1
  fi
done
echo "first call: done"
