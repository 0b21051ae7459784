//! SIP over TCP: one task a connection, messages framed by Content-Length (RFC 3261 §18.3).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::message::framed_length;
use crate::oddity::Oddity;

/// How many connections one phone keeps.
const LINKS_MAX: usize = 4_096;
/// How many messages wait for one connection.
const QUEUE_MAX: usize = 256;
/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Bytes read at once.
const READ_BYTES: usize = 16_384;

/// What a connection tells the phone.
#[derive(Debug)]
pub(crate) enum TcpEvent {
    Message(SocketAddr, Vec<u8>),
    Odd(Oddity),
    Closed(SocketAddr),
}

/// All connections of a phone, by the address of the other end.
#[derive(Debug)]
pub(crate) struct TcpLinks {
    links: HashMap<SocketAddr, mpsc::Sender<Arc<[u8]>>>,
    events: mpsc::Sender<TcpEvent>,
}

impl TcpLinks {
    pub(crate) fn new(events: mpsc::Sender<TcpEvent>) -> Self {
        Self { links: HashMap::new(), events }
    }

    /// Takes an accepted connection.
    pub(crate) fn accept(&mut self, stream: TcpStream, addr: SocketAddr) {
        if let Some(queue) = self.open(addr) {
            tokio::spawn(carry(stream, addr, queue, self.events.clone()));
        }
    }

    /// Sends over the connection to `addr`, which is made when there is none. A message that cannot be sent is
    /// lost, and the transaction's timer notices.
    pub(crate) fn send(&mut self, addr: SocketAddr, bytes: Arc<[u8]>) {
        if !self.links.contains_key(&addr)
            && let Some(queue) = self.open(addr)
        {
            let events = self.events.clone();
            tokio::spawn(async move {
                match tokio::time::timeout(CONNECT_MAX, TcpStream::connect(addr)).await {
                    Ok(Ok(stream)) => carry(stream, addr, queue, events).await,
                    _ => {
                        // The phone being gone is the only way this fails.
                        let _ = events.send(TcpEvent::Closed(addr)).await;
                    }
                }
            });
        }
        if let Some(link) = self.links.get(&addr)
            && link.try_send(bytes).is_err()
        {
            tracing::debug!("a message to a closed or congested TCP connection is dropped");
        }
    }

    pub(crate) fn closed(&mut self, addr: SocketAddr) {
        if self.links.get(&addr).is_some_and(mpsc::Sender::is_closed) {
            self.links.remove(&addr);
        }
    }

    fn open(&mut self, addr: SocketAddr) -> Option<mpsc::Receiver<Arc<[u8]>>> {
        if self.links.len() >= LINKS_MAX {
            return None;
        }
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        self.links.insert(addr, sender);
        Some(receiver)
    }
}

async fn carry(
    stream: TcpStream,
    addr: SocketAddr,
    mut queue: mpsc::Receiver<Arc<[u8]>>,
    events: mpsc::Sender<TcpEvent>,
) {
    let (mut reader, mut writer) = stream.into_split();
    let mut buffer: Vec<u8> = Vec::new();
    let mut chunk = vec![0; READ_BYTES];
    loop {
        tokio::select! {
            read = reader.read(&mut chunk) => {
                let Ok(count @ 1..) = read else { break };
                buffer.extend_from_slice(&chunk[..count]);
                match frame(&mut buffer) {
                    Ok(messages) => for message in messages {
                        if events.send(TcpEvent::Message(addr, message)).await.is_err() {
                            return;
                        }
                    },
                    Err(oddity) => {
                        let _ = events.send(TcpEvent::Odd(oddity)).await;
                        break;
                    }
                }
            }
            message = queue.recv() => {
                let Some(bytes) = message else { break };
                if writer.write_all(&bytes).await.is_err() {
                    break;
                }
            }
        }
    }
    drop(queue);
    let _ = events.send(TcpEvent::Closed(addr)).await;
}

/// Takes the complete messages off the front of a stream.
fn frame(buffer: &mut Vec<u8>) -> Result<Vec<Vec<u8>>, Oddity> {
    let mut messages = Vec::new();
    loop {
        let blank = buffer.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        buffer.drain(..blank);
        match framed_length(buffer)? {
            Some(length) => messages.push(buffer.drain(..length).collect()),
            None => return Ok(messages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_off_a_stream_however_it_is_cut() {
        let one = b"OPTIONS sip:a SIP/2.0\r\nl: 2\r\n\r\nhi";
        let all: Vec<u8> = [&b"\r\n\r\n"[..], one, one, &one[..10]].concat();
        for cut in 1..all.len() {
            let mut buffer = Vec::new();
            let mut got = Vec::new();
            for part in all.chunks(cut) {
                buffer.extend_from_slice(part);
                got.extend(frame(&mut buffer).unwrap());
            }
            assert_eq!((got.len(), buffer.len()), (2, 10), "chunks of {cut}");
        }
        assert!(frame(&mut b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n".to_vec()).is_err());
    }
}
