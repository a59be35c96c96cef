"""A client of QEMU's monitor. Arguments: SOCKET [FILE].

Passes FILE, or else a pipe, to QEMU, has it save the machine's state there, and ends QEMU. Prints
the machine's status, and the first bytes of its state if it came through the pipe.
"""

import json
import os
import socket
import sys

monitor = socket.socket(socket.AF_UNIX)
monitor.connect(sys.argv[1])
answers = monitor.makefile()
assert "QMP" in json.loads(answers.readline())


def execute(command, fds=(), **arguments):
    message = json.dumps({"execute": command, "arguments": arguments}).encode()
    socket.send_fds(monitor, [message], fds)
    while True:
        answer = json.loads(answers.readline())
        if "event" not in answer:
            return answer["return"]


def migrate(fd):
    execute("getfd", [fd], fdname="state")
    execute("migrate", uri="fd:state")


execute("qmp_capabilities")
print("status:", execute("query-status")["status"])
if len(sys.argv) > 2:
    with open(sys.argv[2], "r+b") as file:
        migrate(file.fileno())
    while execute("query-migrate")["status"] in ("setup", "active"):
        pass
else:
    read, write = os.pipe()
    migrate(write)
    os.close(write)
    print("state:", open(read, "rb").read()[:4].decode())
print("migration:", execute("query-migrate")["status"])
execute("quit")
