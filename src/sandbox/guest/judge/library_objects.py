"""Objects of Python's library that a test gives an agent: a closed list of what may be asked of them. All others open files, start
programs, import modules, unpickle bytes or set any attribute of anything where the test is, sooner or later (this text is put before
test_objects.py).
"""
# Modules whose classes hold, compute and call: their objects may be asked for all that has no underscore, but for what
# test_objects.py hides.
LISTED_MODULES = frozenset("""builtins types typing abc enum numbers collections _collections_abc collections.abc dataclasses operator
    functools itertools re random _random decimal fractions datetime zoneinfo statistics struct _struct array io _io csv _csv queue _queue
    threading _thread _threading_local sched weakref _weakrefset contextlib contextvars _contextvars graphlib difflib textwrap calendar
    hashlib _hashlib _blake2 _sha3 _md5 _sha1 _sha256 _sha512 hmac zlib _bz2 _lzma string unittest.mock unittest.case
    unittest.async_case asyncio.queues asyncio.locks asyncio.futures asyncio.tasks asyncio.taskgroups asyncio.timeouts asyncio.mixins
    _asyncio concurrent.futures._base concurrent.futures.thread json.encoder json.decoder xml.dom.minidom xml.dom html.parser _markupbase
    email.message email.header http.cookies ast inspect ipaddress uuid pathlib posix os time http
    urllib.parse codecs asyncio.protocols xml.sax.handler""".split())
# Of an event loop, what does not lead out of it, as a program that it would start does.
LOOPS_OFFER = """call_at call_later call_soon call_soon_threadsafe close create_future create_task get_debug is_closed is_running
    run_forever run_in_executor run_until_complete stop time"""
# Of other classes, by the module and the class that defines them; `*` for all that an object holds.
LISTED = {
    kind: frozenset(names.split())
    for kind, names in {
        "asyncio.base_events.BaseEventLoop": LOOPS_OFFER,
        "asyncio.selector_events.BaseSelectorEventLoop": LOOPS_OFFER,
        "asyncio.unix_events._UnixSelectorEventLoop": LOOPS_OFFER,
        "asyncio.events.Handle": "cancel cancelled",
        "asyncio.events.TimerHandle": "cancel cancelled when",
        "asyncio.streams.StreamReader": "read readline readexactly readuntil at_eof feed_data feed_eof exception",
        "asyncio.streams.StreamWriter": "write writelines write_eof can_write_eof drain close is_closing wait_closed",
        "asyncio.runners.Runner": "run close get_loop",
        "logging.Filterer": "addFilter removeFilter filter filters",
        "logging.Filter": "filter",
        "logging.Logger": """debug info warning warn error exception critical fatal log setLevel isEnabledFor getEffectiveLevel hasHandlers
            getChild handle addHandler removeHandler name level propagate disabled handlers parent""",
        "logging.LoggerAdapter": """debug info warning warn error exception critical log setLevel isEnabledFor getEffectiveLevel hasHandlers
            process name extra""",
        "logging.Handler": "setLevel setFormatter level formatter name format emit handle flush close acquire release get_name set_name",
        "logging.StreamHandler": "emit flush terminator",
        "logging.Formatter": "format formatTime formatMessage usesTime",
        "logging.FileHandler": "emit close baseFilename",
        "logging.handlers.QueueHandler": "queue enqueue prepare emit",
        "logging.handlers.BufferingHandler": "buffer capacity shouldFlush emit flush close",
        "logging.handlers.MemoryHandler": "target shouldFlush flush close",
        "logging.LogRecord": "*",
        "sqlite3.Connection": """execute executemany executescript commit rollback close cursor total_changes in_transaction isolation_level
            row_factory""",
        "sqlite3.Cursor": """execute executemany executescript fetchone fetchmany fetchall close rowcount lastrowid description arraysize
            row_factory""",
        "sqlite3.Row": "keys",
        "argparse.Namespace": "*",
        "argparse._ActionsContainer": """add_argument add_argument_group add_mutually_exclusive_group set_defaults get_default
            description prefix_chars argument_default""",
        "argparse.ArgumentParser": """add_subparsers parse_args parse_known_args format_usage format_help print_usage print_help exit error
            prog usage epilog""",
        "argparse._SubParsersAction": "add_parser dest choices",
        "argparse._ArgumentGroup": "add_argument title",
        "argparse._MutuallyExclusiveGroup": "required",
        "argparse.Action": "dest option_strings nargs const default type choices required help metavar",
        "configparser.RawConfigParser": """defaults sections add_section has_section options read_string read_dict get getint getfloat
            getboolean items popitem has_option set write remove_option remove_section default_section""",
        "configparser.ConfigParser": "set add_section",
        "configparser.SectionProxy": "get getint getfloat getboolean name",
        "xml.etree.ElementTree.Element": """append extend insert remove find findall findtext iter iterfind itertext items keys get set clear
            makeelement tag text tail attrib""",
        "xml.etree.ElementTree.ElementTree": "getroot iter find findall findtext iterfind",
        "xml.etree.ElementTree.XMLParser": "feed close",
        "zipfile.ZipFile": "namelist infolist getinfo read open writestr mkdir close testzip setpassword comment filename mode",
        "zipfile.ZipInfo": "is_dir filename date_time compress_type comment extra file_size compress_size CRC external_attr",
        "zipfile.ZipExtFile": "read read1 readline peek seek tell close readable seekable name mode",
        "tarfile.TarFile": "getmember getmembers getnames next extractfile addfile close name",
        "tarfile.TarInfo": "isfile isreg isdir issym islnk ischr isblk isfifo isdev name size mtime mode type linkname uid gid uname gname",
        "tarfile.ExFileObject": "name",
        "gzip.GzipFile": "read read1 write readline peek seek tell flush close readable writable seekable rewind mtime name mode",
        "_compression.BaseStream": "",
        "_compression.DecompressReader": "",
        "bz2.BZ2File": "read read1 readinto readline readlines write writelines peek seek tell close closed fileno readable writable seekable",
        "lzma.LZMAFile": "read read1 readline write peek seek tell close closed fileno readable writable seekable",
        "tempfile._TemporaryFileWrapper": """read readline readlines readinto write writelines seek tell truncate flush close closed name
            mode encoding fileno readable writable seekable isatty""",
        "tempfile.SpooledTemporaryFile": """read readline readlines write writelines seek tell truncate flush close closed name mode
            encoding readable writable seekable""",
        "tempfile.TemporaryDirectory": "name cleanup",
        "socket.socket": """send sendall sendto recv recvfrom recv_into accept close shutdown settimeout gettimeout setblocking getblocking
            makefile fileno getsockname getpeername family type timeout""",
        "_socket.socket": """send sendall sendto recv recvfrom recv_into close shutdown settimeout gettimeout setblocking getblocking fileno
            getsockname getpeername family type timeout""",
        "socket.SocketIO": "name",
        "subprocess.Popen": "poll wait communicate args stdin stdout stderr pid returncode universal_newlines",
        "subprocess.CompletedProcess": "args returncode stdout stderr check_returncode",
        "asyncio.subprocess.Process": "wait communicate returncode pid stdin stdout stderr",
        "mmap.mmap": "read readline read_byte write write_byte seek tell find rfind size flush close closed",
        "multiprocessing.synchronize.SemLock": "",
        "multiprocessing.synchronize.Lock": "",
        "multiprocessing.sharedctypes.SynchronizedBase": "acquire release",
        "multiprocessing.sharedctypes.Synchronized": "value",
        "multiprocessing.connection._ConnectionBase": "send recv poll close closed readable writable",
        "multiprocessing.connection.Connection": "",
        "multiprocessing.queues.Queue": "put get qsize empty full get_nowait put_nowait close",
        "multiprocessing.queues.SimpleQueue": "put get empty close",
        "shelve.Shelf": "get sync close",
        "shelve.DbfilenameShelf": "",
        "warnings.WarningMessage": "message category filename lineno line",
        "cmd.Cmd": "onecmd default emptyline parseline precmd postcmd prompt identchars",
    }.items()
}  # fmt: skip


def may_use(name, target):
    """True for an attribute that a test has written, or that is on the list."""
    home = definer(name, target)
    if home is not None or isinstance(target, BaseException):
        return home is None or is_free(home, name)
    kinds = classes_of(target)
    is_held = name in attributes_held(target) and any(map(is_of_test, kinds))
    return is_held or any(is_listed(kind, name) for kind in kinds) or works_out_attributes(target)


def may_operate(op, target):
    """True for an operation on an object that a test has written, or that is of a class on the list."""
    home = definer(f"__{op}__" if op == "await" else op, target) or object
    return is_free(home, None) or home.__module__ in LISTED_MODULES or dotted(home) in LISTED


def is_free(home, name):
    """True for what a class of this kind defines: the test's, the agent's, and one with this name on the list."""
    return is_of_test(home) or issubclass(home, Proxy) or is_listed(home, name)


def is_listed(kind, name):
    names = LISTED.get(dotted(kind), ())
    return kind.__module__ in LISTED_MODULES or name in names or "*" in names


def works_out_attributes(target):
    """True if a class of the test's, or one that is listed as a whole, works out attributes as they are asked for."""
    home = definer("__getattr__", target)
    return home is not None and is_free(home, "__getattr__")


def definer(name, target):
    """The class that an object has something of this name from; None if it has it by itself."""
    return next((kind for kind in classes_of(target) if name in vars(kind)), None)


def classes_of(target):
    """The classes in which Python looks for what an object has."""
    return (*target.__mro__, *type(target).__mro__) if isinstance(target, type) else type(target).__mro__
