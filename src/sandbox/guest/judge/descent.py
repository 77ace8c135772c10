"""Descent of classes, as tests ask for it (this text is put behind agent_objects.py)."""


def descends(kind, bases):
    """`issubclass`; of the agent's classes it is the agent's process that knows, but of a protocol of the test's what names it wants."""
    kind = resolved(kind)
    if type(bases) is tuple:
        return any(descends(kind, base) for base in bases)
    if issubclass(type(kind), Proxy) and not is_stand_in(bases) and getattr(bases, "_is_protocol", False) and not is_of_library(bases):
        issubclass(object, bases)  # is refused by a protocol that is for type hints alone
        return all(getattr(kind, name, None) is not None for name in sys.modules["typing"]._get_protocol_attrs(bases))
    return link_of(kind).peer.ask("issubclass", kind, (bases,)) is True if issubclass(type(kind), Proxy) else issubclass(kind, bases)
