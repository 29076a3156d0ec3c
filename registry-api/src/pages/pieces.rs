//! Tables for download that are sent while they are read.

use std::future::Future;
use std::io;

use actix_web::{HttpResponse, web};

use super::Problem;
use crate::routes::results::written;

/// Rows of a piece; the header stands once, on top of the first one.
///
/// # Errors
/// None in practice.
pub(super) fn part(
    header: &[&str],
    later: bool,
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<String, Problem> {
    let text = written(header, rows)?;
    // No name of a column has a line break.
    match text.split_once('\n') {
        Some((_, rows)) if later => Ok(rows.to_owned()),
        _ => Ok(text),
    }
}

/// A CSV file piece by piece: `read` makes the piece that begins at a place, and says where the next one begins. The first piece is made before
/// the answer begins, so that what cannot be read is a problem and not half an answer.
pub(super) async fn csv<C, F>(
    name: &str,
    start: C,
    read: impl Fn(C) -> F + 'static,
) -> Result<HttpResponse, Problem>
where
    C: 'static,
    F: Future<Output = Result<(String, Option<C>), Problem>> + 'static,
{
    let first = read(start).await?;
    let pieces = futures_util::stream::unfold(
        (Some(Ok::<_, Problem>(first)), read),
        |(piece, read)| async move {
            match piece? {
                Ok((text, next)) => {
                    let following = match next {
                        Some(place) => Some(read(place).await),
                        None => None,
                    };
                    Some((Ok(web::Bytes::from(text)), (following, read)))
                }
                // The answer has begun: it is cut off, and whoever reads it sees that.
                Err(problem) => Some((Err(io::Error::other(problem.kind.title())), (None, read))),
            }
        },
    );
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("content-disposition", format!("attachment; filename=\"{name}\"")))
        .streaming(pieces))
}
