"""The commands of `tsunagi`, one module each: `add_arguments(subparsers)` describes it, `run(arguments)` does it.

A command that cannot do what it was asked raises CommandFailed; `__main__` prints its text as one line.
"""


class CommandFailed(Exception):  # noqa: N818 - it is the command's end, not a fault of the program
    """The command cannot go on; the text is one line for the operator, `status` the exit status."""

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status
