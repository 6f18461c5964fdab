"""Errors of the API as RFC 9457 problem details (application/problem+json), every one of them."""

from collections.abc import Mapping
from typing import Any

from flask import Response, json
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "The request can't be read",
    401: "A valid API key is needed",
    403: "The key may not do this",
    404: "Not found",
    405: "Not possible here",
    409: "In conflict with what is there",
    412: "Changed in the meantime",
    413: "Too large",
    415: "JSON is needed",
    422: "The values can't be taken",
    428: "Say which state is changed",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "Not available right now",
}
DETAILS = {
    404: "There is nothing at this address.",
    405: "This address doesn't take such a request; the Allow header says which it takes.",
    413: "The body is larger than 64 KB.",
    500: "The fault is ours and has been written to the log. Nothing was changed.",
    503: "The database doesn't answer. Punches are kept safe meanwhile; try again in a moment.",
}
MAX_ERRORS = 20


class FieldProblem(BaseModel):
    """One value that can't be taken."""

    field: str = Field(description="where it is, such as body.code or query.limit")
    message: str


class ProblemDetails(BaseModel):
    """An error, as RFC 9457 has it."""

    model_config = ConfigDict(extra="forbid")
    type: str = Field(description="about:blank: the status says what kind of error it is")
    title: str
    status: int
    detail: str = Field(description="what is wrong, for people")
    errors: list[FieldProblem] = Field(default=[], description="each value that can't be taken")


class Refusal(Exception):
    """A request that is answered with a problem; raise it anywhere below a view."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors, self.headers = errors or [], dict(headers or {})


def answer(refusal: Refusal) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(refusal.status, "That didn't work"),
        "status": refusal.status,
        "detail": refusal.detail,
    }
    if refusal.errors:
        body["errors"] = [{"field": field, "message": message} for field, message in refusal.errors[:MAX_ERRORS]]
    return Response(json.dumps(body), refusal.status, refusal.headers, content_type=MEDIA_TYPE)


def answer_for(status: int, own_words: str | None, headers: Mapping[str, str] | None = None) -> Response:
    """For an error that didn't come from the API's own code, such as an unknown address."""
    return answer(Refusal(status, own_words or DETAILS.get(status, TITLES.get(status, "")), headers=headers))


def of_validation(error: ValidationError) -> Response:
    """422 with one entry a value. What was sent is not repeated: it may be anything, at any length."""
    found = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(part)[:60] for part in one["loc"]) or "body"
        found.append((where, one["msg"].removeprefix("Value error, ")))
    words = "; ".join(f"{where}: {message}" for where, message in found[:3])
    return answer(Refusal(422, words[:1_000], found))
