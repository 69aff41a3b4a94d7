//! The tables of echoes, of new connections and of idle ones: CPU time and memory of the servers.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use super::load::connect;
use super::{Load, Process, RAW, Shape, UWEBSOCKETS, servers};
use crate::options::Options;
use crate::rounds::{CONTROL, Line, quartiles};
use crate::table::{Row, Table};
use crate::work::frame;

/// All tables.
pub(crate) fn tables(options: &Options) -> impl Iterator<Item = Table> {
    let echoes = [(1, 1), (64, 1), (1000, 1), (64, 16), (1000, 16), (1, 16)];
    let echoes =
        echoes.into_iter().filter_map(|(connections, in_flight)| echo(options, connections, in_flight));
    let others = [scale, new_connections, idle, keepalive].into_iter().filter_map(|table| table(options));
    echoes.chain(others)
}

/// Messages of all sizes that go to and fro.
fn echo(options: &Options, connections: usize, in_flight: usize) -> Option<Table> {
    let title = format!("echo, {connections} connections, {in_flight} in flight")
        .replace(" 1 connections", " 1 connection");
    let sizes = SIZES.into_iter().filter(|(size, _)| size * connections * in_flight <= MOST_AT_ONCE);
    let mut table = Table { title, unit: "ns of server CPU per message", rows: Vec::new() };
    let mut processes = None;
    for (size, name) in sizes {
        if options.wants(&table.title, name) {
            let processes = processes.get_or_insert_with(|| everybody(options));
            let shape = Shape { size, connections, in_flight };
            let row = Row { name: name.to_owned(), lines: measure(processes, shape, options) };
            table.print_row(&row);
            table.rows.push(row);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

/// Whether a message costs more when there are more connections. Only sansocket and the floor: descriptors are scarce.
fn scale(options: &Options) -> Option<Table> {
    let title = "echo of 125 B by number of connections, 1 in flight".to_owned();
    let mut table = Table { title, unit: "ns of server CPU per message", rows: Vec::new() };
    let most = if options.quick { 100 } else { 9000 };
    for connections in [10, 100, 1000, 9000] {
        let name = format!("{connections} connections");
        if connections <= most && options.wants(&table.title, &name) {
            let processes = [start("sansocket", options), start(RAW, options)];
            let lines = measure(&processes, Shape { size: 125, connections, in_flight: 1 }, options);
            let row = Row { name, lines };
            table.print_row(&row);
            table.rows.push(row);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

/// Connect, upgrade, close.
fn new_connections(options: &Options) -> Option<Table> {
    let title = "new connections".to_owned();
    let mut table =
        Table { title, unit: "ns of server CPU per connect, upgrade and close", rows: Vec::new() };
    let name = "one after the other";
    if !options.wants(&table.title, name) {
        return None;
    }
    let processes = everybody(options);
    let (rounds, count) = if options.quick { (2, 20) } else { (15, 200) };
    let mut values = vec![Vec::new(); processes.len()];
    for round in 0..=rounds {
        for at in 0..processes.len() {
            let at = (at + round) % processes.len();
            let process = &processes[at];
            let before = process.cpu_nanos();
            for _ in 0..count {
                come_and_go(process).unwrap_or_else(|error| panic!("{}: {error}", process.name));
            }
            // The first round warms up.
            if round > 0 {
                values[at].push((process.cpu_nanos() - before) as f64 / count as f64);
            }
        }
    }
    let row = Row { name: name.to_owned(), lines: lines(&processes, &values) };
    table.print_row(&row);
    table.rows.push(row);
    Some(table)
}

fn come_and_go(process: &Process) -> io::Result<()> {
    let mut socket = connect(process.address)?;
    let mut close = Vec::new();
    frame(&mut close, 0x88, &1000_u16.to_be_bytes(), Some([1, 2, 3, 4]));
    socket.write_all(&close)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let (mut answer, mut len) = ([0; 64], 0);
    // The answer to a Close frame may be without a code.
    while len < 2 {
        match socket.read(&mut answer[len..]) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "no Close frame")),
            Ok(read) => len += read,
            Err(error) => return Err(error),
        }
    }
    if answer[0] == 0x88 {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "not a Close frame"))
    }
}

/// Resident memory per connection, when nothing was sent yet and when each has echoed one message.
fn idle(options: &Options) -> Option<Table> {
    let connections = if options.quick { 100 } else { 10_000 };
    let title = format!("memory of {connections} idle connections");
    let mut table = Table { title, unit: "bytes per connection", rows: Vec::new() };
    if !options.wants(&table.title, "fresh, after one message") {
        return None;
    }
    let (mut fresh, mut used, mut processes) = (Vec::new(), Vec::new(), Vec::new());
    for name in names(options) {
        let process = start(name, options);
        let shape = Shape { size: 125, connections: 1, in_flight: 1 };
        let mut first = Load::open(process.address, shape, name == RAW).expect("the server accepts");
        first.run(16, true).expect("the server echoes");
        let before = process.settled_resident();
        let shape = Shape { connections, ..shape };
        let mut load = Load::open(process.address, shape, name == RAW).expect("the server accepts");
        let per_connection = |resident: u64| resident.saturating_sub(before) as f64 / connections as f64;
        fresh.push(vec![per_connection(process.settled_resident())]);
        load.run(connections, true).expect("the server echoes");
        used.push(vec![per_connection(process.settled_resident())]);
        processes.push(process);
    }
    for (name, values) in [("fresh", fresh), ("after one message", used)] {
        let row = Row { name: name.to_owned(), lines: lines(&processes, &values) };
        table.print_row(&row);
        table.rows.push(row);
    }
    Some(table)
}

/// What idle connections cost that are asked every 20 seconds whether they are still there, as is the default. Only sansocket.
fn keepalive(options: &Options) -> Option<Table> {
    const PERIOD: Duration = Duration::from_secs(20);
    let (connections, time) =
        if options.quick { (100, Duration::from_millis(100)) } else { (10_000, 3 * PERIOD) };
    let title = format!("keepalive of {connections} idle connections");
    let mut table = Table { title, unit: "ns of server CPU per connection and second", rows: Vec::new() };
    let name = "a Ping every 20 s";
    if !options.wants(&table.title, name) || !"sansocket".contains(&options.only) {
        return None;
    }
    let process = start("sansocket", options);
    let shape = Shape { size: 125, connections, in_flight: 1 };
    let mut load = Load::open(process.address, shape, false).expect("the server accepts");
    let mut cost = |time: Duration| {
        let (start, before) = (Instant::now(), process.cpu_nanos());
        while start.elapsed() < time {
            load.attend().expect("the server keeps its connections");
            std::thread::sleep(Duration::from_millis(1));
        }
        (process.cpu_nanos() - before) as f64 / start.elapsed().as_secs_f64() / connections as f64
    };
    // Before the first Ping, there is nothing to be seen.
    cost(time / 3);
    let values = (0..3).map(|_| cost(time / 3)).collect();
    let processes = [process];
    let row = Row { name: name.to_owned(), lines: lines(&processes, &[values]) };
    table.print_row(&row);
    table.rows.push(row);
    Some(table)
}

/// Lets the servers take turns with the same load.
fn measure(processes: &[Process], shape: Shape, options: &Options) -> Vec<Line> {
    let (rounds, turn) =
        if options.quick { (2, Duration::from_millis(2)) } else { (7, Duration::from_millis(20)) };
    let open = |process: &Process| {
        let mut load = Load::open(process.address, shape, process.name == RAW)?;
        load.run(2 * shape.connections, true)?;
        let mut times = shape.connections;
        loop {
            let start = Instant::now();
            load.run(times, false)?;
            if start.elapsed() >= turn {
                return Ok((load, times));
            }
            times *= 2;
        }
    };
    let mut loads: Vec<(Load, usize)> = Vec::new();
    for process in processes {
        loads.push(open(process).unwrap_or_else(|error| broken(process, error)));
        attend(processes, &mut loads);
    }
    let mut values = vec![Vec::new(); processes.len()];
    for round in 0..rounds {
        for at in 0..processes.len() {
            let at = (at + round) % processes.len();
            let (process, (load, times)) = (&processes[at], &mut loads[at]);
            let before = process.cpu_nanos();
            let messages = load.run(*times, false).unwrap_or_else(|error| broken(process, error));
            values[at].push((process.cpu_nanos() - before) as f64 / messages as f64);
            attend(processes, &mut loads);
        }
    }
    lines(processes, &values)
}

/// Lets the connections that have to wait answer Pings.
fn attend(processes: &[Process], loads: &mut [(Load, usize)]) {
    for (process, (load, _)) in processes.iter().zip(loads) {
        load.attend().unwrap_or_else(|error| broken(process, error));
    }
}

fn broken(process: &Process, error: io::Error) -> ! {
    panic!("{}: {error}", process.name)
}

/// The first is sansocket; the same once more is the control.
fn lines(processes: &[Process], values: &[Vec<f64>]) -> Vec<Line> {
    let line = |(at, own): (usize, &Vec<f64>)| Line {
        name: if at > 0 && processes[at].name == processes[0].name { CONTROL } else { processes[at].name }
            .to_owned(),
        apart: false,
        value: quartiles(own.clone()),
        ratio: quartiles(own.iter().zip(&values[0]).map(|(own, first)| own / first).collect()),
    };
    values.iter().enumerate().map(line).collect()
}

/// sansocket, everybody else, and sansocket once more.
fn everybody(options: &Options) -> Vec<Process> {
    let mut processes: Vec<Process> = names(options).map(|name| start(name, options)).collect();
    processes.insert(1, start(processes[0].name, options));
    processes
}

fn names(options: &Options) -> impl Iterator<Item = &'static str> + '_ {
    let uwebsockets = options.uwebsockets.is_some().then_some(UWEBSOCKETS);
    let all = servers().into_iter().map(|server| server.name).chain(uwebsockets);
    all.filter(|name| name.contains(&options.only))
}

fn start(name: &'static str, options: &Options) -> Process {
    Process::start(name, options.uwebsockets.as_deref())
}

/// Bytes of payload data, with a name.
const SIZES: [(usize, &str); 5] =
    [(16, "16 B"), (125, "125 B"), (1024, "1 KiB"), (16 * 1024, "16 KiB"), (1024 * 1024, "1 MiB")];

/// Payload data under way at once, in bytes: more than this would measure how the kernel runs out of memory.
const MOST_AT_ONCE: usize = 64 * 1024 * 1024;
