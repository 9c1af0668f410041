"""The exception tree of the whole program.

Owns: every error that a user may come to see, each with one line of text and a hint. Refuses: knowing where an
error came from; httpx, sqlite3 and OS errors are turned into these at the border that met them.

    VivixError                      exit code
    ├── UsageError                  2   arguments, ids, bodies that cannot be used as given
    │   └── ConfigError             2   the configuration file or the environment
    ├── KeyProblem                  3   no usable API key here, or the API rejected it
    ├── StoreError                  5   the database cannot be read or written
    │   └── StoreTooNew             2   written by a newer version of this program
    ├── StateError                  1   what the dashboard should remember cannot be written
    ├── NotShown                    1   a file of which no picture can be drawn
    └── ApiError                    4   a call that brought no usable answer
        ├── Unreachable                 no answer at all; `sent` says whether a byte may have left
        ├── BadReply                    an answer that is not what the API documents
        └── Refusal                     the API's own error body: code, message, next, request id
"""

from __future__ import annotations


class VivixError(Exception):
    """An error with a line for the user (`str(error)`) and, where there is one, the way out (`hint`)."""

    exit_code = 1

    def __init__(self, text: str, *, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class UsageError(VivixError):
    """What the user gave cannot be used; the text names it."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting is wrong; the text names the file and the key."""


class KeyProblem(VivixError):
    """No API key was found, it cannot be read, or the API does not accept it."""

    exit_code = 3


class StoreError(VivixError):
    """The database cannot be opened, read or written."""

    exit_code = 5


class StoreMoved(StoreError):
    """The file was moved or replaced while it was open: what is written into it is seen by nobody."""


class StoreTooNew(StoreError):
    """The database was written by a newer version; it is left untouched."""

    exit_code = 2


class StateError(VivixError):
    """A choice made in the dashboard cannot be written down."""


class NotShown(VivixError):
    """No picture can be drawn of a file; the text says why."""


class ApiError(VivixError):
    """A call to the API that brought no usable answer."""

    exit_code = 4


class Unreachable(ApiError):
    """No complete answer arrived.

    `sent` is False only when it is certain that no byte of the request left this machine (refused connection,
    failed name resolution or TLS handshake): then, and only then, a POST may be sent again.
    """

    def __init__(self, text: str, *, sent: bool, hint: str = "") -> None:
        super().__init__(text, hint=hint)
        self.sent = sent


class BadReply(ApiError):
    """An answer arrived that is not what the API documents. `status` is its HTTP status."""

    def __init__(self, text: str, *, status: int, request_id: str | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.request_id = request_id


class Refusal(ApiError):
    """The API said no, in its own words (fields as in its error body; seconds for `retry_after_s`)."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str | None = None,
        next_step: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        balance: int | None = None,
        needed: int | None = None,
    ) -> None:
        super().__init__(message or code, hint=next_step or "")
        self.status = status
        self.code = code
        self.message = message
        self.next_step = next_step
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.balance = balance
        self.needed = needed
