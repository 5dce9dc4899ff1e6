#!/usr/bin/env bash
# Downloads and unpacks the packages of packages.tsv that are served without being installed (about 130 MB), once, and installs the others:
#   fetch.sh           into $KVMSWEEP_PACKAGES, or /var/tmp/kvmsweep-packages: a folder for each package
#   fetch.sh install   installs those that are run as they are; .ci/run does this with the servers of the other real tests
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
into=${KVMSWEEP_PACKAGES:-/var/tmp/kvmsweep-packages}

packages() { awk -F'\t' -v kind="$1" '!/^#/ && ($2 == "installed") == (kind == "installed") { print $1 }' "$here/packages.tsv" | sort -u; }

if [ "${1:-}" = install ]; then
  # shellcheck disable=SC2046
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends socat $(packages installed)
  exit
fi
mkdir -p "$into"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# apt downloads as the user _apt.
chmod 755 "$work"
cd "$work"
wanted=()
for package in $(packages unpacked); do [ -d "$into/$package" ] || wanted+=("$package"); done
[ ${#wanted[@]} = 0 ] || apt-get download -qq "${wanted[@]}"
for file in *.deb; do
  [ -e "$file" ] || continue
  package=${file%%_*}
  dpkg-deb -x "$file" "$into/$package.part"
  mv "$into/$package.part" "$into/$package"
  rm "$file"
done
