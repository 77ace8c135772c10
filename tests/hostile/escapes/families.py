# kind: AF_VSOCK, AF_ALG and other families that no namespace holds
# task: doors
# wants: passed
import socket

FAMILIES = {"alg": 38, "vsock": 40, "bluetooth": 31, "can": 29, "rds": 21, "tipc": 30, "kcm": 41, "qipcrtr": 42, "smc": 43, "xdp": 44}


def opens(family):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_RAW):
        try:
            socket.socket(family, kind).close()
            return True
        except OSError:
            pass
    return False


def doors():
    return [name for name, family in FAMILIES.items() if opens(family)]
