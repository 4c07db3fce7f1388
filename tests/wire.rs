//! What the proxies before the local cloud share: whole HTTP messages, and answers that no service gave.

use std::io::Read;
use std::net::TcpStream;

/// The content type of CloudFormation's and CloudFront's answers.
pub(crate) const XML: &str = "text/xml";

/// An answer of the proxy's own.
pub(crate) fn answer(status: u16, kind: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} As-Scripted\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// An error as CloudFormation and CloudFront word it.
pub(crate) fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
    )
}

/// Reads the answer to a request. One to `HEAD` tells the length of what it does not have.
pub(crate) fn answer_to(request: &[u8], stream: &mut TcpStream) -> Option<Vec<u8>> {
    read(stream, !request.starts_with(b"HEAD "))
}

/// Reads one HTTP message whose length its head tells.
pub(crate) fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    read(stream, true)
}

fn read(stream: &mut TcpStream, with_body: bool) -> Option<Vec<u8>> {
    let (mut bytes, mut block) = (Vec::new(), [0; 16_384]);
    loop {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4);
        if let Some(head) = head {
            let length = header(&bytes[..head], "content-length").filter(|_| with_body);
            let length: usize = length.map_or(Some(0), |n| n.parse().ok())?;
            if bytes.len() >= head + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut block).ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&block[..count]),
        }
    }
}

pub(crate) fn header(message: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(message);
    let head = text.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
