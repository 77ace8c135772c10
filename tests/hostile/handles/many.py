# kind: a million objects handed out
# task: stack
# time: 10
# wants: out_of_memory error error error error error error error
kept = []


class Stack:
    def __init__(self, *items):
        pass

    def push(self, item):
        pass

    def pop(self):
        return [Stack() for _ in range(1_000_000)]

    @property
    def top(self):
        return {n: Stack() for n in range(200_000)}

    def __len__(self):
        raise KeyError(*[Stack() for _ in range(200_000)])

    def __iter__(self):
        for _ in range(1_000_000):
            kept.append(Stack())
            yield [kept[-1]] * 100

    def __str__(self):
        return kept

    def __contains__(self, item):
        raise ValueError
