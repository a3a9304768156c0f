"""A real `stompbox drain` on a folder of its own."""

import os

from own_process import OwnProcess


class Drain(OwnProcess):
    """Reads `source` and stores into `store`; logs in with `passcode`, if any."""

    name = "a drain"
    stop_seconds_max = 15.0

    def __init__(self, exe, folder, source, store, *arguments, passcode=None):
        super().__init__(exe, folder)
        self._words = ["drain", "--source", source, "--catalog-store", store, "--data", self.data,
                       *arguments]
        self._passcode = passcode

    def words(self):
        return self._words

    def environment(self):
        environment = dict(os.environ)
        environment.pop("STOMPBOX_PASSCODE", None)
        if self._passcode is not None:
            environment["STOMPBOX_PASSCODE"] = self._passcode
        return environment

    def figures(self):
        """Of the drain, as the status has them."""
        return self.status()["drain"]
