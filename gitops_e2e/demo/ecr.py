"""An image repository in Amazon ECR: its address, and the login that AWS gives for twelve hours."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from gitops_e2e.account import Account
from gitops_e2e.demo.errors import LoginMissing, LoginRefused, NotThere, WrongAddress

_PATTERN = re.compile(r"(?P<account>\d{12})/(?P<region>[a-z]{2}(-[a-z]+)+-\d)/(?P<path>[a-z0-9]+([._/-]+[a-z0-9]+)*)")
_ADDRESS = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<path>.+)")
_CHINA = "cn-"
_BOUNDS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})


@dataclass(frozen=True)
class EcrLogin:
    """What one gets into the account's registry with: the account is `AWS`, the password holds `until`."""

    account: Account
    registry: str = field(compare=False)
    """The registry's URL, as AWS tells it: "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com"."""
    until: datetime


@dataclass(frozen=True)
class EcrRepository:
    """A repository, by the AWS account's number, the region, and the path within the registry."""

    account: str
    region: str
    path: str

    @staticmethod
    def of(text: str) -> EcrRepository:
        """The repository that is written ACCOUNT/REGION/REPOSITORY. Raises WrongAddress."""
        found = _PATTERN.fullmatch(text)
        if not found:
            raise WrongAddress(
                f"{text!r} is no repository in ECR",
                where="--ecr",
                remedy="write ACCOUNT/REGION/REPOSITORY, such as 123456789012/eu-central-1/product-api",
            )
        return EcrRepository(found["account"], found["region"], found["path"])

    @staticmethod
    def of_address(address: str) -> EcrRepository | None:
        """The repository that images are pulled from at that address; None where that is none of ECR's."""
        found = _ADDRESS.fullmatch(address)
        return EcrRepository(found["account"], found["region"], found["path"]) if found else None

    @property
    def host(self) -> str:
        """The account's registry."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com{'.cn' if self.region.startswith(_CHINA) else ''}"

    @property
    def address(self) -> str:
        """Where images are pulled from, without a tag: what a Secret of Kargo must have as its whole `repoURL`."""
        return f"{self.host}/{self.path}"

    def log_in(self) -> EcrLogin:
        """Exchange the environment's AWS credentials (as boto3 finds them) for a login.

        Raises LoginMissing, LoginRefused, and NotThere where AWS does not answer.
        """
        try:
            client = boto3.Session().client("ecr", region_name=self.region, config=_BOUNDS)
            answer = client.get_authorization_token(registryIds=[self.account])
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise LoginMissing(
                f"no AWS credentials were found: {error}",
                where=f"the login for {self.host}",
                remedy="export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
            ) from error
        except ClientError as error:
            said = error.response.get("Error", {})
            raise LoginRefused(
                f"AWS gives no login: {said.get('Code', '')}: {said.get('Message', '')}",
                where=f"ecr:GetAuthorizationToken in {self.region}",
                remedy="see that the AWS credentials are right, have not expired, and allow ecr:GetAuthorizationToken",
            ) from error
        except BotoCoreError as error:
            raise NotThere(
                f"AWS does not answer: {error}",
                where=f"ecr:GetAuthorizationToken in {self.region}",
                remedy="see that the region exists and that this machine reaches it",
            ) from error
        [given] = answer["authorizationData"]
        username, _, token = base64.b64decode(given["authorizationToken"]).decode().partition(":")
        return EcrLogin(Account(username, token), given["proxyEndpoint"], given["expiresAt"])
