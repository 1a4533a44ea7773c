//! Messages of Amazon's event stream, made as their receivers expect them.

/// A message with these headers, all strings.
pub fn message(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let mut packed = vec![];
    for (name, value) in headers {
        packed.push(u8::try_from(name.len()).unwrap());
        packed.extend_from_slice(name.as_bytes());
        packed.push(7);
        packed.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        packed.extend_from_slice(value.as_bytes());
    }
    sealed(&packed, payload.as_bytes())
}

/// A message with headers that are packed already.
pub fn sealed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut out = [length(16 + headers.len() + payload.len()), length(headers.len())].concat();
    out.extend_from_slice(&crc(&out).to_be_bytes());
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc(&out).to_be_bytes());
    out
}

/// An event as Bedrock sends it.
pub fn event(name: &str, payload: &str) -> Vec<u8> {
    message(&[(":event-type", name), (":content-type", "application/json"), (":message-type", "event")], payload)
}

pub fn exception(name: &str, payload: &str) -> Vec<u8> {
    message(&[(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")], payload)
}

/// CRC-32, a bit at a time.
pub fn crc(bytes: &[u8]) -> u32 {
    let bit = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| bit(crc)))
}
