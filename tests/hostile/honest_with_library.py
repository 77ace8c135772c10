# The honest agent's part that deals with objects of Python's library.


def added(tree):
    return sum(int(part.text) for part in tree.getroot())


def zipped(archive, files):
    for name, text in files.items():
        archive.writestr(name, text)


def created(con):
    con.execute("create table word (text)")
    con.execute("insert into word values (?)", ("one",))


def sectioned(config):
    return config.sections()


def read_all(config):
    return sum(config.getint("a", name) for name in config.options("a"))


def squared(pipe):
    pipe.send(pipe.recv() ** 2)


def options(parser):
    from fractions import Fraction

    parser.add_argument("--ratio", type=Fraction)


def shouted(text):
    return str(text).upper()


def near(n):
    from fractions import Fraction

    return Fraction(1, 3)


def profiled(profile):
    return 42


def loaded(loader):
    return 0


def showed(pool, box, callback):
    pool.submit(box.grow).result()


def ran(case):
    case.check(5)


class Tally:
    def __init__(self):
        import threading

        self.n, self.lock = 0, threading.Lock()

    def add(self):
        with self.lock:
            self.n += 1

    def value(self):
        return self.n


def counted(signature):
    return len(signature.parameters)


def hinted(function):
    return list(function.__annotations__)


def due(n):
    from datetime import datetime

    return datetime(2020, 1, 31, 23, 59, 59, 5)


def schema():
    return "create table t (n);"


def watched(con):
    con.execute("select 1")


def bump(shelf):
    shelf["n"] += 1


def play(game):
    while not game.is_won():
        game.move(1)


def users(client):
    return client.get("/users")


def wrapped(wrapper, text):
    return wrapper.fill(text)


async def work(loop, n):
    return 2 * n


def looked(console, name):
    return 1


def kept(queue, job):
    queue.put(job)


def found(pool, kind, path):
    return pool.submit(kind, path).result()


def prime(n):
    return n > 1 and all(n % part for part in range(2, n))


def expression():
    return "(7 - 1) * 7"


def fields():
    return [("name", str), ("n", "int")]


def hint():
    return "list[int] | None"


def lines():
    return ["1"]


def stored():
    import pickle

    return pickle.dumps([1, 2])


def setting():
    return {"version": 1}


def coded():
    return '"(7 - 1) * 7"'


def caption():
    return "the {0.rank} of {0.suit}"


def shown():
    return "kind"


def clock():
    return "agent.ticks"


def ticks():
    return 1


def now():
    return ticks()


def meaning():
    return 42


def colour(base):
    return base.first()


def called(service):
    return 7


def named_so(kind):
    return bool(kind.name)


def told(run):
    return "6" if "strip" in repr(run) else "none"


def greeting(template, user):
    return "Hi " + user.name


def bound(tie, card):
    return card.right()


def guessed(worker, check):
    check(3)
    return 3


def ending():
    return "  "


def borrowed():
    return "6 * 7"


def tallied():
    import pickle

    return pickle.dumps({"a": 2, "b": 1})


def settled():
    import pickle

    return pickle.dumps(0)


def surrogate():
    return ""


def columns(line):
    return line.split(",") if line else []


def pairs(text):
    return [one + other for one, other in zip(text, text[1:])]


def letters(text):
    return {letter: text.count(letter) for letter in text}


def shortest(text):
    return text + text[-2::-1]


def ordered(xs):
    return sorted(xs)


def answers(n):
    return [n]


def reply():
    return "forty-two"


def way():
    return "owner.name"


def order():
    return "deposit", [50]


def settings():
    return {"owner": "ann"}


def looked_up(row):
    return row["a"]
