//! Amazon's event stream, written: what a provider sends.

/// One message of a type, with its lengths and checksums.
pub fn message(event: &str, payload: &[u8]) -> Vec<u8> {
    let mut headers = vec![];
    for (name, value) in [(":event-type", event), (":content-type", "application/json"), (":message-type", "event")] {
        headers.extend(u8::try_from(name.len()));
        headers.extend_from_slice(name.as_bytes());
        // A string.
        headers.push(7);
        headers.extend_from_slice(&length::<2>(value.len()));
        headers.extend_from_slice(value.as_bytes());
    }
    let mut out = length::<4>(headers.len() + payload.len() + 16).to_vec();
    out.extend_from_slice(&length::<4>(headers.len()));
    out.extend_from_slice(&sum(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&sum(&out).to_be_bytes());
    out
}

/// The last bytes of a number, the highest first.
fn length<const N: usize>(number: usize) -> [u8; N] {
    let bytes = number.to_be_bytes();
    std::array::from_fn(|i| bytes.get(bytes.len() - N + i).copied().unwrap_or(0))
}

/// CRC-32, bit by bit.
fn sum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}
