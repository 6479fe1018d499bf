#!/usr/bin/env bash
# Builds libwebsockets for the gateway, as a static library: build.sh PREFIX
#
# Debian 12 has 4.1.6, which can be brought down by one connection (docs/decisions.md). This is the source of a later Debian, pinned by
# its hash, without what the gateway does not use, and with the patches of this folder.
set -euo pipefail

version=4.3.5
archive=libwebsockets_$version.orig.tar.gz
sha256=87f99ad32803ed325fceac5327aae1f5c1b417d54ee61ad36cffc8df5f5ab276
mirrors=(http://deb.debian.org/debian http://ftp.debian.org/debian https://snapshot.debian.org/archive/debian/20250801T000000Z)

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
prefix=$1
# Whatever this depends on; built once for each.
stamp=$prefix/$(cat "$here"/* | sha256sum | cut -c1-16).built
[[ ! -e $stamp ]] || exit 0

is_right() { [[ -e $1 ]] && echo "$sha256  $1" | sha256sum --check --status; }

download() {
    local mirror
    mkdir -p "$prefix"
    for mirror in "${mirrors[@]}"; do
        curl --silent --show-error --fail --location --max-time 300 --retry 2 --output "$prefix/$archive" \
            "$mirror/pool/main/libw/libwebsockets/$archive" || continue
        is_right "$prefix/$archive" && return
        echo "build.sh: $mirror has another $archive than expected" >&2
    done
    echo "build.sh: $archive could not be had; put it into $prefix" >&2
    return 1
}

is_right "$prefix/$archive" || download
source=$prefix/libwebsockets-$version
rm -rf "$source" "$prefix"/*.built
tar -xzf "$prefix/$archive" -C "$prefix"
for patch in "$here"/*.patch; do patch --quiet --directory="$source" --strip=1 <"$patch"; done

on=(STATIC LIBEV SSL LWSAC CUSTOM_HEADERS)
off=(SHARED EVLIB_PLUGINS HTTP2 MINIMAL_EXAMPLES SYS_SMD SECURE_STREAMS UPNG GZINFLATE JPEG DLO LHP CONMON LEJP LEJP_CONF UDP NETLINK ZLIB DIR SYS_STATE)
options=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib
    -DLWS_HAVE_SYS_CAPABILITY_H=OFF -DLWS_HAVE_LIBCAP=OFF -DLWS_WITHOUT_EXTENSIONS=ON -DLWS_WITHOUT_TESTAPPS=ON -DLWS_WITHOUT_DAEMONIZE=ON -DLWS_IPV6=ON -DLWS_UNIX_SOCK=ON -DDISABLE_WERROR=ON)
for name in "${on[@]}"; do options+=("-DLWS_WITH_$name=ON"); done
for name in "${off[@]}"; do options+=("-DLWS_WITH_$name=OFF"); done
cmake -S "$source" -B "$source/build" -G Ninja "${options[@]}"
ninja -C "$source/build" install
rm -rf "$source"
touch "$stamp"
