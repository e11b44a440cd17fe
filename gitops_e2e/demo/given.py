"""What a demo has of the user's own instead of the stack's: a Git repository, an image repository, both or neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gitops_e2e.demo.ecr import EcrLogin, EcrRepository
from gitops_e2e.demo.given_git import GivenGit
from gitops_e2e.demo.registry_api import RegistryApi
from gitops_e2e.pipeline.names import DEMO, SERVICE, PipelineNames
from gitops_e2e.pipeline.pipeline import BASELINE
from gitops_e2e.pipeline.platform import ImageHost, Platform


@dataclass(frozen=True)
class Given:
    """The user's repositories; without any, everything is on the cluster and no account is needed."""

    git: GivenGit | None = None
    ecr: EcrRepository | None = None

    @staticmethod
    def of(git_url: str, ecr: str, environment: Mapping[str, str]) -> Given:
        """Those that the options name ("" for none), with logins from the environment.

        Raises WrongAddress and LoginMissing.
        """
        return Given(GivenGit.of(git_url, environment) if git_url else None, EcrRepository.of(ecr) if ecr else None)

    @property
    def names(self) -> PipelineNames:
        """The demo pipeline's names, with these addresses."""
        return names_of(self.git.url if self.git else "", self.ecr)

    def log_in(self) -> EcrLogin | None:
        """See that every login does what it is for, before anything is installed; the one for ECR, if any.

        Raises LoginMissing, LoginRefused, NotThere, WrongAddress.
        """
        if self.git:
            self.git.check(self.names)
        return log_in_to(self.ecr) if self.ecr else None

    def platform(self, own: Platform) -> Platform:
        """A stack's platform, with these in place of its own."""
        platform = own
        if self.git:
            platform = replace(platform, repositories=self.git, account=self.git.account)
        if self.ecr:
            platform = replace(platform, images=_WithoutService(platform.images))
        return platform


def log_in_to(repository: EcrRepository) -> EcrLogin:
    """A login that was seen to open the repository. Raises LoginMissing, LoginRefused, NotThere."""
    login = repository.log_in()
    RegistryApi(login.registry, login.account).require(repository.path, BASELINE)
    return login


def names_of(git_url: str, ecr: EcrRepository | None) -> PipelineNames:
    """The demo pipeline's names, with addresses of repositories that are the user's own."""
    return PipelineNames(DEMO, git_url=git_url, service_repository=ecr.address if ecr else "")


@dataclass(frozen=True)
class _WithoutService:
    """The stack's images but those of the service: its releases are in a repository of the user's own."""

    own: ImageHost

    def reference(self, image: str) -> str:
        """What pods call an image that there is one version of."""
        return self.own.reference(image)

    def publish(self, repository: str, image: str, tag: str, *, as_tag: str = "") -> None:
        """Put an image into the stack's registry, unless it is the service's."""
        if image != SERVICE:
            self.own.publish(repository, image, tag, as_tag=as_tag)

    def withdraw(self, repository: str, tag: str) -> None:
        """Take an image out of the stack's registry; the user's own repository is left alone."""
        self.own.withdraw(repository, tag)
