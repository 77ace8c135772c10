"""Modules beside the agent, where a submission has several files: imported as by `python agent.py` in their folder.

They are compiled already, so each process takes the code that all have, whatever has become of the files in /tmp. Those are there for
tracebacks and for who looks at them.
"""
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import SourceFileLoader, spec_from_file_location


class CompiledLoader(SourceFileLoader):
    """As for a file, but for where the code comes from."""

    def __init__(self, name, path, code):
        super().__init__(name, path)
        self.code = code

    def get_code(self, name):
        return self.code


class ModuleFinder:
    """Finds them before anything else; none has the name of a module of Python's."""

    def __init__(self, codes):
        self.codes = codes

    def find_spec(self, name, path=None, target=None):
        place = f"{HOME}/{name.replace('.', '/')}"
        for file, folders in ((f"{place}/__init__.py", [place]), (f"{place}.py", None)):
            if file in self.codes:
                loader = CompiledLoader(name, file, self.codes[file])
                return spec_from_file_location(name, file, loader=loader, submodule_search_locations=folders)
        if not any(file.startswith(f"{place}/") for file in self.codes):
            return None
        spec = ModuleSpec(name, None, is_package=True)  # a folder without __init__.py
        spec.submodule_search_locations.append(place)
        return spec
