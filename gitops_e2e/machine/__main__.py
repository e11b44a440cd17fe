"""`python -m gitops_e2e.machine PACKAGE…`: installs Debian packages that are missing, starting no service."""

import sys

from gitops_e2e.errors import HarnessError
from gitops_e2e.machine.packages import require
from gitops_e2e.progress import say

try:
    require(*sys.argv[1:])
except HarnessError as error:
    say(str(error))
    sys.exit(1)
