#!/usr/bin/env bash
# What a newcomer does, checked: start everything in a fresh folder, paste the printed command, stop everything.
# Ends with status 0 only if the command's answer holds a time and nothing is left running.
set -euo pipefail
cd "$(dirname "$0")/.."

archway=${ARCHWAY:-.venv/bin/archway}
folder=$(mktemp -d)
state="$folder/state"
finish() {
  "$archway" down --state "$state" || true
  rm -rf "$folder"
}
trap finish EXIT

started=$(date +%s)
"$archway" up --detach --proxy-port 0 --control-port 0 --state "$state" | tee "$folder/said"
echo "up after $(($(date +%s) - started)) s"

command=$(grep '^curl ' "$folder/said") || { echo "archway up printed no curl command"; exit 1; }
answer=$(bash -c "$command")
echo "$answer"
case "$answer" in
  *'"isError":true'* | *'"isError": true'*) echo "the first call was refused"; exit 1 ;;
  *datetime*) ;;
  *) echo "the first call's answer holds no time"; exit 1 ;;
esac

"$archway" status --state "$state"
"$archway" down --state "$state"
if "$archway" status --state "$state" --json | grep -q '"alive": true'; then
  echo "archway down left a process"
  exit 1
fi
echo "first call: ok"
