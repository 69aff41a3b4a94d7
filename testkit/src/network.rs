//! The description of a simulation: what stands at its ends and what lies between them.

use std::fmt;
use std::rc::Rc;

use core::time::Duration;

use sansocket::{
    Accept, ClientConfig, ClientRequest, Connection, Entropy, HandshakeError, Limits, Reject, Request,
    ServerConfig, Timeouts,
};

use crate::clock::Clock;
use crate::drive::Drive;
use crate::endpoint::Endpoint;
use crate::link::Link;
use crate::random::{Random, Stream};
use crate::raw::RawEndpoint;
use crate::script::Script;
use crate::sim::{Pair, START, Sim};

/// A server's answer to a request.
pub(crate) type Decide = Rc<dyn Fn(&Request) -> Result<Accept, Reject>>;

/// What stands at the two ends of a simulation, what lies between them, and the seed.
///
/// A description that can be cloned and used for any number of simulations. Without further calls it is a perfect
/// network between a client and a server of the default configuration, which accepts every request.
///
/// ```
/// use sansocket::{Accept, ClientRequest, Reject};
/// use sansocket_testkit::{Link, Network, Split};
///
/// let network = Network::new(7)
///     .both_ways(Link::new().split(Split::EveryByte))
///     .request(ClientRequest::new("ws://example.com/chat")?.subprotocol("chat")?)
///     .decide(|request| match request.target() {
///         "/chat" => Ok(Accept::new().subprotocol("chat")),
///         _ => Err(Reject::new(404)),
///     });
/// let pair = network.open()?;
/// assert_eq!(pair.client.response().and_then(|response| response.subprotocol()), Some("chat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Network {
    pub(crate) seed: u64,
    pub(crate) to_server: Link,
    pub(crate) to_client: Link,
    pub(crate) client_clock: Clock,
    pub(crate) server_clock: Clock,
    pub(crate) client_config: ClientConfig,
    pub(crate) server_config: ServerConfig,
    pub(crate) request: Option<ClientRequest>,
    pub(crate) decide: Decide,
    pub(crate) decision_time: Duration,
    pub(crate) time_limit: Duration,
    pub(crate) traced: bool,
}

/// Why [`Network::open`] did not open a connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NotOpen {
    /// What the client's handshake came to, if it failed.
    pub client: Option<HandshakeError>,
    /// What the server's handshake came to, if it failed.
    pub server: Option<HandshakeError>,
    /// The virtual time that it took.
    pub elapsed: Duration,
}

impl Network {
    /// A perfect network. `seed` decides all that is random: pieces, delays, the client's key and its masking-keys.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            to_server: Link::new(),
            to_client: Link::new(),
            client_clock: Clock::new(),
            server_clock: Clock::new(),
            client_config: ClientConfig::default(),
            server_config: ServerConfig::default(),
            request: None,
            decide: Rc::new(|_| Ok(Accept::new())),
            decision_time: Duration::ZERO,
            time_limit: Duration::from_secs(3600),
            traced: false,
        }
    }

    /// The same network with another seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// What lies on the way from the client to the server.
    pub fn to_server(mut self, link: Link) -> Self {
        self.to_server = link;
        self
    }

    /// What lies on the way from the server to the client.
    pub fn to_client(mut self, link: Link) -> Self {
        self.to_client = link;
        self
    }

    /// The same in both directions; what is random is drawn for each of them.
    pub fn both_ways(self, link: Link) -> Self {
        self.to_server(link.clone()).to_client(link)
    }

    /// The client's clock. Default: right.
    pub fn client_clock(mut self, clock: Clock) -> Self {
        self.client_clock = clock;
        self
    }

    /// The server's clock. Default: right.
    pub fn server_clock(mut self, clock: Clock) -> Self {
        self.server_clock = clock;
        self
    }

    /// The client's configuration.
    pub fn client_config(mut self, config: ClientConfig) -> Self {
        self.client_config = config;
        self
    }

    /// The server's configuration.
    pub fn server_config(mut self, config: ServerConfig) -> Self {
        self.server_config = config;
        self
    }

    /// Changes what both configurations have in common.
    ///
    /// ```
    /// use sansocket_testkit::Network;
    ///
    /// let network = Network::new(1).both_configs(|limits, timeouts| {
    ///     limits.message = 1024;
    ///     timeouts.ping_interval = None;
    /// });
    /// # let _ = network;
    /// ```
    pub fn both_configs(mut self, change: impl Fn(&mut Limits, &mut Timeouts)) -> Self {
        change(&mut self.client_config.limits, &mut self.client_config.timeouts);
        change(&mut self.server_config.limits, &mut self.server_config.timeouts);
        self
    }

    /// What the client asks for. Default: `ws://example.com/`.
    pub fn request(mut self, request: ClientRequest) -> Self {
        self.request = Some(request);
        self
    }

    /// How the server answers a request. Default: it accepts it.
    ///
    /// A subprotocol that the client does not offer makes it a rejection with status 500, as in the adapters.
    pub fn decide(mut self, decide: impl Fn(&Request) -> Result<Accept, Reject> + 'static) -> Self {
        self.decide = Rc::new(decide);
        self
    }

    /// How long the server takes to decide. Default: no time.
    pub fn decision_time(mut self, time: Duration) -> Self {
        self.decision_time = time;
        self
    }

    /// How much virtual time [`Sim::run`] and [`Sim::run_until`] let pass at most in one call. Default one hour.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Keeps a [`Trace`](crate::Trace) of all that happens. It takes memory for every read and write.
    pub fn traced(mut self) -> Self {
        self.traced = true;
        self
    }

    /// A pair that has its opening handshake before it. Nothing has moved.
    #[must_use]
    pub fn start(&self) -> Pair {
        self.join(Endpoint::client(self), Endpoint::server(self))
    }

    /// A pair whose opening handshake is done: time has passed until both ends were open.
    ///
    /// Byte counts and times of the links begin before the handshake. To break an open connection, see
    /// [`Sim::set_link`] and [`without_handshake`](Self::without_handshake).
    ///
    /// # Errors
    ///
    /// The handshake failed, at one end or both.
    pub fn open(&self) -> Result<Pair, NotOpen> {
        let mut pair = self.start();
        if pair.run_until(|pair| pair.client.is_open() && pair.server.is_open()) {
            return Ok(pair);
        }
        Err(NotOpen {
            client: pair.client.handshake_error().cloned(),
            server: pair.server.handshake_error().cloned(),
            elapsed: pair.elapsed(),
        })
    }

    /// An open pair without an opening handshake: the first byte on the wire is that of the first frame.
    #[must_use]
    pub fn without_handshake(&self) -> Pair {
        let client = Connection::client(&self.client_config, self.entropy(), START);
        let server = Connection::server(&self.server_config, START);
        self.join(Endpoint::open(client), Endpoint::open(server))
    }

    /// A script in the place of the client.
    #[must_use]
    pub fn raw_client(&self, script: Script) -> Sim<RawEndpoint, Endpoint> {
        self.join(RawEndpoint::new(script), Endpoint::server(self))
    }

    /// A script in the place of the server.
    #[must_use]
    pub fn raw_server(&self, script: Script) -> Sim<Endpoint, RawEndpoint> {
        self.join(Endpoint::client(self), RawEndpoint::new(script))
    }

    /// Anything that can be driven, at both ends.
    #[must_use]
    pub fn join<C: Drive, S: Drive>(&self, client: C, server: S) -> Sim<C, S> {
        Sim::new(self, client, server)
    }

    pub(crate) fn entropy(&self) -> Entropy {
        Entropy::from_seed(Random::new(self.seed, Stream::Entropy).seed())
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("seed", &self.seed)
            .field("to_server", &self.to_server)
            .field("to_client", &self.to_client)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for NotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the opening handshake did not succeed within {:?} of virtual time", self.elapsed)?;
        for (role, error) in [("client", &self.client), ("server", &self.server)] {
            match error {
                Some(error) => write!(f, "; {role}: {error}")?,
                None => write!(f, "; {role}: no error")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for NotOpen {}
