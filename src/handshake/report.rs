//! The long explanation of a failed handshake, for people.

use alloc::string::String;
use core::fmt::{self, Write as _};

use crate::handshake::advice::expected;
use crate::handshake::error::HandshakeError;
use crate::handshake::text::Elapsed;

impl HandshakeError {
    /// All that is known, on several lines: what happened, what was seen and what was expected, what the peer looks like,
    /// what it was told, and what to do. For people; the format may change.
    ///
    /// Whatever the peer sent is escaped, so that it cannot forge a line.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use sansocket::{Instant, ServerConfig, ServerHandshake};
    ///
    /// let mut handshake = ServerHandshake::new(&ServerConfig::default(), Instant::ZERO);
    /// let error = handshake.receive(&mut BytesMut::from("SSH-2.0-OpenSSH_9.6\r\n"), Instant::ZERO).unwrap_err();
    /// assert_eq!(
    ///     error.report(),
    ///     "The opening handshake failed: the client does not speak HTTP/1; this looks like SSH.\n\
    ///      \x20 code      not-http\n\
    ///      \x20 severity  wrong-peer\n\
    ///      \x20 when      reading request, after 4 bytes in 1 read and 0 ms\n\
    ///      \x20 peer      SSH\n\
    ///      \x20 seen      \"SSH-2.0-OpenSSH_9.6\\r\\n\"\n\
    ///      \x20 expected  a GET request of HTTP/1.1 with the fields of RFC 6455 section 4.2.1\n\
    ///      \x20 answer    none\n\
    ///      \x20 advice    Most likely a scan, or a client with the wrong port.\n",
    /// );
    /// ```
    #[must_use]
    pub fn report(&self) -> String {
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write_report(&mut out);
        out
    }

    fn write_report(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "The opening handshake failed: {}.", self.sentence())?;
        writeln!(out, "  code      {}", self.code())?;
        self.write_details(out)?;
        writeln!(out, "  advice    {}", self.advice())
    }

    /// What a report says between the code and the advice.
    pub(crate) fn write_details(&self, out: &mut String) -> fmt::Result {
        writeln!(out, "  severity  {}", self.severity())?;
        writeln!(
            out,
            "  when      {}, after {} and {}",
            self.phase(),
            self.counts(),
            Elapsed(self.elapsed())
        )?;
        if let Some(path) = self.path() {
            writeln!(out, "  path      {path}")?;
        }
        writeln!(out, "  peer      {}", self.peer())?;
        let seen = self.first_bytes();
        if !seen.is_empty() {
            writeln!(out, "  seen      \"{}\"", seen.escape_ascii())?;
        }
        writeln!(out, "  expected  {}", expected(self.kind(), self.role()))?;
        for (at, line) in self.body().split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).enumerate()
        {
            let label = if at == 0 { "body" } else { "" };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            writeln!(out, "  {label:8}  \"{}\"", line.escape_ascii())?;
        }
        match self.reply().and(self.status()) {
            Some(status) => writeln!(out, "  answer    {status}")?,
            None if self.role().peer() == crate::role::Role::Client => writeln!(out, "  answer    none")?,
            None => {}
        }
        Ok(())
    }
}
