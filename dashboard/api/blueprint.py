"""The API's blueprint, and how its modules add an operation: address, scope and description in one place.

flask-openapi3 (MIT) checks requests against pydantic models and writes OpenAPI 3.1 from them; flask-smorest and APIFlask
would have brought marshmallow beside the pydantic that every room uses already.
"""

from collections.abc import Callable
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from dashboard.api import guard
from dashboard.api.problems import MEDIA_TYPE, TITLES

PREFIX = "/api/v1"
SECURITY = "api_key"

pages = APIBlueprint("api", __name__, url_prefix=PREFIX)
models: list[type[BaseModel]] = []
"""Those that answers are made of."""

ETAG = {"ETag": {"description": "names this state; send it as If-Match with a change", "schema": {"type": "string"}}}
Handler = Callable[..., Any]


def problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    headers: dict[str, Any] = {}
    if status == 401:
        headers = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    if status == 429:
        headers = {"Retry-After": {"description": "seconds", "schema": {"type": "string"}}}
    return {"description": TITLES[status], "content": {MEDIA_TYPE: {"schema": schema}}, "headers": headers}


def gives(model: type[BaseModel] | None, words: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    """An answer's description; without a model it has no body."""
    described: dict[str, Any] = {"description": words, "headers": headers or {}}
    if model is not None:
        models.append(model)
        described["content"] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    return described


def operation(
    method: str,
    rule: str,
    *,
    scope: str,
    tag: str,
    summary: str,
    answers: dict[int, dict[str, Any]],
    refusals: tuple[int, ...] = (),
    body: bool = False,
) -> Callable[[Handler], Handler]:
    """Add a view. Every operation may also be refused for its key, its rate or its values; `refusals` are further ones."""

    def add(view: Handler) -> Handler:
        always = (401, 403, 422, 429, 500, 503, *refusals)
        of_body = ((400, 413, 415) if body else (400, 413)) if method != "get" else (400,)
        responses = {**answers, **{status: problem(status) for status in sorted({*always, *of_body})}}
        endpoint = f"{pages.name}.{view.__name__}"
        guard.scope_of[endpoint] = scope
        if body:
            guard.takes_body.add(endpoint)
        adder = getattr(pages, method)
        return adder(  # type: ignore[no-any-return]
            rule,
            summary=summary,
            description=(view.__doc__ or "").strip(),
            tags=[Tag(name=tag)],
            operation_id=view.__name__,
            responses=responses,
            security=[{SECURITY: [scope]}],
        )(view)

    return add
