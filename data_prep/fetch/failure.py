"""One failed request: its class, what exactly happened, and whether to ask again."""

from __future__ import annotations


class Failure(Exception):  # it is a fact about a server, not an error of ours
    """A request that brought nothing.

    Attributes:
        reason: One of `web_reasons.REASONS`.
        detail: What happened, in a few words.
        transient: Whether the same request may succeed later.
        after: Seconds that the server asked to be left alone; 0 where it did not.
    """

    def __init__(
        self, reason: str, detail: str, *, transient: bool = False, after: float = 0.0
    ) -> None:
        super().__init__(f"{reason.removeprefix('download: ')} ({detail})" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.transient = transient
        self.after = after
