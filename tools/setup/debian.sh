# Sourced by start.sh and test.sh: what real nodes need from Debian's or Ubuntu's own packages. Nothing happens without root or apt-get.

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# What `keks doctor` misses and a package would bring. It exits with 1 when it misses anything.
missing_node_packages() {
  { bin/keks doctor --output json || true; } | node -p 'JSON.parse(require("node:fs").readFileSync(0, "utf8")).packages.join(" ")'
}

# install_packages WHAT-FOR PACKAGE…: names them first. Fails when they cannot be installed.
install_packages() {
  local what=$1
  shift
  [ $# -gt 0 ] || return 0
  echo "keks: $what these Debian packages, installing them with apt-get: $*"
  # Their own daemons are not wanted: keks starts what it needs itself.
  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || {
    echo "keks: apt-get could not install them; see 'bin/keks doctor'" >&2
    return 1
  }
}
