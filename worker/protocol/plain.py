"""What strangers wrote, as words that can be shown."""


def plain(value: object, longest: int = 200) -> str:
    """One line of printable characters: what strangers wrote must neither move a terminal's cursor nor fill its screen."""
    text = "".join(c if c.isprintable() else "·" for c in str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"
