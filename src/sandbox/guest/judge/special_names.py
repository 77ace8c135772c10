"""Special names: attributes such as `__len__` that a test looks at. What stands for a class of the agent's has most of them itself, so it is the
agent's side that is asked (this text is put behind agent_objects.py).
"""


def exactly_named(name):
    """A name as Python itself takes it: of a text that has a class of its own, the content."""
    return str.__str__(name)[:] if issubclass(type(name), str) else name


def attribute_named(it, name, *default):
    """`getattr` of an attribute that has a special name."""
    it = resolved(it)
    if issubclass(type(it), Anything):
        return it.special
    if not issubclass(type(it), Proxy) or not is_agents_to_tell(it, name):
        return getattr(it, name, *default)
    try:
        return link_of(it).peer.attribute(it, name)
    except AttributeError:
        if default:
            return default[0]
        raise


def is_agents_to_tell(it, name):
    """True for names of a class, and for those that what stands for an object has in any case. An operator goes the way of operators, unless the
    test names the class: as a method that is called it would get what the test expects."""
    if name in OPERATORS and not link_of(it).made:
        return False
    return about_of(it).builtin == "type" or name in vars(Proxy) and name not in about_of(it).can


OPERATORS = frozenset((*ARITHMETIC, *COMPARISONS, "__contains__"))


def is_special(name):
    return type(name) is str and name.startswith("__") and name.endswith("__")


def check_name(it, name):
    """Refuses an agent's word for an attribute of the test's that is hidden from agents: it would lead from there to all that the judge knows."""
    if type(name) is str and name.startswith(HIDDEN_FROM_TEMPLATES) and name not in SHOWN_BY_TEMPLATES and not is_agents(resolved(it)) and is_foreign(name):
        raise Unusable(f"the agent's word is used for the attribute {name} of an object of the test's")


def attribute_or_not(it, name, *default):
    """`getattr` as tests call it."""
    check_name(it, name := exactly_named(name))
    return attribute_named(it, name, *default) if is_special(name) else getattr(it, name, *default)


REVEALING += (attribute_or_not,)


def has_attribute(it, name):
    """`hasattr` as tests call it."""
    check_name(it, name := exactly_named(name))
    if not is_special(name):
        return hasattr(it, name)
    try:
        attribute_named(it, name)
    except AttributeError:
        return False
    return True


def set_attribute(it, name, value):
    """`setattr` as tests call it. An agent's word puts nothing in the place of a method."""
    check_name(it, name := exactly_named(name))
    if type(name) is str and not is_agents(resolved(it)) and is_foreign(name) and any(callable(of.get(name)) for of in held_by(it)):
        raise Unusable(f"the agent's word is used to replace {name} of an object of the test's")
    setattr(it, name, value)


def held_by(it):
    """The attributes that lie in an object, and in the classes that it has its methods from."""
    return [getattr(it, "__dict__", {}), *(vars(kind) for kind in type(it).__mro__), *(vars(kind) for kind in (it.__mro__ if isinstance(it, type) else ()))]
