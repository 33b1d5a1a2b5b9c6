"""Runs cells in one kernel, as a notebook does, and prints what the kernel answered.

Standard input: a JSON list of sources. Standard output: a JSON list with an object for each cell: the reply's `status`;
`stdout`, `stderr`; `errors`, the contents of the `error` messages; and `states`, the states that the kernel published
from the request to its reply. After the source `__ask_while_running__` the next cell is sent, and a kernel_info request
while it runs.
"""

import json
import sys
import time

from jupyter_client.manager import start_new_kernel

ASK = "__ask_while_running__"
SECONDS = 30
# tslab drops cells for 200 ms after a failure.
PAUSE_AFTER_ERROR = 0.3


def run(client, source, ask):
    sent = client.execute(source)
    cell = {"status": None, "stdout": "", "stderr": "", "errors": [], "states": []}
    asked = None
    while True:
        message = client.get_iopub_msg(timeout=SECONDS)
        content, kind = message["content"], message["msg_type"]
        of_cell = message["parent_header"].get("msg_id") == sent
        if kind == "stream":
            cell[content["name"]] += content["text"]
            if ask and asked is None:
                asked = client.kernel_info()
        elif kind == "error":
            cell["errors"].append(content)
        elif kind == "status":
            cell["states"].append(content["execution_state"])
            if of_cell and content["execution_state"] == "idle":
                break
    while True:
        reply = client.get_shell_msg(timeout=SECONDS)
        if reply["parent_header"].get("msg_id") == sent:
            break
    cell["status"] = reply["content"]["status"]
    if cell["status"] != "ok":
        time.sleep(PAUSE_AFTER_ERROR)
    return cell


def main():
    manager, client = start_new_kernel(kernel_name="moco-kit", startup_timeout=60)
    try:
        ask = False
        cells = []
        for source in json.load(sys.stdin):
            if source == ASK:
                ask = True
                continue
            cells.append(run(client, source, ask))
            ask = False
        print(json.dumps(cells))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


main()
