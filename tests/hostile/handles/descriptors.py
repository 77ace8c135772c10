# kind: gives descriptors where values are wanted, and has those that are wanted change what the test holds
# task: held
# wants: error error passed passed passed passed
class Looks:
    def __get__(self, obj, owner=None):
        return owner.expected

    def __set__(self, obj, value):
        pass


def cube(n):
    return Looks()


class Positive:
    def __set_name__(self, owner, name):
        self.seen = []
        for place, value in (("expected", 27), ("limit", 7), ("balance", 7), ("__init__", None), ("_secret", 41)):
            try:
                setattr(owner, place, value)
            except Exception as error:
                self.seen.append(str(error))

    def __get__(self, obj, owner=None):
        return 7 if obj is not None else self

    def __set__(self, obj, value):
        for place in ("_secret", "__class__", "__dict__", "_other"):
            for change in (setattr, lambda obj, name, value: obj.__dict__.__setitem__(name, value)):
                try:
                    change(obj, place, 7)
                except Exception as error:
                    self.seen.append(str(error))
        if value < 0:
            raise ValueError


def tagged(function):
    for name, value in (("tag", "slow"), ("answer", 43), ("__code__", None), ("__defaults__", (1,)), ("__call__", print), ("_x", 1)):
        try:
            setattr(function, name, value)
        except Exception:
            pass
    return function


def look(account):
    """Makes an attribute before the test does, to read and change what the test puts there."""
    seen = []
    for place in ("_hand", "_secret"):
        try:
            seen.append(getattr(account, place, None))
            setattr(account, place, None)
        except Exception:
            pass
    try:
        account.saved = 7
    except Exception:
        pass
    seen += vars(account).values()
    return [value for value in seen if value in (99, 41)]
