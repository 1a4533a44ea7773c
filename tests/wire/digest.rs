//! SHA-256 in pieces, HMAC by the vectors of RFC 4231, and hexadecimals there and back.

use portolan::wire::digest::{hex, hmac, sha256, unhex};

#[test]
fn pieces_are_digested_as_one() {
    let whole = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for pieces in [vec!["abc"], vec!["a", "bc"], vec!["", "ab", "", "c"]] {
        assert_eq!(hex(&sha256(pieces.iter().map(|piece| piece.as_bytes()))), whole, "{pieces:?}");
    }
}

#[test]
fn keys_of_any_length_make_the_published_codes() {
    for (key, text, code) in [
        (&b"Jefe"[..], "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            &[0xaa; 131],
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ] {
        let (first, second) = text.split_at(7);
        assert_eq!(hex(&hmac(key, &[first.as_bytes(), second.as_bytes()])), code, "{text}");
    }
}

#[test]
fn only_what_was_written_so_is_read_back() {
    let hash = sha256([&b"abc"[..]]);
    assert_eq!(unhex(&hex(&hash)), Some(hash));
    for text in [&hex(&hash).to_uppercase(), &hex(&hash)[1..], &format!("0{}", hex(&hash)), &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(unhex(text), None, "{text}");
    }
}
