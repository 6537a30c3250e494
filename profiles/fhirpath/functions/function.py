"""What a function is to the compiler: what it calls, with how many arguments, evaluated before or by the function."""

from collections.abc import Callable
from typing import NamedTuple

from profiles.fhirpath.items import Items


class Function(NamedTuple):
    """`call` takes the context, the input and the arguments: items, or compiled expressions (`Run`) where `lazy` is true."""

    call: Callable[..., Items]
    least: int = 0
    most: int = 0
    lazy: bool = False
