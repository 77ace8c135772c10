# kind: families that no namespace holds, and protocols whose memory nobody counts
# task: doors
# wants: passed
import socket

FAMILIES = {
    "netlink": 16, "alg": 38, "vsock": 40, "bluetooth": 31, "can": 29, "rds": 21, "tipc": 30, "kcm": 41, "qipcrtr": 42, "smc": 43, "xdp": 44,
}  # fmt: skip
PROTOCOLS = {
    "udp": (2, 0), "udplite": (2, 136), "ping": (2, 1), "dccp": (6, 33), "sctp": (1, 132), "mptcp": (1, 262), "smc": (1, 256),
}  # fmt: skip
KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW)


def opens(*arguments):
    try:
        socket.socket(*arguments).close()
        return True
    except OSError:
        return False


def doors():
    families = [name for name, family in FAMILIES.items() if any(opens(family, kind) for kind in KINDS)]
    return families + [name for name, protocol in PROTOCOLS.items() for family in (2, 10) if opens(family, *protocol)]
