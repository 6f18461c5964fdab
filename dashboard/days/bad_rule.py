"""What is wrong with a rule, so that a page can say it in its reader's language: this package knows English alone."""


class BadRule(ValueError):
    """`words` with named places for `values`, as gettext has it; `make messages` takes them from where this is called."""

    def __init__(self, words: str, **values: object) -> None:
        super().__init__(words % values)
        self.words, self.values = words, values
