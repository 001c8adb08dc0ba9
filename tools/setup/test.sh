#!/usr/bin/env bash
# npm test: installs what is missing, then runs the checks and all tests.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/install.sh"
npm run --silent check
node --disable-warning=ExperimentalWarning --test --test-timeout=300000 'src/**/*.test.ts' 'tools/**/*.test.ts' 'bench/**/*.test.ts'
