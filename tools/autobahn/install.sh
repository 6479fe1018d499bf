#!/usr/bin/env bash
# Installs Autobahn's WebSocket test suite, as DIRECTORY/wstest: install.sh DIRECTORY
#
# It runs under Python 2.7 only, which Debian 12 does not have: this takes Debian 11's, unpacked beside the system and not installed.
# All is pinned by hashes.
set -euo pipefail

# What the interpreter needs and Debian 12 has no more, with its hash. Anything else it has for its own Python.
packages=(
    "python2.7/python2.7-minimal_2.7.18-8+deb11u1_amd64.deb 44f0cdc1a343303d31c55fcb3a6402cfe326adf749ec30e375e6e0c0c5f7c1f7"
    "python2.7/libpython2.7-minimal_2.7.18-8+deb11u1_amd64.deb 85833c92314011b89bbead6f9a5a7a360b5ee4f9b95e001225afead4ebf9f7d3"
    "python2.7/libpython2.7-stdlib_2.7.18-8+deb11u1_amd64.deb 3e627d6d8992b853e000b8a4c09dda613fb767cdb711a2eac20ebc9f867b593c"
    "libffi/libffi7_3.3-6_amd64.deb 30ca89bfddae5fa6e0a2a044f22b6e50cd17c4bc6bc850c579819aeab7101f0f"
    "openssl/libssl1.1_1.1.1w-0+deb11u1_amd64.deb aadf8b4b197335645b230c2839b4517aa444fd2e8f434e5438c48a18857988f7"
)
mirrors=(http://deb.debian.org/debian http://ftp.debian.org/debian https://snapshot.debian.org/archive/debian/20250801T000000Z)

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
directory=$1
# Whatever this depends on; installed once for each.
stamp=$directory/$(cat "$here"/* | sha256sum | cut -c1-16).installed
[[ ! -e $stamp ]] || exit 0

if [[ $(dpkg --print-architecture) != amd64 ]]; then
    echo "install.sh: the packages of Python 2.7 are pinned for amd64 only, this is $(dpkg --print-architecture)" >&2
    exit 1
fi

# pool_folder SOURCE: where the archive has it.
pool_folder() { if [[ $1 == lib* ]]; then echo "${1:0:4}/$1"; else echo "${1:0:1}/$1"; fi; }

# unpack SOURCE/PACKAGE HASH
unpack() {
    local source=${1%/*} file=${1#*/} sha256=$2 mirror
    for mirror in "${mirrors[@]}"; do
        curl --silent --show-error --fail --location --connect-timeout 15 --max-time 120 --output "$directory/$file" \
            "$mirror/pool/main/$(pool_folder "$source")/$file" || continue
        if echo "$sha256  $directory/$file" | sha256sum --check --status; then
            dpkg-deb --extract "$directory/$file" "$directory/python"
            rm "$directory/$file"
            return
        fi
        echo "install.sh: $mirror has another $file than expected" >&2
    done
    echo "install.sh: $file could not be had" >&2
    return 1
}

rm -rf "$directory"
mkdir -p "$directory"
directory=$(readlink -f "$directory")
for package in "${packages[@]}"; do
    read -r file sha256 <<<"$package"
    unpack "$file" "$sha256"
done

cat >"$directory/python2.7" <<'END'
#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")/python/usr
LD_LIBRARY_PATH=$here/lib/x86_64-linux-gnu PYTHONHOME=$here PYTHONDONTWRITEBYTECODE=1 exec "$here/bin/python2.7" "$@"
END
chmod +x "$directory/python2.7"

python=/usr/bin/python3 # the one that python3-venv is for
[[ -x $python ]] || python=python3
"$python" -m venv "$directory/venv"
"$directory/venv/bin/pip" download --quiet --disable-pip-version-check --no-input --retries 1 --timeout 15 --require-hashes --only-binary :all: \
    --no-deps --dest "$directory/wheels" --requirement "$here/bootstrap.txt"
for wheel in "$directory"/wheels/*.whl; do "$directory/python2.7" -m zipfile -e "$wheel" "$directory/pip"; done
PYTHONPATH=$directory/pip "$directory/python2.7" -m pip install --quiet --disable-pip-version-check --no-input \
    --retries 1 --timeout 15 --require-hashes --no-deps --no-build-isolation --no-cache-dir --target "$directory/packages" --requirement "$here/requirements.txt"
touch "$directory/packages/zope/__init__.py" # a namespace package, whose .pth counts in site-packages only
"$directory/python2.7" -m compileall -q "$directory/python/usr/lib/python2.7" "$directory/packages" >/dev/null || true
rm -rf "$directory/venv" "$directory/wheels" "$directory/pip"

# Whoever finds wstest can use it.
cat >"$directory/wstest.new" <<'END'
#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
PYTHONPATH=$here/packages exec "$here/python2.7" -c 'from autobahntestsuite.wstest import run; run()' "$@"
END
chmod +x "$directory/wstest.new"
"$directory/wstest.new" --autobahnversion >/dev/null 2>&1
mv "$directory/wstest.new" "$directory/wstest"
touch "$directory/$(basename "$stamp")"
