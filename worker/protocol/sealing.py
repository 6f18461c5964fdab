"""Sealing to the site's public key: a kiosk can write what only workers can open. Keys are 64 hex digits.

Libsodium's sealed boxes (X25519, XSalsa20-Poly1305): a fresh key for each box, so not even the writer opens it again.
They hide and they show damage; they don't say who wrote them: that is what the kiosk's Redis user is for. PyNaCl is
imported only when something is sealed or opened, so a dashboard does without it.
"""

import hashlib
import re

KEY = re.compile(r"[0-9a-f]{64}")


class BadSeal(ValueError):
    """Bytes that can't be opened with this key, or a key that is none; the message says which."""


def check_key(text: str) -> str:
    """Return `text`, or raise ValueError saying what a key looks like. The text itself is not repeated."""
    if not KEY.fullmatch(text):
        raise ValueError(
            f"a key is 64 hex digits 0-9 a-f, this has {len(text)} characters: copy it from site_keys.json"
        )
    return text


def new_key_pair() -> tuple[str, str]:
    """Public and private key."""
    from nacl.public import PrivateKey

    private = PrivateKey.generate()
    return bytes(private.public_key).hex(), bytes(private).hex()


def public_of(private_key: str) -> str:
    from nacl.public import PrivateKey

    return bytes(PrivateKey(bytes.fromhex(check_key(private_key))).public_key).hex()


def key_id(public_key: str) -> str:
    """16 hex digits that tell which pair a box belongs to."""
    return hashlib.sha256(bytes.fromhex(check_key(public_key))).hexdigest()[:16]


def seal(data: bytes, public_key: str) -> bytes:
    from nacl.public import PublicKey, SealedBox

    return bytes(SealedBox(PublicKey(bytes.fromhex(check_key(public_key)))).encrypt(data))


def unseal(sealed: bytes, private_key: str) -> bytes:
    """Raises BadSeal for what was changed, cut off, or sealed to another key."""
    from nacl.exceptions import CryptoError
    from nacl.public import PrivateKey, SealedBox

    try:
        return bytes(SealedBox(PrivateKey(bytes.fromhex(check_key(private_key)))).decrypt(sealed))
    except (CryptoError, TypeError, ValueError):
        raise BadSeal(f"{len(sealed)} sealed bytes can't be opened: damaged, or sealed to another key") from None
