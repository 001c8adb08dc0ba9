#!/usr/bin/env bash
# npm start: installs what is missing, then keks up. As root on Debian or Ubuntu that includes what real nodes need, from the
# distribution's own packages; KEKS_RUNTIME=simulated, or not being root, installs nothing outside this folder.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/install.sh"
source tools/setup/debian.sh

runtime=${KEKS_RUNTIME:-auto}
for ((i = 1; i <= $#; i++)); do
  next=$((i + 1))
  case ${!i} in
    --runtime) runtime=${!next:-} ;;
    --runtime=*) runtime=${!i#--runtime=} ;;
  esac
done

if [ "$runtime" != simulated ] && can_install; then
  # Word splitting is meant: one argument a package.
  # shellcheck disable=SC2046
  install_packages 'real nodes need' $(missing_node_packages) || [ "$runtime" != containerd ] || exit 1
fi
exec bin/keks up "$@"
