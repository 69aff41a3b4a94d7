// An echo server on uWebSockets, as its own example EchoServer.cpp does it, without compression and time limits:
// for comparison with the servers of this package. Prints the port that it got.

#include "App.h"

#include <cstdio>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

struct PerSocketData {};

int main() {
    uWS::App()
        .ws<PerSocketData>("/*", {
            .compression = uWS::DISABLED,
            .maxPayloadLength = 16 * 1024 * 1024,
            .idleTimeout = 0,
            .maxBackpressure = 64 * 1024 * 1024,
            .sendPingsAutomatically = false,
            .message = [](auto *ws, std::string_view message, uWS::OpCode opCode) { ws->send(message, opCode, false); },
        })
        .listen("127.0.0.1", 0, [](us_listen_socket_t *socket) {
            if (!socket) {
                std::fprintf(stderr, "uWebSockets cannot listen\n");
                std::exit(1);
            }
            // As for all other servers: see `settle_congestion` in src/echo/process.rs.
            int descriptor = (int) (uintptr_t) us_socket_get_native_handle(0, (us_socket_t *) socket);
            setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
            std::printf("%d\n", us_socket_local_port(0, (us_socket_t *) socket));
            std::fflush(stdout);
        })
        .run();
}
