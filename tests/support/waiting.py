"""Waiting for something to become true, with a deadline. No other file of the tests sleeps."""

import time


class Overdue(AssertionError):
    """Something that had to happen did not, in time."""


def wait_until(condition, what, seconds=20.0, every=0.01):
    """Returns the first true value of `condition()`; raises Overdue after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Overdue(f"waited {seconds} s in vain until {what}")
        time.sleep(every)


def let_pass(seconds):
    """For what is done at a moment: a kill after so long under load, a drip every so often."""
    time.sleep(seconds)
