"""The frame of a suite that drives the real program: cases are functions, names are sentences.

A suite ends with `sys.exit(cases.run(globals()))`. Every function `case_...` is a case; its
docstring is the sentence that is printed. It gets a Rig: the program and a folder of its own.
"""

import argparse
import functools
import inspect
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

from broker import Broker

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"


class Rig:
    """What a case works with. All brokers that it started end with the case, by their own pid."""

    def __init__(self, exe, folder, options):
        self.exe = exe
        self.folder = folder
        self.options = options
        self._brokers = []

    def broker(self, *arguments, name="broker", start=True, **settings):
        """A broker on the folder `name`; the same name again is the same data."""
        broker = Broker(self.exe, self.folder / name, *arguments, **settings)
        self._brokers.append(broker)
        return broker.start() if start else broker

    def subfolder(self, name):
        """A rig of the same case with a folder of its own."""
        inner = Rig(self.exe, self.folder / name, self.options)
        inner.folder.mkdir()
        inner._brokers = self._brokers
        return inner

    def finish(self, case_passed):
        """Ends what still runs. A broker that has died by itself fails the case."""
        faults = []
        for broker in self._brokers:
            fault = broker.end(clean=case_passed)
            if fault:
                faults.append(fault)
        return faults

    def logs(self):
        """The last lines of each broker's log, for whoever has to find out."""
        return "".join(f"--- {broker.log_path}\n{broker.log_tail()}" for broker in self._brokers)


def each(*variants):
    """Makes a case of each variant: a dict of arguments, which the sentence may name in {}."""
    def decorate(function):
        function.variants = variants
        return function
    return decorate


def _cases_of(names):
    """(sentence, what to call with the rig), in the order of the module."""
    for name, function in list(names.items()):
        if not name.startswith("case_"):
            continue
        sentence = " ".join(inspect.getdoc(function).split("\n\n", 1)[0].split()).rstrip(".")
        for variant in getattr(function, "variants", ({},)):
            yield sentence.format(**variant), functools.partial(function, **variant)


def _run_case(function, exe, options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stompbox-"))
    rig = Rig(exe, folder, options)
    failure = None
    try:
        function(rig)
    except Exception:  # whatever a case raises is its failure
        failure = traceback.format_exc()
    faults = rig.finish(failure is None)
    if failure is None and faults:
        failure = "\n".join(faults) + "\n"
    if failure is not None:
        print(failure + rig.logs(), end="")
    if failure is None or not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return failure is None


def parser(description):
    """Options that all suites have; a suite may add its own."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("program", type=pathlib.Path, help="the stompbox to test")
    options.add_argument("--only", default="", metavar="WORDS",
                         help="only cases whose sentence has these words")
    options.add_argument("--keep", action="store_true", help="keep the folders of failed cases")
    return options


def run(names, options=None):
    """Runs all cases of a module's globals(); returns the exit code."""
    sys.stdout.reconfigure(line_buffering=True)
    options = options or parser(names["__doc__"]).parse_args()
    passed = failed = 0
    for sentence, function in _cases_of(names):
        if options.only not in sentence:
            continue
        began = time.monotonic()
        good = _run_case(function, options.program.resolve(), options)
        print(f"{'ok  ' if good else 'FAIL'} {sentence} ({time.monotonic() - began:.1f} s)")
        passed, failed = (passed + 1, failed) if good else (passed, failed + 1)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1
