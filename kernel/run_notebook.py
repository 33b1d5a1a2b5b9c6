"""Runs a TypeScript notebook without a browser, and tells the truth about it.

It is stricter than the usual runners: a cell that failed or never ran, an error that came after the last cell, a
notebook that shows nothing at its end, and a tag that hides failures are all failures. Cells are counted as Jupyter
numbers them: code cells, from 1.

Exit codes: 0 ran, 1 failed, 2 wrong input, 130 interrupted (Ctrl-C), 143 terminated.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

# The set-up compares the files in this folder: no __pycache__ in it.
sys.dont_write_bytecode = True
from notebook_file import KERNEL, Failure, WrongInput, check_output, check_tags, code_cells, load, write_atomically

# The names that kernel/cells.js gives to errors that no cell waited for.
LATE = ("uncaught exception", "unhandled rejection")
POSITION = re.compile(r"In\[(\d+)\]:(\d+):\d+")
# An interrupted training finishes its step and writes a checkpoint; after this long it is ended.
STOP_SECONDS = 60
START_SECONDS = 60

# Half a second for timers and rejections that are about to fire.
CHECK_CELL = "await new Promise((resolve) => setTimeout(resolve, 500));"
PROGRESS_SECONDS = 5


class Interrupted(Exception):
    """The user stopped the run, and the kernel has ended what it was doing."""


class Runner(NotebookClient):
    """Runs the cells in order and raises Failure at the first that is not right."""

    def __init__(self, notebook, manager, timeout):
        super().__init__(
            notebook, km=manager, timeout=timeout, raise_on_iopub_timeout=True, force_raise_errors=True
        )
        self.on_cell_executed = self.keep_reply
        self.reply = None
        self.signal = None
        self.progress_at = float("-inf")

    def keep_reply(self, cell, cell_index, execute_reply):
        self.reply = execute_reply["content"]

    def process_message(self, msg, cell, cell_index):
        """Forwards what a cell says to the terminal as it comes, its errors excepted: they are reported at the end."""
        content = msg["content"]
        if msg["msg_type"] == "stream" and content["name"] == "stdout":
            print(content["text"], end="", flush=True)
        elif msg["msg_type"] == "execute_result":
            print(content["data"].get("text/plain", ""), flush=True)
        elif msg["msg_type"] == "display_data" and "text/html" in content["data"]:
            print(content["data"]["text/plain"], flush=True)  # tables and notes; pictures say nothing in a terminal
        elif msg["msg_type"] in ("display_data", "update_display_data") and content["metadata"].get("progress"):
            # Curves are redrawn twice a second; a terminal keeps every line.
            if time.monotonic() - self.progress_at > PROGRESS_SECONDS:
                self.progress_at = time.monotonic()
                print(content["data"].get("text/plain", ""), flush=True)
        return super().process_message(msg, cell, cell_index)

    async def run_cells(self):
        cells = code_cells(self.nb)
        for number, cell in enumerate(cells, 1):
            if self.signal:
                raise Interrupted
            print(f"cell {number}/{len(cells)}: {cell.source.strip().splitlines()[0][:100]}", flush=True)
            await self.run_cell(cell, number)
        await self.check_late_failures()
        if not cells[-1].outputs:
            raise Failure("the last cell shows nothing; end the notebook with its result", len(cells))

    async def run_cell(self, cell, number):
        self.reply = None
        try:
            # By identity: two cells may be equal.
            index = next(index for index, other in enumerate(self.nb.cells) if other is cell)
            await self.async_execute_cell(cell, index, execution_count=number)
        except CellExecutionError:
            pass  # The reply says it.
        except CellTimeoutError:
            raise Failure(f"the cell took longer than {self.timeout} seconds", number) from None
        except DeadKernelError:
            if self.signal:
                raise Interrupted from None
            raise Failure("the kernel died while the cell ran (out of memory, or a crash in native code)", number) from None
        if self.signal:
            raise Interrupted
        status = self.reply["status"] if self.reply else "missing"
        if status == "error":
            raise failed_reply(self.reply, number)
        if status != "ok":
            raise Failure(f"the kernel skipped the cell (status {status})", number)
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                print(output.text, end="", file=sys.stderr, flush=True)

    async def check_late_failures(self):
        """Waits for errors that no cell waited for: they fail the cell that runs when they come."""
        check = nbformat.v4.new_code_cell(CHECK_CELL)
        self.nb.cells.append(check)
        self.reply = None
        self.timeout = START_SECONDS
        try:
            await self.async_execute_cell(check, len(self.nb.cells) - 1)
        except CellExecutionError:
            raise failed_reply(self.reply, len(code_cells(self.nb))) from None
        except (CellTimeoutError, DeadKernelError) as error:
            raise Failure(f"the kernel does not answer after the last cell ({type(error).__name__})") from None
        finally:
            self.nb.cells.pop()


def failed_reply(reply, number):
    stack = "\n".join(reply.get("traceback", []))
    message = f"{reply.get('ename', 'Error')}: {reply.get('evalue', '')}"
    cell, line = position(stack)
    if reply.get("ename") in LATE:
        return Failure(message, cell, line)
    if cell is not None and cell != number:
        message += f" (thrown in cell {cell}, line {line})"
    return Failure(message, number, position(stack, number)[1])


def position(stack, number=None):
    """The first cell and line in a stack; with a number, the first in that cell."""
    for match in POSITION.finditer(stack):
        if number in (None, int(match[1])):
            return int(match[1]), int(match[2])
    return None, None


async def run(notebook, cwd, timeout):
    """Runs the notebook in a new kernel. Raises Failure, Interrupted or WrongInput."""
    manager = AsyncKernelManager(kernel_name=KERNEL)
    runner = Runner(notebook, manager, timeout)
    loop = asyncio.get_running_loop()

    async def stop(number):
        again = runner.signal is not None
        runner.signal = number
        if again:
            print("Stopping at once.", file=sys.stderr, flush=True)
            await manager.shutdown_kernel(now=True)
        elif runner.kc is not None:
            print("Stopping after this step; once more to stop at once.", file=sys.stderr, flush=True)
            await manager.interrupt_kernel()
            await asyncio.sleep(STOP_SECONDS)
            await manager.shutdown_kernel(now=True)

    tasks = []
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda number=number: tasks.append(loop.create_task(stop(number))))
    try:
        await manager.start_kernel(cwd=cwd)
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=START_SECONDS)
        runner.kc = client
        await runner.run_cells()
    except NoSuchKernel:
        raise WrongInput("Cannot find the moco-kit kernel: run npm run setup") from None
    except RuntimeError as error:
        if runner.kc is not None:
            raise
        raise Failure(f"the kernel did not start ({error})") from None
    except Interrupted:
        raise Interrupted(runner.signal) from None
    finally:
        for task in tasks:
            task.cancel()
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)
        if runner.kc is not None:
            runner.kc.stop_channels()


def end_with_parent():
    """Ends this process when its parent is gone; the kernel then ends too (launch.js)."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(0.25)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def report(failure, path, notebook):
    where = path.name
    if failure.cell is not None:
        where += f", cell {failure.cell}"
    if failure.line is not None:
        where += f", line {failure.line}"
    print(f"{where}: {failure.message}", file=sys.stderr)
    if failure.cell is not None and failure.line is not None:
        print(f"    {code_cells(notebook)[failure.cell - 1].source.splitlines()[failure.line - 1].strip()}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description="Run a TypeScript notebook headless and strictly.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="where the executed notebook goes")
    parser.add_argument("--parameters", type=json.loads, default={}, help="JSON object of parameters")
    parser.add_argument("--timeout", type=int, help="seconds a cell may take (default: no limit)")
    parser.add_argument("--end-with-parent", action="store_true", help="end when the process that started this ends")
    options = parser.parse_args()
    if options.end_with_parent:
        end_with_parent()

    notebook = None
    code = 0
    try:
        check_output(options.notebook, options.output)
        notebook = load(options.notebook, options.parameters)
        check_tags(notebook)
        asyncio.run(run(notebook, str(options.notebook.resolve().parent), options.timeout))
    except WrongInput as error:
        print(error, file=sys.stderr)
        return 2
    except Failure as failure:
        report(failure, options.notebook, notebook)
        code = 1
    except Interrupted as interrupted:
        print("Stopped. Run the same command again to go on.", file=sys.stderr)
        code = 128 + interrupted.args[0]
    try:
        write_atomically(notebook, options.output)
    except Failure as failure:
        print(failure.message, file=sys.stderr)
        return code or 1
    print(f"Executed notebook: {options.output}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
