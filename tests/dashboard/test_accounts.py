"""Users and their passwords."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from dashboard.access import accounts
from dashboard.access.accounts import AccountError
from dashboard.access.roles import FIRST_USER, Role
from dashboard.database import SessionFactory
from dashboard.models import User, UserRole

HR = frozenset({Role.HR})


def test_the_first_admin_gets_a_one_time_password_and_only_the_first(factory: SessionFactory) -> None:
    with factory.begin() as session:
        password = accounts.ensure_admin(session)
    assert password
    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", password)
    with factory.begin() as session:
        assert accounts.ensure_admin(session) is None
        assert set(session.scalars(select(UserRole.role))) == FIRST_USER
        user = accounts.verified(session, "admin", password)
        assert user is not None
        assert user.must_change_password
        assert user.password_hash.startswith("$argon2id$")
        assert accounts.verified(session, "admin", password + "x") is None
        assert accounts.verified(session, "nobody", password) is None


def test_resetting_replaces_the_password(factory: SessionFactory) -> None:
    with factory.begin() as session:
        old = accounts.create_user(session, "hr", HR)
        user = session.scalars(select(User)).one()
        accounts.set_password(session, user.id, old, "a new long password", "a new long password")
        assert not user.must_change_password
        fresh = accounts.reset_password(session, "hr")
        assert accounts.verified(session, "hr", "a new long password") is None
        assert accounts.verified(session, "hr", fresh) is user
        assert user.must_change_password


@pytest.mark.parametrize(
    ("do", "words"),
    [
        (lambda s: accounts.create_user(s, "   ", HR), "1-64 printable"),
        (lambda s: accounts.create_user(s, "x" * 65, HR), "1-64 printable"),
        (lambda s: accounts.create_user(s, "a\x00b", HR), "1-64 printable"),
        (lambda s: accounts.create_user(s, "hr", HR), "taken"),
        (lambda s: accounts.create_user(s, "nobody", frozenset()), "at least one role"),
        (lambda s: accounts.reset_password(s, "somebody"), "users are: hr"),
        (lambda s: accounts.set_password(s, 1, "wrong", "a new long password", "a new long password"), "current"),
    ],
)
def test_what_cannot_be_done_says_why(factory: SessionFactory, do: Callable[..., object], words: str) -> None:
    with factory.begin() as session:
        accounts.create_user(session, "hr", HR)
        with pytest.raises(AccountError, match=words):
            do(session)


@pytest.mark.parametrize(
    ("new", "again", "words"),
    [
        ("short", "short", "10 to 200"),
        ("x" * 201, "x" * 201, "10 to 200"),
        ("a new long password", "another long one", "differ"),
        ("administrator", "administrator", "from your name"),
    ],
)
def test_weak_passwords_are_refused(factory: SessionFactory, new: str, again: str, words: str) -> None:
    with factory.begin() as session:
        old = accounts.create_user(session, "Administrator", HR)
        user = session.scalars(select(User)).one()
        with pytest.raises(AccountError, match=words):
            accounts.set_password(session, user.id, old, new, again)
