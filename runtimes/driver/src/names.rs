//! The names of the core and of the driver that every adapter offers as its own, listed once.

/// Re-exports them. The crate that calls it has the features `tls` and `deflate`, and depends on `sansocket` besides.
#[doc(hidden)]
#[macro_export]
macro_rules! names {
    () => {
        pub use sansocket::{
            Accept, Answer, Cause, ClientConfig, ClientRequest, CloseCode, CloseFrame, Closed, DialConfig,
            DialError, Dialed, HandshakeError, Limits, Message, PlainRequest, Prepared, Proxies, Proxy,
            Reject, Request, ServerConfig, Timeouts, TlsParams,
        };
        pub use sansocket::{
            AcceptRefused, Addresses, ConnectFault, Counts, DialAttempt, DialCause, DialTimeouts, Event,
            Excerpt, Failure, HandshakeErrorKind, InvalidField, InvalidOrigin, InvalidProxy,
            InvalidProxyVariable, InvalidSubprotocol, MessageKind, Origins, Peer, Phase, ProxyKind, Response,
            RetryRules, Role, SendError, SendRefused, SessionAttempt, SessionAttempts, Severity, StepError,
            TcpKeepalive, TcpOptions, TlsFault, TransportError, Url, UrlError,
        };
        pub use sansocket::{
            Connected, ConnectedInfo, Disconnected, GaveUp, GaveUpReason, MessageNumbers, ProtocolSelection,
            QueueLimit, QueuePolicy, Reconnected, Reconnecting, ServerSetback, SessionClosed, SessionConfig,
            SessionEvent, SessionRefused, SessionSendError, SessionState, SessionStats, Setback,
        };
        #[cfg(feature = "deflate")]
        pub use sansocket::{DeflateConfig, DeflateParams};
        pub use $crate::{Error, Handshakes, handshakes};
        #[cfg(feature = "tls")]
        pub use $crate::{Tls, TlsAcceptError, TlsAcceptFault, TlsBuilder, TlsConfigError};
        // By its name, which rustdoc shows as it stands here.
        #[cfg(feature = "tls")]
        pub use sansocket_driver::rustls;

        /// All of the core, for what is not re-exported by name.
        pub use sansocket;
    };
}
