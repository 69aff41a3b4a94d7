"""A recorder between two WebSocket ends, and a judge of what it recorded: whether messages were compressed as the two
agreed (RFC 7692), by Python's zlib and the text of the RFC alone."""

import socket
import threading
import zlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SECONDS = 60  # for both ends to end TCP when the client is done


@dataclass
class Message:
    frames: int
    sent: int  # bytes of payload data on the wire
    compressed: bool
    inflated: int
    leans_back: bool  # cannot be inflated without the messages before it


@dataclass
class Talk:
    """One connection: what each side said, and later what it means."""

    sides: dict = field(default_factory=lambda: {"client": bytearray(), "server": bytearray()})
    over: threading.Event = field(default_factory=threading.Event)


class Recorder:
    """Listens on a port of its own, and passes everything on to `url` and back."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.upstream = (parts.hostname, parts.port)
        self.talks = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def take(self):
        """The connections so far, each once."""
        talks, self.talks = self.talks, []
        return talks

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # closed: nobody is to come any more
                return
            talk = Talk()
            self.talks.append(talk)
            threading.Thread(target=self._pass_on, args=(client, talk), daemon=True).start()

    def _pass_on(self, client, talk):
        with client, socket.create_connection(self.upstream) as server:
            # As both ends have it: a small piece does not wait until the one before it was acknowledged.
            for stream in (client, server):
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=pump, args=(server, client, talk.sides["server"]), daemon=True)
            back.start()
            pump(client, server, talk.sides["client"])
            back.join()
        talk.over.set()


def pump(source, sink, record):
    try:
        while piece := source.recv(1 << 16):
            record += piece
            sink.sendall(piece)
    except OSError:  # reset by one end: the other is told that the stream has ended
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Fault(Exception):
    """What is wrong with a recorded connection."""


def judge(talk, our_side):
    """What the two agreed on, and the data messages of each side: (agreed, {side: [Message]}). `agreed` is None without
    compression, else parameter -> value. Raises a `Fault` where a rule of RFC 7692 is broken, or a stricter one by us."""
    if not talk.over.wait(SECONDS):
        raise Fault(f"the connection is still there {SECONDS} s after its client was done")
    heads, bodies = {}, {}
    for side, recorded in talk.sides.items():
        heads[side], _, bodies[side] = bytes(recorded).partition(b"\r\n\r\n")
    offers, answers = (extensions(heads[side]) for side in ("client", "server"))
    if len(answers) > 1:
        raise Fault(f"the server answered with several extensions: {answers}")
    agreed = answers[0] if answers else None
    if agreed is not None and not any(permits(offer, agreed, our_side) for offer in offers):
        raise Fault(f"the answer {agreed} is not what any of the offers {offers} permits")
    return agreed, {side: list(messages(side, bodies[side], agreed)) for side in bodies}


def extensions(head):
    """The value of Sec-WebSocket-Extensions, as one dict of parameters for each permessage-deflate."""
    lines = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:]]
    values = ",".join(value for name, _, value in lines if name.lower() == "sec-websocket-extensions")
    found = []
    for extension in filter(None, (value.strip() for value in values.split(","))):
        name, *parameters = (part.strip() for part in extension.split(";"))
        if name != "permessage-deflate":
            raise Fault(f"extension {name}")
        pairs = (parameter.partition("=") for parameter in parameters)
        found.append({name.strip(): value.strip(' "') or True for name, _, value in pairs})
    return found


def permits(offer, answer, our_side):
    """Whether an answer keeps to an offer (section 7.1). A server may say unasked with which window it compresses; ours
    must not, because there are clients that refuse it."""
    for name, value in answer.items():
        offered = offer.get(name)
        if name.endswith("_max_window_bits"):
            may_come_unasked = name.startswith("server") and our_side == "client"
            if (offered is None and not may_come_unasked) or (isinstance(offered, str) and int(value) > int(offered)):
                return False
    return all(name in answer for name in offer if name.startswith("server"))


def messages(side, body, agreed):
    """Takes the stream of one side apart."""
    agreed = agreed or {}
    bits = int(agreed.get(f"{side}_max_window_bits", 15))
    keeps_window = f"{side}_no_context_takeover" not in agreed
    window = None
    pieces, compressed = [], False
    while body:
        first, second = body[0], body[1]
        masked, length, at = second & 0x80, second & 0x7F, 2
        if length > 125:
            at += 2 if length == 126 else 8
            length = int.from_bytes(body[2:at], "big")
        key = body[at:at + 4] if masked else b""
        at += len(key)
        payload, body = body[at:at + length], body[at + length:]
        if len(payload) < length:
            raise Fault(f"the {side}'s stream ends inside a frame")
        fin, rsv1, opcode = first & 0x80, first & 0x40, first & 0x0F
        if rsv1 and opcode not in (1, 2):
            raise Fault(f"the {side} sent RSV1 in a frame with opcode {opcode}")
        if opcode >= 8:
            continue
        if opcode:
            compressed = bool(rsv1)
        pieces.append(unmask(payload, key) if masked else payload)
        if not fin:
            continue
        data, frames, pieces = b"".join(pieces), len(pieces), []
        if not compressed:
            yield Message(frames, len(data), False, len(data), False)
            continue
        data += b"\0\0\xff\xff"
        if window is None or not keeps_window:
            window = zlib.decompressobj(-bits)
        leans_back = keeps_window and not inflates_alone(data)
        try:
            inflated = window.decompress(data)
        except zlib.error as error:
            raise Fault(f"the {side}'s message of {len(data) - 4} bytes: {error}; agreed: {agreed}") from None
        yield Message(frames, len(data) - 4, True, len(inflated), leans_back)


def inflates_alone(data):
    try:
        zlib.decompressobj(-15).decompress(data)
        return True
    except zlib.error:
        return False


def unmask(payload, key):
    whole = (key * (len(payload) // 4 + 1))[:len(payload)]
    number = int.from_bytes(payload, "little") ^ int.from_bytes(whole, "little")
    return number.to_bytes(len(payload), "little")
