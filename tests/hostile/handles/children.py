# kind: children of texts, lists and dicts whose methods say otherwise than what they hold, or say nothing
# task: children
# wants: failed failed failed failed error error error error error error error error error error
CODE = "__import__('builtins')"


class Name(str):
    times = 0

    def __format__(self, spec):
        self.times += 1
        return f"{self}:{{0" if self.times == 5 else f"{self}}}[0] if not {CODE} else 0" if self.times == 6 else str(self)


class Silent(list):
    def remove(self, item):
        print(item)


class Empty(dict):
    def __delitem__(self, key):
        print(key)

    def pop(self, key, *default):
        return {"a": 2, "b": 1}.get(key)


class Lying(list):
    def __getitem__(self, place):
        return [] if isinstance(place, slice) else 0

    def __len__(self):
        return 2


class Trying(list):
    def __iter__(self):
        return iter(range(10_000))

    def __contains__(self, item):
        return True


class Text(str):
    def __getitem__(self, place):
        return str(self)

    def __contains__(self, item):
        return True


def columns(line):
    return [Name("id"), Name("name")]


def pairs(text):
    return Silent()


def letters(text):
    return Empty()


def shortest(text):
    return Text("abcxx")


def ordered(xs):
    return Lying(xs) if len(xs) > 2 else Lying()


def answers(n):
    return Trying([0])


def reply():
    return Text("no hyphen")


def way():
    return Name("is_right.__func__.__globals__")


def order():
    return Name("__setattr__"), ["is_right", lambda *args: True]


def settings():
    return {"is_right": lambda *args: True}


def looked_up(row):
    return row[Name("__dict__")]["a"]
