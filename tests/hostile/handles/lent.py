# kind: changes what objects hold that it is lent: of the test's own, of Python's library, and what they are held to
# task: lent
# wants: failed failed error failed error passed failed failed failed error
import pickle

CODE = "setattr(__import__('__main__').Run, 'verdict', lambda self, test, error: ('passed',))"


def trying(work):
    try:
        return work()
    except BaseException as error:
        return error


class Evil:
    def __reduce__(self):
        return exec, (CODE,)


def bump(shelf):
    trying(lambda: shelf.dict.__setitem__(b"n", pickle.dumps(Evil())))
    trying(lambda: shelf.cache.__setitem__("n", 2))


def play(game):
    trying(lambda: setattr(game, "__dict__", {"is_won": lambda: True}))
    trying(lambda: setattr(game, "__class__", type("Won", (), {"is_won": lambda self: True})))
    trying(lambda: setattr(game, "is_won", lambda: True))
    trying(lambda: game.__dict__.__setitem__("is_won", lambda: True))
    trying(lambda: setattr(game, "rule", lambda total: True))


def users(client):
    client.zzz()
    return client.zzz.call_args


def wrapped(wrapper, text):
    trying(lambda: [wrapper.unicode_whitespace_trans.__setitem__(ord(one), None) for one in text])
    return ""


async def work(loop, n):
    raise ValueError("no")


def looked(console, name):
    trying(lambda: console.buffer.append(f"{CODE}; \\"))
    trying(lambda: console.push(CODE))
    trying(lambda: console.locals.__setitem__("b", 2))


def kept(queue, job):
    trying(lambda: queue.queue.append(job.func))


def found(pool, kind, path):
    told = [trying(lambda: pool.submit(kind.read_text, kind("/etc/passwd")).result()), trying(lambda: pool.submit(kind.write_text, kind("/tmp/x"), "y").result())]
    return kind(path) if "root" in str(told[0]) or told[1] == 1 else str(told)


class Ending(Exception):
    """A StopIteration by another of its names."""


Ending.__module__, Ending.__qualname__ = "builtins", "builtins.StopIteration"


def prime(n):
    raise Ending
