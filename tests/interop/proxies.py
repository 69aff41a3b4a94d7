"""Proxies that are not ours between our programs, and between ours and theirs: messages pass, a connection that ends or never
begins is reported as docs/connecting.md and docs/diagnosing.md say, and a client that connects again finds its way. Part of
`tests/interop/run`; the proxies are in between.py."""

import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import between
import diagnosing
from between import ENVIRONMENT, PASSWORD, USER

PAGE = between.HERE.parents[1] / "docs" / "connecting.md"
REVERSE = ["nginx", "haproxy"]
SECONDS = 120  # for one program with all its checks
SOON = 30  # until a log has a line
# Seconds without a byte until a proxy ends a connection to /short: more than a busy machine stands still.
LIMIT = 4

# What is wrong, the way in, then for each proxy what our client says and what our server does.
NOT_OPENED = [
    ("nothing but proxy_pass", "ws", "/only-pass", {"nginx": ("unexpected-status", "answered with 505", "http-version")}),
    ("no Upgrade passed on", "ws", "/no-upgrade", {"nginx": ("unexpected-status", "answered with 426", "missing-upgrade")}),
    ("Connection: close", "ws", "/no-connection", {
        "nginx": ("unexpected-status", 'Connection is \\"close\\"', "connection-not-upgrade")}),
    ("PROXY protocol", "ws", "/announced", {"haproxy": ("gateway-failed", "502", "not-http")}),
    ("server down", "ws", "/down", {
        "nginx": ("gateway-failed", "answered with 502: the server behind it gave no answer", None),
        "haproxy": ("server-busy", "No server is available", None)}),
    ("server mute", "wss", "/mute", dict.fromkeys(REVERSE, (
        "gateway-failed", "answered with 504: the server behind it did not answer in time", None))),
    ("no credentials", "ws", "/secret", dict.fromkeys(REVERSE, ("authentication-required", "door", None))),
    ("redirect that is not followed", "ws", "/moved", dict.fromkeys(REVERSE, ("redirected", "https://localhost", None))),
    ("wss to the port of ws", "wss to ws", "/", dict.fromkeys(REVERSE, ("tls-not-tls", "HTTP/1.1 400", None))),
    ("ws to the port of wss", "ws to wss", "/", {
        "nginx": ("unexpected-status", "plain HTTP request was sent to HTTPS port", None),
        "haproxy": ("closed-before-first-byte", "try wss", None)}),
]
CLOSED = "the peer closed TCP without a Close frame, between messages"
RESET = "the peer reset the connection"

# What is tried, through which proxy, as whom, to which server, the code if it is to fail, and what our client says.
FORWARD = [
    ("CONNECT, ws", "connect", "", "ws", None, ""),
    ("CONNECT, wss", "connect", "", "wss", None, ""),
    ("CONNECT, credentials", "connect, credentials", f"{USER}:{PASSWORD}@", "wss", None, ""),
    ("CONNECT, no credentials", "connect, credentials", "", "ws", "proxy-auth", "answered with 407"),
    ("CONNECT, wrong password", "connect, credentials", f"{USER}:wrong@", "ws", "proxy-auth", "does not accept"),
    ("CONNECT, port not allowed", "connect, credentials", f"{USER}:{PASSWORD}@", "nobody", "proxy-refused", "with 403"),
    ("CONNECT, server down", "connect", "", "nobody", "proxy-refused", "answered CONNECT with 5"),
    ("SOCKS5, ws", "socks", "", "ws", None, ""),
    ("SOCKS5, wss", "socks", "", "wss", None, ""),
    ("SOCKS5, credentials", "socks, credentials", f"{USER}:{PASSWORD}@", "wss", None, ""),
    ("SOCKS5, credentials not wanted", "socks", f"{USER}:{PASSWORD}@", "ws", None, ""),
    ("SOCKS5, no credentials", "socks, credentials", "", "ws", "proxy-auth", "wants authentication"),
    ("SOCKS5, wrong password", "socks, credentials", f"{USER}:wrong@", "ws", "proxy-auth", "does not accept"),
    ("SOCKS5, server down", "socks", "", "nobody", "proxy-refused", "the server refused the connection"),
    ("HTTP to a SOCKS5 proxy", "socks for HTTP", "", "ws", "proxy-not-http", "SOCKS 5"),
]


class Proxies:
    """The checks, for programs `ours` on one runtime, and for `clients` that are not ours. `started(command, log)` starts a
    server, and `record(title, check, column, fault)` takes what was found."""

    def __init__(self, ours, runtime, clients, out, started, record):
        self.ours, self.runtime, self.their_clients = ours, runtime, clients
        self.out = out / "proxies" / runtime
        self.files = between.certificates(self.out / "certificates")
        self.started, self.record = started, record

    def check(self, reconnecting):
        with ThreadPoolExecutor() as pool:
            tasks = [pool.submit(self.through, name) for name in REVERSE] + [pool.submit(self.forward)]
            tasks += [pool.submit(self.reconnects, name) for name in REVERSE if reconnecting]
        for task in tasks:
            task.result()

    @contextlib.contextmanager
    def server(self, directory, name, *options, listen="127.0.0.1:0"):
        """Our server, as (process, URL, log)."""
        directory.mkdir(parents=True, exist_ok=True)
        log = directory / f"{name}.log"
        command = [self.ours / "server_example", "--runtime", self.runtime, "--listen", listen, "--deflate", *options]
        with self.started(command, log, RUST_LOG="debug") as (process, url):
            yield process, url, log

    def secure(self, directory):
        return self.server(directory, "server-tls", "--tls-cert", self.files["CERTIFICATE"], "--tls-key", self.files["KEY"])

    def client(self, url, *options, **environment):
        """Our client with all its messages; what became of it, with `output` in one."""
        command = [self.ours / "echo_client", "--runtime", self.runtime, "--deflate", "--tls-ca", self.files["CA"], *options, url]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=SECONDS, env=ENVIRONMENT | environment)
        done.code = (re.findall(r"^  code +(\S+)$", done.stdout, re.M) or [None])[0]
        return done

    @contextlib.contextmanager
    def behind(self, name, directory, **more):
        """A server and a proxy in front of it, as (process, log, the URLs of the proxy)."""
        with contextlib.ExitStack() as stack:
            process, url, log = stack.enter_context(self.server(directory, "server"))
            _, secure, _ = stack.enter_context(self.secure(directory))
            # Connections to the first are made, and nobody accepts them; those to the second are refused.
            mute = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
            nobody, = stack.enter_context(between.reserved(1))
            values = {"SERVER": port(url), "SECURE": port(secure), "MUTE": mute.getsockname()[1], "NOBODY": nobody,
                      "FIRST": nobody, "SECOND": nobody}
            yield process, log, stack.enter_context(between.reverse(name, directory, self.files | values | more))

    def through(self, name):
        column = f"{self.runtime}/{name}"
        with self.behind(name, self.out / name) as (_, log, urls):
            quiet = [threading.Thread(target=self.quiet, args=(urls, base, column, log)) for base in ("ws", "wss")]
            for each in quiet:
                each.start()
            self.record("behind a proxy", "docs/connecting.md, its lines", column, untried(name))
            self.our_client(urls, column)
            for check, base, path, ends in NOT_OPENED:
                if name in ends:
                    fault = self.not_opened(urls[base] + path, log, *ends[name])
                    self.record("behind a proxy, on purpose wrong", check, column, fault)
            if name == "haproxy":
                self.record("behind a proxy", "checked by HTTP", column, self.checked(urls, log))
            for each in quiet:
                each.join()
        # On one runtime all of them; what is theirs does not depend on it.
        everybody = self.their_clients if self.runtime == "tokio" else ["websockets"]
        for their, base in [(their, base) for their in everybody for base in ("ws", "wss")]:
            self.record("behind a proxy", f"{their}, {base}", column, self.their_client(name, their, base))

    def our_client(self, urls, column):
        def expect_echoes(check, url, *options):
            done = self.client(url, "--subprotocol", "chat.v2", "--subprotocol", "chat.v1", *options)
            wanted = ["permessage-deflate", "speaks: chat.v2\n", "received 1000 (normal), sent 1000"]
            right = done.returncode == 0 and all(part in done.stdout for part in wanted)
            self.record("behind a proxy", check, column, "" if right else f"expected {wanted}:\n{done.stdout[-2000:]}")

        expect_echoes("our client, ws", urls["ws"])
        expect_echoes("our client, wss", urls["wss"])
        expect_echoes("our client, TLS on both sides", urls["wss"] + "/secure")
        expect_echoes("our client, credentials", urls["ws"].replace("//", f"//{USER}:{PASSWORD}@") + "/secret")
        expect_echoes("our client, redirected to wss", urls["ws"] + "/moved", "--redirects", "1")

    def not_opened(self, url, log, code, part, at_server):
        before = os.path.getsize(log)
        done = self.client(url)
        if done.returncode == 0 or done.code != code or part not in done.stdout:
            return f"expected {code} and {part}; our client said:\n{done.stdout}"

        def codes():
            found = diagnosing.FAILED.finditer(log.read_bytes()[before:].decode())
            return [each[2] for each in found if each[2] != "plain-request"]  # which are HAProxy's checks
        wanted = [at_server] if at_server else []
        return "" if soon(lambda: codes() == wanted) else f"expected {wanted} of our server, which said {codes()}"

    def quiet(self, urls, base, column, log):
        """A connection without a byte ends, and both ends say how; with keepalive it does not end."""
        begin = time.monotonic()
        done = self.client(f"{urls[base]}/short/{base}", "--idle", str(SECONDS / 2), "--ping-interval", "0")
        passed = time.monotonic() - begin
        at_server = CLOSED if column.endswith("nginx") else RESET
        ends = re.compile(rf"peer=(\S+)\}}: \S+ asks for /short/{base}$.*?peer=\1\}}: \S+ ended: (.*?)$", re.M | re.S)
        found = soon(lambda: ends.search(log.read_text()))
        seen = found[2] if found else "nothing"
        right = done.returncode and CLOSED in done.stdout and seen.startswith(at_server) and passed > LIMIT * 0.9
        self.record("behind a proxy, on purpose wrong", f"time limit of the proxy, {base}", column, "" if right else
                    f"after {passed:.1f} s, our client:\n{done.stdout[-2000:]}\nour server: {seen}")
        done = self.client(f"{urls[base]}/short", "--idle", str(LIMIT * 1.5), "--ping-interval", str(LIMIT / 16))
        self.record("behind a proxy", f"kept alive, {base}", column, done.stdout[-2000:] if done.returncode else "")

    def checked(self, urls, log):
        """The server is refusing the checks, and counts as up."""
        if not soon(lambda: 'code="plain-request" severity="wrong-peer"' in log.read_text()):
            return "our server saw no check"
        done = self.client(urls["ws"] + "/checked")
        return done.stdout[-2000:] if done.returncode else ""

    def their_client(self, name, their, base):
        """All checks of a client that is not ours, as if there were no proxy. The last one shuts the server down."""
        directory = self.out / f"{name}-{their}-{base}"
        with self.behind(name, directory) as (process, log, urls):
            environment = ENVIRONMENT | {"NODE_EXTRA_CA_CERTS": self.files["CA"], "SSL_CERT_FILE": self.files["CA"]}
            try:
                done = subprocess.run([*self.their_clients[their], urls[base] + "/theirs", str(process.pid)], env=environment,
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return f"not done after {SECONDS} s"
            results = [json.loads(line) for line in done.stdout.splitlines()]
            faults = [f"{check}: {fault}" for check, fault in results if fault] + [done.stderr.strip()] * (done.returncode != 0)
            asked = re.findall(r"peer=(\S+)\}: \S+ asks for /theirs$", log.read_text(), re.M)
            agreed = re.findall(r"peer=(\S+)\}: \S+ open, permessage-deflate", log.read_text())
            if not asked or set(asked) - set(agreed):
                faults.append(f"{len(asked)} connections came, and compression was agreed with {agreed} of {asked}")
            return "\n".join(faults)

    def forward(self):
        """Our client through proxies that know nothing of WebSockets."""
        directory = self.out / "forward"
        with contextlib.ExitStack() as stack:
            _, url, _ = stack.enter_context(self.server(directory, "server"))
            _, secure, _ = stack.enter_context(self.secure(directory))
            nobody, = stack.enter_context(between.reserved(1))
            ports = {"ws": port(url), "wss": port(secure), "nobody": nobody}
            urls = {name: f"{'wss' if name == 'wss' else 'ws'}://localhost:{number}" for name, number in ports.items()}
            addresses = {name: stack.enter_context(proxy) for name, proxy in {
                "connect": between.connect_proxy(directory / "connect", ports.values(), False),
                "connect, credentials": between.connect_proxy(directory / "connect-user", [ports["ws"], ports["wss"]], True),
                "socks": between.socks_proxy(directory / "socks", False),
                "socks, credentials": between.socks_proxy(directory / "socks-user", True)}.items()}
            addresses["socks for HTTP"] = addresses["socks"]
            for check, proxy, user, server, code, part in FORWARD:
                scheme = "socks5" if proxy in ("socks", "socks, credentials") else "http"
                done = self.client(urls[server], "--proxy", f"{scheme}://{user}{addresses[proxy]}")
                self.record("our client, through a proxy", check, self.runtime, fault_through(done, addresses[proxy], code, part))
            done = self.client(urls["wss"], HTTPS_PROXY=f"http://{addresses['connect']}", NO_PROXY="example.com")
            self.record("our client, through a proxy", "CONNECT, by HTTPS_PROXY", self.runtime,
                        fault_through(done, addresses["connect"], None, ""))

    def reconnects(self, name):
        """`chat_client`, while one server behind the proxy is killed, and the other ends in order."""
        directory = self.out / f"{name}-again"
        with contextlib.ExitStack() as stack:
            ports = dict(zip(("FIRST", "SECOND"), stack.enter_context(between.reserved(2))))
            servers = [stack.enter_context(self.server(directory, which.lower(), listen=f"127.0.0.1:{number}"))
                       for which, number in ports.items()]
            _, _, urls = stack.enter_context(self.behind(name, directory, **ports))
            chat = stack.enter_context(talking([self.ours / "chat_client", urls["ws"] + "/pair"], directory / "chat.log"))

            def step(check, said, fault=""):
                fault = fault or ("" if chat.says(said) else f"no {said!r} in what our client said:\n{chat.log.read_text()}")
                self.record("connecting again behind a proxy", check, name, fault)

            step("connects", r"^hello, ws://localhost:\d+/pair$")
            used, spare = sorted(servers, key=lambda server: ": open, " not in server[2].read_text())
            used[0].kill()
            step("one is killed: back on the other", r"^\* connected to .*, after an outage of .*\n(.*\n)*?hello, ws://")
            chat.type("on the other")
            step("messages go there", r"^on the other$")
            spare[0].terminate()
            step("the other ends: Close 1001 passes", r"^\* .*received 1001")
            chat.type("for later")
            step("nobody is left: tries again", r"^\* .*answered with 50[23].*; next is attempt \d+, at ws://\S+ in ")
            stack.enter_context(self.server(directory, "again", listen=f"127.0.0.1:{port(used[1])}"))
            step("one is started: back on it", r"(?s)after an outage of .*after an outage of ")
            step("what was queued is sent", r"^for later$")
            step("ends in order", "", chat.end())


def untried(name):
    """The lines that the page says a proxy needs, and that are not in the configuration that is tried."""
    def lines_of(text):
        return {re.sub(r":(\d+|@\w+@)", ":PORT", line.strip()) for line in text.splitlines()}
    blocks = re.findall(rf"^```{name}\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    missing = lines_of("".join(blocks)) - lines_of(between.CONFIGURATIONS[name].read_text())
    return "" if blocks and not missing else f"{len(blocks)} blocks, and not tried are: {missing}"


def port(url):
    return int(url.rsplit(":", 1)[1])


def soon(condition):
    """What `condition()` gives as soon as that is true, or after a while."""
    deadline = time.monotonic() + SOON
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def fault_through(done, address, code, part):
    """What is wrong with an attempt that went through the proxy at `address`."""
    if code:
        right = done.returncode and done.code == code and part in done.stdout
    else:
        by = re.search(r"^by: +(\S+) .*\(.*\bproxy ", done.stdout, re.M)
        right = done.returncode == 0 and by and by[1] == address
    return "" if right else f"expected {code or 'success'} {part} by {address}:\n{done.stdout[-2000:]}"


@contextlib.contextmanager
def talking(command, log):
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=ENVIRONMENT)
    try:
        yield Chat(process, log)
    finally:
        between.end(process)
        process.stdin.close()


class Chat:
    """`chat_client`, and what it says."""

    def __init__(self, process, log):
        self.process, self.log = process, log

    def says(self, pattern):
        # Back-off may take some seconds by its nature.
        return soon(lambda: re.search(pattern, self.log.read_text(), re.M)) or soon(
            lambda: re.search(pattern, self.log.read_text(), re.M))

    def type(self, line):
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        try:
            status = self.process.wait(SOON)
        except subprocess.TimeoutExpired:
            return "still there"
        return f"exit status {status}:\n{self.log.read_text()}" if status else ""
