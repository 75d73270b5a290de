"""The message log: what came in, what went out, how long it took, and what belongs together.

docs/architecture.md#the-message-log. A request only leaves an entry in this process's memory; one
thread hands what has gathered to the log process. Losing the log never stops traffic.
"""

from hub.message_log.answered_request import AnsweredRequest
from hub.message_log.capture import on_answered, on_asked, on_routed

__all__ = ["AnsweredRequest", "on_answered", "on_asked", "on_routed"]
