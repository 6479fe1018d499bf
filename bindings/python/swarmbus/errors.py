"""What can go wrong. Each message names the thing, what was wrong with it, and what to do."""

from __future__ import annotations


class SwarmBusError(Exception):
    """Any error of the bus. `result` is the number of the library's result, as in capi/swarmbus_errors.h."""

    def __init__(self, message: str, result: int = 0) -> None:
        super().__init__(message)
        self.result = result

    def __reduce__(self):
        return type(self), (self.args[0], self.result)


class ArgumentError(SwarmBusError, ValueError):
    """An argument, a name, a pattern or a schema is not valid."""


class PayloadError(SwarmBusError, ValueError):
    """Data that is not what the schema of its type says, no JSON, or too large."""


class NoSchemaError(SwarmBusError, LookupError):
    """The type has no schema on this bus, but one is needed."""


class IncompatibleError(SwarmBusError):
    """A schema, a limit or the layout of a bus is another than the one that is there."""


class NoBusError(SwarmBusError, LookupError):
    """There is no bus of that name."""


class BusExistsError(SwarmBusError):
    """There is a bus of that name already, or it is in use."""


class AccessError(SwarmBusError, PermissionError):
    """No permission to use the bus."""

    def __init__(self, message: str, result: int = 0) -> None:
        SwarmBusError.__init__(self, message, result)


class FullError(SwarmBusError):
    """There is no room left: shared memory, or one of the limits of the bus."""


class BusyError(SwarmBusError):
    """Another process holds the bus's lock for too long, or a call was made from within one that does not allow it."""


class ForkedError(SwarmBusError):
    """The handle was opened before fork(). Open the bus again in this process."""


class ClosedError(SwarmBusError):
    """The bus or the subscription is closed."""


class GoneError(SwarmBusError):
    """The bus was removed, or this process is no part of it any more. Open it again, or with reattach=True."""


class SystemFault(SwarmBusError, OSError):
    """The operating system refused a call, or something is wrong inside SwarmBus."""

    def __init__(self, message: str, result: int = 0) -> None:
        SwarmBusError.__init__(self, message, result)


class_of_result: dict[int, type[SwarmBusError]] = {
    -10: ArgumentError,
    -11: ArgumentError,
    -12: ArgumentError,
    -13: ArgumentError,
    -14: PayloadError,
    -15: ArgumentError,
    -16: PayloadError,
    -17: IncompatibleError,
    -18: NoSchemaError,
    -20: NoBusError,
    -21: BusExistsError,
    -22: AccessError,
    -23: FullError,
    -24: IncompatibleError,
    -25: IncompatibleError,
    -26: IncompatibleError,
    -27: BusExistsError,
    -30: FullError,
    -31: FullError,
    -32: FullError,
    -33: FullError,
    -34: FullError,
    -35: FullError,
    -40: BusyError,
    -41: BusyError,
    -42: ForkedError,
    -43: ClosedError,
    -44: ArgumentError,
    -45: ArgumentError,
    -46: GoneError,
    -50: SystemFault,
    -51: SystemFault,
    -52: SystemFault,
}
