# Sourced by start.sh and test.sh: installs npm dependencies (with them the pinned Node) when they are missing or stale.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
stamp=node_modules/.keks-installed
if [ ! -e "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  echo "keks: installing npm dependencies into $PWD/node_modules (Node 24 comes with them) …"
  # Not `npm ci`: npm 11 refuses a lock file without the optional packages of other platforms, which `npm install` then leaves out.
  npm install --no-save --no-audit --no-fund --loglevel=error || exit 1
  touch "$stamp"
fi
export PATH="$PWD/node_modules/node/bin:$PWD/node_modules/.bin:$PATH"
