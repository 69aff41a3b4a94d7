"""What stands between two programs in proxies.py: nginx, HAProxy, tinyproxy and microsocks, each with a configuration and ports
of its own, on loopback alone, as whoever runs the checks; and certificates for them."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONFIGURATIONS = {"nginx": HERE / "nginx.conf", "haproxy": HERE / "haproxy.cfg", "tinyproxy": HERE / "tinyproxy.conf"}
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # Debian has servers there, and not everybody has it in PATH
PROGRAMS = {name: shutil.which(name, path=PATH) for name in (*CONFIGURATIONS, "microsocks", "openssl")}
# Programs are not to take another way than the one that is put before them.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
USER, PASSWORD = "me", "sesame"
SECONDS = 20  # until a program listens, which takes milliseconds

OPENSSL = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1
"""


def certificates(directory):
    """An authority and a certificate for localhost, as the files that configurations name."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {name: directory / f"{name.lower()}.pem" for name in ("CA", "CERTIFICATE", "KEY", "BOTH")}
    authority = directory / "authority.pem"  # its private key
    (directory / "openssl.cnf").write_text(OPENSSL)

    def make(section, name, key, certificate, *options):
        command = [PROGRAMS["openssl"], "req", "-config", directory / "openssl.cnf", "-x509", "-extensions", section, "-days", "2",
                   "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out",
                   certificate, *options]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)

    make("authority", "an authority for one run", authority, files["CA"])
    make("server", "localhost", files["KEY"], files["CERTIFICATE"], "-CA", files["CA"], "-CAkey", authority)
    files["BOTH"].write_text(files["CERTIFICATE"].read_text() + files["KEY"].read_text())
    return files


@contextlib.contextmanager
def reverse(name, directory, values):
    """nginx or HAProxy, as the start of the URL for each way in."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")  # of nginx
    file = directory / CONFIGURATIONS[name].name

    def prepare(plain, tls):
        fill_in(name, file, values | {"PLAIN": plain, "TLS": tls})
        return [PROGRAMS["nginx"], "-p", directory, "-e", "stderr", "-c", file] if name == "nginx" else [
            PROGRAMS["haproxy"], "-db", "-f", file]

    with running(prepare, directory / "log", 2) as (plain, tls):
        yield {"ws": f"ws://localhost:{plain}", "wss": f"wss://localhost:{tls}",
               "ws to wss": f"ws://localhost:{tls}", "wss to ws": f"wss://localhost:{plain}"}


@contextlib.contextmanager
def connect_proxy(directory, allowed, with_user):
    """tinyproxy, as its host and port; it goes to the ports `allowed`."""
    directory.mkdir(parents=True, exist_ok=True)

    def prepare(port):
        lines = [f"ConnectPort {each}" for each in allowed] + [f"BasicAuth {USER} {PASSWORD}"] * with_user
        fill_in("tinyproxy", directory / "tinyproxy.conf", {"PORT": port}, lines)
        return [PROGRAMS["tinyproxy"], "-d", "-c", directory / "tinyproxy.conf"]

    with running(prepare, directory / "log", 1) as (port,):
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def socks_proxy(directory, with_user):
    """microsocks, as its host and port."""
    directory.mkdir(parents=True, exist_ok=True)
    user = ["-u", USER, "-P", PASSWORD] if with_user else []
    command = [PROGRAMS["microsocks"], "-i", "127.0.0.1", *user, "-p"]
    with running(lambda port: [*command, str(port)], directory / "log", 1) as (port,):
        yield f"127.0.0.1:{port}"


def fill_in(name, file, values, more=()):
    values = values | {"USER": USER, "PASSWORD": PASSWORD}
    text = re.sub(r"@([A-Z]+)@", lambda found: str(values[found[1]]), CONFIGURATIONS[name].read_text())
    file.write_text("\n".join([text, *more]) + "\n")


@contextlib.contextmanager
def running(prepare, log, count):
    """Runs the command that `prepare` gives for some ports, until the block ends; it begins when they are listened on."""
    with reserved(count) as ports:
        command = prepare(*ports)
        with open(log, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=ENVIRONMENT)
        try:
            if not listens(process, ports):
                raise RuntimeError(f"{command[0]} does not listen; it said:\n{log.read_text()}")
            yield ports
        finally:
            end(process)


@contextlib.contextmanager
def reserved(count):
    """Ports for programs that cannot choose one and say which. Nobody is given them meanwhile, as a socket is bound to each; and
    as that does not listen, a program that is told the number can. Where none is, connections are refused."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            holder = stack.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", 0))
            ports.append(holder.getsockname()[1])
        yield ports


def listens(process, ports):
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            for port in ports:
                socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return process.poll() is None
    return False


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
