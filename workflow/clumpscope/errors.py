"""The error a user can act on."""

__all__ = ["InputError"]


class InputError(ValueError):
    """Input that cannot be used, told so that the reader can mend it.

    Parameters
    ----------
    where : str
        The file, configuration key, table column or row at fault.
    found : str
        What is there now.
    expected : str
        What has to be there.
    remedy : str, optional
        The way out, when it is more than replacing `found` by `expected`.
    """

    def __init__(self, where: str, found: str, expected: str, remedy: str = "") -> None:
        self.where, self.found, self.expected, self.remedy = where, found, expected, remedy
        message = f"{where}: found {found}; expected {expected}."
        super().__init__(f"{message} {remedy}".rstrip())

    def __reduce__(self):
        # Exceptions are rebuilt from `args` by default, which here holds only the message.
        return (type(self), (self.where, self.found, self.expected, self.remedy))
