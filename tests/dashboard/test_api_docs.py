"""docs/api.md says what the code does: its example verifies our signatures, and its tables name what there is."""

import re
import time
from pathlib import Path
from typing import Any

from dashboard.api.keys import SCOPES
from dashboard.webhooks.changes import KINDS
from dashboard.webhooks.signing import headers, new_secret

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_the_example_takes_our_signatures_and_no_others() -> None:
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert code
    names: dict[str, Any] = {}
    exec(code[1], names)
    is_ours, secret, body = names["is_ours"], new_secret(), b'{"type":"punch.recorded"}'
    now_s = int(time.time())
    signed = headers([new_secret(), secret], "m1", now_s, body)
    assert is_ours(secret, signed, body)
    assert not is_ours(new_secret(), signed, body)
    assert not is_ours(secret, signed, body + b" ")
    assert not is_ours(secret, signed | {"webhook-id": "m2"}, body)
    assert not is_ours(secret, headers([secret], "m1", now_s - 600, body), body)


def test_every_scope_and_event_is_named() -> None:
    for scope, words in SCOPES.items():
        assert f"| `{scope}` | {words} |" in TEXT
    assert all(kind in TEXT for kind in KINDS)
