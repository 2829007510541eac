"""SHA-256 without OpenSSL, the loading of which takes a host longer than its collectors do."""

__all__ = ("sha256",)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # since Python 3.12
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256
