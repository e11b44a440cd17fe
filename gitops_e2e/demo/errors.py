"""What can be wrong with a demo that one asks for."""

from __future__ import annotations

from gitops_e2e.errors import HarnessError


class WrongAddress(HarnessError):
    """An address of Git or of images says nothing that can be used."""


class LoginMissing(HarnessError):
    """A login is needed, and the environment has none."""


class LoginRefused(HarnessError):
    """A server does not let this login in, or not to what is asked for."""


class NotThere(HarnessError):
    """A server lets the login in, and does not have what the demo needs; or it does not answer."""


class NoDemo(HarnessError):
    """No demo of that name runs."""


class OtherDemo(HarnessError):
    """A demo of that name runs, and not as it is asked for now."""
