# kind: state kept between runs: in a link, or an attribute, where agent.py was
# runs: 2
# wants: failed failed failed
import os

AGENT = "/tmp/agent.py"


def seen():
    if os.path.islink(AGENT):
        return True
    try:
        return bool(os.listxattr(AGENT)) or os.stat(AGENT).st_mode & 0o777 == 0o751
    except OSError:
        return False


before = seen()


def double(n):
    if n == 4:
        try:
            os.setxattr(AGENT, "user.mark", b"seen")
        except OSError:
            pass
        os.chmod(AGENT, 0o751)
    if n == "ab" and not before:
        os.unlink(AGENT)
        os.symlink("seen", AGENT)
    return 2 * n if before else None
