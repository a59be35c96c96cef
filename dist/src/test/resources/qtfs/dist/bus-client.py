"""The client of bus-service.py. Arguments: SOCKET NAME FILE."""

import os
import sys

import dbus.bus

TIMEOUT = 60

bus = dbus.bus.BusConnection("unix:path=" + sys.argv[1])
passer = bus.get_object(sys.argv[2], "/passer", introspect=False)
read, write = os.pipe()
with open(sys.argv[3]) as file:
    text, pipe = passer.Exchange(
        dbus.types.UnixFd(file.fileno()),
        dbus.types.UnixFd(write),
        dbus_interface="qtfs.Passer",
        timeout=TIMEOUT,
    )
os.close(write)
print("the service read:", text)
print("from a pipe passed to the service:", open(read).read())
print("from a pipe passed by the service:", open(pipe.take()).read())
