"""Who the engine is to repositories: logins that projects keep in labelled Secrets."""

from gitops_e2e.promoter.credentials.logins import BadCredentials, Login, Logins

__all__ = ["BadCredentials", "Login", "Logins"]
