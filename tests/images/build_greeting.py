"""A process that builds one image, for tests that kill it or run two. Arguments: cache, folder of the recipe."""

import sys
from pathlib import Path

from gitops_e2e.cache import Cache
from gitops_e2e.images import Images
from gitops_e2e.images.catalogue import Recipe, Release
from gitops_e2e.toolchain import Toolchain

cache = Cache(Path(sys.argv[1]))
recipe = Recipe("greeting", Release("1.0"), packages=(), elsewhere=Path(sys.argv[2]))
Images(cache, Toolchain(cache), groups=((recipe,),)).archive("greeting:1.0")
