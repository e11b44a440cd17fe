"""Labels that repeat a field."""

from __future__ import annotations

from gitops_e2e.kube import Manifest


def mirror(manifest: Manifest, label: str, value: str) -> None:
    """Make a label say the value; an empty one takes the label away."""
    metadata = manifest["metadata"]
    labels = {key: text for key, text in metadata.get("labels", {}).items() if key != label}
    if value:
        labels[label] = value
    if labels:
        metadata["labels"] = labels
    else:
        metadata.pop("labels", None)
