"""Warnings and logs of the agent's, which a test hears as if its own process had given them: they are claims, in Python's own
types (this text is put behind surroundings.py).
"""
import functools
import warnings

warn_explicit = warnings.warn_explicit  # a test may have one of its own there, by which it hears nothing of the agent's


class Ears:
    """The ears of a test: for warnings, if it has changed how they are taken, and logs, if it has a handler for any."""

    def __init__(self):
        self.filters, self.shown = [*warnings.filters], (warnings._showwarnmsg_impl, warnings.showwarning)

    def wanted(self):
        told = {}
        if warnings.filters != self.filters or (warnings._showwarnmsg_impl, warnings.showwarning) != self.shown:
            told["warnings"] = True
        if levels := logging_levels():
            told["logs"] = levels
        return told

    def hear(self, peer, told, wanted):
        """Has the test hear a claim of what the agent warned of and logged; a warning may be raised by that."""
        for record in listed_parts(told.get("logs")) if "logs" in wanted else ():
            log_again(peer, record)
        for content in listed_parts(told.get("warnings")) if "warnings" in wanted else ():
            warning = rebuilt(peer, content) if type(content) is dict else None
            if isinstance(warning, Warning):
                warn_explicit(warning, None, "agent.py", peer.line_of(content), registry={})


def listed_parts(claimed):
    return claimed[:MAX_OVERHEARD] if type(claimed) is list else ()


def logging_levels():
    """The levels of the loggers that a test has set, by their names, if there is a handler anywhere."""
    logging = sys.modules.get("logging")
    if logging is None:
        return None
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    loggers = [logger for logger in loggers if isinstance(logger, logging.Logger)]
    if not any(logger.handlers for logger in loggers):
        return None
    levels = {"" if logger is logging.root else logger.name: logger.level for logger in loggers if logger.level}
    return levels | {"\0": logging.root.manager.disable}


def log_again(peer, record):
    """Hands a record to the test's logger of its name."""
    import logging

    if type(record) is not dict or type(level := record.get("level")) is not int or not 0 <= level < 1000:
        return
    name, text = shortened(record.get("name")), shortened(record.get("text"), 4000)
    made = record_class_heard()(name, level, "agent.py", peer.line_of(record), text, None, None, shortened(record.get("function")))
    made.msg, made.args = (parts := said_in_parts(peer, record, text))
    made._told = (*parts, text)
    vars(made).update(extras(peer, record, made))
    if type(record.get("error")) is dict:
        error = rebuilt(peer, record["error"])
        made.exc_info, made.exc_text = (type(error), error, None), shortened(record.get("trace"), 4000)
    (logging.root.manager.getLogger(name) if name != "root" else logging.root).handle(made)


@functools.cache
def record_class_heard():
    """The class of records of the agent's, to all but Python a LogRecord: what its text is put together of is there, but it is not put
    together anew, by which a template of the agent's would have the judge write gigabytes."""
    import logging

    def get_message(self):
        message, args, text = self._told
        return text if self.msg is message and self.args is args else logging.LogRecord.getMessage(self)

    return type("LogRecord", (logging.LogRecord,), {"__slots__": ("_told",), "__module__": "logging", "getMessage": get_message})


def said_in_parts(peer, record, text):
    """The message of a record as the agent wrote it, and what is put into it."""
    args = part_of_record(peer, "args", record.get("args"))
    if type(args) not in (tuple, dict) or (message := part_of_record(peer, "msg", record.get("msg"))) is None:
        return text, None
    return message, args


def extras(peer, record, made):
    """The attributes that the agent has added to a record: none that each has, and none that is Python's."""
    told = record.get("extra")
    for name, value in [*told.items()][:MAX_EXTRAS] if type(told) is dict else ():
        if name[:1] != "_" and not hasattr(made, name) and name not in OF_FORMATS:
            yield name, part_of_record(peer, name, value)


def part_of_record(peer, name, told):
    """Plain data that a record holds, or an object of the agent's; None if it is neither, or was too large."""
    try:
        value = Coder(peer).decode(told[0])
        peer.check_field(name, value)
        return value
    except (LookupError, TypeError, NotPlain):
        return None


OF_FORMATS = frozenset(("message", "asctime", "taskName"))  # that formatters give a record, and newer Pythons
