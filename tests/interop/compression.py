"""Compression between ours and theirs: every combination of parameters, in both directions. What was agreed and sent is
looked at on the wire (`wire.py`). Part of `tests/interop/run`."""

import contextlib
import http.server
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import wire

HERE = Path(__file__).resolve().parent
SECONDS = 300  # for all combinations with one peer, which take half a minute
CHROMIUM = shutil.which("chromium")
GO_PATH = Path("/usr/share/gocode")  # where Debian's packages put the sources of libraries
GO = shutil.which("go") if (GO_PATH / "src" / "nhooyr.io" / "websocket").exists() else None
TAKEOVER = {"takeover": "--context-takeover", "server takeover": "--context-takeover=server",
            "client takeover": "--context-takeover=client", "no takeover": None}


def combination(takeover, bits):
    """A set of parameters, for the programs of both sides. It is in the request, too: servers can choose by it."""
    server_none = takeover in ("client takeover", "no takeover")
    client_none = takeover in ("server takeover", "no takeover")
    return {
        "label": takeover + (f", {bits} bits" if bits else ""),
        "target": f"/?server={server_none:d}&client={client_none:d}&bits={bits or ''}",
        "serverNone": server_none, "clientNone": client_none, "bits": bits,
        "options": ["--deflate", *filter(None, [TAKEOVER[takeover]]), *(["--window-bits", str(bits)] if bits else [])],
    }


COMBINATIONS = [combination(*parts) for parts in itertools.product(TAKEOVER, [None, 8, 9, 10, 15])]
NO_BITS = [each for each in COMBINATIONS if not each["bits"]]


class Compression:
    """The checks, for programs `ours` on one runtime, with every combination or only `some`. `started(command, log)`
    starts a server, and `record(title, check, column, fault)` takes what was found."""

    def __init__(self, ours, runtime, some, out, started, record):
        self.combinations = COMBINATIONS[::3] if some else COMBINATIONS
        self.server = [ours / "server_example", "--runtime", runtime, "--listen", "127.0.0.1:0"]
        self.client = [ours / "echo_client", "--runtime", runtime]
        self.runtime, self.out, self.started, self.record = runtime, out, started, record

    def clients(self, name, command):
        """A client that offers one combination after the other, and our server with what each of `NO_BITS` permits."""
        for ours in (NO_BITS[0], NO_BITS[-1], combination("takeover", 9)):
            title = f"compression, our server: {ours['label']}"
            program = [*self.server, *ours["options"]]
            with self.running(program, f"{name}-server") as url, wire.Recorder(url) as recorder:
                faults = results([*command, recorder.url, json.dumps(self.combinations)])
                talks = {target_of(talk): talk for talk in recorder.take()}
                for each in self.combinations:
                    fault = faults.get(each["label"], faults.get("all", "was not tried"))
                    fault = fault or fault_of(talks.get(each["target"]), "server", ours)
                    self.record(title, each["label"], f"{self.runtime}/{name}", fault)

    def servers(self, name, command):
        """A server that agrees to one combination after the other, and our client with each."""
        title = "compression, our client"
        with self.running(command, f"{name}-client") as url, wire.Recorder(url) as recorder:
            asked = [(each["label"], each, NO_BITS[0]) for each in self.combinations]
            imposed = [(f"{each['label']}, by the server", NO_BITS[0], each) for each in self.combinations]
            for label, ours, theirs in asked + imposed:
                fault = self.talk(recorder, ours, theirs["target"])
                self.record(title, label, f"{self.runtime}/{name}", fault)

    def go(self):
        """Libraries for Go, one of which refuses what was not asked for."""
        program = go_program(self.out)
        modes = ["gorilla", "nhooyr", "nhooyr-alone"]
        for ours in (*NO_BITS, combination("takeover", 9)):
            title = "compression, our server, clients in Go"
            with self.running([*self.server, *ours["options"]], "go-server") as url, wire.Recorder(url) as recorder:
                faults = results([program, "client", recorder.url])
                talks = {target_of(talk): talk for talk in recorder.take()}
                for mode in modes:
                    fault = faults.get(mode, faults.get("all", "was not tried"))
                    fault = fault or fault_of(talks.get(f"/{mode}"), "server", ours)
                    self.record(title, ours["label"], f"{self.runtime}/{mode}", fault)
        with self.running([program, "server"], "go-client") as url, wire.Recorder(url) as recorder:
            for ours, mode in itertools.product(NO_BITS, modes):
                fault = self.talk(recorder, ours, f"/{mode}")
                self.record("compression, our client, servers in Go", ours["label"], f"{self.runtime}/{mode}", fault)

    def chromium(self):
        """A page in a browser, which always offers the same, and a server of ours for each combination."""
        with contextlib.ExitStack() as stack:
            servers = {}
            for each in self.combinations:
                server = self.running([*self.server, *each["options"]], f"chromium-{each['target'][2:]}")
                url = stack.enter_context(server)
                servers[each["label"]] = stack.enter_context(wire.Recorder(url))
            faults = browse([(label, recorder.url) for label, recorder in servers.items()])
            for each in self.combinations:
                fault = faults.get(each["label"], "was not tried")
                fault = fault or fault_of(next(iter(servers[each["label"]].take()), None), "server", each)
                self.record("compression, our server, Chromium", each["label"], self.runtime, fault)

    def talk(self, recorder, ours, target):
        """Our client with these options; returns what is wrong."""
        done = subprocess.run([*self.client, *ours["options"], recorder.url + target], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
        talks = recorder.take()
        if done.returncode or len(talks) != 1:
            return f"{len(talks)} connections, and our client says:\n{done.stdout.strip()[-1000:]}"
        return fault_of(talks[0], "client", ours)

    @contextlib.contextmanager
    def running(self, command, name):
        log = self.out / f"compression-{self.runtime}-{name}.log"
        with self.started(command, log) as (_, url):
            yield url


def build_go(out):
    """Builds the program for `Compression.go`, once for all runtimes."""
    subprocess.run([GO, "build", "-o", go_program(out), HERE / "compression.go"], check=True,
                   env=os.environ | {"GO111MODULE": "off", "GOPATH": str(GO_PATH), "GOCACHE": str(out / "go")})


def go_program(out):
    return out / "compression-go"


def results(command):
    """Runs a program that prints [label, fault] lines."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return {"all": f"not done after {SECONDS} s"}
    faults = dict(json.loads(line) for line in done.stdout.splitlines())
    return faults | ({"all": f"exit status {done.returncode}: {done.stderr.strip()}"} if done.returncode else {})


def target_of(talk):
    return bytes(talk.sides["client"]).split(b" ", 2)[1].decode()


def fault_of(talk, our_side, ours):
    """What is wrong with a connection, seen from outside, where our side was told what `ours` says."""
    if talk is None:
        return "no connection was recorded"
    try:
        agreed, said = wire.judge(talk, our_side)
    except wire.Fault as fault:
        return str(fault)
    if agreed is None:
        return "no compression was agreed on"
    for side in ("server", "client"):
        # What our server asks for stands in its answer. A client need not be heeded.
        if our_side == "server" and ours[f"{side}None"] and f"{side}_no_context_takeover" not in agreed:
            return f"agreed: {agreed}, without {side}_no_context_takeover"
    for side, messages in said.items():
        compressed = [message for message in messages if message.compressed]
        sent, inflated = (sum(getattr(message, size) for message in compressed) for size in ("sent", "inflated"))
        if len(compressed) < 15 or sent > 0.7 * inflated:
            return f"the {side} sent {sent} bytes for {inflated}, in {len(compressed)} compressed messages"
    keeps_window = f"{our_side}_no_context_takeover" not in agreed and not ours[f"{our_side}None"]
    leaning = sum(message.leans_back for message in said[our_side])
    if (leaning > 10) != keeps_window:
        return f"{leaning} of our messages lean on those before them; agreed: {agreed}"
    if not any(message.frames > 1 and message.compressed for message in said["client"]):
        return "the client sent no compressed message in fragments"
    return ""


def browse(servers):
    """Has a browser open the page; returns what it reports."""
    reported, results = threading.Event(), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = {"/": ("text/html", (HERE / "compression.html").read_bytes()),
                    "/servers": ("application/json", json.dumps(servers).encode())}.get(self.path)
            self.answer(200 if page else 404, *(page or ("text/plain", b"")))

        def do_POST(self):
            results.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(200, "text/plain", b"")
            reported.set()

        def answer(self, status, kind, body):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as pages, tempfile.TemporaryDirectory() as profile:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        browser = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={profile}/profile", f"http://127.0.0.1:{pages.server_port}/"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            reported.wait(SECONDS)
        finally:
            browser.terminate()
            browser.wait(20)
            pages.shutdown()
    return dict(results)
