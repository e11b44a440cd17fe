"""From the manifests that a reader sees to those of one pipeline: a handful of values replaced, nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_e2e.pipeline.names import PipelineNames
from gitops_e2e.pipeline.node_ports import DEMO_PORTS


@dataclass(frozen=True)
class Adaptation:
    """The values of one pipeline.

    `node_ports` is by stage; `images` holds what pods call an image, by its name without place and tag, where a
    manifest cannot know it: what is inside a sidecar's image depends on the distribution's current release.
    """

    names: PipelineNames
    node_ports: Mapping[str, int]
    images: Mapping[str, str]

    def text(self, text: str) -> str:
        """A manifest's text as this pipeline has it."""
        ports = {str(DEMO_PORTS[stage]): str(port) for stage, port in self.node_ports.items()}
        text = re.sub(rf"\b({'|'.join(ports)})\b", lambda match: ports[match[1]], text)
        text = self.names.within(text)
        for image, reference in self.images.items():
            text = re.sub(rf"(?<=image: )\S+/{re.escape(image)}:\S+", reference, text)
        return text

    def folder(self, source: Path, target: Path) -> None:
        """Write all files of a folder into another one, as this pipeline has them."""
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(self.text(path.read_text()))
