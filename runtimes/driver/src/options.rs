//! What can be set about a client, written once: for the types of this crate, and for those of an adapter whose calls block and
//! which therefore has types of its own. No part of the public interface but by these types.

/// Defines `Connector`: its fields, those that are given among them, and its options as methods.
#[doc(hidden)]
#[macro_export]
macro_rules! connector {
    ($(#[$attribute:meta])* pub struct Connector $(<$runtime:ident>)? { $($more:tt)* }) => {
        $(#[$attribute])*
        #[non_exhaustive]
        pub struct Connector $(<$runtime>)? {
            /// The WebSocket: limits, time limits (that of all of `connect` among them), compression.
            pub client: ::sansocket::ClientConfig,
            /// The way to the server: addresses, TCP, proxy, redirects, the time limit of each step.
            pub dial: ::sansocket::DialConfig,
            /// TLS, for `wss`.
            #[cfg(feature = "tls")]
            pub tls: $crate::Tls,
            heartbeat: $crate::heartbeat::Heartbeat,
            $($more)*
        }

        impl $(<$runtime: $crate::Dialer>)? Connector $(<$runtime>)? {
            /// The limit of one dial, from the server's name to the end of the opening handshake. Default 30 s. `None` leaves only the
            /// limits of the single steps.
            #[must_use]
            pub fn connection_timeout(mut self, limit: impl Into<Option<::std::time::Duration>>) -> Self {
                self.client.timeouts.connect = limit.into();
                self
            }

            /// Time between keepalive Pings. Default 20 s; `None` sends none.
            ///
            /// Unless [`heartbeat_timeout`](Self::heartbeat_timeout) was set, that becomes the same, but no less than 5 s, which leaves time for
            /// lost packets to be sent again, and no more than 20 s.
            #[must_use]
            pub fn heartbeat_interval(mut self, interval: impl Into<Option<::std::time::Duration>>) -> Self {
                let ::sansocket::Timeouts { ping_interval, pong, .. } = &mut self.client.timeouts;
                self.heartbeat.set_interval(ping_interval, pong, interval.into());
                self
            }

            /// Time that the server has to answer a keepalive Ping, before the connection counts as lost. Default 20 s, or what
            /// [`heartbeat_interval`](Self::heartbeat_interval) says; `None` waits for ever.
            ///
            /// It is [`Timeouts::pong`](::sansocket::Timeouts::pong), which says when it is a little more.
            #[must_use]
            pub fn heartbeat_timeout(mut self, limit: impl Into<Option<::std::time::Duration>>) -> Self {
                self.heartbeat.set_timeout(&mut self.client.timeouts.pong, limit.into());
                self
            }

            /// Compression of messages (RFC 7692), offered to the server. Default `None`.
            #[cfg(feature = "deflate")]
            #[must_use]
            pub fn compression(mut self, deflate: impl Into<Option<::sansocket::DeflateConfig>>) -> Self {
                self.client.deflate = deflate.into();
                self
            }

            /// Whom to trust for `wss`, and who this client says it is. By default it trusts whom the operating system trusts.
            #[cfg(feature = "tls")]
            #[must_use]
            pub fn tls(mut self, tls: $crate::Tls) -> Self {
                self.tls = tls;
                self
            }

            /// The way out, where there is a proxy: a [`Proxy`](::sansocket::Proxy) for all servers, or a choice. By default none, whatever
            /// the environment says.
            #[must_use]
            pub fn proxy(mut self, proxies: impl Into<::sansocket::Proxies>) -> Self {
                self.dial.proxy = proxies.into();
                self
            }
        }
    };
}

/// The options of `ClientBuilder` as methods, inside of its `impl`. Each is given with what it does to the driver's builder; on a
/// builder that has the driver's in a field, whose name is given then, it calls the method of that.
#[doc(hidden)]
#[macro_export]
macro_rules! client_options {
    ($($driver:ident)?) => {
        $crate::client_options! { @methods [$($driver)?]
            /// Adds a server, with a request of one's own: with fields, subprotocols, credentials.
            request(self, request: ::sansocket::ClientRequest) {
                self.session.servers.push(request);
            }

            /// Over which protocols. Default [`ProtocolSelection::WebSocket`](::sansocket::ProtocolSelection::WebSocket).
            protocol(self, protocol: ::sansocket::ProtocolSelection) {
                self.session.protocol = protocol;
            }

            /// The limit of one dial, from the server's name to the end of the opening handshake. Default 30 s. `None` leaves only the
            /// limits of the single steps.
            connection_timeout(self, limit: impl Into<Option<::std::time::Duration>>) {
                self.session.connection_timeout = limit.into();
            }

            /// Whether to connect again after a connection was lost. Default `true`. If `false`, each server is tried once until there is a
            /// connection, and all ends with that.
            auto_reconnect(self, on: bool) {
                self.session.auto_reconnect = on;
            }

            /// How many dials, after the first one of all or after a stable connection was lost, until the client gives up. Default `None`:
            /// it never does for that reason.
            max_reconnect_attempts(self, max: impl Into<Option<u32>>) {
                self.session.max_reconnect_attempts = max.into();
            }

            /// The longest delay before the first retry; it doubles from there, and each is drawn at random below. Default 500 ms.
            reconnect_delay(self, delay: ::std::time::Duration) {
                self.session.reconnect_delay = delay;
            }

            /// What the delays do not exceed. Default 30 s.
            max_reconnect_delay(self, delay: ::std::time::Duration) {
                self.session.max_reconnect_delay = delay;
            }

            /// Time between keepalive Pings. Default 20 s; `None` sends none. It is also how soon it is known what has arrived: see
            /// [`ClientSender::confirmed`](crate::ClientSender::confirmed).
            ///
            /// Unless [`heartbeat_timeout`](Self::heartbeat_timeout) was set, that becomes the same, but no less than 5 s, which leaves time for
            /// lost packets to be sent again, and no more than 20 s.
            heartbeat_interval(self, interval: impl Into<Option<::std::time::Duration>>) {
                let ::sansocket::SessionConfig { heartbeat_interval, heartbeat_timeout, .. } = &mut self.session;
                self.heartbeat.set_interval(heartbeat_interval, heartbeat_timeout, interval.into());
            }

            /// Time that the server has to answer a keepalive Ping, before the connection counts as lost. Default 20 s, or what
            /// [`heartbeat_interval`](Self::heartbeat_interval) says; `None` waits for ever.
            ///
            /// So a server that is gone is noticed after one interval and this time; see
            /// [`SessionConfig::heartbeat_timeout`](::sansocket::SessionConfig::heartbeat_timeout) for when it is a little more.
            heartbeat_timeout(self, limit: impl Into<Option<::std::time::Duration>>) {
                self.heartbeat.set_timeout(&mut self.session.heartbeat_timeout, limit.into());
            }

            /// What happens to a message for which the queue has no room. Default [`QueuePolicy::Wait`](::sansocket::QueuePolicy::Wait).
            queue(self, policy: ::sansocket::QueuePolicy) {
                self.session.queue = policy;
            }

            /// Compression of messages (RFC 7692), offered to each server. Default `None`.
            #[cfg(feature = "deflate")]
            compression(self, deflate: impl Into<Option<::sansocket::DeflateConfig>>) {
                self.session.connection.deflate = deflate.into();
            }

            /// Whom to trust for `wss`, and who this client says it is. By default it trusts whom the operating system trusts.
            #[cfg(feature = "tls")]
            tls(self, tls: $crate::Tls) {
                self.tls = tls;
            }

            /// The way out, where there is a proxy: a [`Proxy`](::sansocket::Proxy) for all servers, or a choice. By default none, whatever
            /// the environment says.
            proxy(self, proxies: impl Into<::sansocket::Proxies>) {
                self.dial.proxy = proxies.into();
            }

            /// What goes first on each new connection, ahead of what waits in the queue: credentials, subscriptions. It has no number, and does
            /// not go to another connection if this one is lost.
            ///
            /// Where an answer has to come before the rest may be sent, set
            /// [`SessionConfig::resume`](::sansocket::SessionConfig::resume) instead, and use
            /// [`Client::send_first`](crate::Client::send_first) and [`Client::resumed`](crate::Client::resumed).
            first_messages(
                self,
                messages: impl FnMut(&::sansocket::Connected) -> Vec<::sansocket::Message> + Send + 'static,
            ) {
                self.session.resume = true;
                self.greeting = Some(Box::new(messages));
            }

            /// Called with each event, messages included, in their order, before the application gets it by
            /// [`Client::next`](crate::Client::next). It runs inside of the client's own calls: it must not block. One that sends needs a
            /// [`ClientSender`](crate::ClientSender), which there is when the client is built: see
            /// [`Client::on_event`](crate::Client::on_event).
            on_event(self, callback: impl FnMut(&::sansocket::SessionEvent) + Send + 'static) {
                self.callback = Some(Box::new(callback));
            }
        }
    };
    (@methods [] $(
        $(#[$attribute:meta])*
        $name:ident($self:ident, $value:ident: $type:ty $(,)?) $body:block
    )*) => { $(
        $(#[$attribute])*
        pub fn $name(mut $self, $value: $type) -> Self {
            $body
            $self
        }
    )* };
    (@methods [$driver:ident] $(
        $(#[$attribute:meta])*
        $name:ident($self:ident, $value:ident: $type:ty $(,)?) $body:block
    )*) => { $(
        $(#[$attribute])*
        pub fn $name($self, $value: $type) -> Self {
            Self { $driver: $self.$driver.$name($value) }
        }
    )* };
}
