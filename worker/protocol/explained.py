"""Settings as they may be shown: which variable sets each, the value in force without secrets, and what it is for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

HIDDEN = "***"
LOGIN_IN_URL = re.compile(r"(?<=://)\S*@")
"""Up to the last @: a password that holds one must not be shown in part."""
SECRET_IN_QUERY = re.compile(r"(?i)([?&](?:ssl)?(?:password|passwd|pwd|token|secret|key)=)[^&\s]+")
SECRET_NAME = re.compile(r"(^|_)(key|secret|password|token)$")
PUBLIC = ("site_public_key",)
"""Called a key, and no secret."""
LONGEST_VALUE, LONGEST_WORDS, MOST_ANNOUNCED = 200, 300, 64


@dataclass(frozen=True)
class Explained:
    """`value` is empty where nothing is set, and HIDDEN for a secret that is."""

    name: str
    variable: str
    value: str
    is_default: bool
    words: str


def variable_of(settings: type[BaseSettings], field_or_alias: str) -> str:
    """The environment variable of a field, named by the field or already by the variable."""
    field = settings.model_fields.get(field_or_alias)
    if field is None:
        return field_or_alias
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        alias = next(choice for choice in alias.choices if isinstance(choice, str))
    if isinstance(alias, str):
        return alias
    return f"{settings.model_config.get('env_prefix', '')}{field_or_alias}".upper()


def explain(settings: BaseSettings) -> list[Explained]:
    """Every setting, in the order of its class."""
    kind = type(settings)
    return [_explained(kind, name, field, getattr(settings, name)) for name, field in kind.model_fields.items()]


def announced(settings: BaseSettings) -> list[dict[str, str]]:
    """For a heartbeat: what isn't as it comes, with its words."""
    return [
        {"variable": one.variable, "value": one.value, "words": one.words[:LONGEST_WORDS]}
        for one in explain(settings)
        if not one.is_default
    ][:MOST_ANNOUNCED]


def _explained(kind: type[BaseSettings], name: str, field: FieldInfo, value: Any) -> Explained:
    is_default = value == field.get_default(call_default_factory=True)
    text = HIDDEN if _is_secret(name, field, value) and value is not None else _shown(value)
    return Explained(name, variable_of(kind, name), text, is_default, field.description or "")


def _is_secret(name: str, field: FieldInfo, value: Any) -> bool:
    named = SECRET_NAME.search(name) is not None and name not in PUBLIC
    return named or not field.repr or isinstance(value, SecretStr)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, dict):
        return _shown([f"{name}={one}" for name, one in value.items()])
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return _shown(", ".join(str(one) for one in value))
    text = SECRET_IN_QUERY.sub(rf"\g<1>{HIDDEN}", LOGIN_IN_URL.sub(f"{HIDDEN}@", str(value)))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
