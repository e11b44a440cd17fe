"""Debian packages that building, pushing and loading images takes."""

BUILDING = ("buildah", "debian-archive-keyring>=2023.3+deb12u2", "mmdebstrap", "uidmap")
PUSHING = ("skopeo",)
LOADING = ("containerd", "runc")
