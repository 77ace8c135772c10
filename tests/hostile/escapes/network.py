# kind: network, DNS, raw and packet sockets
# task: doors
# wants: passed
import os
import socket


def works(call):
    try:
        call()
        return True
    except OSError:
        return False


def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as link:
        link.settimeout(0.2)
        link.connect(address)


def send(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.sendto(b"x", address)


def doors():
    attempts = {
        "metadata": lambda: connect(socket.AF_INET, ("169.254.169.254", 80)),
        "bridge": lambda: connect(socket.AF_INET, ("172.17.0.1", 22)),
        "internet": lambda: connect(socket.AF_INET, ("1.1.1.1", 53)),
        "internet 6": lambda: connect(socket.AF_INET6, ("2606:4700:4700::1111", 53)),
        "datagram": lambda: send(("8.8.8.8", 53)),
        "broadcast": lambda: send(("255.255.255.255", 9)),
        "DNS": lambda: socket.getaddrinfo("example.org", 80),
        "raw": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    }
    with open("/proc/net/dev") as file:
        names = [line.split(":")[0].strip() for line in file if ":" in line]
    interfaces = [name for name in names if name != "lo" and not name.startswith(("tunl", "sit", "ip6", "gre", "erspan"))]
    unix = []
    with open("/proc/net/unix") as file:
        unix = [line.split()[-1] for line in file if line.rstrip().endswith(".sock") or "@" in line]
    return [name for name, call in attempts.items() if works(call)] + interfaces + unix
