//! The load: connections that are kept open, each of which asks for one thing after the other and reads all of every
//! answer. The same code asks the edge and its peer, and each request costs it the same.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Connections at a time. Each has a thread, which waits for the server most of the time.
pub(crate) const CONNECTIONS: usize = 32;
/// Longest wait for bytes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What must become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Granted,
    Refused,
    /// Refused too: what it shows has been good, and has run out.
    RunOut,
}

/// One request.
pub(crate) struct Ask {
    /// Method, path, headers: all of it but the line with the host.
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) expected: Expected,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
}

impl Answer {
    /// Values of a header.
    pub(crate) fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// How many requests ended how.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) wrong_refusals: u64,
    pub(crate) wrong_grants: u64,
    /// Neither granted nor refused.
    pub(crate) odd: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.wrong_refusals += other.wrong_refusals;
        self.wrong_grants += other.wrong_grants;
        self.odd += other.odd;
    }
}

/// A server, as viewers reach it.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Arc<ClientConfig>,
}

/// A connection that is kept.
pub(crate) struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    host: String,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are filled.
    filled: usize,
}

impl Server {
    pub(crate) fn connect(&self) -> Result<Connection, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from(self.host.clone())?;
        let connection = ClientConnection::new(Arc::clone(&self.tls), name)?;
        let host = format!("{}:{}", self.host, self.port);
        Ok(Connection {
            stream: StreamOwned::new(connection, stream),
            host,
            buffer: vec![0; 64 * 1024],
            filled: 0,
        })
    }
}

impl Connection {
    /// Asks, and reads the answer to its end. The answer has its number of bytes.
    pub(crate) fn ask(&mut self, ask: &Ask) -> std::io::Result<(Answer, u64)> {
        let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", ask.path, self.host, ask.headers);
        self.stream.write_all(request.as_bytes())?;
        let end = loop {
            if let Some(at) = self.buffer[..self.filled].windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill()?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let answer = Answer { status, head };
        let length = answer.header("content-length").next().and_then(|length| length.parse::<usize>().ok());
        let body = if status == 304 { 0 } else { length.unwrap_or(0) };
        let mut left = (end + body).saturating_sub(self.filled);
        self.filled = 0;
        while left > 0 {
            self.filled = 0;
            self.fill()?;
            left = left.saturating_sub(self.filled);
        }
        self.filled = 0;
        Ok((answer, (end + body) as u64))
    }

    fn fill(&mut self) -> std::io::Result<()> {
        if self.filled == self.buffer.len() {
            return Err(std::io::Error::other("the headers do not end"));
        }
        match self.stream.read(&mut self.buffer[self.filled..])? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.filled += count;
                Ok(())
            }
        }
    }
}

/// Asks over all connections until the time is over; connection `n` is one to the `n`th server, and again from the
/// first. `next` chooses what a connection asks for, and `seen` is shown what came back.
pub(crate) fn run<N, S>(
    servers: &[Server],
    time: Duration,
    next: N,
    seen: S,
) -> Result<Counts, Box<dyn std::error::Error>>
where
    N: Fn(usize, u64) -> Ask + Sync,
    S: Fn(usize, &Ask, &Answer) -> Result<(), Box<dyn std::error::Error>> + Sync,
{
    let end = Instant::now() + time;
    let one = |number: usize| -> Result<Counts, Box<dyn std::error::Error + Send + Sync>> {
        let (mut counts, mut connection) = (Counts::default(), servers[number % servers.len()].connect()?);
        while Instant::now() < end {
            let ask = next(number, counts.requests);
            let (answer, bytes) = connection.ask(&ask)?;
            counts.requests += 1;
            counts.bytes += bytes;
            let granted = matches!(answer.status, 200 | 206 | 304);
            match ask.expected {
                Expected::Granted if !granted => counts.wrong_refusals += 1,
                Expected::Refused | Expected::RunOut if granted => counts.wrong_grants += 1,
                Expected::Refused | Expected::RunOut if answer.status != 403 => counts.odd += 1,
                _ => {}
            }
            seen(number, &ask, &answer).map_err(|error| error.to_string())?;
        }
        Ok(counts)
    };
    let (one, mut all) = (&one, Counts::default());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|number| scope.spawn(move || one(number))).collect();
        for thread in threads {
            let counts = thread.join().map_err(|_| "a connection's thread has panicked")?;
            all.add(counts.map_err(|error| error.to_string())?);
        }
        Ok::<_, String>(())
    })?;
    Ok(all)
}

/// Processor time of a process so far, with that of its threads: user and kernel.
pub(crate) fn cpu(process: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<u64> = text
        .rsplit_once(") ")
        .map(|(_, rest)| rest.split(' ').map(|field| field.parse().unwrap_or(0)).collect())
        .unwrap_or_default();
    // The 14th and 15th of proc(5), in hundredths of a second.
    let ticks = fields.get(11).unwrap_or(&0) + fields.get(12).unwrap_or(&0);
    Duration::from_millis(ticks * 10)
}
