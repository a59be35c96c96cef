#!/usr/bin/env python3
"""Records how GLib reads key files, for GlibTest: record.py > glib.txt

Each line: the file, a tab, and what g_key_file_get_string_list says of [Open] Path: the entries, each
followed by a comma, or "none" (no such group or key) or "error". Other than printable ASCII, and
comma and backslash, are written as \\xNN.
"""
import ctypes
import random
import re

glib = ctypes.CDLL("libglib-2.0.so.0")
glib.g_key_file_new.restype = ctypes.c_void_p
glib.g_key_file_get_string_list.restype = ctypes.POINTER(ctypes.c_char_p)
glib.g_key_file_error_quark.restype = ctypes.c_uint32


class GError(ctypes.Structure):
    _fields_ = [("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p)]


NOT_FOUND = (3, 4)  # G_KEY_FILE_ERROR_KEY_NOT_FOUND, GROUP_NOT_FOUND


def read(data):
    file = ctypes.c_void_p(glib.g_key_file_new())
    error = ctypes.POINTER(GError)()
    if not glib.g_key_file_load_from_data(file, data, ctypes.c_size_t(len(data)), 0, ctypes.byref(error)):
        return "error"
    count = ctypes.c_size_t()
    values = glib.g_key_file_get_string_list(file, b"Open", b"Path", ctypes.byref(count), ctypes.byref(error))
    if error:
        return "none" if error.contents.code in NOT_FOUND else "error"
    return "".join(escape(values[i]) + "," for i in range(count.value))


def escape(data):
    return "".join(chr(b) if 0x20 <= b < 0x7f and chr(b) not in "\\," else "\\x%02x" % b for b in data)


CASES = [
    b"", b"\n\n", b"# only\n", b"[Open]\n", b"[Open]\npath=/a\n", b"[Open]\nPath=", b"[Open]\nPath=;",
    b"[Open]\nPath=/a;/b;\n", b"[Open]\nPath=/a;/b", b"[Open]\nPath=/a;;/b;;", b"[Open]\nPath= /a ; /b ;",
    b"  [Open]  \n  Path  =   /a  \n", b"[Open] x\nPath=/a", b"[Open]#x\nPath=/a", b"[Open]\t\nPath=/a",
    b"[Open]\nPath=/a\\;b;/c\\sd;/e\\\\;/f\\tg\\nh\\r", b"[Open]\nPath=/a\\x;/b", b"[Open]\nPath=/a\\",
    b"[Open]\nPath=/a\\;", b"[Open]\nPath=\\\\;/b", b"[Open]\nPath=\\s/a", b"[Open]\nPath==/a",
    b"[Open]\nPath=/a\\\n/b\n", b"[Open]\nX=\\q\nPath=/a", b"Path=/a\n[Open]",
    b"[Open]\nPath=/a\n[Read]\nPath=/r\n[Open]\nPath=/z\n", b"[Open]\nPath=/a\n[Open]\nOther=1\n",
    b"[Open]\nPath=/a\nPath=/b\n", b"[Open]\nPath=/a\\q\nPath=/b\n", b"[Open]\r\nPath=/a;/b\r\n",
    b"[Open]\r\n\r\nPath=/a;/b;\r\n", b"[Open]\nnonsense\nPath=/a", b"[Open]\n=x\nPath=/a", b"[]\nPath=/a",
    b"[Open\nPath=/a", b"[Op[en]\nX=1", b"[a]b]\nX=1\n", b"[Open]]\nPath=/a", b"[ Open ]\nPath=/b",
    b"[Op\x01en]\nPath=/a", b"[Open]\nPath[de]=/x\nPath=/a", b"[Open]\nPath[de]=/x\n", b"[Open]\nX[a]b=1\n",
    b"[Open]\nX[=1\n", b"[Open]\nX]=1\n", b"[Open]\nX[]=1\nPath=/a", b"[Open]\nX[!]=1\n", b"[Open]\nX [de]=1\n",
    b"[Open]\nX\t[de]=1\n", b"[Open]\n[de]=1\n", b"[Open]\nX[\xc3\xa9]=1\n", b"[Open]\nX[\xff]=1\n", b"[Open]\n\xff[de]=1\n", b"[Open]\nPa th=/x\n",
    b"[Open]\nX\x01=1\nPath=/a", b"[Open]\n;Path=/x\nPath=/a", b"  # c\n[Open]\nPath=/a", b"[Open]\nPath=/a # b",
    b"[Open]\nPath=/\xff;/b\n", b"[Open]\nPath=/\xc3\xa9;/\xe4\xb8\xad\n", b"[Open]\nX=\xff\nPath=/b\n",
    b"#\xff\n[Open]\nPath=/b\n", b"[\xff]\nX=1\n[Open]\nPath=/b\n", b"\xef\xbb\xbf[Open]\nPath=/a",
    b"[Open]\nPath=/a\x0b\n", b"[Open]\nPath=\x0b/a\n", b"[Open]\nPath=\x0c/a\n", b"[Open]\n\x0cPath=/a\n",
    b"[Open]\n \t \nPath\t=\t/a", b"[Open]\nPath=/a\rPath=/b\n", b"[Open]\n\xc2\xa0Path=/a", b"[Open]\n",
    b"[Open]\nPath=/a\n[Unknown]\nPath=/b\n", b"[Open]\nPath=/a\r\r\n", b"[O=n]\nPath=/a\n[Open]\nPath=/b\n",
]

SEED = b"# c\n[Open]\nPath=/a;/b\\;c;\nX[de]=1\n\n[Read]\n Path = /r\n[Open]\nPath=/d\\s;/\xc3\xa9\n"
BYTES = b"[]=;\\\\#\n\n\r\t \x0c\x0bsntrPathOpen/\xc3\xa9\xff."


def mutated(rng):
    data = bytearray(SEED)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        kind = rng.randrange(3)
        if kind == 0:
            data[at] = rng.choice(BYTES)
        elif kind == 1:
            data.insert(at, rng.choice(BYTES))
        else:
            del data[at : at + rng.randint(1, 5)]
    return bytes(data)


def ours_to_differ(data):
    """What KeyFile says it does otherwise, and two that are nobody's intention: a carriage return that
    ends the file is part of GLib's last value, and in names GLib steps over a stray 10xxxxxx byte."""
    return (
        re.search(rb"\[open\]", data.replace(b"[Open]", b""), re.IGNORECASE)
        or b"\0" in data
        or data.endswith(b"\r")
        or re.search(rb"[\x00-\x7f][\x80-\xbf]", data)
    )


rng = random.Random(25)
seen = []
for case in CASES + [mutated(rng) for _ in range(600)]:
    if case not in seen and not ours_to_differ(case):
        seen.append(case)
        print(escape(case) + "\t" + read(case))
