"""Heads the payload: takes the other modules from standard input and imports them from memory.

The frozen command executes this text; the line appended to it calls `start`. Everything here must parse as
Python 3.4, so that an old interpreter says it is too old. A failure is one line on standard error and status 70.
"""

import os
import sys

OLDEST = (3, 6)
PATIENCE = 120  # seconds for bundle and first request to arrive; after that the kernel ends the process


def fail(code: str, text: str) -> None:
    """Ends the process with the one line that goes to standard error. `code`: version, library, bundle or crash."""
    os.write(2, ("poller-probe: %s: %s\n" % (code, ascii(text)[1:-1][:500])).encode("ascii"))
    os._exit(70)


class Bundle:
    """A finder and loader (PEP 451) over `sources`, which maps file names to text.

    What was imported is None there: the text of all modules would stay with a process that waits most of the time.
    """

    def __init__(self, sources: "dict[str, str | None]") -> None:
        self.sources = sources

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        file = self._file(name)
        if file not in self.sources:
            return None
        spec = type(sys.__spec__)  # ModuleSpec; importing its module would ask this finder
        return spec(name, self, origin="poller-probe:" + file, is_package=file.endswith("/__init__.py"))  # type: ignore[arg-type]

    def create_module(self, spec: object) -> None:
        """Asks for an ordinary module."""

    def exec_module(self, module: object) -> None:
        """Not by compile(), which would make all classes of `ast`: 0.3 MB, and the time of two collectors.

        Tracebacks say `<string>` therefore. Nobody sees them; those of `python3 -m remote_probe` name file and line.
        """
        file = self._file(module.__name__)  # type: ignore[attr-defined]
        exec(self.sources[file], vars(module))  # type: ignore[arg-type]  # noqa: S102 -- what an importer is for
        self.sources[file] = None  # not before: an import that failed is tried again

    def _file(self, name: str) -> str:
        stem = name.replace(".", "/")
        package = stem + "/__init__.py"
        return package if package in self.sources else stem + ".py"


def unpack(packed: bytes, length: int, digest: str) -> "dict[str, str]":
    """The sources of a bundle: zlib over NUL-separated file names and texts. Raises ValueError if it is damaged."""
    import zlib

    try:  # as remote_probe.sha, which is in the bundle
        from _sha2 import sha256  # type: ignore[import-not-found]
    except ImportError:
        try:
            from _sha256 import sha256  # type: ignore[import-not-found]
        except ImportError:
            from hashlib import sha256
    if len(packed) < length:
        raise ValueError("cut short, %d of %d bytes came" % (len(packed), length))
    try:
        plain = zlib.decompress(packed)
    except zlib.error as error:
        raise ValueError(str(error))  # noqa: B904 -- the cause says nothing more
    if sha256(plain).hexdigest() != digest:
        raise ValueError("the digest is another one")
    parts = plain.decode("utf-8").split("\0")
    return dict(zip(parts[::2], parts[1::2]))


def start(stdin: object, length: int, digest: str) -> None:
    """Reads the bundle of `length` bytes from `stdin`, installs it and runs the probe; does not return."""
    if sys.version_info[:2] < OLDEST:
        fail("version", "Python %d.%d is older than 3.6" % sys.version_info[:2])
    try:
        import _signal  # type: ignore[import-not-found]  # the C half of signal: see remote_probe

        _signal.signal(_signal.SIGALRM, _signal.SIG_DFL)
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        _signal.alarm(PATIENCE)
        sources = unpack(stdin.read(length), length, digest)  # type: ignore[attr-defined]
    except (ValueError, ImportError) as error:
        fail("bundle", str(error))
    try:
        sys.meta_path.insert(0, Bundle(sources))  # type: ignore[arg-type]
        from remote_probe.run import main

        main(stdin, digest)  # type: ignore[arg-type]
    except ImportError as error:
        fail("library", str(error))
    except Exception as error:
        fail("crash", "%s: %s" % (type(error).__name__, error))
