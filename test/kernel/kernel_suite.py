"""Runs Jupyter's public tests of kernels, jupyter_kernel_test, on a TypeScript kernel, and prints the result of each.

Arguments: the kernel's name as Jupyter knows it, `moco-kit` by default; others to compare with: `tslab`, `deno`.
Standard output: a line for each test, `name: passed`, `failed` or `skipped`; why a test failed goes to standard error.
"""

import contextlib
import os
import queue
import sys
import unittest

import jupyter_kernel_test

KERNEL = sys.argv[1] if len(sys.argv) > 1 else "moco-kit"
# Deno colors its results otherwise.
os.environ["NO_COLOR"] = "1"

# There is no common way to show HTML.
SHOW_HTML = {
    "moco-kit": 'import { display } from "tslab"; display.html("<b>bold</b>");',
    "tslab": 'import { display } from "tslab"; display.html("<b>bold</b>");',
    "deno": 'await Deno.jupyter.broadcast("display_data", { data: { "text/html": "<b>bold</b>" }, metadata: {}, transient: {} });',
}


class TypeScriptKernel(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('to stderr')"
    completion_samples = [{"text": "Math.flo", "matches": {"floor"}}, {"text": "process.ver"}]
    complete_code_samples = ["1 + 1", "const a: number = 1;", "function f() {\n  return 1;\n}"]
    incomplete_code_samples = ["function f() {", "const list = [1,", "f("]
    invalid_code_samples = ["const = 1;", "1 2 3"]
    code_generate_error = "throw new Error('broken')"
    code_execute_result = [
        {"code": "1 + 2", "result": "3"},
        {"code": "await Promise.resolve([1, 2])", "result": "[ 1, 2 ]"},
    ]
    code_display_data = [{"code": SHOW_HTML[KERNEL], "mime": "text/html"}]
    code_history_pattern = "1 + 2*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Math.floor"
    failed = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The answers to what the client asked until the kernel was ready: test_kernel_info checks one of its own.
        with contextlib.suppress(queue.Empty):
            while True:
                cls.kc.get_shell_msg(timeout=1)

    def setUp(self):
        """A new kernel after a failed test, whose late replies would fail the next one, too."""
        if TypeScriptKernel.failed:
            TypeScriptKernel.failed = False
            self.tearDownClass()
            self.setUpClass()


class Results(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.of_test = {}

    def startTest(self, test):
        super().startTest(test)
        self.of_test[test.id().split(".")[-1]] = "passed"

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped", reason)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "failed", self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "failed", self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            self.note(test, "failed", (self.failures if failed else self.errors)[-1][1])

    def note(self, test, result, why):
        TypeScriptKernel.failed = TypeScriptKernel.failed or result == "failed"
        name = getattr(test, "test_case", test).id().split(".")[-1]
        # A part that is skipped does not take back that another failed.
        if self.of_test.get(name) != "failed":
            self.of_test[name] = result
        print(f"{name}: {why}", file=sys.stderr)


def main():
    results = Results()
    unittest.defaultTestLoader.loadTestsFromTestCase(TypeScriptKernel).run(results)
    for name, result in results.of_test.items():
        print(f"{name}: {result}")


main()
