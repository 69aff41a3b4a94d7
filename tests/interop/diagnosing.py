"""The lines of docs/diagnosing.md, run as they stand there: each block against our server or client, and what that says.

Only the ports are exchanged, as those of the page may be taken.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import between

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "diagnosing.md").read_text()
SECONDS = 60  # for one block; the time-outs take two
FAILED = re.compile(r'^\S+ +(\w+) (?:.*?): opening handshake failed: .* code="([^"]+)" severity="([^"]+)" .*$', re.M)


def entries():
    """Each code with its text and its blocks, as (language, lines)."""
    codes = PAGE.partition("\n## The codes\n")[2].partition("\n## Who the peer appears to be\n")[0]
    for code, text in re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", codes, re.M | re.S):
        yield code, text, re.findall(r"^```(\w+)\n(.*?)\n```$", text, re.M | re.S)


def claims(text, role):
    """The severities and answers that the line under a heading has for this role."""
    claim = re.search(rf"^\*.*?{role}: ([^,.]+)(?:, ([^.]+))?\..*\*$", text, re.M)
    severities, answer = (claim[1].split(" or "), claim[2] or "") if claim else ([], "")
    return severities, ["none"] if answer == "no answer" else answer.removeprefix("answer ").split(" or ")


def levels():
    """The level of each severity, by the page's table."""
    return dict(re.findall(r"^\| `([\w-]+)` \| (DEBUG|INFO|WARN|ERROR) \|", PAGE, re.M))


def arguments(program):
    """Those with which the page starts one of our programs."""
    return re.search(rf"^.*cargo run .* --bin {program} -- (.*)$", PAGE, re.M)[1].split()


def start(language, text):
    command = ["bash", "-c", text] if language == "console" else [sys.executable, "-c", text]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def end(process):
    if process.poll() is None:
        process.kill()
    process.communicate()


def at_our_server(url, log, record):
    """Runs each block that connects to our server at `url`, which writes to `log`; records a fault, or none, for each code."""
    port = url.rsplit(":", 1)[1]
    for code, text, blocks in entries():
        for language, lines in blocks:
            if language == "console" or "create_connection" in lines:
                lines = lines.replace("127.0.0.1:4000", f"127.0.0.1:{port}")
                lines = lines.replace("'127.0.0.1', 4000", f"'127.0.0.1', {port}")
                record(code, fault_at_server(code, text, language, lines, log))


def fault_at_server(code, text, language, lines, log):
    before = os.path.getsize(log)
    process = start(language, lines)
    deadline = time.monotonic() + SECONDS
    try:
        while not (found := FAILED.search(said := log.read_bytes()[before:].decode())):
            if time.monotonic() > deadline:
                return f"no handshake failed; the server said:\n{said}"
            time.sleep(0.01)
        output = process.communicate(timeout=SECONDS)[0].decode()
    except subprocess.TimeoutExpired:
        return "the block does not end"
    finally:
        end(process)
    line, level, seen, severity = found[0], *found.groups()
    severities, answers = claims(text, "Server")
    logged = re.search(r" status=(\d+)", line)
    came = re.search(r"\bHTTP/1\.1 (\d+)", output)
    logged, came = (status[1] if status else "none" for status in (logged, came))
    if "wrong version number" in output:  # how OpenSSL says that it was answered in plain text
        came = "400"
    if seen != code:
        return f"expected {code}; the server said:\n{line}"
    if severity not in severities or levels().get(severity) != level:
        return f"expected {' or '.join(severities)}, at its level; the server said:\n{line}"
    if logged not in answers and answers != ["its own"]:
        return f"expected the answer {' or '.join(answers)}; the server said:\n{line}"
    if came != logged:
        return f"the server said:\n{line}\nand what came was:\n{output}"
    return ""


def at_our_client(client, record):
    """Runs each block that waits for our client; records a fault, or none, for each code."""
    for code, text, blocks in entries():
        for language, lines in blocks:
            if "create_server" in lines:
                record(code, fault_at_client(code, text, language, lines, client))


def fault_at_client(code, text, language, lines, client):
    with between.reserved(1) as (port,):
        return fault_at_port(port, code, text, language, lines, client)


def fault_at_port(port, code, text, language, lines, client):
    process = start(language, lines.replace("'127.0.0.1', 4001", f"'127.0.0.1', {port}"))
    command = [*client, *(word.replace("127.0.0.1:4001", f"127.0.0.1:{port}") for word in arguments("echo_client"))]
    deadline = time.monotonic() + SECONDS
    try:
        # Until the block listens.
        while True:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, timeout=SECONDS)
            if not re.search(r"^  code +refused$", done.stdout, re.M):
                break
            if time.monotonic() > deadline:
                return f"the block does not listen: {done.stdout}"
            time.sleep(0.02)
    except subprocess.TimeoutExpired:
        return "the client does not end"
    finally:
        end(process)
    rows = dict(re.findall(r"^  (\w+) +(.*)$", done.stdout, re.M))
    severities, _ = claims(text, "Client")
    right = done.returncode != 0 and rows.get("code") == code and rows.get("severity") in severities
    return "" if right else f"expected {code}, {' or '.join(severities)}; the client said:\n{done.stdout}"
