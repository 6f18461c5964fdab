"""The second factor: codes of an authenticator app (TOTP, RFC 6238: 30 s, six digits, SHA-1 as all apps have it).

The app's secret is stored nowhere. It is made anew each time from the site's session key and a random salt in the
database (HMAC-SHA-256, of which the first 20 bytes): a copied database or backup, without `secret_key` beside it, gives
no codes, and nothing has to be encrypted. The price: a site that changes its session key has all apps set up again; a
mark of the key tells such an app from a wrong code. Recovery codes don't depend on the key.

A code is taken once: neither its step of 30 s nor an older one is taken again, so a code read over somebody's shoulder
is worth nothing once it was used. One step before and after the clock's is taken, for phones that run a little wrong.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

import pyotp
from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from dashboard.access.accounts import one_time_password
from dashboard.database import now_ms
from dashboard.models import RecoveryCode, SecondFactor

STEP_S = 30
STEPS_OFF = 1
"""Steps that a phone's clock may differ by."""
RECOVERY_CODES = 10
ISSUER = "Attendance"
SECRET_BYTES = 20
"""As RFC 4226 recommends."""


@dataclass(frozen=True)
class Answer:
    """Whether a code opens the account; `words` say why not, where more is known than that it is wrong."""

    right: bool
    by_recovery_code: bool = False
    words: str = ""


def _keyed(session_key: str, what: str) -> bytes:
    return hmac.new(session_key.encode(), f"attendance second factor: {what}".encode(), hashlib.sha256).digest()


def secret_of(factor: SecondFactor, session_key: str) -> str:
    """The app's secret, in base32 as apps take it."""
    made = _keyed(session_key, f"{factor.user_id} {factor.salt}")[:SECRET_BYTES]
    return base64.b32encode(made).decode()


def mark_of(session_key: str) -> str:
    return _keyed(session_key, "mark").hex()[:16]


def address_of(factor: SecondFactor, session_key: str, account: str) -> str:
    """The otpauth:// address that the QR code shows."""
    return pyotp.TOTP(secret_of(factor, session_key)).provisioning_uri(name=account, issuer_name=ISSUER)


def begin(session: Session, user_id: int, session_key: str) -> SecondFactor:
    """A new secret for an account, to be confirmed; one that is confirmed stays as it is."""
    factor = session.get(SecondFactor, user_id, with_for_update=True)
    if factor is not None and factor.confirmed_ms is not None:
        return factor
    if factor is None:
        factor = SecondFactor(user_id=user_id)
        session.add(factor)
    factor.salt, factor.key_mark, factor.last_step = secrets.token_hex(32), mark_of(session_key), 0
    session.flush()
    return factor


def is_on(session: Session, user_id: int) -> bool:
    factor = session.get(SecondFactor, user_id)
    return factor is not None and factor.confirmed_ms is not None


def confirm(session: Session, user_id: int, code: str, session_key: str) -> list[str] | None:
    """Turn the app on if its code is right, and return the recovery codes, which are shown this once; else None."""
    factor = session.get(SecondFactor, user_id, with_for_update=True)
    if factor is None or factor.confirmed_ms is not None or not _take(factor, code, session_key):
        return None
    factor.confirmed_ms = now_ms()
    return new_recovery_codes(session, user_id)


def check(session: Session, user_id: int, code: str, session_key: str) -> Answer:
    """Take a code of the app, or a recovery code, of an account whose second factor is on."""
    factor = session.get(SecondFactor, user_id, with_for_update=True, populate_existing=True)
    if factor is None or factor.confirmed_ms is None:
        return Answer(False)
    if _take_recovery_code(session, user_id, code):
        return Answer(True, by_recovery_code=True)
    if factor.key_mark != mark_of(session_key):
        return Answer(
            False,
            words=_("The site’s key has changed since the app was set up. Use a recovery code, or have HR reset it."),
        )
    return Answer(_take(factor, code, session_key))


def _take(factor: SecondFactor, code: str, session_key: str) -> bool:
    digits = "".join(code.split())
    if not (len(digits) == 6 and digits.isascii() and digits.isdecimal()):
        return False
    app, now_step = pyotp.TOTP(secret_of(factor, session_key)), now_ms() // 1000 // STEP_S
    for step in range(now_step - STEPS_OFF, now_step + STEPS_OFF + 1):
        if step > factor.last_step and hmac.compare_digest(app.generate_otp(step), digits):
            factor.last_step = step
            return True
    return False


def new_recovery_codes(session: Session, user_id: int) -> list[str]:
    """Replace the account's recovery codes. 79 random bits each, so a plain hash of them gives nothing away."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [one_time_password() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user_id, code_hash=_code_hash(code)) for code in codes)
    return codes


def _code_hash(code: str) -> str:
    plain = "".join(c for c in code.casefold() if c.isalnum())
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()


def _take_recovery_code(session: Session, user_id: int, code: str) -> bool:
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _code_hash(code),
            RecoveryCode.used_ms.is_(None),
        )
        .values(used_ms=now_ms())
        .returning(RecoveryCode.id)
    )
    return session.scalar(used) is not None


def recovery_codes_left(session: Session, user_id: int) -> int:
    query = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_ms.is_(None))
    return session.scalar(query) or 0


def remove(session: Session, user_id: int) -> bool:
    """Forget the app and its recovery codes; whether there was one that was on."""
    was_on = is_on(session, user_id)
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    return was_on
