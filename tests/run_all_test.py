#!/usr/bin/env python3
"""What run_all.py counts for each kind of meson test."""

import sys
import unittest

import run_all
from run_all import Count


def entry(result, stdout):
    return {"name": "planted", "result": result, "stdout": stdout}


def doctest(passed, failed):
    return (f"[doctest] test cases: {passed + failed:2} | {passed:2} passed | {failed} failed | "
            "0 skipped\n[doctest] assertions: 90 | 90 passed | 0 failed |\n[doctest] Status: ...\n")


class CountTest(unittest.TestCase):
    def test_doctest_cases_are_counted(self):
        self.assertEqual(run_all.count_test(entry("OK", doctest(12, 0))), Count(12, 0))
        self.assertEqual(run_all.count_test(entry("FAIL", doctest(10, 2))), Count(10, 2))

    def test_a_suite_that_says_its_numbers_last_is_believed(self):
        self.assertEqual(run_all.count_test(entry("OK", "...\n7 passed, 0 failed\n")), Count(7, 0))
        self.assertEqual(run_all.count_test(entry("OK", "7 passed, 0 failed\nmore\n")), Count(1, 0))

    def test_any_other_test_is_one_case(self):
        self.assertEqual(run_all.count_test(entry("OK", "")), Count(1, 0))
        self.assertEqual(run_all.count_test(entry("FAIL", "")), Count(0, 1))
        self.assertEqual(run_all.count_test({"name": "no output", "result": "OK"}), Count(1, 0))

    def test_a_crash_is_at_least_one_failed_case(self):
        self.assertEqual(run_all.count_test(entry("ERROR", "")), Count(0, 1))
        self.assertEqual(run_all.count_test(entry("FAIL", doctest(5, 0))), Count(5, 1))
        self.assertEqual(run_all.count_test(entry("TIMEOUT", "3 passed, 0 failed")), Count(3, 1))

    def test_a_skipped_test_has_failed(self):
        self.assertEqual(run_all.count_test(entry("SKIP", "")), Count(0, 1))

    def test_a_suite_without_a_case_has_failed(self):
        self.assertEqual(run_all.count_test(entry("OK", doctest(0, 0))), Count(0, 1))


class RunTest(unittest.TestCase):
    def test_twice_as_many_tests_as_cores_run_at_a_time_but_no_more_than_four(self):
        self.assertEqual([run_all.default_processes(n) for n in (None, 1, 2, 16)], [2, 2, 4, 4])

    def test_the_slowest_tests_are_named_longest_first(self):
        entries = [{"name": name, "duration": seconds}
                   for name, seconds in (("a", 1.2), ("b", 30.6), ("c", 7.0))]
        self.assertEqual(run_all.slowest(entries, 2), "slowest: b 31 s, c 7 s")


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
