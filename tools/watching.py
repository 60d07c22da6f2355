"""Waiting for news of a job by its events (RFC 3995, RFC 3996), or by asking again and again where a printer has none."""

import contextlib
import time

from firmware.ipp import tags
from tools import ipp

_CREATE_JOB_SUBSCRIPTIONS, _CANCEL_SUBSCRIPTION, _GET_NOTIFICATIONS = 0x17, 0x1B, 0x1C
_EVENTS = ("job-state-changed", "job-progress", "printer-state-changed")


class News:
    """Says when a job is worth another look: a context, whose wait() is the `sleep` of ipp.Printer.watch()."""

    def __init__(self, printer: ipp.Printer, job_id: int):
        self._printer = printer
        self._job_id = job_id
        self._subscription: int | None = None
        self._next = 1

    def __enter__(self):
        members = [
            ("notify-pull-method", [(tags.KEYWORD, "ippget")]),
            ("notify-events", [(tags.KEYWORD, event) for event in _EVENTS]),
        ]
        extra = [("notify-job-id", [(tags.INTEGER, self._job_id)])]
        with contextlib.suppress(ipp.Refused, ipp.Unreachable):
            answer = self._printer.request(_CREATE_JOB_SUBSCRIPTIONS, extra, [(tags.SUBSCRIPTION_GROUP, members)])
            self._subscription = answer.group(tags.SUBSCRIPTION_GROUP).get("notify-subscription-id")
        return self

    def __exit__(self, kind, *what):
        # after Ctrl-C an answer may be on its way: the subscription ends with its job
        if self._subscription is not None and kind is None:
            with contextlib.suppress(ipp.ClientError):
                self._printer.request(_CANCEL_SUBSCRIPTION, [("notify-subscription-id", [(tags.INTEGER, self._subscription)])])

    def wait(self, poll_s: float) -> None:
        """Returns when something may have happened, or after poll_s where there are no events."""
        if self._subscription is None:
            time.sleep(poll_s)
            return
        extra = [
            ("notify-subscription-ids", [(tags.INTEGER, self._subscription)]),
            ("notify-sequence-numbers", [(tags.INTEGER, self._next)]),
            ("notify-wait", [(tags.BOOLEAN, True)]),
        ]
        try:
            answer = self._printer.request(_GET_NOTIFICATIONS, extra)
        except (ipp.Refused, ipp.Unreachable):
            # it is over: the printer was started anew, or the job is long gone
            self._subscription = None
            return
        events = answer.all(tags.EVENT_GROUP)
        numbers = [event.get("notify-sequence-number") for event in events]
        self._next = max([self._next] + [number + 1 for number in numbers if isinstance(number, int)])
        interval_s = answer.group(tags.OPERATION_GROUP).get("notify-get-interval")
        if not events and interval_s:
            # a printer that does not let us wait; its interval is meant for those who are in no hurry
            time.sleep(min(poll_s, interval_s))
