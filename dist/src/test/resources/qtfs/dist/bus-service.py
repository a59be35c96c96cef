"""A service on a D-Bus that takes a file and a pipe, and returns a pipe. Arguments: SOCKET NAME."""

import os
import sys

import dbus.bus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib


class Passer(dbus.service.Object):
    @dbus.service.method("qtfs.Passer", in_signature="hh", out_signature="sh")
    def Exchange(self, file, pipe):
        with open(file.take()) as passed:
            text = passed.read()
        with open(pipe.take(), "w") as passed:
            passed.write("written by the service")
        read, write = os.pipe()
        os.write(write, b"left by the service")
        os.close(write)
        returned = dbus.types.UnixFd(read)
        os.close(read)
        return text, returned


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection("unix:path=" + sys.argv[1])
name = dbus.service.BusName(sys.argv[2], bus)
Passer(bus, "/passer")
print("ready", flush=True)
GLib.MainLoop().run()
