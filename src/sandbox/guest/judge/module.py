"""The agent's module as tests import it: `import agent`, `from agent import f`, `patch("agent.helper")` (this text is put behind
agent_objects.py).
"""


class AgentModule(types.ModuleType):
    """Names of the agent's module, each asked for as it is looked up, and set or deleted there."""

    def __init__(self, peer):
        super().__init__("agent")
        vars(self).update(_agentmill_peer=peer)

    def __getattr__(self, name):
        try:
            value = vars(self)["_agentmill_peer"].attribute(None, name)
        except Absent:
            raise AttributeError(f"module 'agent' has no attribute {name!r}") from None
        return value

    __doc__ = property(lambda self: self.__getattr__("__doc__"))  # ModuleType has one of its own

    def __dir__(self):
        return self._agentmill_peer.ask_module("names", "")

    def __setattr__(self, name, value):
        self._agentmill_peer.pasts.keep(None, name)
        self._agentmill_peer.ask_module("assign", name, (value,))

    def __delattr__(self, name):
        self._agentmill_peer.pasts.keep(None, name)
        self._agentmill_peer.ask_module("remove", name)


class Absent(Unusable):
    """A name that the agent's module has not."""
