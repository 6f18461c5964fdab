"""Reading a recipe from TOML, overriding its values, and writing what was run back as TOML."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from training.recipe import Recipe

SHIPPED = Path(__file__).parent / "recipes"


class BadRecipe(ValueError):
    """A recipe or an override that can't be used; the message names file or override, the value and the way out."""


def find(name: str) -> Path:
    """The file that RECIPE names: a path, or the name of a shipped one; raises BadRecipe."""
    for path in (Path(name), SHIPPED / name, SHIPPED / f"{name}.toml"):
        if path.is_file():
            return path
    shipped = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.toml")))
    raise BadRecipe(f"{name}: neither a file nor a shipped recipe ({shipped})")


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRecipe(f"{path}: {error}") from None


def parse_override(text: str) -> tuple[str, Any]:
    """`stages.0.lr=1e-4` as ("stages.0.lr", 0.0001). The value is TOML, or else a plain word."""
    key, sign, value = text.partition("=")
    key = key.strip()
    if not sign or not key or not all(key.split(".")):
        raise BadRecipe(
            f"--set {text}: write section.key=value, such as network.architecture=resnet18 or stages.0.lr=1e-4"
        )
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value.strip()


def override(body: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy of a recipe's tables with one value changed. A list's item is meant by its number, name or `*` (all)."""
    changed: dict[str, Any] = _put(body, key.split("."), value, key)
    return changed


def _put(node: Any, parts: Sequence[str], value: Any, key: str) -> Any:
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    if isinstance(node, list):
        wanted = [i for i, item in enumerate(node) if _is_meant(part, i, item)]
        if not wanted:
            names = ", ".join(str(item.get("name", i)) for i, item in enumerate(node) if isinstance(item, dict))
            raise BadRecipe(f"{key}: no item {part!r} in the list; there are {names or len(node)}")
        return [_put(item, rest, value, key) if i in wanted else item for i, item in enumerate(node)]
    if node is not None and not isinstance(node, dict):
        raise BadRecipe(f"{key}: {part!r} can't be set inside {node!r}")
    return {**(node or {}), part: _put((node or {}).get(part), rest, value, key)}


def _is_meant(part: str, number: int, item: Any) -> bool:
    return part in ("*", str(number)) or (isinstance(item, dict) and item.get("name") == part)


def check(body: Mapping[str, Any], where: str) -> Recipe:
    """The typed recipe; raises BadRecipe with one line a problem."""
    try:
        return Recipe.model_validate(body)
    except ValidationError as error:
        lines = []
        for detail in error.errors(include_url=False):
            place = ".".join(str(part) for part in detail["loc"]) or "recipe"
            what = str(detail["msg"]).removeprefix("Value error, ")
            given = "" if detail["type"] in ("missing", "value_error") else f" (given: {str(detail['input'])[:60]})"
            lines.append(f"{where}: {place}: {what}{given}")
        raise BadRecipe("\n".join(lines)) from None


def load(name: str, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe that `name` means, with `overrides` (dotted key → value) in force; raises BadRecipe."""
    path = find(name)
    body = read_toml(path)
    for key, value in (overrides or {}).items():
        body = override(body, key, value)
    return check(body, path.name + (" with overrides" if overrides else ""))


def changed(before: Recipe, after: Recipe) -> dict[str, tuple[Any, Any]]:
    """Dotted key → (before, after) of every value in which two recipes differ."""
    one, two = _flat(before.model_dump()), _flat(after.model_dump())
    return {
        key: (one.get(key), two.get(key))
        for key in [*one, *(k for k in two if k not in one)]
        if one.get(key) != two.get(key)
    }


def _flat(node: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(node, dict):
        pairs: list[tuple[str, Any]] = list(node.items())
    elif isinstance(node, list) and node and isinstance(node[0], dict):
        pairs = [(str(item.get("name", i)), item) for i, item in enumerate(node)]
    else:
        return {prefix: node}
    return {k: v for key, item in pairs for k, v in _flat(item, f"{prefix}.{key}" if prefix else key).items()}


def to_toml(recipe: Recipe) -> str:
    """The whole recipe, defaults included, as TOML that `check` reads back to the same recipe."""
    body = recipe.model_dump()
    stages = body.pop("stages")
    lines: list[str] = []
    _write_table(body, "", lines)
    for stage in stages:
        lines += ["", "[[stages]]"]
        _write_table(stage, "stages", lines)
    return "\n".join(lines) + "\n"


def _write_table(table: dict[str, Any], name: str, lines: list[str]) -> None:
    plain = {key: value for key, value in table.items() if not isinstance(value, dict) and value is not None}
    lines += [f"{key} = {_toml(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if isinstance(value, dict):
            full = f"{name}.{key}" if name else key
            lines += ["", f"[{full}]"]
            _write_table(value, full, lines)


def _toml(value: Any) -> str:
    """A scalar or a list of scalars; JSON's strings, numbers and booleans are TOML's too."""
    return json.dumps(value, ensure_ascii=False)
