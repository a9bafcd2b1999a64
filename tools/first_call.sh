#!/usr/bin/env bash
# What a newcomer does: start everything, run the command that is printed, stop. In a state folder of its own, which
# is removed. Fails if the command's answer is not a tool's result, or if anything is left running.
set -euo pipefail
cd "$(dirname "$0")/.."
state=$(mktemp -d)
log=$state/up.log
finish() {
  .venv/bin/archway down --state "$state/archway" >/dev/null 2>&1 || true
  rm -rf "$state"
}
trap finish EXIT

.venv/bin/archway up --detach --state "$state/archway" --proxy-port 0 --control-port 0 | tee "$log"
# The one command stands on a line of its own and begins with curl.
command=$(grep -E '^[[:space:]]*curl ' "$log" | tail -n 1)
[ -n "$command" ] || { echo "first call: no command was printed" >&2; exit 1; }
answer=$(timeout 30 bash -c "$command")
echo "$answer"
grep -q '"content"' <<<"$answer" || { echo "first call: the answer is not a tool's result" >&2; exit 1; }
pids=$(.venv/bin/python -c 'import json, sys; d = json.load(open(sys.argv[1]))["pids"]
print(*[p for v in d.values() for p in (v if isinstance(v, list) else [v])])' "$state/archway/up.json")
.venv/bin/archway down --state "$state/archway"
for pid in $pids; do
  if kill -0 "$pid" 2>/dev/null; then
    echo "first call: process $pid still runs after archway down" >&2
    exit 1
  fi
done
echo "first call: done"
