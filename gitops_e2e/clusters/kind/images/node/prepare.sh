#!/bin/sh
# Makes a node of a Debian system with kind's files: prepare.sh ARCHIVES, a folder with the control plane's images.
# VERSION is that of Kubernetes, PAUSE the image of pod sandboxes.
set -eu
archives=$1

# The files of a Go module cannot be executed.
chmod 755 /usr/local/bin/entrypoint /usr/local/bin/clean-install /kind/bin/*
printf %s "$VERSION" > /kind/version

# What a container has no use for, or must not do to the machine; what a node needs.
rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
    /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/basic.target.wants/* \
    /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl* \
    /lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service \
    /etc/systemd/system/containerd-fuse-overlayfs.service
mkdir -p /etc/systemd /etc/kubernetes/manifests
printf '[Journal]\nReadKMsg=no\n' > /etc/systemd/journald.conf
systemctl enable kubelet.service containerd.service undo-mount-hacks.service
systemctl mask systemd-binfmt.service

# Debian's containerd and plugins are at other places than kind's files expect.
ln -s /usr/bin/containerd /usr/bin/ctr /usr/local/bin/
mkdir -p /opt/cni
ln -s /usr/lib/cni /opt/cni/bin
# Without CAP_SYS_RESOURCE no process can be made less likely to be killed; on other machines nothing is lost.
sed -i -e 's|restrict_oom_score_adj = .*|restrict_oom_score_adj = true|' \
    -e "s|sandbox_image = .*|sandbox_image = \"$PAUSE\"|" /etc/containerd/config.toml
cat >> /etc/containerd/config.toml << 'EOF'
  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/opt/cni/bin"
  conf_dir = "/etc/cni/net.d"
EOF
ctr oci spec \
    | jq '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' \
    > /etc/containerd/cri-base.json

# kubeadm starts the control plane as soon as the node has booted, so its images are there before.
printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' > /tmp/containerd.toml
containerd --config /tmp/containerd.toml --log-level warn &
for _ in $(seq 100); do
    ! ctr version > /dev/null 2>&1 || break
    sleep 0.1
done
for archive in "$archives"/*; do
    ctr --namespace k8s.io images import --label io.cri-containerd.pinned=pinned --no-unpack --digests "$archive"
done
kill $!
wait
rm -rf /run/containerd /tmp/containerd.toml
