#!/usr/bin/env bash
# npm test: installs what is missing, then runs the checks and all tests. As root on Debian or Ubuntu that includes what the tests with
# real nodes need; elsewhere those say what they miss and are skipped. KEKS_RUNTIME=simulated installs nothing outside this folder.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/install.sh"
source tools/setup/debian.sh

if [ "${KEKS_RUNTIME:-auto}" != simulated ] && can_install; then
  packages=$(missing_node_packages)
  command -v aws >/dev/null || packages="$packages awscli"
  # Word splitting is meant: one argument a package.
  # shellcheck disable=SC2086
  install_packages 'the tests with real nodes need' $packages || echo 'keks: those tests will be skipped' >&2
  # The tests' images are made of packages that are downloaded, not installed: apt must have heard of them.
  apt-cache show nginx >/dev/null 2>&1 || apt-get update -qq || true
fi

npm run --silent check
# A shell in which keks is used must not lend its home to the tests.
unset KEKS_HOME KEKS_PORT KEKS_RUNTIME KEKS_NODES KEKS_NAME KEKS_OUTPUT KUBECONFIG
# Two files at a time; those with real nodes take turns (test/support/real-nodes.ts). The slow ones stand first: nobody waits for them at the end.
exec node --disable-warning=ExperimentalWarning --test --test-concurrency=2 --test-timeout=600000 \
  'test/**/*.test.ts' 'src/**/*.test.ts' 'tools/**/*.test.ts' 'bench/**/*.test.ts'
