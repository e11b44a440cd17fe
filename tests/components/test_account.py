from __future__ import annotations

import bcrypt

from gitops_e2e.account import Account


def test_the_servers_file_has_the_password_as_a_hash() -> None:
    data = Account("robot", "secret").secret()["stringData"]
    user, _, hashed = data["htpasswd"].strip().partition(":")
    assert user == "robot"
    assert bcrypt.checkpw(b"secret", hashed.encode())
    assert not bcrypt.checkpw(Account("robot", "secret").with_wrong_password().password.encode(), hashed.encode())


def test_an_account_does_not_show_its_password() -> None:
    assert "secret" not in repr(Account("robot", "secret"))
