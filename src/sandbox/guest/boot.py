"""Boot: every container is started with this, which reads its program from stdin, in a frame, and runs it.

A program comes as text or, if a container of the same image has compiled it before, as the code that came of it. It is compiled in a
process of its own: the memory that compiling takes would stay, and every fork of a cell would copy it.
"""
import gc
import marshal
import os


def exactly(length):
    """So many bytes of stdin and none that follow, into the memory that they stay in; fewer at its end."""
    data, count = bytearray(length), 0
    while count < length and (more := os.readv(0, [memoryview(data)[count:]])):
        count += more
    return data if count == length else data[:count]


def apart(work):
    """The value that `work` returns in a process of its own; None if that does not come to its end."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            with open(writer, "wb") as pipe:
                marshal.dump(work(), pipe)
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return marshal.loads(answer) if answer else None


def compiled(text):
    """The code of a program's text, as bytes. The host is told, for other containers of the image."""
    code = apart(lambda: marshal.dumps(compile(text, "<agentmill>", "exec", dont_inherit=True, optimize=2)))
    with open(1, "wb", closefd=False) as host:
        host.write(len(code).to_bytes(4, "big") + b"c" + code)
    return code


def program():
    header = exactly(5)
    payload = exactly(int.from_bytes(header[:4], "big"))
    return marshal.loads(payload if header[4:] == b"M" else compiled(payload))


gc.disable()  # what a program begins with stays: it says itself when there is something to collect
exec(program())
