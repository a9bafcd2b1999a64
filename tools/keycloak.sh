#!/usr/bin/env bash
# Brings Keycloak into .tools/keycloak, once for each version, by Maven as it is set up on this machine. Called by
# `make keycloak`. Needs a Java of version 17 or newer, and mvn (on Debian: apt-get install -y default-jdk-headless maven).
set -euo pipefail
cd "$(dirname "$0")/.."
version=26.7.3
target=.tools/keycloak/keycloak-$version
[ -x "$target/bin/kc.sh" ] && exit 0
for program in java mvn; do
  command -v $program >/dev/null || { echo "keycloak: this machine lacks $program" >&2; exit 1; }
done
echo "keycloak: version $version (180 MB) ..."
mkdir -p .tools/keycloak
artifact=org.keycloak:keycloak-quarkus-dist:$version:zip
mvn -q -B dependency:get -Dartifact=$artifact -Dtransitive=false
mvn -q -B dependency:copy -Dartifact=$artifact -DoutputDirectory="$PWD/.tools/keycloak"
python3 -m zipfile -e .tools/keycloak/keycloak-quarkus-dist-$version.zip .tools/keycloak
rm -f .tools/keycloak/keycloak-quarkus-dist-$version.zip
chmod +x "$target/bin/kc.sh"
