"""The error that people are shown without a traceback."""


class UserError(ValueError):
    """Something that the user can mend; the text names it and says the next step."""
