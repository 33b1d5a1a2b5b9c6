"""Runs cells in one kernel, as a notebook does, and prints what the kernel answered.

Arguments: the notebook's folder; `--together` to send all cells at once. Standard input: a JSON list with an object for each cell: `source`, and `during`, what
is done as soon as the cell has written something (`ask`: a kernel_info request, `interrupt`, `interrupt twice`, `interrupt afterwards`: when it has ended, `shut down`, after which no cell is run, or null). Standard output: a JSON list
with an object for each cell: the reply's `status`; `stdout`, `stderr`; `result`, the last value as text; `errors`, the
contents of the `error` messages; `order`, the kinds of outputs as they came; and `states`, the states that the kernel published from the request to its reply. With `--together` the output is a list of the replies' statuses; with
`--info` it is what the kernel tells of itself; with `--ask` a list with an object for each cell, which is not run: `complete`, the
status that `is_complete` answers, and `documentation`, what `inspect` answers for its end.
"""

import json
import sys
import time

from jupyter_client.manager import start_new_kernel

SECONDS = 60


def run(manager, client, source, during):
    sent = client.execute(source)
    cell = {"status": None, "stdout": "", "stderr": "", "result": None, "errors": [], "states": [], "order": []}
    while True:
        message = client.get_iopub_msg(timeout=SECONDS)
        content, kind = message["content"], message["msg_type"]
        if kind != "status":
            cell["order"].append(content["name"] if kind == "stream" else kind)
        of_cell = message["parent_header"].get("msg_id") == sent
        if kind == "stream":
            cell[content["name"]] += content["text"]
            if during == "shut down":
                manager.shutdown_kernel()
                return cell
            if during == "ask":
                client.kernel_info()
            elif during in ("interrupt", "interrupt twice"):
                manager.interrupt_kernel()
            if during == "interrupt twice":
                time.sleep(0.5)
                manager.interrupt_kernel()
            if during != "interrupt afterwards":
                during = None
        elif kind == "execute_result":
            cell["result"] = content["data"]["text/plain"]
        elif kind == "error":
            cell["errors"].append(content)
        elif kind == "status":
            cell["states"].append(content["execution_state"])
            if of_cell and content["execution_state"] == "idle":
                break
    cell["status"] = status(client, sent)
    if during == "interrupt afterwards":
        manager.interrupt_kernel()
        time.sleep(0.5)
    return cell


def status(client, sent):
    return reply_to(client, sent)["status"]


def reply_to(client, sent):
    while True:
        reply = client.get_shell_msg(timeout=SECONDS)
        if reply["parent_header"].get("msg_id") == sent:
            return reply["content"]


def run_together(client, cells):
    sent = [client.execute(cell["source"], stop_on_error=cell["stop_on_error"]) for cell in cells]
    return [status(client, one) for one in sent]


def ask(client, source):
    complete = reply_to(client, client.is_complete(source))["status"]
    documentation = reply_to(client, client.inspect(source))["data"].get("text/plain")
    return {"complete": complete, "documentation": documentation}


def main():
    manager, client = start_new_kernel(kernel_name="moco-kit", startup_timeout=60, cwd=sys.argv[1])
    try:
        cells = json.load(sys.stdin)
        if "--info" in sys.argv:
            answers = client.kernel_info(reply=True, timeout=SECONDS)["content"]
        elif "--ask" in sys.argv:
            answers = [ask(client, cell["source"]) for cell in cells]
        elif "--together" in sys.argv:
            answers = run_together(client, cells)
        else:
            answers = [run(manager, client, cell["source"], cell["during"]) for cell in cells]
        print(json.dumps(answers))
    finally:
        client.stop_channels()
        if manager.has_kernel:
            manager.shutdown_kernel(now=True)


main()
