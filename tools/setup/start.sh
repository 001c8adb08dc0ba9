#!/usr/bin/env bash
# npm start: installs what is missing, then keks up. As root on Debian or Ubuntu that includes what real nodes need, from the
# distribution's own packages; KEKS_RUNTIME=simulated, or not being root, installs nothing outside this folder.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/install.sh"

runtime=${KEKS_RUNTIME:-auto}
for ((i = 1; i <= $#; i++)); do
  next=$((i + 1))
  case ${!i} in
    --runtime) runtime=${!next:-} ;;
    --runtime=*) runtime=${!i#--runtime=} ;;
  esac
done

install_node_packages() {
  local packages
  packages=$(bin/keks doctor --output json | node -p 'JSON.parse(require("node:fs").readFileSync(0, "utf8")).packages.join(" ")') || return 0
  [ -n "$packages" ] || return 0
  echo "keks: real nodes need these Debian packages, installing them with apt-get: $packages"
  # Word splitting is meant: one argument a package. Their own daemons are not wanted: keks starts what it needs itself.
  # shellcheck disable=SC2086
  if ! { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null; }; then
    echo "keks: apt-get could not install them; see 'bin/keks doctor'" >&2
    [ "$runtime" != containerd ] || exit 1
  fi
}

if [ "$runtime" != simulated ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  install_node_packages
fi
exec bin/keks up "$@"
