"""The API's description: OpenAPI 3.1 as JSON, and the same as a page that works without scripts and without internet."""

from functools import cache
from typing import Any

from flask import Blueprint, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from markupsafe import Markup

from dashboard.api import keys
from dashboard.api.blueprint import PREFIX, SECURITY, models
from dashboard.api.problems import ProblemDetails, of_validation

REF = "#/components/schemas/{model}"
METHODS = ("get", "post", "put", "patch", "delete")
INTRODUCTION = (
    "Employees, punches and kiosks of this site, for payroll and HR systems. Every request carries a key: "
    "`Authorization: Bearer att_…`. Times are RFC 3339 in UTC. Lists are paged by cursors. Errors are RFC 9457 problem details."
)
OPTIONS: dict[str, Any] = {
    "info": Info(title="Attendance API", version="1.0.0", description=INTRODUCTION),
    "doc_ui": False,
    "security_schemes": {SECURITY: {"type": "http", "scheme": "bearer", "description": "an API key, att_…"}},
    "validation_error_model": ProblemDetails,
    "validation_error_callback": of_validation,
}

pages = Blueprint("api_description", __name__, url_prefix=PREFIX)


def describe(app: OpenAPI) -> dict[str, Any]:
    """The library's document, with the models that answers are made of, and without the nulls that no query can hold."""
    document: dict[str, Any] = app.api_doc
    schemas: dict[str, Any] = document["components"]["schemas"]
    for model in models:
        schema = model.model_json_schema(mode="serialization", ref_template=REF)
        for name, inner in schema.pop("$defs", {}).items():
            schemas.setdefault(name, inner)
        schemas[model.__name__] = schema
    for path in document["paths"].values():
        for method in METHODS:
            for parameter in path.get(method, {}).get("parameters", []):
                parameter["schema"] = _without_null(parameter["schema"])
    return document


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
    if len(choices) != 1:
        return schema
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "default", "title", "description")}
    return {**choices[0], **kept}


@cache
def _described(app: OpenAPI) -> dict[str, Any]:
    return describe(app)


def _document() -> dict[str, Any]:
    return _described(current_app._get_current_object())  # type: ignore[attr-defined]


@pages.get("/openapi.json")
def document() -> ResponseReturnValue:
    return jsonify(_document())


@pages.get("/docs")
def page() -> ResponseReturnValue:
    _ = current_user.is_authenticated  # so that the page shows the menu to those who are logged in
    described = _document()
    return render_template(
        "api.html",
        info=described["info"],
        groups=_grouped(described),
        schemas=dict(sorted(described["components"]["schemas"].items())),
        scopes=keys.SCOPES,
        type_words=type_words,
        marked=marked,
    )


def _grouped(described: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Operations by tag, in the order in which they were added."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in described["paths"].items():
        for method in METHODS:
            if method in item:
                one = item[method]
                groups.setdefault(one["tags"][0], []).append({**one, "path": path, "method": method.upper()})
    return groups


def marked(text: str) -> Markup:
    """A description's text, escaped, with what is between backticks as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


def type_words(schema: dict[str, Any]) -> str:
    """A schema in a few words: `text, 1–64 characters`, `list of Employee`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " or ".join(type_words(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {type_words(schema.get('items', {}))}"
    kind = str(schema.get("type", "anything"))
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)
    if schema.get("format") == "date-time":
        words = "time (RFC 3339)"
    low, high = schema.get("minLength"), schema.get("maxLength")
    if high is not None and schema.get("format") != "date-time":
        words += f", {low or 0}–{high} characters"
    low, high = schema.get("minimum"), schema.get("maximum")
    return words + (f", {low:g}–{high:g}" if low is not None and high is not None else "")
