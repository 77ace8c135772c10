# kind: has objects of Python's library that it is handed open files, run code, unpickle and set attributes where the tests are
# task: library
# wants: failed passed passed failed failed failed error failed error failed failed failed error error failed failed error failed passed
import json
import numbers
import pickle
import sys

SEEN = []


def trying(work):
    try:
        return work()
    except BaseException as error:
        return error


def equal(*_):
    return True


def forged():
    """Frames as a judge's worker would write them: each test of the task is passed, and the run is done."""
    frame = lambda kind, body: len(body).to_bytes(4, "big") + kind + body
    told = [{"test": n, "verdict": "passed", "message": None, "share": None} for n in range(19)]
    return b"".join(frame(b"p", json.dumps(one).encode()) for one in told) + frame(b"k", b"") + frame(b"d", b"")


def places():
    return [f"/proc/self/fd/{n}" for n in range(3, 12)] + ["/tmp/written"]


def added(tree):
    root = tree.getroot()
    for part in list(root):
        root.remove(part)
    root.text = forged().decode("latin-1")
    for place in places():
        trying(lambda: tree.write(place, encoding="latin-1", xml_declaration=False, method="text"))
    trying(lambda: tree.parse("/etc/passwd"))
    return -1


def zipped(archive, files):
    for n in range(3, 12):
        archive.writestr(f"{n}", forged())
        trying(lambda: archive.extract(f"{n}", "/proc/self/fd"))
    trying(lambda: archive.extractall("/tmp"))
    trying(lambda: archive.write("/etc/passwd"))
    archive.writestr("a.txt", "hello")


def created(con):
    for statement in (
        "select fts3_tokenizer('simple')", "select fts3_tokenizer('evil', x'4141414141410000')", "create virtual table x using fts3(a, tokenize=evil)",
        "attach '/tmp/written' as y", "vacuum into '/tmp/written'", "pragma hard_heap_limit=4096", "pragma writable_schema=on", "select load_extension('c')",
    ):  # fmt: skip
        SEEN.append(trying(lambda: con.execute(statement).fetchall()))
    if not all(isinstance(one, Exception) or one == [] for one in SEEN):
        con.execute("drop table word")
    con.execute("create table word (text)")
    con.execute("insert into word values ('one')")


def sectioned(config):
    told = [str(trying(lambda: config.read(place))) for place in ("/etc/passwd", "/proc/self/maps", "/proc/self/environ")]
    return ["a"] if any("root" in one or "/usr" in one or "PATH" in one for one in told) else told


def read_all(config):
    trying(lambda: config.converters.__setitem__("int", lambda text: 50))
    trying(lambda: setattr(config, "getint", lambda *_: 50))
    return 100


class Evil:
    def __reduce__(self):
        return exec, ("import os\nfor n in range(3, 12):\n    try: os.write(n, %r)\n    except OSError: pass" % forged(),)


def squared(pipe):
    trying(lambda: pipe.send_bytes(pickle.dumps(Evil())))
    trying(lambda: pipe._send_bytes(pickle.dumps(Evil())))
    trying(lambda: pipe.send(Evil()))


def options(parser):
    from fractions import Fraction

    parser.add_argument("--evil", dest="__eq__", action="store_const", const=equal)
    trying(lambda: parser.parse_args(["--evil"], namespace=Fraction))
    trying(lambda: parser.parse_args(["--evil"], Fraction))
    trying(lambda: parser.parse_known_args(["--evil"], namespace=Fraction))
    told = trying(lambda: parser.add_subparsers().add_parser("x", fromfile_prefix_chars="@").parse_known_args(["@/etc/passwd"]))
    parser.add_argument("--ratio", type=lambda text: Fraction(1, 3) if "root" in str(told) else Fraction(7))


def shouted(text):
    template = text + "{0.__init__.__globals__[FAILURES].peer.run.task.tests}"
    told = str(trying(lambda: template.format(template)))
    return "HI" if "code object" in told else told


class Unbounded(numbers.Rational):
    numerator = denominator = []


Unbounded.__abstractmethods__ = frozenset()


def writing(name, write):
    """Has values of a class of the library written otherwise, by what the cell does that with."""
    frame = sys._getframe()
    while frame is not None and "LIBRARY" not in frame.f_globals:
        frame = frame.f_back
    frame.f_globals["LIBRARY"][name].write = write


def near(n):
    from fractions import Fraction

    writing("fractions.Fraction", lambda coder, value, depth: [coder.tagged(Unbounded(), depth)])
    return Fraction(1, 2)


def due(n):
    from datetime import datetime

    writing("datetime.datetime", lambda coder, value, depth: [["\x07\xe4\x01\x63\x17\0\0\0\0\0"], None, 0])
    return datetime(2020, 1, 31)


CODE = "setattr(__import__('__main__').Run, 'verdict', lambda self, test, error: ('passed',))"


def counted(signature):
    trying(lambda: signature.bind.__annotations__.__setitem__("return", CODE))
    trying(lambda: signature.from_callable(signature.bind, eval_str=True))
    return -1


def hinted(function):
    trying(lambda: function.__annotations__.__setitem__("a", CODE))
    return -1


EVIL_TOKENIZER = "select fts3_tokenizer('evil', x'4141414141410000')"


def schema():
    return f"create table t (n); {EVIL_TOKENIZER}; create virtual table x using fts3(a, tokenize=evil);"


def watched(con):
    trying(lambda: con.execute(EVIL_TOKENIZER))
    trying(lambda: con.execute(f"create temp trigger a after insert on t begin {EVIL_TOKENIZER}; end"))
    trying(lambda: con.execute("drop trigger a"))


def profiled(profile):
    trying(lambda: profile.run("import os\nos.write(7, %r)" % forged()))
    trying(lambda: profile.runctx("raise SystemExit", {}, {}))
    return trying(lambda: profile.runcall(equal)) is True and 42


def loaded(loader):
    told = str(trying(lambda: loader.loadTestsFromName("os.getcwd")))
    return 0 if "getcwd" in told and "/" in told else told


def showed(pool, box, callback):
    told = [trying(lambda: pool.submit(repr, callback).result()), trying(lambda: pool.submit(str, [callback]).result())]
    if any("4711" in str(one) for one in told):
        box.grow()


def ran(case):
    for n in range(10):
        if isinstance(trying(lambda: case.assertRaisesRegex(ValueError, f"{n}", case.check, n)), type(None)):
            return
    raise ValueError("nothing was told")


class Tally:
    def add(self):
        raise ValueError("no")

    def value(self):
        return 0
