//! A server in a process of its own, and what it costs: CPU time and memory, as the kernel counts them.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{UWEBSOCKETS, servers};
use crate::options;

/// A server that runs until this is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts the server of this name on the first core; `uwebsockets` is the program that is uWebSockets' server.
    pub(crate) fn start(name: &'static str, uwebsockets: Option<&Path>) -> Self {
        let mut command = Command::new("/proc/self/exe");
        command.args(["serve", name]);
        if let (UWEBSOCKETS, Some(program)) = (name, uwebsockets) {
            command.arg(program);
        }
        options::without_settings(&mut command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is a pipe")).read_line(&mut line).expect("it is text");
        let port = line.trim().parse().unwrap_or_else(|_| panic!("{name} said no port, but {line:?}"));
        Self { child, name, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// CPU time of all its threads so far, in user and kernel mode, in nanoseconds.
    pub(crate) fn cpu_nanos(&self) -> u64 {
        // What it does now belongs to what was asked of it before: it goes to sleep first.
        std::thread::sleep(Duration::from_millis(2));
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
        let nanos = |task: fs::DirEntry| -> u64 {
            let statistics = fs::read_to_string(task.path().join("schedstat")).expect("the kernel counts");
            statistics.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("it is a number")
        };
        tasks.map(|task| nanos(task.expect("it runs"))).sum()
    }

    /// Memory of its own that is resident, in bytes, when it has done all that was asked of it.
    pub(crate) fn settled_resident(&self) -> u64 {
        std::thread::sleep(Duration::from_millis(200));
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("the kernel counts");
        1024 * line.trim().trim_end_matches(" kB").parse::<u64>().expect("it is a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// What the started process does: `serve NAME [PROGRAM]`.
pub(crate) fn be_server(name: &str, program: Option<&str>) -> ! {
    pin_to(0);
    if let Some(program) = program {
        panic!("{program} cannot be run: {}", Command::new(program).exec());
    }
    // The end of its input is the end of the one that started it, however that came.
    std::thread::spawn(|| {
        let _end = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    let server = servers().into_iter().find(|server| server.name == name).expect("there is such a server");
    let listener = listen();
    println!("{}", listener.local_addr().expect("it is bound").port());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there are descriptors");
    runtime.block_on((server.run)(listener));
    unreachable!("servers accept for ever");
}

/// A listener with a long queue, so that nothing is turned away.
fn listen() -> std::net::TcpListener {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)
        .expect("there are descriptors");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("there are ports");
    settle_congestion(&socket);
    socket.listen(4096).expect("it is bound");
    socket.set_nonblocking(true).expect("it is open");
    socket.into()
}

/// Has the kernel not pace what is sent, as BBR does by estimates, which differ from connection to connection for as long as it lasts.
pub(super) fn settle_congestion<'a>(socket: impl Into<socket2::SockRef<'a>>) {
    socket.into().set_tcp_congestion(b"reno").expect("every Linux has it");
}

/// Runs this thread on one core only.
pub(crate) fn pin_to(core: usize) {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    match cores.get(core) {
        Some(core) => assert!(core_affinity::set_for_current(*core), "core {core:?} refuses this thread"),
        None => eprintln!("There is no core {core}: the server and the load share one, which disturbs both."),
    }
}
