#!/bin/sh
# What the packages' own scripts would do where they are installed, for packages that are only unpacked:
# mmdebstrap calls this with the folder of the base, with the packages still in APT's cache.
set -eu
base=$1

# name_version_architecture.deb, the colon of an epoch written %3a
for package in "$base"/var/cache/apt/archives/*.deb; do
    basename "$package" .deb
done | sed 's/_[^_]*$//; s/_/ /; s/%3a/:/' > "$base/usr/share/packages"

cp "$base/usr/share/base-passwd/passwd.master" "$base/etc/passwd"
cp "$base/usr/share/base-passwd/group.master" "$base/etc/group"
mkdir -p "$base/etc/ssl/certs"
cat "$base"/usr/share/ca-certificates/mozilla/*.crt > "$base/etc/ssl/certs/ca-certificates.crt"

# Nobody reads them in a container, and they are a quarter of its size.
rm -rf "$base"/usr/share/doc/* "$base"/usr/share/man/* "$base"/usr/share/locale/*
# The host's own, as they were when the base was made.
rm -f "$base/etc/resolv.conf" "$base/etc/hostname"
