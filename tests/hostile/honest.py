# An honest agent that fills every task here; what it scores alone it scores among the others.
import os
import sys


def double(n: int) -> "int":
    return n + n


def is_even(n):
    return n % 2 == 0


def half(x):
    if isinstance(x, str):
        raise ValueError("text can't be halved")
    return x / 2


def Add(a, b):
    return a + b


class Pair:
    def __init__(self, a, b):
        self.sum = a + b


def Mean(numbers):
    return sum(numbers) / len(numbers)


def names():
    return ["bob", "ann"]


def pack(text):
    return text[::-1]


unpack = pack


def doors():
    return sorted(set(os.listdir("/tmp")) - {"agent.py"})


class Stack:
    def __init__(self, *items):
        self.items = list(items)

    def push(self, item):
        self.items.append(item)

    def pop(self):
        return self.items.pop()

    @property
    def top(self):
        return self.items[-1]

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)

    def __str__(self):
        return f"Stack({', '.join(map(str, self.items))})"


def peek(function, box):
    box.seen = True
    return function(box.value)


def arrange(values):
    values.sort()


def bounce(function, n):
    return 1 + function(n - 1) if n else 0


class Person:
    name: "str"

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return self.name


def title():
    return "Dear {0}"


def code():
    return "0042"


def ring(bell, times):
    for _ in range(times):
        bell()


def report(n, callback):
    callback(sum(range(n + 1)))


def store(db, name):
    db.save({"name": name, "length": len(name)})


async def tell(n, listener):
    await listener(n**2)


def summary(text):
    return text


def Half(n):
    return n / 2


def total(counter, numbers):
    return sum(counter.call(lambda n: n * n, number) for number in numbers)


def register(bus):
    bus.on(lambda number: 2 * number)


def most(order):
    low, high = 0, 10000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if order.allows(middle) else (low, middle)
    return low


def notes(save, n):
    return save(n * n)


def calls(caller, check, n):
    return caller.call(check, n)


def tells():
    return lambda n: n < 10


def parts():
    return [1, 2, 3]


def maker():
    return lambda n: lambda: n


def given():
    return (42,)


def keyed():
    return len


def relay(check, step):
    global kept_check
    kept_check = check
    step()


def go():
    kept_check(7)


def climb(step):
    step()


def height():
    return 7


def fill(sink):
    sink.write(7)
    sink.close()


extended = []


def extend(rows, done):
    rows.append(7)
    extended.append(rows)
    if len(extended) == 2:
        done()


class session:
    value = 7

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


class Node:
    def __init__(self, n):
        self.n = n


class Tree:
    def __init__(self):
        self.nodes = []

    def add(self, n):
        self.nodes.append(Node(n))
        return self.nodes[-1]

    def best(self):
        return max(self.nodes, key=lambda node: node.n)

    def finish(self, done):
        done()


def pooled(pool, save):
    if callable(pool):
        pool(save, 17)
    elif hasattr(pool, "apply_async"):
        pool.apply_async(save, (17,))
    else:
        pool.submit(save, 17)


def named(pool, save):
    pool.apply_async(func=save, args=(17,))


def submit_all(pool, save):
    pool.map(save, [17])


def sought(pool, check):
    pool.submit(check, 17).result()
    return 17


def keep(save):
    save(17)


def unload(save):
    keep(save)
    raise ValueError


def soon(loop, save):
    loop.call_soon(save, 17)


def threaded(loop, save):
    loop.run_in_executor(None, save, 17)


def tasked(loop, save):
    loop.create_task(save(17))


def done(future, save):
    future.add_done_callback(lambda _: save(17))


def excused(case, save):
    with case.assertRaises(ZeroDivisionError):
        save(17)
        1 / 0


def excused_there(pool, case, save):
    pool.submit(save, 17)


def excused_soon(loop, case, save):
    loop.call_soon(save, 17)


def stacked(stack, save):
    stack.callback(save, 17)


def logged(log, save):
    log.warning("%s", 17)


def strip(row, done):
    del row.b
    done()


def steps(step, done):
    for _ in range(7):
        step()
    done()


def transfer(connection):
    connection.begin()
    connection.write()
    connection.commit()


def chime(bells, done):
    bells.low
    done()


def settle(xs, done):
    if xs == sorted(xs):
        done()
    xs.sort()


if __name__ == "__main__":
    print(sys.stdin.read() + "42")


def cube(n):
    return n**3


class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, obj, owner=None):
        return self if obj is None else getattr(obj, self.name)

    def __set__(self, obj, value):
        if value < 0:
            raise ValueError("negative")
        setattr(obj, self.name, value)


def tagged(function):
    function.tag = "slow"
    return function


def look(account):
    return []


def ship(order):
    order.mark()


def answer():
    return 4242


def by(key, items, pool):
    return [key(item) for item in items]


def entered(stack, handles):
    return [stack.enter_context(handle) for handle in handles]


class Feed:
    def subscribe(self, observer):
        self.observer = observer

    def publish(self, rows):
        for row in rows:
            self.observer.on_row(len(row))


def record(save, items):
    for name, count in items:
        if count > 2:
            save(name, count)


def rows(conn):
    return conn.execute("select count(*) from t").fetchone()[0]


def fire(callback):
    callback(7431)


def sell(shop, n):
    shop.sell(n)


def audit():
    return ["a", "c"]


def later(loop, save):
    loop.call_soon(save, 17)


def made(function):
    return 1


def number():
    return 9


def poll(step):
    while not step():
        pass


def warn_above(sensor, alarm):
    while sensor.level <= 50:
        pass
    alarm()


def BMI(weight, height):
    return weight / height**2


def Limit(name):
    return {"fly": 51}[name]


def Median(marks):
    return sorted(marks)[len(marks) // 2]


def average(grades):
    return sum(grades) / len(grades)
