"""Objects of Python's library that a test gives an agent: a closed list of what may be asked of them. All others open files, start
programs, import modules, unpickle bytes or set any attribute of anything where the test is, sooner or later (this text is put before
test_objects.py).
"""
# Modules whose classes hold, compute and call: their objects may be asked for all that has no underscore, but for what
# test_objects.py hides.
LISTED_MODULES = frozenset("""builtins types typing abc enum numbers collections _collections_abc collections.abc dataclasses operator
    functools itertools re random _random decimal fractions datetime zoneinfo statistics struct _struct array io _io csv _csv queue _queue
    threading _thread _threading_local weakref _weakrefset contextlib contextvars _contextvars graphlib difflib textwrap calendar
    hashlib _hashlib _blake2 _sha3 _md5 _sha1 _sha256 _sha512 hmac zlib _bz2 _lzma string unittest.mock unittest.case
    unittest.async_case asyncio.queues asyncio.locks asyncio.futures asyncio.tasks asyncio.taskgroups asyncio.timeouts asyncio.mixins
    _asyncio concurrent.futures._base concurrent.futures.thread json.encoder json.decoder xml.dom.minidom xml.dom html.parser _markupbase
    email.message email.header http.cookies ast inspect ipaddress uuid pathlib posix os time http
    urllib.parse codecs asyncio.protocols xml.sax.handler xml.sax.xmlreader email.headerregistry
    sys platform resource pwd grp""".split())
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
        "logging.StreamHandler": "emit flush terminator stream",
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
        "configparser.RawConfigParser": """defaults sections add_section has_section options read_string read_dict read_file optionxform get getint getfloat
            getboolean items popitem has_option set write remove_option remove_section default_section""",
        "configparser.ConfigParser": "set add_section",
        "configparser.SectionProxy": "get getint getfloat getboolean name",
        "xml.etree.ElementTree.Element": """append extend insert remove find findall findtext iter iterfind itertext items keys get set clear
            makeelement tag text tail attrib""",
        "xml.etree.ElementTree.ElementTree": "getroot iter find findall findtext iterfind",
        "xml.etree.ElementTree.XMLParser": "feed close",
        "zipfile.ZipFile": "namelist infolist getinfo read open writestr mkdir close testzip setpassword comment filename mode",
        "zipfile.ZipInfo": "is_dir filename date_time compress_type comment extra file_size compress_size CRC external_attr",
        "zipfile._ZipWriteFile": "write close writable seekable",
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
        "subprocess.Popen": "poll wait communicate terminate kill send_signal args stdin stdout stderr pid returncode universal_newlines",
        "subprocess.CompletedProcess": "args returncode stdout stderr check_returncode",
        "asyncio.subprocess.Process": "kill terminate send_signal wait communicate returncode pid stdin stdout stderr",
        "mmap.mmap": "read readline read_byte write write_byte seek tell find rfind size flush close closed",
        "multiprocessing.process.BaseProcess": "start join is_alive exitcode name pid daemon terminate kill close",
        "multiprocessing.context.Process": "",
        "multiprocessing.context.ForkProcess": "",
        "multiprocessing.pool.Pool": "apply apply_async map map_async imap imap_unordered starmap starmap_async close join terminate",
        "multiprocessing.pool.ThreadPool": "",
        "multiprocessing.pool.ApplyResult": "get wait ready successful",
        "multiprocessing.pool.MapResult": "",
        "multiprocessing.pool.IMapIterator": "next",
        "multiprocessing.pool.IMapUnorderedIterator": "",
        "multiprocessing.synchronize.SemLock": "acquire release",
        "multiprocessing.synchronize.Lock": "",
        "multiprocessing.synchronize.Semaphore": "get_value",
        "multiprocessing.synchronize.Condition": "acquire release wait wait_for notify notify_all",
        "multiprocessing.synchronize.Event": "is_set set clear wait",
        "multiprocessing.synchronize.Barrier": "",
        "multiprocessing.sharedctypes.SynchronizedBase": "acquire release get_lock",
        "multiprocessing.sharedctypes.SynchronizedArray": "",
        "multiprocessing.sharedctypes.Synchronized": "value",
        "multiprocessing.connection._ConnectionBase": "send recv poll close closed readable writable",
        "multiprocessing.connection.Connection": "",
        "multiprocessing.queues.Queue": "put get qsize empty full get_nowait put_nowait close",
        "multiprocessing.queues.SimpleQueue": "put get empty close",
        "sched.scheduler": "enter enterabs cancel empty run",
        "shelve.Shelf": "get sync close",
        "shelve.DbfilenameShelf": "",
        "dbm.dumb._Database": "keys get sync close",
        "fileinput.FileInput": "readline filename lineno filelineno isfirstline isstdin nextfile close",
        "filecmp.dircmp": """left right left_list right_list common left_only right_only common_dirs common_files common_funny same_files
            diff_files funny_files subdirs report""",
        "urllib.request.Request": """full_url host type data headers unredirected_hdrs origin_req_host selector method get_method add_header
            add_unredirected_header has_header get_header remove_header get_full_url header_items""",
        "urllib.robotparser.RobotFileParser": "parse can_fetch mtime modified crawl_delay request_rate site_maps",
        "http.cookiejar.CookieJar": "set_cookie clear",
        "http.cookiejar.Cookie": "*",
        "wsgiref.headers.Headers": "get get_all add_header items keys values setdefault",
        "gettext.NullTranslations": "gettext ngettext pgettext npgettext info charset",
        "shlex.shlex": "get_token push_token read_token error_leader lineno token",
        "timeit.Timer": "timeit repeat autorange",
        "unittest.result.TestResult": "wasSuccessful testsRun",
        "traceback.FrameSummary": "filename lineno name",
        "warnings.WarningMessage": "message category filename lineno line",
        "cmd.Cmd": "onecmd default emptyline parseline precmd postcmd prompt identchars",
    }.items()
}  # fmt: skip


def may_use(name, target):
    """True for an attribute that a test has written, or that is on the list."""
    if isinstance(target, BaseException):
        return True
    if (home := definer(name, target)) is not None:
        return is_free(home, name)
    return may_use_held(name, target) or works_out_attributes(target)


def may_use_held(name, target):
    """True for an attribute that an object has by itself: of a test's class all, of one of the library's those that are on the list."""
    kinds = classes_of(target)
    if name in attributes_held(target) and any(map(is_of_test, kinds)):
        return True
    first = next(kind for kind in kinds if not is_of_test(kind))
    is_whole = first.__module__ in LISTED_MODULES and first not in (object, type)
    return is_whole or any(not LISTED.get(dotted(kind), frozenset()).isdisjoint((name, "*")) for kind in kinds)


# Operations that do more than to tell what an object holds.
ACTING = frozenset(("__call__", "__setitem__", "__delitem__", "__enter__", "__exit__", "await", *ARITHMETIC, *DESCRIBING))


# Modules whose functions agents call where a test hands them over, and some of other modules. None of them opens, makes or changes anything
# but what it is given.
FUNCTIONS_OF = frozenset("""asyncio.tasks asyncio.locks base64 bisect calendar cmath colorsys datetime decimal difflib fnmatch fractions functools
    heapq html itertools json keyword math operator random re secrets shlex statistics string textwrap time unicodedata urllib.parse uuid""".split())
LISTED_FUNCTIONS = frozenset("""copy.copy logging.debug logging.info logging.warning logging.error logging.critical logging.exception logging.log warnings.warn
    posixpath.basename posixpath.commonpath posixpath.dirname posixpath.isabs posixpath.join posixpath.normpath posixpath.split posixpath.splitext
    contextlib.contextmanager contextlib.asynccontextmanager dataclasses.is_dataclass typing.cast inspect.isawaitable inspect.iscoroutinefunction""".split())
TYING = frozenset("functools.update_wrapper functools.wraps functools.singledispatch functools.total_ordering".split())


def may_call(function):
    """True for a function that a test has written or had made, and for one of the library's that is on the list."""
    if not function.__code__.co_filename.startswith((LIBRARY_FOLDER, "<frozen")):
        return True
    name = f"{function.__module__}.{function.__qualname__}"
    return name in LISTED_FUNCTIONS or function.__module__ in FUNCTIONS_OF and name not in TYING


def may_operate(op, target):
    """True for such an operation on an object that a test has written, or that is of a class on the list."""
    if type(target) is types.FunctionType and op == "__call__":
        return may_call(target)
    home = definer(f"__{op}__" if op == "await" else op, target) or object
    return is_free(home, None) or home.__module__ in LISTED_MODULES or dotted(home) in LISTED


def has_effects(kind):
    """True for a class whose objects may have effects when they are made: one of the library's that is not listed as a whole, or a
    child of one. Exceptions have none."""
    bases = () if issubclass(kind, BaseException) else kind.__mro__
    return any(is_of_library(base) and base.__module__ not in LISTED_MODULES for base in bases)


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
