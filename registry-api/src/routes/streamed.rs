//! Answers that are written while they are sent.

use std::io::{self, Write};

use actix_web::web;
use tokio::sync::mpsc;

use crate::problem::Problem;

/// What `write` writes, while it is sent: one piece waits for the reader at most, and a reader who goes away ends it.
pub(super) fn streamed(
    write: impl FnOnce(Pieces) -> io::Result<()> + Send + 'static,
) -> Result<impl futures_util::Stream<Item = io::Result<web::Bytes>>, Problem> {
    let (sender, receiver) = mpsc::channel(1);
    let failed = sender.clone();
    std::thread::Builder::new()
        .name("answer".to_owned())
        .spawn(move || {
            if let Err(error) = write(Pieces::new(sender)) {
                // The answer is cut off, and whoever reads it sees that; nobody may be there any more.
                let _ = failed.blocking_send(Err(error));
            }
        })
        .map_err(Problem::internal)?;
    Ok(futures_util::stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    }))
}

/// Bytes on their way to the answer, in pieces.
pub(super) struct Pieces {
    sender: mpsc::Sender<io::Result<web::Bytes>>,
    waiting: web::BytesMut,
}

impl Pieces {
    /// Bytes of a piece.
    const PIECE: usize = 64 * 1024;

    fn new(sender: mpsc::Sender<io::Result<web::Bytes>>) -> Self {
        Self {
            sender,
            waiting: web::BytesMut::new(),
        }
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= Self::PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = self.waiting.split().freeze();
        self.sender
            .blocking_send(Ok(piece))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
